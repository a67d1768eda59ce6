"""The ages of prices, and their lag on arrival.

Ages are measured at the snapshot's `as_of`, so they keep growing when a feed dies. A snapshot is in Alpaca's
time if the clock offset is known. Otherwise, a time more than the tolerance in the future means that this
computer's clock is behind; the age then counts from receipt, or is unknown without a receipt time. No age is
negative.

Times are int64 microseconds since 1970 UTC, 0 if missing; ages and lags are seconds, NaN if unknown.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from options_helper.analysis.arrays.types import Flags, Floats, Times
from options_helper.market import LiveSnapshot, StreamName
from options_helper.times import to_microseconds

CLOCK_SKEW_TOLERANCE_SECONDS = 2.0

_SECOND = 1_000_000
_TOLERANCE = int(CLOCK_SKEW_TOLERANCE_SECONDS * _SECOND)


class Ages(NamedTuple):
    """Ages in seconds, and a flag for rows dated in the future."""

    seconds: Floats
    skewed: Flags


def stream_lag(live: LiveSnapshot, stream: StreamName) -> float | None:
    """Return the typical age of a stream's quotes on arrival in seconds, or None if unknown."""
    health = live.health.get(stream)
    return None if health is None else health.lag_seconds


def compute_ages(live: LiveSnapshot, timestamp: Times, received_at: Times) -> Ages:
    """Return the ages of n events at a snapshot's `as_of`."""
    now = to_microseconds(live.as_of)
    heard = received_at != 0
    ahead = timestamp > np.where(heard, np.minimum(received_at, now), now) + _TOLERANCE
    since = np.where(ahead | (timestamp == 0), received_at, timestamp)
    known = (since != 0) & (since <= now + _TOLERANCE)
    seconds = np.where(known, np.maximum(now - since, 0) / _SECOND, np.nan)
    return Ages(seconds, ahead)


def compute_basis_ages(quote: Ages, trade: Ages, by_last: Flags) -> Ages:
    """Return the ages of the prices used for the marks: the last trade's in rows flagged `by_last`."""
    return Ages(
        np.where(by_last, trade.seconds, quote.seconds), np.where(by_last, trade.skewed, quote.skewed)
    )


def compute_lags(timestamp: Times, received_at: Times, from_rest: Flags) -> Floats:
    """Return receipt time minus event time in seconds; NaN for REST rows, which are fetched on request."""
    known = (timestamp != 0) & (received_at != 0) & ~from_rest
    return np.where(known, (received_at - timestamp) / _SECOND, np.nan)
