"""How fast requests may follow one another: a token bucket that listens to what the server says."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime

MINUTE = 60.0
TOO_MANY = 429
_BURST_SHARE = 0.3
_LONGEST_WAIT = 120.0  # whatever a header says
_FIRST_WAIT, _WAIT_CAP = 1.0, 30.0
_MOST_DOUBLINGS = 5  # more would only pass the cap
_SHORTEST_WAIT = 0.001  # a shorter one may not move a clock of floats at all


class RateLimiter:
    """At most `per_minute` requests in any minute, and none while the server said to wait.

    The bucket holds 30 % of the limit and refills at 70 % of it a minute, so that no minute, wherever it
    begins, sees more than the limit. `X-RateLimit-Limit`, `-Remaining` and `-Reset` (Alpaca's OpenAPI,
    `components.headers`) correct it: another program may use up the same account's limit.

    Args:
        per_minute: The limit until a header tells another.
        monotonic: Seconds that only grow.
        clock: Seconds since 1970, for a reset time where the answer has no date of its own.
    """

    def __init__(
        self,
        per_minute: int,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._monotonic, self._clock = monotonic, clock
        self._lock = threading.Lock()
        self._per_minute = per_minute
        self._tokens = self._burst
        self._filled_at = monotonic()
        self._blocked_until = -math.inf
        self._refusals = 0

    @property
    def per_minute(self) -> int:
        """The limit as last told."""
        return self._per_minute

    @property
    def blocked_seconds(self) -> float:
        """How long the server wants no request from now on; 0 where it said nothing of the kind."""
        return max(0.0, self._blocked_until - self._monotonic())

    @property
    def _burst(self) -> float:
        return max(1.0, math.floor(self._per_minute * _BURST_SHARE))

    @property
    def _per_second(self) -> float:
        return max(self._per_minute - self._burst, 0.5) / MINUTE

    def take(self) -> float:
        """0 if a request may go now, which then is counted; else the seconds to wait before asking again."""
        with self._lock:
            now = self._monotonic()
            if now < self._blocked_until:
                return self._blocked_until - now
            self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._per_second)
            self._filled_at = now
            if self._tokens >= 1:
                self._tokens -= 1
                return 0.0
            return max(_SHORTEST_WAIT, (1 - self._tokens) / self._per_second)

    def observe(self, status: int, headers: Mapping[str, str]) -> None:
        """Learn from an answer; after a 429 nothing goes until the server's time, or a growing wait."""
        with self._lock:
            limit, remaining = (_whole(headers.get(f"X-RateLimit-{name}")) for name in ("Limit", "Remaining"))
            if limit:
                self._per_minute = limit
            if status == TOO_MANY:
                doublings = min(self._refusals, _MOST_DOUBLINGS)
                self._refusals += 1
                self._block(self._told_wait(headers) or min(_WAIT_CAP, _FIRST_WAIT * 2**doublings))
                return
            self._refusals = 0
            if remaining == 0:
                self._block(self._told_wait(headers) or 0.0)

    def _block(self, seconds: float) -> None:
        self._blocked_until = self._monotonic() + min(seconds, _LONGEST_WAIT)

    def _told_wait(self, headers: Mapping[str, str]) -> float | None:
        """Seconds from Retry-After, else until X-RateLimit-Reset by the server's own date."""
        after = _whole(headers.get("Retry-After"))
        if after is not None:
            return float(after)
        reset = _whole(headers.get("X-RateLimit-Reset"))
        if reset is None:
            return None
        # The date has whole seconds, so the wait is never too short.
        return max(0.0, reset - (_date(headers.get("Date")) or self._clock()))


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None


def _date(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except ValueError:
        return None
