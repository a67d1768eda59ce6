"""The market's phase and sessions: from Alpaca's clock and calendar, else from an exchange-calendar library.

Phases are of the regular session of US stocks and their options; times are aware, dates New York's.
"""

from __future__ import annotations

import datetime as dt
import warnings
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Protocol, Self

from options_helper.errors import AlpacaRestError
from options_helper.market import MarketPhase
from options_helper.market_time import NEW_YORK, new_york_date

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PRE_MARKET_OPEN = dt.time(4)
AFTER_HOURS = dt.timedelta(hours=4)  # to 20:00, and to 17:00 on a half day

_MARGIN = dt.timedelta(days=20)  # sessions known on either side of the asked time; no closure was ever longer


@dataclass(frozen=True, slots=True)
class Session:
    """One regular session, best in UTC."""

    open: dt.datetime
    close: dt.datetime

    @property
    def date(self) -> dt.date:
        """Its New York date."""
        return new_york_date(self.open)

    @property
    def pre_market_open(self) -> dt.datetime:
        """When trading before the session begins."""
        return dt.datetime.combine(self.date, PRE_MARKET_OPEN, NEW_YORK)

    @property
    def after_hours_close(self) -> dt.datetime:
        """When trading after the session ends."""
        return self.close + AFTER_HOURS


class MarketCalendar(Protocol):
    """What the product asks of a calendar; None stands for what it does not know."""

    def phase(self, at: dt.datetime) -> MarketPhase:
        """The phase at a time."""
        ...

    def phase_and_end(self, at: dt.datetime) -> tuple[MarketPhase, dt.datetime | None]:
        """The phase at a time, and when the next one begins."""
        ...

    def trading_date(self, at: dt.datetime) -> dt.date | None:
        """Today, if it has a session, else the date of the last one."""
        ...

    def previous_trading_date(self, at: dt.datetime) -> dt.date | None:
        """The date of the session before that of `trading_date`."""
        ...

    def session(self, day: dt.date) -> Session | None:
        """The session of a date, None where it has none."""
        ...

    def next_open(self, at: dt.datetime) -> dt.datetime | None:
        """The first regular opening after a time."""
        ...

    def next_close(self, at: dt.datetime) -> dt.datetime | None:
        """The first regular close after a time."""
        ...


def _end_of(day: dt.date) -> dt.datetime:
    """The last moment of a New York date; in UTC like the sessions, for equal zones compare fast."""
    return dt.datetime.combine(day, dt.time.max, NEW_YORK).astimezone(dt.UTC)


def phase_at(at: dt.datetime, sessions: Sequence[Session]) -> tuple[MarketPhase, dt.datetime | None]:
    """The phase at a time among sessions in order, and when the next one begins.

    UNKNOWN after the last session's after-hours, for nothing tells whether there is another one today.
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
    """New York Stock Exchange sessions from the library exchange_calendars, with holidays and half days.

    The library is imported on first use: it needs pandas.
    """

    def phase(self, at: dt.datetime) -> MarketPhase:
        """As in `MarketCalendar`."""
        return self.phase_and_end(at)[0]

    def phase_and_end(self, at: dt.datetime) -> tuple[MarketPhase, dt.datetime | None]:
        """As in `MarketCalendar`."""
        return phase_at(at, self._sessions_around(at))

    def trading_date(self, at: dt.datetime) -> dt.date | None:
        """As in `MarketCalendar`."""
        last = self._last_session(at, new_york_date(at))
        return last.date if last else None

    def previous_trading_date(self, at: dt.datetime) -> dt.date | None:
        """As in `MarketCalendar`."""
        current = self.trading_date(at)
        last = current and self._last_session(at, current - dt.timedelta(days=1))
        return last.date if last else None

    def session(self, day: dt.date) -> Session | None:
        """As in `MarketCalendar`."""
        last = self._last_session(_end_of(day), day)
        return last if last and last.date == day else None

    def next_open(self, at: dt.datetime) -> dt.datetime | None:
        """As in `MarketCalendar`."""
        sessions = self._sessions_around(at)
        number = bisect_right(sessions, at, key=attrgetter("open"))
        return sessions[number].open if number < len(sessions) else None

    def next_close(self, at: dt.datetime) -> dt.datetime | None:
        """As in `MarketCalendar`."""
        sessions = self._sessions_around(at)
        number = bisect_right(sessions, at, key=attrgetter("close"))
        return sessions[number].close if number < len(sessions) else None

    def _last_session(self, at: dt.datetime, day: dt.date) -> Session | None:
        """The last one up to a date, among those around a time."""
        sessions = self._sessions_around(at)
        number = bisect_right(sessions, _end_of(day), key=attrgetter("open"))
        return sessions[number - 1] if number else None

    def _sessions_around(self, at: dt.datetime) -> Sequence[Session]:
        return _exchange_sessions(new_york_date(at - _MARGIN).year, new_york_date(at + _MARGIN).year)


@dataclass(frozen=True, slots=True)
class _Clock:
    """Alpaca's clock: what it says holds until the next change that it names."""

    asked_at: dt.datetime
    is_open: bool
    next_open: dt.datetime
    next_close: dt.datetime

    def holds(self, at: dt.datetime) -> bool:
        return at < (self.next_close if self.is_open else self.next_open)


class AlpacaCalendar(ExchangeCalendar):
    """Sessions as Alpaca gives them, under its clock; the exchange library answers for other days.

    The clock wins over every calendar until the next change that it names: Alpaca knows of a closure that no
    library does, and a simulated market may be open on a Sunday.
    """

    def __init__(self, clock: _Clock, sessions: Sequence[Session]) -> None:
        self._clock = clock
        self._sessions = sorted(sessions, key=attrgetter("open"))

    @classmethod
    def from_alpaca(cls, clock: Mapping[str, Any], calendar: Sequence[Mapping[str, Any]]) -> Self:
        """From the answers of `/v2/clock` and `/v2/calendar` (Alpaca's Trading API), the latter maybe empty.

        Raises:
            AlpacaRestError: An answer lacks a field, or holds what is no time.
        """
        try:
            known = _clock(clock)
        except (KeyError, TypeError, ValueError):
            raise AlpacaRestError("/v2/clock", "the answer is not a clock") from None
        try:
            sessions = [_session(row) for row in calendar]
        except (KeyError, TypeError, ValueError):
            raise AlpacaRestError("/v2/calendar", "the answer is not a calendar") from None
        return cls(known, sessions)

    @property
    def told_at(self) -> dt.datetime:
        """The clock's own time."""
        return self._clock.asked_at

    def phase_and_end(self, at: dt.datetime) -> tuple[MarketPhase, dt.datetime | None]:
        """As in `MarketCalendar`."""
        clock = self._clock
        if not clock.holds(at):
            return super().phase_and_end(at)
        if clock.is_open:
            return MarketPhase.OPEN, clock.next_close
        # Closed: whatever a calendar plans, there is no session between the asking and the clock's next one.
        past = [each for each in self._sessions_around(at) if each.close <= clock.asked_at]
        return phase_at(at, [*past[-1:], Session(clock.next_open, clock.next_close)])

    def trading_date(self, at: dt.datetime) -> dt.date | None:
        """As in `MarketCalendar`; while the clock says open, today."""
        if self._clock.is_open and self._clock.holds(at):
            return new_york_date(at)
        return super().trading_date(at)

    def next_open(self, at: dt.datetime) -> dt.datetime | None:
        """As in `MarketCalendar`."""
        return self._clock.next_open if self._clock.holds(at) else super().next_open(at)

    def next_close(self, at: dt.datetime) -> dt.datetime | None:
        """As in `MarketCalendar`."""
        return self._clock.next_close if self._clock.holds(at) else super().next_close(at)

    def _sessions_around(self, at: dt.datetime) -> Sequence[Session]:
        day = new_york_date(at)
        known = self._sessions
        # With one session to spare on either side, for the previous date and the next opening.
        if len(known) > 1 and known[1].date <= day < known[-1].date:
            return known
        return super()._sessions_around(at)


def clock_offset_seconds(told_at: dt.datetime, asked_at: dt.datetime, answered_at: dt.datetime) -> float:
    """By how much the local clock is ahead of one that was asked; negative is behind.

    The other clock was read somewhere between question and answer: of all differences that allows, this is
    the smallest, so that a slow answer is never taken for a wrong clock.
    """
    least, most = (asked_at - told_at).total_seconds(), (answered_at - told_at).total_seconds()
    return max(least, 0.0) or min(most, 0.0)


def _clock(answer: Mapping[str, Any]) -> _Clock:
    if not isinstance(answer["is_open"], bool):
        raise TypeError(answer["is_open"])
    times = (_time(answer[name]) for name in ("next_open", "next_close"))
    return _Clock(_time(answer["timestamp"]), answer["is_open"], *times)


def _time(text: str) -> dt.datetime:
    at = dt.datetime.fromisoformat(text)  # nanoseconds are cut to microseconds
    if at.tzinfo is None:
        raise ValueError(text)
    return at


def _session(row: Mapping[str, Any]) -> Session:
    """A row of `/v2/calendar`: a date, and New York times such as "09:30"."""
    day = dt.date.fromisoformat(row["date"])
    times = (dt.time.fromisoformat(row[name]) for name in ("open", "close"))
    return Session(*(dt.datetime.combine(day, time, NEW_YORK).astimezone(dt.UTC) for time in times))


@cache
def _exchange_sessions(first_year: int, last_year: int) -> tuple[Session, ...]:
    from exchange_calendars.exchange_calendar_xnys import (  # noqa: PLC0415 - costs pandas
        XNYSExchangeCalendar,
    )

    # The library's own business with pandas; nothing here can mend it.
    warnings.filterwarnings("ignore", message="Series.values returning", category=DeprecationWarning)
    schedule = XNYSExchangeCalendar(start=f"{first_year}-01-01", end=f"{last_year}-12-31").schedule
    return tuple(
        Session(opens.to_pydatetime(), closes.to_pydatetime())
        for opens, closes in zip(schedule["open"], schedule["close"], strict=True)
    )


@dataclass(frozen=True, slots=True)
class MarketMoment:
    """What a calendar says of one moment; everything is unknown without one."""

    phase: MarketPhase = MarketPhase.UNKNOWN
    until: dt.datetime | None = None
    next_open: dt.datetime | None = None
    session_open: dt.datetime | None = None
    session_close: dt.datetime | None = None
    trading_date: dt.date | None = None
    previous_trading_date: dt.date | None = None


def market_moment(calendar: MarketCalendar | None, at: dt.datetime) -> MarketMoment:
    """The moment's phase and dates; the session is that of the trading date."""
    if calendar is None:
        return MarketMoment()
    phase, until = calendar.phase_and_end(at)
    trading_date = calendar.trading_date(at)
    session = calendar.session(trading_date) if trading_date else None
    close = session.close if session else None
    if phase is MarketPhase.OPEN and until is not None and new_york_date(until) == trading_date:
        close = until  # the clock knows of closures that no calendar planned
    return MarketMoment(
        phase=phase,
        until=until,
        next_open=calendar.next_open(at),
        session_open=session.open if session else None,
        session_close=close,
        trading_date=trading_date,
        previous_trading_date=calendar.previous_trading_date(at),
    )
