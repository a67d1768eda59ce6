"""The market's phase and sessions, from an exchange-calendar library; Alpaca's own are in `alpaca_clock`.

Phases are those of US stocks and their options. Times are aware datetimes, and dates are New York dates.
"""

from __future__ import annotations

import datetime as dt
import warnings
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from operator import attrgetter
from typing import Protocol

from options_helper.market import MarketPhase
from options_helper.times import NEW_YORK, new_york_date

PRE_MARKET_OPEN = dt.time(4)
OVERNIGHT_OPEN = dt.time(20)  # on the evening before a session, until its pre-market
AFTER_HOURS = dt.timedelta(hours=4)  # until 20:00, or until 17:00 on a half day

_MARGIN = dt.timedelta(days=20)  # sessions kept on either side of a requested time; longer than any closure


@dataclass(frozen=True, slots=True)
class Session:
    """One regular session, preferably in UTC."""

    open: dt.datetime
    close: dt.datetime

    @property
    def date(self) -> dt.date:
        """The New York date of the session."""
        return new_york_date(self.open)

    @property
    def pre_market_open(self) -> dt.datetime:
        """The time at which pre-market trading begins."""
        return dt.datetime.combine(self.date, PRE_MARKET_OPEN, NEW_YORK)

    @property
    def after_hours_close(self) -> dt.datetime:
        """The time at which after-hours trading ends."""
        return self.close + AFTER_HOURS


class MarketCalendar(Protocol):
    """The interface of a calendar; None means unknown."""

    def phase(self, at: dt.datetime) -> MarketPhase:
        """Return the phase at a time."""
        ...

    def phase_and_end(self, at: dt.datetime) -> tuple[MarketPhase, dt.datetime | None]:
        """Return the phase at a time, and the time at which the next one begins."""
        ...

    def trading_date(self, at: dt.datetime) -> dt.date | None:
        """Return today if it has a session, else the date of the last session."""
        ...

    def previous_trading_date(self, at: dt.datetime) -> dt.date | None:
        """Return the date of the session before that of `trading_date`."""
        ...

    def session(self, day: dt.date) -> Session | None:
        """Return the session of a date, or None."""
        ...

    def next_open(self, at: dt.datetime) -> dt.datetime | None:
        """Return the first regular opening after a time."""
        ...

    def next_close(self, at: dt.datetime) -> dt.datetime | None:
        """Return the first regular close after a time."""
        ...


def _end_of(day: dt.date) -> dt.datetime:
    """Return the last microsecond of a New York date, in UTC."""
    # In UTC, because datetimes in the same zone compare faster.
    return dt.datetime.combine(day, dt.time.max, NEW_YORK).astimezone(dt.UTC)


def phase_at(at: dt.datetime, sessions: Sequence[Session]) -> tuple[MarketPhase, dt.datetime | None]:
    """Return the phase at a time among ordered sessions, and the time at which the next one begins.

    The phase is UNKNOWN after the last session's after-hours, because there may be another session today.
    """
    number = bisect_right(sessions, at, key=attrgetter("open"))
    last = sessions[number - 1] if number else None
    following = sessions[number] if number < len(sessions) else None
    if last and at < last.close:
        return MarketPhase.OPEN, last.close
    if following and at >= following.pre_market_open:
        return MarketPhase.PRE, following.open
    if last and at < last.after_hours_close:
        return MarketPhase.AFTER, last.after_hours_close
    if following:
        return MarketPhase.CLOSED, following.pre_market_open
    return MarketPhase.UNKNOWN, None


class ExchangeCalendar:
    """New York Stock Exchange sessions, holidays and half days from the library exchange_calendars.

    The library is imported on first use because it needs pandas.
    """

    def phase(self, at: dt.datetime) -> MarketPhase:
        """Return the phase at a time."""
        return self.phase_and_end(at)[0]

    def phase_and_end(self, at: dt.datetime) -> tuple[MarketPhase, dt.datetime | None]:
        """Return the phase at a time, and the time at which the next one begins."""
        return phase_at(at, self._sessions_around(at))

    def trading_date(self, at: dt.datetime) -> dt.date | None:
        """Return today if it has a session, else the date of the last session."""
        last = self._last_session(at, new_york_date(at))
        return last.date if last else None

    def previous_trading_date(self, at: dt.datetime) -> dt.date | None:
        """Return the date of the session before that of `trading_date`."""
        current = self.trading_date(at)
        last = current and self._last_session(at, current - dt.timedelta(days=1))
        return last.date if last else None

    def session(self, day: dt.date) -> Session | None:
        """Return the session of a date, or None."""
        last = self._last_session(_end_of(day), day)
        return last if last and last.date == day else None

    def next_open(self, at: dt.datetime) -> dt.datetime | None:
        """Return the first regular opening after a time."""
        sessions = self._sessions_around(at)
        number = bisect_right(sessions, at, key=attrgetter("open"))
        return sessions[number].open if number < len(sessions) else None

    def next_close(self, at: dt.datetime) -> dt.datetime | None:
        """Return the first regular close after a time."""
        sessions = self._sessions_around(at)
        number = bisect_right(sessions, at, key=attrgetter("close"))
        return sessions[number].close if number < len(sessions) else None

    def _last_session(self, at: dt.datetime, day: dt.date) -> Session | None:
        """Return the last session up to a date, among those around a time."""
        sessions = self._sessions_around(at)
        number = bisect_right(sessions, _end_of(day), key=attrgetter("open"))
        return sessions[number - 1] if number else None

    def _sessions_around(self, at: dt.datetime) -> Sequence[Session]:
        return _exchange_sessions(new_york_date(at - _MARGIN).year, new_york_date(at + _MARGIN).year)


@cache
def _exchange_sessions(first_year: int, last_year: int) -> tuple[Session, ...]:
    from exchange_calendars.exchange_calendar_xnys import (  # noqa: PLC0415 - needs pandas
        XNYSExchangeCalendar,
    )

    # The warning is about the library's own use of pandas.
    warnings.filterwarnings("ignore", message="Series.values returning", category=DeprecationWarning)
    schedule = XNYSExchangeCalendar(start=f"{first_year}-01-01", end=f"{last_year}-12-31").schedule
    return tuple(
        Session(opens.to_pydatetime(), closes.to_pydatetime())
        for opens, closes in zip(schedule["open"], schedule["close"], strict=True)
    )


@dataclass(frozen=True, slots=True)
class MarketState:
    """A calendar's facts at one time; without a calendar, all are unknown."""

    phase: MarketPhase = MarketPhase.UNKNOWN
    until: dt.datetime | None = None
    next_open: dt.datetime | None = None
    session_open: dt.datetime | None = None
    session_close: dt.datetime | None = None
    trading_date: dt.date | None = None
    previous_trading_date: dt.date | None = None
    previous_session_close: dt.datetime | None = None


def market_state(calendar: MarketCalendar | None, at: dt.datetime) -> MarketState:
    """Return the phase and dates at a time; the session is that of the trading date."""
    if calendar is None:
        return MarketState()
    phase, until = calendar.phase_and_end(at)
    trading_date = calendar.trading_date(at)
    previous_date = calendar.previous_trading_date(at)
    session = calendar.session(trading_date) if trading_date else None
    previous = calendar.session(previous_date) if previous_date else None
    close = session.close if session else None
    if phase is MarketPhase.OPEN and until is not None and new_york_date(until) == trading_date:
        close = until  # the clock knows about unplanned closures
    return MarketState(
        phase=phase,
        until=until,
        next_open=calendar.next_open(at),
        session_open=session.open if session else None,
        session_close=close,
        trading_date=trading_date,
        previous_trading_date=previous_date,
        previous_session_close=previous.close if previous else None,
    )


def with_overnight(market: MarketState, at: dt.datetime) -> MarketState:
    """Add the overnight phase, from 20:00 to 04:00 in New York before each session.

    Source: Alpaca's documentation of 24/5 trading; options do not trade then.
    """
    if market.phase is not MarketPhase.CLOSED or market.next_open is None:
        return market
    day = new_york_date(market.next_open)
    begin = dt.datetime.combine(day - dt.timedelta(days=1), OVERNIGHT_OPEN, NEW_YORK)
    end = dt.datetime.combine(day, PRE_MARKET_OPEN, NEW_YORK)
    if at < begin:
        return replace(market, until=begin)
    return replace(market, phase=MarketPhase.OVERNIGHT, until=end) if at < end else market
