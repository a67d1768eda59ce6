"""The recording's clock: it runs at a chosen speed, or stands still."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_LONGEST_HOLD_SECONDS = 1.0  # of real time that counts afterwards


class ReplayClock:
    """The current place in a recording; it moves in the recording's microseconds until the last record.

    Args:
        at: The wall clock at the first record, in microseconds since 1970.
        first, last: The first and the last `elapsed`.
        speed: Its speed relative to real time.
        monotonic: Real seconds.

    It stands still until `set_running`. Up to a second of real time that passes while it is held
    counts afterwards; otherwise, every record would slow it down.
    """

    def __init__(
        self,
        at: int,
        first: int,
        last: int,
        *,
        speed: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._at, self._first, self._last = at, first, last
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._place = self._shown = float(first)
        self._since = monotonic()
        self._speed, self._is_running = speed, False
        self._limit = float(last)

    @property
    def speed(self) -> float:
        """Its speed relative to real time, while it runs."""
        return self._speed

    @property
    def pace(self) -> float:
        """Its speed now; 0 while it stands still."""
        return self._speed if self.is_running else 0.0

    @property
    def span(self) -> tuple[dt.datetime, dt.datetime]:
        """The times of day at the first and the last record."""
        first = _EPOCH + self._at * _MICROSECOND
        return first, first + (self._last - self._first) * _MICROSECOND

    @property
    def is_running(self) -> bool:
        """True if it moves."""
        return self._is_running and self.elapsed < self._last

    @property
    def is_at_end(self) -> bool:
        """True at the recording's last record."""
        return self.elapsed >= self._last

    @property
    def elapsed(self) -> int:
        """The place, as `elapsed` of the recording's records."""
        with self._lock:
            return int(self._now())

    def wall(self) -> dt.datetime:
        """Return the time of day at the place."""
        return _EPOCH + (self._at + self.elapsed - self._first) * _MICROSECOND

    def elapsed_seconds(self) -> float:
        """Return the place in seconds."""
        return self.elapsed / 1e6

    def set_running(self, *, running: bool) -> None:
        """Run, or stand still."""
        with self._lock:
            self._move(self._now())
            self._is_running = running

    def set_speed(self, speed: float) -> None:
        """Run at a different speed from now on."""
        with self._lock:
            self._move(self._now())
            self._speed = speed

    def skip(self, seconds: float) -> None:
        """Move by seconds of the recording, backward if negative, within it."""
        with self._lock:
            place = min(max(self._now() + seconds * 1e6, self._first), self._last)
            self._move(place)

    def hold_at(self, limit: float) -> None:
        """Do not run past this place until another is given; the record there has not been played yet."""
        with self._lock:
            now = self._now()
            self._shown = max(self._shown, now)  # also if an earlier record is played again
            held = (self._nominal() - now) / 1e6 / self._speed
            self._since += max(0.0, held - _LONGEST_HOLD_SECONDS)
            self._limit = min(limit, self._last)

    def end_at(self, elapsed: int) -> None:
        """Let the recording end here, or at its first record, because nothing after it can be played."""
        with self._lock:
            elapsed = max(elapsed, self._first)
            self._move(min(self._now(), elapsed))
            self._last = self._limit = elapsed

    def _move(self, place: float) -> None:
        self._place = self._shown = place
        self._since = self._monotonic()

    def _now(self) -> float:
        return min(self._nominal(), max(self._shown, self._limit))

    def _nominal(self) -> float:
        """Return the place if nothing held the clock."""
        if not self._is_running:
            return self._place
        return self._place + (self._monotonic() - self._since) * 1e6 * self._speed
