"""A REST page that lacks fills: they are requested until they arrive, however old they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from options_helper.analysis.fills.day import FillDayBuilder
from options_helper.data.streaming.backfill.order_history import OrderHistory
from options_helper.times import NEW_YORK
from tests.fakes import order_history

Json = dict[str, Any]
DAY = dt.datetime(2026, 11, 24, tzinfo=NEW_YORK)
CALL, PUT = "XYZ261218C00050000", "XYZ261218P00050000"


def at(hour: int, minute: int = 0, *, days_ago: int = 0) -> dt.datetime:
    """Return a time of the day, or of an earlier day."""
    return (DAY - dt.timedelta(days=days_ago)).replace(hour=hour, minute=minute)


def order(name: str, filled: str, **fields: Any) -> Json:
    """Return an order placed at ten o'clock, as REST lists it."""
    placed = fields.pop("placed", at(10)).isoformat()
    row = {
        "id": name,
        "symbol": CALL,
        "side": "buy",
        "qty": filled,
        "filled_qty": filled,
        "filled_avg_price": "5",
        "status": "filled",
        "order_class": "simple",
        "submitted_at": placed,
        "updated_at": at(10, 1).isoformat(),
        "legs": None,
    }
    return row | fields


def fill(name: str, order_id: str, quantity: str, total: str, left: str = "0", **fields: Any) -> Json:
    """Return an execution at one minute past ten."""
    row = {
        "id": name,
        "activity_type": "FILL",
        "order_id": order_id,
        "symbol": CALL,
        "side": "buy",
        "type": "fill" if left == "0" else "partial_fill",
        "qty": quantity,
        "cum_qty": total,
        "leaves_qty": left,
        "price": "5",
        "transaction_time": at(10, 1).isoformat(),
    }
    return row | fields


THREE = [
    fill("1", "o", "100", "100", "200"),
    fill("2", "o", "100", "200", "100"),
    fill("3", "o", "100", "300"),
]
LEGS = [order("l1", "2", order_class="mleg"), order("l2", "2", order_class="mleg", symbol=PUT, side="sell")]
SPREAD = order("m", "2", order_class="mleg", symbol="", side="", legs=LEGS)
SPREAD_FILLS = [fill("1", "l1", "2", "2"), fill("2", "l2", "2", "2", symbol=PUT, side="sell")]
BRACKET = order("b", "5", order_class="bracket", legs=[order("tp", "5", side="sell", order_class="bracket")])
BRACKET_FILLS = [fill("1", "b", "5", "5"), fill("2", "tp", "5", "5", side="sell")]
OLD = order("o", "9", placed=at(15, days_ago=3))  # 4 of its 9 were filled on earlier days
OLD_FILLS = [fill("1", "o", "1", "5", "4"), fill("2", "o", "2", "7", "2"), fill("3", "o", "2", "9")]
LOST: dict[str, tuple[Json, list[Json], set[str]]] = {
    "the middle one of a millisecond": (order("o", "300"), THREE, {"2"}),
    "the first one": (order("o", "300"), THREE, {"1"}),
    "the last one": (order("o", "300"), THREE, {"3"}),
    "two of three": (order("o", "300"), THREE, {"1", "3"}),
    "all of them": (order("o", "300"), THREE, {"1", "2", "3"}),
    "the only one": (order("o", "7"), [fill("1", "o", "7", "7")], {"1"}),
    "a fraction of a share": (
        order("o", "0.957680115", symbol="XYZ"),
        [fill("1", "o", "0.9", "0.9", "0.057680115"), fill("2", "o", "0.057680115", "0.957680115")],
        {"2"},
    ),
    "a leg of a spread": (SPREAD, SPREAD_FILLS, {"2"}),
    "both legs of a spread": (SPREAD, SPREAD_FILLS, {"1", "2"}),
    "the take-profit of a bracket": (BRACKET, BRACKET_FILLS, {"2"}),
    "of an older order, the middle one": (OLD, OLD_FILLS, {"2"}),
    "of an older order, the last one": (OLD, OLD_FILLS, {"3"}),
    "of a partly filled order": (
        order("o", "4", qty="10", status="partially_filled"),
        [fill("1", "o", "3", "3", "7"), fill("2", "o", "1", "4", "6")],
        {"1"},
    ),
}
WHOLE: dict[str, tuple[Json, list[Json]]] = {
    "three of a millisecond": (order("o", "300"), THREE),
    "a spread": (SPREAD, SPREAD_FILLS),
    "an older order, filled in part before": (OLD, OLD_FILLS),
    "an older order, filled before today": (OLD, []),
    "a canceled order": (order("o", "0", status="canceled", qty="5"), []),
    "a busted fill that REST has removed": (order("o", "200", qty="300", status="canceled"), THREE[:2]),
}


class Source:
    """A REST source that leaves out some fills; the fill at half past ten is always there."""

    def __init__(self, placed: Json, fills: list[Json], lost: set[str]) -> None:
        self.placed, self.fills, self.lost = placed, fills, lost
        self.asked_after: list[dt.datetime] = []

    def orders(self, after: dt.datetime | None = None, *, status: str = "all") -> list[Any]:
        """Return the orders submitted after a time."""
        is_new = after is None or dt.datetime.fromisoformat(self.placed["submitted_at"]) > after
        return [self.placed] if status == "all" and is_new else []

    def order(self, order_id: str) -> Json:
        """Return one order."""
        return self.placed if order_id == self.placed["id"] else order(order_id, "1", placed=at(10, 30))

    def non_trade_pages(self, after: dt.datetime) -> Iterator[list[Any]]:
        """Yield nothing."""
        del after
        yield []

    def fill_pages(self, after: dt.datetime) -> Iterator[list[Any]]:
        """Yield the fills since a time."""
        self.asked_after.append(after)
        late = fill("late", "late", "1", "1", transaction_time=at(10, 30).isoformat())
        rows = [*(one for one in self.fills if one["id"] not in self.lost), late]
        yield [row for row in rows if dt.datetime.fromisoformat(row["transaction_time"]) > after]


def looks(source: Source, history: OrderHistory) -> dt.datetime:
    """Fetch twice, late in the morning, and return the time from which the second one fetched."""
    for minute in (40, 50):
        history.update(at(10, minute))
    return source.asked_after[-1]


@pytest.mark.parametrize(("placed", "fills", "lost"), LOST.values(), ids=LOST)
def test_a_lost_fill_is_requested_until_it_arrives(placed: Json, fills: list[Json], lost: set[str]) -> None:
    """Meanwhile the day is not called complete; afterwards, only new fills are requested."""
    source = Source(placed, fills, lost)
    history = order_history(source)
    assert looks(source, history) < at(10, 1)
    day = FillDayBuilder().build([], history.fills, history.orders)
    assert not day.completeness.complete
    source.lost = set()
    looks(source, history)
    assert looks(source, history) > at(10, 20)
    assert FillDayBuilder().build([], history.fills, history.orders).completeness.complete


@pytest.mark.parametrize(("placed", "fills"), WHOLE.values(), ids=WHOLE)
def test_a_complete_order_is_not_requested_again(placed: Json, fills: list[Json]) -> None:
    """An order with fills that add up to its total, earlier days included, is not requested again."""
    source = Source(placed, fills, set())
    assert looks(source, order_history(source)) > at(10, 20)
