"""The simulator's calendar: the market is always in the middle of a session."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from options_helper.simulator.market.holidays import is_trading_day

NEW_YORK = ZoneInfo("America/New_York")
_BEFORE = dt.timedelta(hours=3)
_AFTER = dt.timedelta(hours=2, minutes=30)
_SHORTEST = dt.timedelta(minutes=30)
_OPEN, _CLOSE = dt.time(9, 30), dt.time(16, 0)


@dataclass(frozen=True, slots=True)
class TradingDay:
    """One day's session in New York time; `early` and `late` are the ends of the extended hours."""

    date: dt.date
    open: dt.time
    close: dt.time
    early: dt.time = dt.time(4, 0)
    late: dt.time = dt.time(20, 0)


class MidSession:
    """A session that began a few hours before the start and never ends.

    Args:
        started: The aware time at which the simulator started.
    """

    def __init__(self, started: dt.datetime) -> None:
        self._opened = started - _BEFORE
        self._first_close = _to_next_five_minutes(started + _AFTER)

    def next_close(self, now: dt.datetime) -> dt.datetime:
        """Return the next close, which is put off by two hours whenever it is near."""
        close = self._first_close
        while close - now < _SHORTEST:
            close += dt.timedelta(hours=2)
        return close.astimezone(NEW_YORK)

    def next_open(self, now: dt.datetime) -> dt.datetime:
        """Return the ordinary opening of the next trading day."""
        day = self.settlement(max(self.today(now), self.next_close(now).date()))
        return dt.datetime.combine(day, _OPEN, NEW_YORK)

    @staticmethod
    def today(now: dt.datetime) -> dt.date:
        """Return the New York date."""
        return now.astimezone(NEW_YORK).date()

    def previous_day(self, now: dt.datetime, back: int = 1) -> dt.date:
        """Return the last trading day before today, or an earlier one if `back` is above 1."""
        day = self.today(now)
        for _ in range(back):
            day -= dt.timedelta(days=1)
            while not is_trading_day(day):
                day -= dt.timedelta(days=1)
        return day

    def days(self, first: dt.date, last: dt.date, now: dt.datetime) -> list[TradingDay]:
        """Return the trading days of a span; today always counts as one."""
        today = self.today(now)
        span = (first + dt.timedelta(days=number) for number in range((last - first).days + 1))
        return [
            self._today(now) if day == today else TradingDay(day, _OPEN, _CLOSE)
            for day in span
            if day == today or is_trading_day(day)
        ]

    def _today(self, now: dt.datetime) -> TradingDay:
        today = self.today(now)
        opened, close = self._opened.astimezone(NEW_YORK), self.next_close(now)
        begin = opened.time().replace(second=0, microsecond=0) if opened.date() == today else dt.time(0, 0)
        end = close.time() if close.date() == today else dt.time(23, 59)
        return TradingDay(today, begin, end, min(dt.time(4, 0), begin), max(dt.time(20, 0), end))

    @staticmethod
    def settlement(day: dt.date) -> dt.date:
        """Return the next trading day."""
        day += dt.timedelta(days=1)
        while not is_trading_day(day):
            day += dt.timedelta(days=1)
        return day


def _to_next_five_minutes(at: dt.datetime) -> dt.datetime:
    return (at + dt.timedelta(minutes=5 - at.minute % 5)).replace(second=0, microsecond=0)
