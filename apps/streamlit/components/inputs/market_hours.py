"""The market's phase for the head of the page, from Alpaca's clock or, before Start, the calendar library."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache

from options_helper.analysis.text.wording import format_minutes, format_near_time
from options_helper.market import LiveSnapshot, MarketPhase

_WORDS = {
    MarketPhase.PRE: "Before the open",
    MarketPhase.OPEN: "Market open",
    MarketPhase.AFTER: "After the close",
    MarketPhase.OVERNIGHT: "Overnight session",
    MarketPhase.CLOSED: "Market closed",
    MarketPhase.UNKNOWN: "Market hours unknown",
}


@dataclass(frozen=True, slots=True)
class MarketHours:
    """The market's phase, its end, and the start of the next regular session."""

    phase: MarketPhase
    until: dt.datetime | None = None
    next_open: dt.datetime | None = None
    simulated: bool = False

    @property
    def is_open(self) -> bool:
        """True if the regular session is in progress."""
        return self.phase is MarketPhase.OPEN

    def words(self, now: dt.datetime, zone: dt.tzinfo) -> str:
        """Return the phase, `Market open · closes in 2 h 14 m` or `Market closed · opens Mon 09:30`."""
        if self.simulated:
            return "Simulated session, always open"
        words = _WORDS[self.phase]
        if self.is_open and self.until is not None:
            return f"{words} · closes in {format_minutes((self.until - now).total_seconds())}"
        if not self.is_open and self.next_open is not None:
            return f"{words} · opens {format_near_time(self.next_open, now, zone)}"
        return words


def find_market_hours(snapshot: LiveSnapshot, *, demo: bool) -> MarketHours:
    """Return the market's hours at the snapshot's time, as far as they are known."""
    if demo or snapshot.demo:
        return MarketHours(MarketPhase.OPEN, simulated=True)
    if snapshot.market_phase == MarketPhase.UNKNOWN:
        return _library_hours(snapshot.as_of.replace(second=0, microsecond=0))
    phase = MarketPhase(snapshot.market_phase)
    return MarketHours(phase, snapshot.market_phase_until, snapshot.market_next_open)


@lru_cache(maxsize=4)
def _library_hours(minute: dt.datetime) -> MarketHours:
    from options_helper.data.calendar.market_clock import ExchangeCalendar  # noqa: PLC0415 - costs pandas

    calendar = ExchangeCalendar()
    phase, until = calendar.phase_and_end(minute)
    return MarketHours(phase, until, calendar.next_open(minute))
