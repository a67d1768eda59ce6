"""The rate of a stream's messages, and the delay until they are visible."""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Callable

_RATE_SECONDS = 5.0
_SAMPLE_SECONDS = 60.0


class StreamMeter:
    """The rate, lag and latency of one stream over recent seconds and batches.

    The stream's thread calls `count` and `forget_samples`; the consumer calls `took`.

    Args:
        monotonic: Returns monotonic seconds.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._counts: deque[tuple[float, int]] = deque([(monotonic(), 0)])
        self._waited = 0.0
        self.forget_samples()

    def forget_samples(self) -> None:
        """Reset lag and latency, for a new connection."""
        # Replace the deques instead of clearing them, because the consumer may be reading the old ones.
        self._lags: deque[tuple[float, float]] = deque(maxlen=25)
        self._latencies: deque[tuple[float, float]] = deque(maxlen=50)
        self._hops: deque[tuple[float, float]] = deque(maxlen=50)

    def count(self, total: int, waited: float) -> float:
        """Record the total and the seconds that the oldest message waited; return messages per second."""
        self._waited = waited
        now = self._monotonic()
        self._counts.append((now, total))
        while len(self._counts) > 2 and now - self._counts[1][0] >= _RATE_SECONDS:  # noqa: PLR2004 - a span has two ends
            self._counts.popleft()
        began, first = self._counts[0]
        # After a silence the oldest sample is stale, because everything since then arrived within the window.
        return (total - first) / min(max(now - began, 1.0), _RATE_SECONDS)

    def relayed(self, seconds: float) -> float:
        """Record the seconds that a batch took from a relay; return the median."""
        now = self._monotonic()
        self._hops.append((now, seconds))
        return _recent_median(self._hops, now)

    def took(self, seconds: float, lag: float | None) -> tuple[float, float | None]:
        """Record a batch's latency and lag; return the median of each in seconds."""
        now, latencies, lags = self._monotonic(), self._latencies, self._lags
        latencies.append((now, self._waited + max(0.0, seconds)))
        if lag is not None:
            lags.append((now, lag))
        return _recent_median(latencies, now), _recent_median(lags, now) if lags else None


def _recent_median(samples: deque[tuple[float, float]], now: float) -> float:
    """Return the median of the last minute; the newest sample stays, because nothing newer is known."""
    while len(samples) > 1 and now - samples[0][0] > _SAMPLE_SECONDS:
        samples.popleft()
    return statistics.median(value for _at, value in samples)
