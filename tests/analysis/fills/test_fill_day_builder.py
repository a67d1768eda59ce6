"""The day's fills, updated again and again: equal to a build from scratch, without needless work."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from options_helper.analysis.fills import day
from options_helper.analysis.fills.day import FillDay, FillDayBuilder
from options_helper.analysis.fills.read_orders import OrderGroup, group_orders
from options_helper.analysis.fills.records import FillKind
from options_helper.data.streaming.trading_normalizers import (
    normalize_rest_order,
    normalize_trade_update,
)
from options_helper.market import FillGap, LiveSnapshot, UnreadableRows
from tests.broker import DAY, OPEN, days, mangled
from tests.builders import rest_fill_row

Row = dict[str, Any]


def order(name: str, **more: Any) -> Row:
    """A row that names an order."""
    return {"order_id": name, "timestamp": OPEN, **more}


def filled(name: str, **more: Any) -> Row:
    """The one live fill of an order."""
    whole = {"event": "fill", "status": "filled", "qty": 1.0, "filled_qty": 1.0, "fill_qty": 1.0}
    return order(name, symbol="SPY", side="buy", fill_price=2.0, filled_avg_price=2.0, **{**whole, **more})


def wholly(*reported: Sequence[Row]) -> FillDay:
    """Return the day built from one group of all rows, as a reference for the grouping."""
    everything = {"": OrderGroup(*map(tuple, reported))}
    with mock.patch.object(day, "group_orders", return_value=everything):
        return FillDayBuilder().build(*reported, day=DAY)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_day_built_step_by_step_equals_a_day_built_at_once(data: st.DataObject) -> None:
    """Whatever rows arrive, in any order and however often, each build equals a build from scratch."""
    broker = data.draw(days())
    builder = FillDayBuilder()
    for moment, (activities, rest_orders) in enumerate(broker.history):
        live = mangled(data.draw, broker.live[: moment + 1])
        reported = (
            [row for update in live if (row := normalize_trade_update(update))],
            [row for one in broker.activities[:activities] if (row := rest_fill_row(one))],
            [row for one in mangled(data.draw, rest_orders) if (row := normalize_rest_order(one))],
        )
        assert builder.build(*reported, day=DAY) == wholly(*reported)


NAMES = st.sampled_from(["a", "b", "c", "d", "e"])
LINKS = st.none() | NAMES


@st.composite
def tangled(draw: st.DrawFn) -> Row:
    """A row of any order that names any others: rings, chains, shared legs, single fills of legs."""
    name, legs = draw(NAMES), draw(st.lists(NAMES, max_size=2))
    total = float(draw(st.integers(0, 2)))
    row = filled(
        name,
        timestamp=OPEN + dt.timedelta(minutes=draw(st.integers(0, 9))),
        event=draw(st.sampled_from(["new", "fill", "partial_fill", "replaced", "trade_bust"])),
        qty=2.0,
        filled_qty=total,
        replaces=draw(LINKS),
        replaced_by=draw(LINKS),
        order_class="mleg" if legs else "simple",
        execution_id=draw(st.sampled_from(["x", "y"])),
        previous_execution_id=draw(st.sampled_from(["x", None])),
        activity_id=draw(st.sampled_from(["m", "n"])),
    )
    if legs:
        row["legs"] = [filled(leg, ratio_qty=1.0, filled_qty=total, timestamp=None) for leg in legs]
    return row


@given(st.lists(st.tuples(*[st.lists(tangled(), max_size=4)] * 3), min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_related_orders_are_built_together(looks: list[tuple[list[Row], list[Row], list[Row]]]) -> None:
    """However orders refer to each other, each build equals a build of all rows together."""
    builder = FillDayBuilder()
    for reported in looks:
        assert builder.build(*reported, day=DAY) == wholly(*reported)


def test_an_order_without_a_new_report_is_not_built_again() -> None:
    """Unchanged executions and orders are the same objects; only the new one is added."""
    builder, first, second = FillDayBuilder(), filled("o1"), filled("o2")
    before = builder.build([first])
    after = builder.build([second, first])
    assert [one.order_id for one in after.executions] == ["o2", "o1"]
    assert after.executions[1] is before.executions[0]
    assert after.orders[1] is before.orders[0]


def test_a_snapshot_without_news_has_the_same_day() -> None:
    """The same `FillDay` is returned until a row, a gap, an unreadable row or the date changes."""
    builder, rows = FillDayBuilder(), (filled("o1"),)
    snapshot = LiveSnapshot(as_of=OPEN, fills=rows)
    day = builder.build_from(snapshot)
    assert builder.build_from(replace(snapshot, as_of=OPEN + dt.timedelta(hours=1), version=7)) is day
    for changed in (
        {"fills": (*rows, filled("o2"))},
        {"fill_gaps": (FillGap(OPEN),)},
        {"unreadable_rows": UnreadableRows(1, OPEN)},
        {"as_of": OPEN + dt.timedelta(days=1)},
        {"session_open": OPEN},
    ):
        assert builder.build_from(replace(snapshot, **changed)) != day


def test_a_repeated_rest_report_changes_nothing() -> None:
    """Each fetch returns new row objects; equal ones are not computed again."""
    builder, row = FillDayBuilder(), order("o1", status="new", submitted_at=OPEN)
    before = builder.build([], [], [row])
    assert builder.build([], [], [dict(row)]).orders[0] is before.orders[0]


def test_a_leg_that_was_a_separate_fill_moves_under_its_order() -> None:
    """If REST reports the legs' fills before the order, each execution still appears once."""
    builder, leg = FillDayBuilder(), filled("l1", activity_id="m", origin="rest")
    assert [one.kind for one in builder.build([], [leg]).executions] == [FillKind.SINGLE]
    parent = order("p", order_class="mleg", qty=1.0, legs=[order("l1", symbol="SPY", side="buy", qty=1.0)])
    assert [one.kind for one in builder.build([parent], [leg]).executions] == [FillKind.PARENT, FillKind.LEG]


def test_a_failed_build_does_not_affect_the_next_one() -> None:
    """An impossible row leaves the known fills unchanged."""
    builder, row = FillDayBuilder(), filled("o1")
    before = builder.build([row], day=DAY)
    with pytest.raises(AttributeError):
        builder.build([row, None], day=DAY)  # type: ignore[list-item]
    assert builder.build([row], day=DAY).executions[0] is before.executions[0]


def test_an_order_without_reports_disappears() -> None:
    """Rows from an earlier day are dropped, and so are their fills."""
    builder = FillDayBuilder()
    builder.build([filled("o1")])
    assert builder.build([], day=DAY).executions == ()


def test_the_next_day_is_built_from_scratch() -> None:
    """The executions of one day are not those of the next, although the rows are the same."""
    builder, row = FillDayBuilder(), filled("o1")
    assert len(builder.build([row], day=DAY).executions) == 1
    assert builder.build([row], day=DAY + dt.timedelta(days=1)).executions == ()


def test_an_order_belongs_to_its_legs_and_to_what_replaced_it() -> None:
    """Replacements are joined from either end, legs are joined, and REST's leg fills join their order."""
    parent = order("p", legs=[order("l1"), order("l2"), order("")])
    replaced, replacement = order("a", replaced_by="b"), order("c", replaces="b")
    fill, other = order("l2"), order("d")
    groups = group_orders([other, parent, order("")], [fill], [replacement, order("b"), replaced])
    assert sorted(groups.values(), key=lambda one: len(one.rest_orders)) == [
        ((other,), (), ()),
        ((parent,), (fill,), ()),
        ((), (), (replacement, order("b"), replaced)),
    ]


def test_a_ring_of_replacements_is_one_family() -> None:
    """Orders that replace each other in a ring do not cause an endless loop."""
    ring = [order("a", replaced_by="b"), order("b", replaced_by="c"), order("c", replaced_by="a")]
    assert [group.stream_rows for group in group_orders(ring, [], []).values()] == [tuple(ring)]
