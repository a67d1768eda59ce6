"""The merge of a day with orders from the day before, filled on both sides of midnight in New York."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.broker import DAY, OPEN, Broker, Json, arrays_of, days, final, mangled, orders, shuffled, trade

LAST_EVENING = dt.datetime(2026, 11, 20, 4, 50, tzinfo=dt.UTC)  # ten minutes before New York's midnight


@dataclass
class TwoDays:
    """A broker after its second day, and its messages from the first day."""

    broker: Broker
    live_before: list[Json]
    activities_before: list[Json]
    ledger_before: int
    untouched: list[Json] = field(default_factory=list)

    @property
    def live(self) -> list[Json]:
        """The updates of the second day."""
        return self.broker.live[len(self.live_before) :]

    @property
    def activities(self) -> list[Json]:
        """Return REST's activities of the second day."""
        return self.broker.activities[len(self.activities_before) :]

    @property
    def rest_orders(self) -> list[Json]:
        """Return REST's orders: all but those that ended on the first day."""
        over = {row["id"] for row in self.untouched if row["status"] in {"filled", "canceled"}}
        return [row for row in self.broker.rest_orders() if row["id"] not in over]


@st.composite
def two_days(draw: st.DrawFn) -> TwoDays:
    """Orders placed in the evening, some of them partly filled, that continue after midnight."""
    broker = draw(days(start=LAST_EVENING))
    reported = TwoDays(
        broker, list(broker.live), list(broker.activities), len(broker.ledger), broker.rest_orders()
    )
    broker.now = draw(st.sampled_from([OPEN, LAST_EVENING + dt.timedelta(minutes=10)]))
    if draw(st.booleans()):
        broker.place(draw(orders(9)))
    trade(draw, broker, in_parts=True)
    return reported


@given(st.data())
@settings(max_examples=60)
def test_the_days_table_equals_the_days_ledger_whatever_the_stream_lost(data: st.DataObject) -> None:
    """With REST complete, the table is the second day's ledger, whatever happens to the live events."""
    reported = data.draw(two_days())
    alone = arrays_of([], reported.activities, reported.rest_orders)
    live, activities = mangled(data.draw, reported.live), shuffled(data.draw, reported.activities)
    fill_day = arrays_of(live, activities, shuffled(data.draw, reported.rest_orders))
    assert [final(one) for one in fill_day.executions] == [final(one) for one in alone.executions]
    shown = {(one.order_id, one.filled, one.quantity, one.price) for one in fill_day.leaf_fills}
    assert shown == {
        (name, float(total), float(part), float(price))
        for name, total, part, price in reported.broker.ledger[reported.ledger_before :]
    }
    assert all(one.confirmed for one in fill_day.executions)


@given(st.data())
@settings(max_examples=60)
def test_reports_from_the_day_before_change_nothing(data: st.DataObject) -> None:
    """Rows from the day before add no line and remove none."""
    reported = data.draw(two_days())
    live = [*shuffled(data.draw, reported.live_before), *reported.live]
    activities = [*shuffled(data.draw, reported.activities_before), *reported.activities]
    alone = arrays_of(reported.live, reported.activities, reported.rest_orders)
    fill_day = arrays_of(live, activities, reported.rest_orders)
    assert [final(one)[:9] for one in fill_day.executions] == [final(one)[:9] for one in alone.executions]


@given(two_days())
@settings(max_examples=60)
def test_the_average_counts_what_was_filled_before(reported: TwoDays) -> None:
    """The average after the newest execution covers the whole order, including its first day."""
    fill_day = arrays_of([], reported.activities, reported.rest_orders)
    for order in [leg for parent in reported.broker.orders for leg in (parent.legs or [parent])]:
        own = [one for one in fill_day.leaf_fills if one.order_id == order.id]
        if own and own[0].average_price is not None:
            rounding = 10.0**-order.decimals + 1e-6
            true = float(order.spent / order.filled)
            assert own[0].average_price == pytest.approx(true, abs=rounding)
    assert fill_day.day == DAY
