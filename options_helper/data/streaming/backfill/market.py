"""The market's clock over REST: sessions, phases, and the offset of this computer's clock."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable

from options_helper.data.calendar.alpaca_clock import AlpacaCalendar, clock_offset_seconds
from options_helper.data.calendar.market_clock import ExchangeCalendar, MarketCalendar
from options_helper.data.rest.client import AlpacaRest
from options_helper.data.streaming.run.rest_results import RestResults
from options_helper.errors import AlpacaRestError
from options_helper.times import new_york_date

MARKET_SECONDS = 900.0
_CALENDAR_DAYS = 12
_PATIENCE_SECONDS = 2.0


class MarketFetch:
    """The fetch of Alpaca's clock and calendar; the exchange library stands in until they are known.

    Args:
        rest: The client.
        results: Receives the calendar and the clock's offset.
        clock: Returns the time of day, aware.
        is_stopped: Returns whether the run has ended; failures after that are ignored.
    """

    def __init__(
        self,
        rest: AlpacaRest,
        results: RestResults,
        clock: Callable[[], dt.datetime],
        is_stopped: Callable[[], bool],
    ) -> None:
        self._rest, self._results, self._clock, self._is_stopped = rest, results, clock, is_stopped
        self._calendar: AlpacaCalendar | None = None
        self._sessions: tuple[dt.date, list[object]] | None = None
        self._tried = threading.Event()

    def fetch(self) -> float:
        """Fetch Alpaca's clock, and its calendar once a day; return the seconds until the next fetch.

        Raises:
            AlpacaRestError: There was no usable answer.
        """
        try:
            return self._ask()
        except AlpacaRestError:
            if self._calendar is None and not self._is_stopped():
                calendar = ExchangeCalendar()
                calendar.phase(self._clock())  # its heavy import happens in this thread, not in a reader's
                self._results.put_market(calendar)
            raise
        finally:
            self._tried.set()

    def wait_until_tried(self) -> None:
        """Wait for the calendar, but not for long."""
        self._tried.wait(_PATIENCE_SECONDS)

    def known_calendar(self) -> MarketCalendar:
        """Return Alpaca's calendar, or the library's while it is unknown."""
        return self._calendar or ExchangeCalendar()

    def _ask(self) -> float:
        asked_at = self._clock()
        clock, answered_at = self._rest.clock(), self._clock()
        today = new_york_date(answered_at)
        sessions = self._sessions
        if sessions is None or sessions[0] != today:
            span = dt.timedelta(days=_CALENDAR_DAYS)
            sessions = (today, self._rest.calendar(today - span, today + span))
        self._calendar = AlpacaCalendar.from_alpaca(clock, sessions[1])
        self._sessions = sessions  # only now, because an unreadable answer is requested again
        self._results.put_market(self._calendar)
        self._results.put_clock_offset(clock_offset_seconds(self._calendar.read_at, asked_at, answered_at))
        return MARKET_SECONDS
