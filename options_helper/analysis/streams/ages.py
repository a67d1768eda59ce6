"""Ages of prices, and their lag on arrival.

Ages count from the snapshot's clock, so they keep growing when a feed dies. If that clock's difference from
Alpaca's is known, ages and lags are corrected by it. If not, a time in the future beyond the tolerance means
that this computer's clock is slow: such an age counts from receipt, by the same clock, and is unknown if
the receipt is. No age is negative.

Times are int64 microseconds since 1970 UTC, 0 for none; ages and lags are seconds, NaN if unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from options_helper.analysis.valuation.latest_prices import Ticks
from options_helper.market import LiveSnapshot, StreamName
from options_helper.quote_tables import QuoteTable
from options_helper.times import to_microseconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Times = NDArray[np.int64]

CLOCK_SKEW_TOLERANCE_SECONDS = 2.0

_SECOND = 1_000_000
_TOLERANCE = int(CLOCK_SKEW_TOLERANCE_SECONDS * _SECOND)


class Ages(NamedTuple):
    """Ages in seconds, and a flag for rows dated in the future."""

    seconds: Floats
    skewed: Flags


def clock_offset(live: LiveSnapshot) -> float:
    """Return the seconds by which this computer's clock is ahead; 0 within the tolerance, or if unknown.

    A cached clock answer would make prices look too young. If the offset implies that a quote arrived before
    it was created, it is ignored.
    """
    offset = live.clock_offset_seconds
    if offset is None or abs(offset) <= CLOCK_SKEW_TOLERANCE_SECONDS:
        return 0.0
    return 0.0 if _least_lag(live) < offset - CLOCK_SKEW_TOLERANCE_SECONDS else offset


def _least_lag(live: LiveSnapshot) -> float:
    """The shortest time from any quote's event to its receipt, by the two clocks as they are."""
    least = np.inf
    for quotes in (live.stock_quotes, live.option_quotes):
        rows = QuoteTable.from_mapping(quotes).rows
        lags = compute_lags(rows["timestamp"], rows["received_at"], ~rows["present"])
        least = min(least, float(np.fmin.reduce(lags, initial=np.inf)))
    return least


def stream_lag(live: LiveSnapshot, stream: StreamName) -> float | None:
    """How old a stream's quotes typically are when they arrive, in seconds, by Alpaca's clock."""
    health = live.health.get(stream)
    return None if health is None or health.lag_seconds is None else health.lag_seconds - clock_offset(live)


def correct_receipts(ticks: Ticks, live: LiveSnapshot) -> Ticks:
    """The same with the times of receipt by Alpaca's clock, like those of the events."""
    offset = _offset(live)
    if not offset:
        return ticks
    quote, trade = ticks.quote_received, ticks.trade_received
    return ticks._replace(
        quote_received=np.where(quote == 0, 0, quote - offset),
        trade_received=np.where(trade == 0, 0, trade - offset),
    )


def compute_ages(live: LiveSnapshot, timestamp: Times, received_at: Times) -> Ages:
    """Ages of n events at the moment of a snapshot; receipts as `correct_receipts` gives them."""
    now = to_microseconds(live.as_of) - _offset(live)
    heard = received_at != 0
    ahead = timestamp > np.where(heard, np.minimum(received_at, now), now) + _TOLERANCE
    since = np.where(ahead | (timestamp == 0), received_at, timestamp)
    known = (since != 0) & (since <= now + _TOLERANCE)
    seconds = np.where(known, np.maximum(now - since, 0) / _SECOND, np.nan)
    return Ages(seconds, ahead)


def compute_basis_ages(live: LiveSnapshot, ticks: Ticks, quote: Ages, by_last: Flags) -> Ages:
    """Return the ages of the marks' sources: the quote, or the last trade."""
    if not by_last.any():
        return quote
    trade = compute_ages(live, ticks.trade_time, ticks.trade_received)
    return Ages(
        np.where(by_last, trade.seconds, quote.seconds), np.where(by_last, trade.skewed, quote.skewed)
    )


def compute_lags(timestamp: Times, received_at: Times, from_rest: Flags) -> Floats:
    """Return receive time minus event time in seconds; NaN for REST rows, which are fetched at any time."""
    known = (timestamp != 0) & (received_at != 0) & ~from_rest
    return np.where(known, (received_at - timestamp) / _SECOND, np.nan)


def _offset(live: LiveSnapshot) -> int:
    """Return the microseconds by which this computer's clock is known to be ahead of Alpaca's."""
    return round(clock_offset(live) * _SECOND)
