"""The option events of the days before, which the day's own activities do not have.

Alpaca books an expiry of Friday on Saturday or Monday, dated Friday, while the contract may stay in the
user's file for days.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Protocol

from options_helper.data.rest.account_history import ids_taken_back, is_canceled
from options_helper.data.streaming.backfill.unreadable import UnreadableLog
from options_helper.data.streaming.normalize.option_events import is_option_event, normalize_option_event
from options_helper.market import UnreadableRows
from options_helper.order_rows import OptionEventRow
from options_helper.times import new_york_date, start_of_day

_KEPT = dt.timedelta(days=7)
_EVERY = dt.timedelta(hours=1)


class EventSource(Protocol):
    """The route that is needed; `AlpacaRest` has it."""

    def option_event_pages(self, after: dt.datetime) -> Iterator[list[object]]:
        """Yield the option events since a time, page by page."""
        ...


class EarlierOptionEvents:
    """Fetches a week's option events when the day changes, and each hour.

    Attributes:
        rows: The events of the days before.
        taken_back: The ids of all activities, today's too, that Alpaca has taken back.
    """

    def __init__(self, source: EventSource) -> None:
        self._source = source
        self._asked_at: dt.datetime | None = None
        self._unreadable = UnreadableLog()
        self.rows: list[OptionEventRow] = []
        self.taken_back: set[str] = set()

    @property
    def unreadable(self) -> UnreadableRows:
        """Return the number of events that could not be read."""
        return self._unreadable.rows

    def update(self, now: dt.datetime) -> None:
        """Fetch the events, if it is time to.

        Raises:
            AlpacaRestError: A request failed; the events of the last look are kept.
        """
        if self._asked_at is not None and _is_recent(self._asked_at, now):
            return
        self._unreadable.begin_look()
        rows = [*self._read(now)]
        self._unreadable.end_look()
        self.rows, self._asked_at = rows, now

    def _read(self, now: dt.datetime) -> Iterator[OptionEventRow]:
        today = new_york_date(now)
        for page in self._source.option_event_pages(start_of_day(today) - _KEPT):
            self.taken_back |= ids_taken_back(page)
            for activity in page:
                if is_canceled(activity):
                    continue
                row = normalize_option_event(activity) if is_option_event(activity) else None
                if row is None:
                    self._unreadable.add("option events", activity, now)
                elif row["date"] < today:
                    yield row


def _is_recent(asked_at: dt.datetime, now: dt.datetime) -> bool:
    return new_york_date(asked_at) == new_york_date(now) and asked_at <= now < asked_at + _EVERY
