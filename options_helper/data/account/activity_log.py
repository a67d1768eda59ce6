"""An account's activities since a given time; every fetch adds what is new."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeAlias

from options_helper.data.account.activities import (
    Activity,
    date_of,
    is_canceled,
    kind_of,
    read_activity,
    time_of,
)
from options_helper.data.account.unreadable import UnreadableLog
from options_helper.market import BrokerEvent, BrokerFill, CashChange
from options_helper.times import new_york_date, start_of_day

# Alpaca books Friday's expiries on Saturday or Monday, with Friday's date.
BOOKED_LATE = dt.timedelta(days=7)
_MARGINS = {"fills": dt.timedelta(minutes=5), "activities": dt.timedelta(days=1)}


_OnPage: TypeAlias = Callable[[], None]
_Pages: TypeAlias = "Callable[[dt.datetime], Iterator[list[object]]]"


class ActivitySource(Protocol):
    """The routes that the log needs; `AlpacaRest` has them."""

    def fill_pages(self, after: dt.datetime) -> Iterator[list[object]]:
        """Yield the executions since a time, page by page, oldest first."""
        ...

    def non_trade_pages(self, after: dt.datetime) -> Iterator[list[object]]:
        """Yield all other activities since a time, page by page, oldest first."""
        ...


class ActivityLog:
    """The account's activities by id, without canceled ones.

    Each update adds what is new. Rows that could not be read are requested again, however old they are, and
    count in `unreadable` until a complete update no longer contains them.
    """

    def __init__(self, source: ActivitySource) -> None:
        self._source = source
        self._activities: dict[str, Activity] = {}
        self._taken_back: set[str] = set()
        self._doubted: dict[str, list[dt.datetime]] = {route: [] for route in _MARGINS}
        self._now: dt.datetime = dt.datetime.min.replace(tzinfo=dt.UTC)
        self.unreadable = UnreadableLog()

    @property
    def fills(self) -> list[BrokerFill]:
        """The executions."""
        return [one for one in self._activities.values() if isinstance(one, BrokerFill)]

    @property
    def events(self) -> list[BrokerEvent]:
        """The assignments, exercises, expiries and other events without an order."""
        return [one for one in self._activities.values() if isinstance(one, BrokerEvent)]

    @property
    def cash(self) -> list[CashChange]:
        """The fees, dividends, interest and transfers."""
        return [one for one in self._activities.values() if isinstance(one, CashChange)]

    def update(self, now: dt.datetime, since: dt.datetime, on_page: _OnPage = lambda: None) -> None:
        """Read the executions since a time, and other activities since then or a week ago if that is earlier.

        Args:
            now: The current time.
            since: The time to read from.
            on_page: Called after each page.

        Raises:
            AlpacaRestError: A request failed; the pages read before it are kept.
        """
        week = start_of_day(new_york_date(now)) - BOOKED_LATE
        self.unreadable.begin_look()
        self._now = now
        self._read("fills", self._source.fill_pages, since, on_page)
        self._read("activities", self._source.non_trade_pages, min(since, week), on_page)
        self.unreadable.end_look()

    def _read(self, route: str, pages: _Pages, since: dt.datetime, on_page: _OnPage) -> None:
        doubted = self._doubted[route]
        known_doubts, last_read = len(doubted), min([since, *doubted])
        for page in pages(min([since, *(at - _MARGINS[route] for at in doubted)])):
            last_read = self._take(route, page, last_read)
            on_page()
        del doubted[:known_doubts]  # only now, because all of them have been requested again

    def _take(self, route: str, page: Iterable[object], last_read: dt.datetime) -> dt.datetime:
        """Keep the rows of a page, and return the time of the last one that could be read."""
        for row in page:
            if is_canceled(row):
                self._take_back(row)
                continue
            activity = read_activity(row)
            if activity is None or self._is_of_later_day(activity):
                self.unreadable.add(route, row, self._now, kind=kind_of(row), date=date_of(row))
                self._doubted[route].append(last_read)
                continue
            last_read = time_of(activity)
            name = activity.activity_id
            # Keep an equal record's object, for readers that compare by identity first.
            if name not in self._taken_back and self._activities.get(name) != activity:
                self._activities[name] = activity
        return last_read

    def _is_of_later_day(self, activity: Activity) -> bool:
        """Return True for an execution dated after today, as no real one is."""
        return isinstance(activity, BrokerFill) and new_york_date(activity.at) > new_york_date(self._now)

    def _take_back(self, row: object) -> None:
        name = str(row.get("id")) if isinstance(row, dict) else ""
        self._taken_back.add(name)
        self._activities.pop(name, None)
