"""The New York day's executions and orders over REST; every look leaves them complete."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from options_helper.data.rest.account_history import ids_taken_back, is_canceled
from options_helper.data.rest.refusals import FORBIDDEN, TOO_MANY, UNAUTHORIZED
from options_helper.data.streaming.backfill.unreadable import UnreadableLog
from options_helper.data.streaming.normalize.option_events import is_option_event, normalize_option_event
from options_helper.data.streaming.trading_normalizers import (
    is_fill,
    is_whole,
    normalize_rest_activity,
    normalize_rest_order,
)
from options_helper.errors import AlpacaRestError
from options_helper.market import UnreadableRows
from options_helper.order_rows import QUANTITY_TOLERANCE, OptionEventRow, OrderRow, OrderTerms
from options_helper.times import new_york_date, start_of_day

_RELOOK = dt.timedelta(minutes=5)  # a fill that REST lists late is still found this long after it
_MARGIN = dt.timedelta(milliseconds=1)
_TIMED_OUT, _TOO_EARLY = 408, 425
# Concerns this one order, permanently.
_REFUSALS = frozenset(range(400, 500)) - {UNAUTHORIZED, FORBIDDEN, _TIMED_OUT, _TOO_EARLY, TOO_MANY}
_CLOSED = frozenset({"filled", "canceled", "expired", "rejected", "replaced"})


class OrderSource(Protocol):
    """The routes that are needed; `AlpacaRest` has them."""

    def orders(self, after: dt.datetime | None = None, *, status: str = "all") -> list[Any]:
        """Return the orders submitted after a time, legs nested."""
        ...

    def order(self, order_id: str) -> Mapping[str, object]:
        """Return one order, legs nested."""
        ...

    def fill_pages(self, after: dt.datetime) -> Iterator[list[Any]]:
        """Yield the fills and option events since a time, page by page."""
        ...


class OrderHistory:
    """The executions and orders of one New York day; starts over when the day changes.

    The first look covers the whole day; later ones start a little before the newest execution.
    """

    def __init__(self, source: OrderSource) -> None:
        self._source = source
        self._day: dt.date | None = None
        self._fills: dict[str, OrderRow] = {}
        self._orders: dict[str, OrderRow] = {}
        self._events: dict[str, OptionEventRow] = {}
        self._unknown: set[str] = set()
        self._unreadable = UnreadableLog()
        self._in_part: set[str] = set()
        self._doubted: list[dt.datetime] = []
        self._now: dt.datetime = dt.datetime.min.replace(tzinfo=dt.UTC)

    @property
    def fills(self) -> list[OrderRow]:
        """Return executions as `normalize_rest_activity` makes them, oldest first."""
        return sorted(self._fills.values(), key=lambda row: row["timestamp"])

    @property
    def orders(self) -> list[OrderRow]:
        """Return orders as `normalize_rest_order` makes them, oldest change first."""
        return sorted(self._orders.values(), key=lambda row: row["timestamp"])

    @property
    def events(self) -> list[OptionEventRow]:
        """Return option events as `normalize_option_event` makes them, by date."""
        return sorted(self._events.values(), key=lambda row: row["date"])

    @property
    def unreadable(self) -> UnreadableRows:
        """Return the number of rows of the day that could not be read, wholly or in part."""
        return self._unreadable.rows

    def update(self, now: dt.datetime, on_progress: Callable[[int], None] | None = None) -> None:
        """Fetch everything new.

        Orders are fetched first, so that executions are never behind the orders' totals.

        Args:
            now: The current time.
            on_progress: Called with the number of executions after each page.

        Raises:
            AlpacaRestError: A request failed; the results of earlier ones are kept.
        """
        day_start = self._begin(new_york_date(now))
        self._now = now
        self._unreadable.begin_look()
        self._take_orders("orders", self._source.orders(day_start - _MARGIN))
        self._take_older_orders(day_start)
        known_doubts = len(self._doubted)
        for page in self._source.fill_pages(self._since(day_start)):
            self._take_fills(page, day_start)
            if on_progress is not None:
                on_progress(len(self._fills))
        del self._doubted[:known_doubts]  # only now are they certainly requested again
        self._take_single_orders(self._orders_of_fills())
        self._unreadable.end_look()

    def _begin(self, day: dt.date) -> dt.datetime:
        if day != self._day:
            self._day = day
            self._fills, self._orders, self._events, self._unknown = {}, {}, {}, set()
            self._unreadable, self._in_part, self._doubted = UnreadableLog(), set(), []
        return start_of_day(day)

    def _since(self, day_start: dt.datetime) -> dt.datetime:
        newest = max((row["timestamp"] for row in self._fills.values()), default=day_start)
        # Unreadable rows, and fills that REST left out, are requested again, however old they are.
        return max(day_start, min([newest, *self._doubted, *self._holes()]) - _RELOOK)

    def _take_orders(self, route: str, orders: Iterable[object]) -> set[str]:
        taken = set()
        for order in orders:
            row = normalize_rest_order(order)
            is_readable = row is not None and is_whole(order)
            if not is_readable:
                self._unreadable.add(route, order, self._now)
            order_id = None if row is None else row["order_id"]
            if row is not None and order_id is not None:
                self._orders[order_id] = row
                (self._in_part.discard if is_readable else self._in_part.add)(order_id)
                taken.add(order_id)
        return taken

    def _take_older_orders(self, day_start: dt.datetime) -> None:
        """Take orders of earlier days: those still open, and those that were open at the last look."""
        still_open = self._take_orders("open orders", self._source.orders(status="open"))
        self._take_single_orders(
            order_id
            for order_id, row in list(self._orders.items())
            if order_id not in still_open
            and _is_open(row)
            and (row.get("submitted_at") or day_start) < day_start
        )

    def _take_fills(self, page: Iterable[object], day_start: dt.datetime) -> None:
        page, last_read = list(page), day_start
        for activity in page:
            if is_canceled(activity):
                continue
            if is_option_event(activity) and not self._take_event(activity, day_start):
                self._doubted.append(last_read)
            if not is_fill(activity):
                continue
            row = normalize_rest_activity(activity)
            # Without an id a row cannot be distinguished from one that is alike.
            if row is None or row["fill_price"] is None or row["activity_id"] is None:
                self._unreadable.add("fills", activity, self._now)
                self._doubted.append(last_read)
            if row is None:
                continue
            last_read = row["timestamp"]
            if last_read >= day_start:
                key = row["activity_id"] or f"{row['order_id']}:{row['filled_qty']}"
                self._fills[key] = row
        self.take_back(ids_taken_back(page))

    def take_back(self, activity_ids: Iterable[str]) -> None:
        """Forget executions and events that Alpaca has taken back."""
        for name in activity_ids:
            self._fills.pop(name, None)
            self._events.pop(name, None)

    def _take_event(self, activity: object, day_start: dt.datetime) -> bool:
        """Keep an event, and return whether it could be read."""
        row = normalize_option_event(activity)
        if row is None:
            self._unreadable.add("option events", activity, self._now)
        elif row["date"] >= new_york_date(day_start):
            self._events[row["activity_id"]] = row
        return row is not None

    def _holes(self) -> Iterator[dt.datetime]:
        """Yield the times of orders whose fills come to less than REST's own total of the order."""
        fills: dict[str | None, list[OrderRow]] = {}
        for fill in self._fills.values():
            fills.setdefault(fill["order_id"], []).append(fill)
        for order in self._orders.values():
            began = order.get("submitted_at")
            if began is None:
                continue
            is_spread = order.get("order_class") == "mleg" and order.get("legs")
            parts: Iterable[OrderTerms] = order["legs"] if is_spread else [order, *order.get("legs", ())]
            is_of_today = new_york_date(began) == self._day
            if any(
                _lacks_fills(one, fills.get(one["order_id"], []), is_of_today=is_of_today) for one in parts
            ):
                yield began

    def _orders_of_fills(self) -> Iterator[str]:
        """Yield orders that were filled today and not listed: submitted on an earlier day."""
        known: set[str | None] = {name for name in self._orders if name not in self._in_part}
        for row in self._orders.values():
            known.update(leg["order_id"] for leg in row.get("legs", ()))
        filled = dict.fromkeys(row["order_id"] for row in self._fills.values())
        return (order_id for order_id in filled if order_id is not None and order_id not in known)

    def _take_single_orders(self, order_ids: Iterable[str]) -> None:
        for order_id in order_ids:
            if order_id in self._unknown:
                continue
            try:
                self._take_orders("order", [self._source.order(order_id)])
            except AlpacaRestError as error:
                if error.status not in _REFUSALS:
                    raise
                self._unknown.add(order_id)


def _lacks_fills(order: OrderTerms, fills: Sequence[OrderRow], *, is_of_today: bool) -> bool:
    """Return whether an order's total exceeds its fills of today and, if it is older, those before them."""
    total, before = order["filled_qty"] or 0.0, 0.0
    if not is_of_today:
        before = min(((one["filled_qty"] or 0.0) - (one["fill_qty"] or 0.0) for one in fills), default=total)
    return total > before + sum(one["fill_qty"] or 0.0 for one in fills) + QUANTITY_TOLERANCE


def _is_open(order: OrderRow) -> bool:
    """Return if an order may still change: itself, or a leg of it, as a filled bracket's."""
    return any(one["status"] not in _CLOSED for one in (order, *order.get("legs", ())))
