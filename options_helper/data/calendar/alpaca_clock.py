"""The market's phase and sessions from Alpaca's clock and calendar, and the local clock's offset."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Self

from options_helper.data.calendar.market_clock import ExchangeCalendar, Session, phase_at
from options_helper.errors import AlpacaRestError
from options_helper.market import MarketPhase
from options_helper.times import NEW_YORK, new_york_date, plausible

_OK = 200  # the host answered, so the other routes need not wait


@dataclass(frozen=True, slots=True)
class ClockReading:
    """A reading of Alpaca's clock, valid until the next change that it announces."""

    asked_at: dt.datetime
    is_open: bool
    next_open: dt.datetime
    next_close: dt.datetime

    def holds(self, at: dt.datetime) -> bool:
        """Return whether the reading is still valid at a time."""
        return at < (self.next_close if self.is_open else self.next_open)


class AlpacaCalendar(ExchangeCalendar):
    """Alpaca's sessions and clock; the exchange library covers other days.

    The clock takes precedence over every calendar until the next change that it announces, because Alpaca
    knows about closures that no library does, and a simulated market may be open on a Sunday.

    Attributes:
        clock: The reading of Alpaca's clock.
        sessions: Alpaca's sessions, in order; they may be none.
    """

    def __init__(self, clock: ClockReading, sessions: Sequence[Session]) -> None:
        self.clock = clock
        self.sessions = sorted(sessions, key=attrgetter("open"))

    @classmethod
    def from_alpaca(cls, clock: Mapping[str, object], calendar: Sequence[object]) -> Self:
        """Return the calendar from the responses of `/v2/clock` and `/v2/calendar`; the latter may be empty.

        Raises:
            AlpacaRestError: A response lacks a field, or a time cannot be read.
        """
        try:
            known = _clock(clock)
        except (KeyError, TypeError, ValueError):
            raise AlpacaRestError("/v2/clock", "the clock's answer is unusable", status=_OK) from None
        try:
            sessions = [_session(row) for row in calendar]
        except (KeyError, TypeError, ValueError):
            raise AlpacaRestError("/v2/calendar", "the calendar's answer is unusable", status=_OK) from None
        return cls(known, sessions)

    @property
    def read_at(self) -> dt.datetime:
        """The clock's own time."""
        return self.clock.asked_at

    def phase_and_end(self, at: dt.datetime) -> tuple[MarketPhase, dt.datetime | None]:
        """Return the phase at a time, and the time at which the next one begins."""
        clock = self.clock
        if not clock.holds(at):
            return super().phase_and_end(at)
        if clock.is_open:
            return MarketPhase.OPEN, clock.next_close
        # While the clock reports closed, no session precedes its next one, whatever a calendar says.
        past = [each for each in self._sessions_around(at) if each.close <= clock.asked_at]
        return phase_at(at, [*past[-1:], Session(clock.next_open, clock.next_close)])

    def trading_date(self, at: dt.datetime) -> dt.date | None:
        """Return today if it has a session or the clock reports open, else the date of the last session."""
        if self.clock.is_open and self.clock.holds(at):
            return new_york_date(at)
        return super().trading_date(at)

    def next_open(self, at: dt.datetime) -> dt.datetime | None:
        """Return the first regular opening after a time."""
        return self.clock.next_open if self.clock.holds(at) else super().next_open(at)

    def next_close(self, at: dt.datetime) -> dt.datetime | None:
        """Return the first regular close after a time."""
        return self.clock.next_close if self.clock.holds(at) else super().next_close(at)

    def _sessions_around(self, at: dt.datetime) -> Sequence[Session]:
        day = new_york_date(at)
        known = self.sessions
        # The previous date and the next opening need one more session on either side.
        if len(known) > 1 and known[1].date <= day < known[-1].date:
            return known
        return super()._sessions_around(at)


def clock_offset_seconds(read_at: dt.datetime, asked_at: dt.datetime, answered_at: dt.datetime) -> float:
    """Return the seconds by which the local clock is ahead of a remote one; negative if it is behind.

    The remote clock was read at some time between request and response. The result is the smallest
    difference consistent with that, so a slow response never looks like a wrong clock.
    """
    least, most = (asked_at - read_at).total_seconds(), (answered_at - read_at).total_seconds()
    return max(least, 0.0) or min(most, 0.0)


def _clock(answer: Mapping[str, object]) -> ClockReading:
    if not isinstance(answer["is_open"], bool):
        raise TypeError(answer["is_open"])
    times = (_time(answer[name]) for name in ("next_open", "next_close"))
    return ClockReading(_time(answer["timestamp"]), answer["is_open"], *times)


def _time(text: object) -> dt.datetime:
    if not isinstance(text, str):
        raise TypeError(text)
    at = dt.datetime.fromisoformat(text)  # nanoseconds are truncated to microseconds
    if at.tzinfo is None or plausible(at) is None:
        raise ValueError(text)
    return at


def _session(row: object) -> Session:
    """Parse a row of `/v2/calendar`: a date, and New York times such as "09:30"."""
    if not isinstance(row, dict):
        raise TypeError(row)
    day = dt.date.fromisoformat(row["date"])
    times = (dt.time.fromisoformat(row[name]) for name in ("open", "close"))
    opened, closed = (plausible(dt.datetime.combine(day, time, NEW_YORK)) for time in times)
    if opened is None or closed is None:
        raise ValueError(row)
    return Session(opened, closed)
