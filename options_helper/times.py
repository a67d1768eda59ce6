"""UTC times, New York dates, whole microseconds, and clocks."""

from __future__ import annotations

import datetime as dt
import sys
import threading
import time
from collections.abc import Callable, Iterable
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
STEP_SECONDS = 1.0  # clocks drift less than this between two readings
# Times outside this range are errors, and some cannot be converted to another zone.
EARLIEST, LATEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.datetime(2200, 1, 1, tzinfo=dt.UTC)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


def use_clock(wall: Callable[[], dt.datetime], elapsed: Callable[[], float]) -> None:
    """Let a replay's time be this process's time, in place of the computer's."""
    global _wall, _elapsed
    _wall, _elapsed = wall, elapsed


def utc_now() -> dt.datetime:
    """Return the current time in UTC."""
    return _wall()


def _computers_time() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def new_york_date(at: dt.datetime) -> dt.date:
    """Return the trading date of an aware datetime: the New York calendar date."""
    return at.astimezone(NEW_YORK).date()


def start_of_day(day: dt.date) -> dt.datetime:
    """Return midnight in New York, when a trading date begins, as an aware UTC datetime."""
    return dt.datetime.combine(day, dt.time(), NEW_YORK).astimezone(dt.UTC)


def plausible(at: dt.datetime) -> dt.datetime | None:
    """Return an aware time in UTC, or None if it is not from 2000 to 2199."""
    try:
        utc = at if at.tzinfo is dt.UTC else at.astimezone(dt.UTC)
    except (OverflowError, ValueError):
        return None
    return utc if EARLIEST <= utc < LATEST else None


def to_microseconds(at: dt.datetime | None) -> int:
    """Return the microseconds since 1970 UTC, or 0 for None."""
    return 0 if at is None else (at - _EPOCH) // _MICROSECOND


def to_microseconds_each(times: Iterable[dt.datetime | None]) -> list[int]:
    """Return `to_microseconds` of each time, at a third of the cost."""
    epoch, microsecond = _EPOCH, _MICROSECOND
    return [0 if at is None else (at - epoch) // microsecond for at in times]


def from_microseconds(value: int) -> dt.datetime | None:
    """Return the UTC time of microseconds since 1970, or None for 0."""
    return None if value == 0 else _EPOCH + value * _MICROSECOND


def elapsed_seconds() -> float:
    """Return monotonic seconds that, on Linux and macOS, include the time a laptop sleeps."""
    return _elapsed()


def _computers_seconds() -> float:
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    if sys.platform == "darwin":
        return time.clock_gettime(time.CLOCK_MONOTONIC)
    return time.monotonic()


_wall: Callable[[], dt.datetime] = _computers_time
_elapsed: Callable[[], float] = _computers_seconds


class SteadyClock:
    """A clock that starts at the current time and counts elapsed seconds, unaffected by changes to the clock.

    Args:
        wall: The computer's clock.
        elapsed: Monotonic seconds that include sleep.
    """

    def __init__(
        self,
        wall: Callable[[], dt.datetime] = utc_now,
        elapsed: Callable[[], float] = elapsed_seconds,
    ) -> None:
        self._wall, self._elapsed = wall, elapsed
        self._at, self._seconds = wall(), elapsed()

    def __call__(self) -> dt.datetime:
        """Return the current time in UTC."""
        return self._at + dt.timedelta(seconds=self._elapsed() - self._seconds)

    def seconds_ahead(self) -> float:
        """Return the seconds by which it is ahead of the computer's clock; 0 if at most `STEP_SECONDS`."""
        ahead = (self() - self._wall()).total_seconds()
        return ahead if abs(ahead) > STEP_SECONDS else 0.0


class StepWatch:
    """A detector of changes to the computer's clock, which it compares with a monotonic one.

    Args:
        wall: The computer's clock.
        elapsed: Monotonic seconds that include sleep, so that waking from sleep is not a change.
    """

    def __init__(
        self,
        wall: Callable[[], dt.datetime] = utc_now,
        elapsed: Callable[[], float] = elapsed_seconds,
    ) -> None:
        self._wall, self._elapsed = wall, elapsed
        self._lock = threading.Lock()
        self._at, self._seconds = wall(), elapsed()

    def __call__(self) -> float:
        """Return the seconds by which the clock was set since the last call: negative for back, or 0."""
        with self._lock:
            at, seconds = self._wall(), self._elapsed()
            step = (at - self._at).total_seconds() - (seconds - self._seconds)
            self._at, self._seconds = at, seconds
        return step if abs(step) > STEP_SECONDS else 0.0
