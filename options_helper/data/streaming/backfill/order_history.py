"""The New York day's executions and orders over REST, complete after every update."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from options_helper.data.account.activities import FILL, MOVES_POSITIONS
from options_helper.data.account.activity_log import BOOKED_LATE, ActivityLog
from options_helper.data.account.unreadable import UnreadableLog, UnreadableRow, count_rows
from options_helper.data.rest.refusals import FORBIDDEN, TOO_MANY, UNAUTHORIZED
from options_helper.data.streaming.trading_normalizers import execution_row, is_whole, normalize_rest_order
from options_helper.errors import AlpacaRestError
from options_helper.market import BrokerFill, UnreadableRows
from options_helper.order_rows import QUANTITY_TOLERANCE, OrderRow, OrderTerms
from options_helper.times import new_york_date, start_of_day

_RELOOK = dt.timedelta(minutes=5)  # a fill that REST lists late is still found this long after it
_MARGIN = dt.timedelta(milliseconds=1)
_TIMED_OUT, _TOO_EARLY = 408, 425
# These concern only the requested order, and are permanent.
_REFUSALS = frozenset(range(400, 500)) - {UNAUTHORIZED, FORBIDDEN, _TIMED_OUT, _TOO_EARLY, TOO_MANY}
_CLOSED = frozenset({"filled", "canceled", "expired", "rejected", "replaced"})


class OrderSource(Protocol):
    """The routes that the history needs; `AlpacaRest` has them."""

    def orders(self, after: dt.datetime | None = None, *, status: str = "all") -> list[Any]:
        """Return the orders submitted after a time, with legs nested."""
        ...

    def order(self, order_id: str) -> Mapping[str, object]:
        """Return one order, with legs nested."""
        ...


class OrderHistory:
    """The executions and orders of one New York day; it starts over when the day changes.

    The first update covers the whole day; later ones start a little before the newest execution.

    Args:
        source: The source of orders.
        log: The account's activities; others may update it too.
    """

    def __init__(self, source: OrderSource, log: ActivityLog) -> None:
        self._source, self._log = source, log
        self._day: dt.date | None = None
        self._orders: dict[str, OrderRow] = {}
        self._unknown: set[str] = set()
        self._unreadable = UnreadableLog()
        self._in_part: set[str] = set()
        self._now: dt.datetime = dt.datetime.min.replace(tzinfo=dt.UTC)

    @property
    def fills(self) -> list[OrderRow]:
        """The executions as `execution_row` returns them, oldest first."""
        return [execution_row(one) for one in sorted(self._fills_of_day(), key=lambda one: one.at)]

    @property
    def orders(self) -> list[OrderRow]:
        """The orders as `normalize_rest_order` returns them, oldest change first."""
        return sorted(self._orders.values(), key=lambda row: row["timestamp"])

    @property
    def unreadable(self) -> UnreadableRows:
        """The day's rows that could not be read, wholly or in part."""
        of_day = (row for row in self._log.unreadable.rows if self._is_of_day(row))
        return count_rows([*self._unreadable.rows, *of_day])

    def update(self, now: dt.datetime, on_progress: Callable[[int], None] = lambda _count: None) -> None:
        """Fetch new executions and orders.

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
        self._log.update(now, self._since(day_start), lambda: on_progress(len(self._fills_of_day())))
        self._take_single_orders(self._orders_of_fills())
        self._unreadable.end_look()

    def _begin(self, day: dt.date) -> dt.datetime:
        if day != self._day:
            self._day = day
            self._orders, self._unknown = {}, set()
            self._unreadable, self._in_part = UnreadableLog(), set()
        return start_of_day(day)

    def _fills_of_day(self) -> list[BrokerFill]:
        start = start_of_day(self._day) if self._day is not None else self._now
        return [one for one in self._log.fills if one.at >= start]

    def _is_of_day(self, row: UnreadableRow) -> bool:
        """Return whether a row may be missing from the day, which includes the last week's option events."""
        if self._day is None or row.date is None or row.kind not in MOVES_POSITIONS:
            return row.kind in MOVES_POSITIONS
        return row.date >= (self._day if row.kind == FILL else self._day - BOOKED_LATE)

    def _since(self, day_start: dt.datetime) -> dt.datetime:
        newest = max((one.at for one in self._fills_of_day()), default=day_start)
        # Fills that REST left out are requested again, however old they are.
        return max(day_start, min([newest, *self._holes()]) - _RELOOK)

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
        """Take orders from earlier days: those still open, and those that were open at the last update."""
        still_open = self._take_orders("open orders", self._source.orders(status="open"))
        self._take_single_orders(
            order_id
            for order_id, row in list(self._orders.items())
            if order_id not in still_open
            and _is_open(row)
            and (row.get("submitted_at") or day_start) < day_start
        )

    def _holes(self) -> Iterator[dt.datetime]:
        """Yield the submission times of orders with fewer fills than REST's own total for the order."""
        fills: dict[str | None, list[BrokerFill]] = {}
        for fill in self._fills_of_day():
            fills.setdefault(fill.order_id, []).append(fill)
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
        """Return the ids of orders filled today that were not listed, or not read in full."""
        known: set[str | None] = {name for name in self._orders if name not in self._in_part}
        for row in self._orders.values():
            known.update(leg["order_id"] for leg in row.get("legs", ()))
        filled = dict.fromkeys(one.order_id for one in self._fills_of_day())
        return (order_id for order_id in filled if order_id not in known)

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


def _lacks_fills(order: OrderTerms, fills: Sequence[BrokerFill], *, is_of_today: bool) -> bool:
    """Return whether an order's total exceeds today's fills plus, for an older order, earlier fills."""
    total, before = order["filled_qty"] or 0.0, 0.0
    if not is_of_today:
        before = min((float(one.total - abs(one.quantity)) for one in fills), default=total)
    return total > before + float(sum(abs(one.quantity) for one in fills)) + QUANTITY_TOLERANCE


def _is_open(order: OrderRow) -> bool:
    """Return whether an order, or one of its legs such as a filled bracket's, may still change."""
    return any(one["status"] not in _CLOSED for one in (order, *order.get("legs", ())))
