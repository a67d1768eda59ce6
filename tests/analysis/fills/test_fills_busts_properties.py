"""The merge of executions that are busted or corrected later."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from options_helper.analysis.fills.day import FillDay
from tests.broker import CENTS, Broker, Json, arrays_of, days, mangled, shuffled

AFTERTHOUGHTS = frozenset({"trade_bust", "trade_correct"})
RowFacts = list[tuple[str, float, float | None]]


@st.composite
def troubled_days(draw: st.DrawFn) -> Broker:
    """A day on which some executions of single orders are busted or corrected, and some orders continue."""
    broker = draw(days(in_parts=False))
    for _ in range(draw(st.integers(1, 3))):
        if not broker.singles:
            break
        if draw(st.booleans()):
            broker.bust(draw(st.integers(0, 5)))
        else:
            broker.correct(draw(st.integers(0, 5)), draw(CENTS))
        for order in broker.orders:
            left = order.qty - order.filled
            if left > 0 and not order.legs and order.status != "canceled" and draw(st.booleans()):
                broker.fill(order, left, [draw(CENTS)])
    return broker


def standing(fill_day: FillDay) -> RowFacts:
    """Return the order, quantity and price of every execution that is not busted."""
    rows = [(one.order_id, one.quantity or 0.0, one.price) for one in fill_day.leaf_fills if not one.busted]
    return sorted(rows, key=repr)


def true(broker: Broker) -> RowFacts:
    """Return the order, quantity and price of every execution in the broker's ledger."""
    rows = [(name, float(part), float(price)) for name, _, part, price in broker.ledger]
    return sorted(rows, key=repr)


def losing_all_but_afterthoughts(draw: st.DrawFn, rows: list[Json]) -> list[Json]:
    """Return every bust and correction with some of the other rows, some of them repeated, in any order."""
    sure = [row for row in rows if row["event"] in AFTERTHOUGHTS]
    rest = mangled(draw, [row for row in rows if row["event"] not in AFTERTHOUGHTS])
    return list(draw(st.permutations([*sure, *rest])))


@given(st.data())
@settings(max_examples=40)
def test_the_standing_fills_equal_the_ledger_whatever_else_was_lost(data: st.DataObject) -> None:
    """With REST complete and every bust reported, the valid rows equal the ledger to the cent."""
    broker = data.draw(troubled_days())
    live = losing_all_but_afterthoughts(data.draw, broker.live)
    fill_day = arrays_of(
        live, shuffled(data.draw, broker.activities), shuffled(data.draw, broker.rest_orders())
    )
    assert standing(fill_day) == true(broker)


@given(st.data())
@settings(max_examples=40)
def test_order_and_repetition_change_nothing(data: st.DataObject) -> None:
    """The same events give the same rows in any order, even if some are repeated."""
    broker = data.draw(troubled_days())
    fill_day = arrays_of(broker.live, broker.activities, broker.rest_orders())
    other = arrays_of(
        shuffled(data.draw, broker.live),
        shuffled(data.draw, broker.activities),
        shuffled(data.draw, broker.rest_orders()),
    )
    assert other.executions == fill_day.executions
    assert other.orders == fill_day.orders
    undone = sum(row["event"] == "trade_bust" for row in broker.live)
    assert sum(one.busted for one in fill_day.executions) == undone


@given(st.data())
@settings(max_examples=40)
def test_a_lost_bust_leaves_a_visible_contradiction(data: st.DataObject) -> None:
    """If busts were lost, the rows equal the ledger, or an order reports a contradiction."""
    broker = data.draw(troubled_days())
    live = mangled(data.draw, broker.live)
    fill_day = arrays_of(live, broker.activities, broker.rest_orders())
    assert standing(fill_day) == true(broker) or not fill_day.completeness.complete
