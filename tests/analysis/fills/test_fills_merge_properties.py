"""The merge of live and REST fills: one final table, however reports are ordered or repeated."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from options_helper.analysis.fills.records import FillKind
from tests.broker import Broker, arrays_of, days, final, mangled, shuffled
from tests.said import steps_words


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_with_rest_complete_the_table_is_always_the_same(data: st.DataObject) -> None:
    """However live events are lost, repeated or shuffled, the table is the one that REST alone gives."""
    broker = data.draw(days())
    live = mangled(data.draw, broker.live)
    activities = shuffled(data.draw, broker.activities)
    rest_orders = shuffled(data.draw, broker.rest_orders())
    alone = arrays_of([], broker.activities, broker.rest_orders())
    fill_day = arrays_of(live, activities, rest_orders)
    assert [final(one) for one in fill_day.executions] == [final(one) for one in alone.executions]
    assert [(one.order_id, one.status, one.filled, steps_words(one)) for one in fill_day.orders] == [
        (one.order_id, one.status, one.filled, steps_words(one)) for one in alone.orders
    ]


@given(days())
@settings(max_examples=40, deadline=None)
def test_with_rest_complete_the_table_equals_the_ledger(broker: Broker) -> None:
    """The final table equals the broker's ledger to the share and the cent, and every row is confirmed."""
    fill_day = arrays_of([], broker.activities, broker.rest_orders())
    shown = {(one.order_id, one.filled, one.quantity, one.price) for one in fill_day.leaf_fills}
    assert shown == {
        (name, float(total), float(part), float(price)) for name, total, part, price in broker.ledger
    }
    assert len(fill_day.leaf_fills) == len(broker.ledger)
    assert all(one.confirmed for one in fill_day.executions)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_chain_shows_what_the_chain_filled(data: st.DataObject) -> None:
    """Orders that replaced one another are one row with the ledger's sums, however they are reported."""
    broker = data.draw(days(in_parts=False))
    live, rest = broker.live, (broker.activities, broker.rest_orders())
    tables = [arrays_of(live, [], []), arrays_of([], *rest)]
    both = [shuffled(data.draw, rows) for rows in rest]
    tables.append(arrays_of(mangled(data.draw, live), *both))
    lasts = [order for order in broker.orders if order.replaced_by is None]
    for fill_day in tables:
        assert {one.order_id for one in fill_day.orders} == {order.id for order in lasts}
        for row in fill_day.orders:
            chain = broker.chain_of(next(order for order in lasts if order.id == row.order_id))
            filled, spent = (sum(getattr(one, name) for one in chain) for name in ("filled", "spent"))
            assert row.order_ids == tuple(order.id for order in chain)
            assert row.filled == pytest.approx(float(filled), abs=1e-9)
            if filled and not chain[-1].legs:
                rounding = 10.0**-broker.decimals  # of each order's average
                assert row.average_price == pytest.approx(float(spent / filled), rel=1e-9, abs=rounding)


@given(days(in_parts=False))
@settings(max_examples=40, deadline=None)
def test_with_the_stream_complete_the_table_equals_the_ledger(broker: Broker) -> None:
    """Live events alone give the ledger's executions; a leg's price is correct or missing."""
    fill_day = arrays_of(broker.live, [], [])
    ledger = {(name, float(total)): (float(part), float(price)) for name, total, part, price in broker.ledger}
    assert {(one.order_id, one.filled) for one in fill_day.leaf_fills} == set(ledger)
    for one in fill_day.leaf_fills:
        quantity, price = ledger[one.order_id, one.filled]
        assert one.confirmed
        assert one.quantity == quantity
        assert one.price == price or (one.kind is FillKind.LEG and one.price is None)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_with_anything_lost_nothing_is_invented(data: st.DataObject) -> None:
    """Whatever is lost, quantities add up to a total that the order had, and shown prices are correct."""
    broker = data.draw(days())
    live, activities = mangled(data.draw, broker.live), mangled(data.draw, broker.activities)
    fill_day = arrays_of(live, activities, mangled(data.draw, broker.rest_orders()))
    ledger = {(name, total): (part, price) for name, total, part, price in broker.ledger}
    totals: dict[str, Decimal] = {}
    for one in fill_day.leaf_fills:
        totals[one.order_id] = totals.get(one.order_id, Decimal(0)) + Decimal(repr(one.quantity))
        place = (one.order_id, Decimal(repr(one.filled)))
        assert place in ledger
        part, price = ledger[place]
        if one.confirmed and one.quantity == float(part):
            assert one.price in {float(price), None}
    assert all((name, total) in ledger for name, total in totals.items())
    assert len({one.key for one in fill_day.executions}) == len(fill_day.executions)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_an_interrupted_backfill_heals(data: st.DataObject) -> None:
    """After an interrupted backfill, a complete one leads to the same table as without the interruption."""
    broker = data.draw(days())
    live = mangled(data.draw, broker.live)
    before = arrays_of(live, mangled(data.draw, broker.activities), [])
    after = arrays_of(live, broker.activities, broker.rest_orders())
    alone = arrays_of([], broker.activities, broker.rest_orders())
    assert {one.order_id for one in before.leaf_fills} <= {one.order_id for one in after.leaf_fills}
    assert [final(one) for one in after.executions] == [final(one) for one in alone.executions]


@given(days())
@settings(max_examples=30, deadline=None)
def test_partial_fills_add_up_to_the_order(broker: Broker) -> None:
    """An order's executions add up to its filled quantity, and their average price is the order's."""
    fill_day = arrays_of(broker.live, broker.activities, broker.rest_orders())
    for order in [leg for parent in broker.orders for leg in (parent.legs or [parent])]:
        own = [one for one in fill_day.leaf_fills if one.order_id == order.id]
        assert sum((Decimal(repr(one.quantity)) for one in own), Decimal(0)) == order.filled
        if own:
            assert own[0].average_price == pytest.approx(float(order.spent / order.filled), abs=1e-9)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_rest_up_to_a_time_and_the_stream_after_it_are_enough(data: st.DataObject) -> None:
    """REST up to a moment and the stream after it together give every execution of the day."""
    broker = data.draw(days(in_parts=False))
    moment = data.draw(st.integers(0, len(broker.live) - 1))
    activities, rest_orders = broker.history[moment]
    live = [*mangled(data.draw, broker.live[: moment + 1]), *shuffled(data.draw, broker.live[moment + 1 :])]
    fill_day = arrays_of(live, broker.activities[:activities], rest_orders)
    alone = arrays_of([], broker.activities, broker.rest_orders())
    assert all(one.confirmed for one in fill_day.executions)
    assert [(one.key, one.order_id, one.filled, one.quantity, one.status) for one in fill_day.executions] == [
        (one.key, one.order_id, one.filled, one.quantity, one.status) for one in alone.executions
    ]
    assert {(one.order_id, one.status, one.filled) for one in fill_day.orders} == {
        (one.order_id, one.status, one.filled) for one in alone.orders
    }
