"""How far a price can be believed: its age against the clock, and one word for its state.

| state | when (the first that fits, from the top) |
| --- | --- |
| `expired` | the contract's last moment has passed |
| `not_subscribed` | the server's acknowledged list is known and lacks the symbol |
| `halted` | trading in the contract or its underlying is halted |
| `no_data` | neither a quote nor a last trade that makes the mark |
| `live` | young enough, in an open market, on a stream that has not ended for good |
| `closed` | the market is closed; around the session only what trades then is live while young |
| `quiet` | too old while the market is open, yet its stream was heard in the last 10 s |
| `stale` | too old, or of unknown age |

Ages count from the snapshot's clock, so they keep growing when a feed dies. A time in the future beyond the
tolerance means that this computer's clock is behind: such an age counts from receipt, which is by the same
clock, and is unknown where the receipt is not known. No age is negative.

Times are int64 microseconds since 1970 UTC, 0 for none; ages are seconds, NaN where unknown.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from options_helper.market import MarketPhase, StreamName, StreamState

if TYPE_CHECKING:
    import datetime as dt

    from numpy.typing import NDArray

    from options_helper.market import LiveSnapshot

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Times = NDArray[np.int64]

QUIET_HEARD_SECONDS = 10.0
CLOCK_SKEW_TOLERANCE_SECONDS = 2.0

_SECOND = 1_000_000
_TOLERANCE = int(CLOCK_SKEW_TOLERANCE_SECONDS * _SECOND)
_ENDED = frozenset({StreamState.ERROR, StreamState.STOPPED})
_DEAD = frozenset({StreamState.RECONNECTING, StreamState.ERROR, StreamState.STOPPED})
_CLOSED_FOR_OPTIONS = frozenset({MarketPhase.PRE, MarketPhase.AFTER, MarketPhase.CLOSED})


class TruthState(StrEnum):
    """The state of a price, from the best to the worst."""

    LIVE = "live"
    QUIET = "quiet"
    CLOSED = "closed"
    STALE = "stale"
    HALTED = "halted"
    EXPIRED = "expired"
    NO_DATA = "no_data"
    NOT_SUBSCRIBED = "not_subscribed"


TRUTH_STATES = tuple(TruthState)
CODE = {state: np.int8(number) for number, state in enumerate(TRUTH_STATES)}


class Ages(NamedTuple):
    """Ages in seconds, and which rows were dated in the future."""

    seconds: Floats
    skewed: Flags


class Standing(NamedTuple):
    """What is known of n rows beside their prices."""

    is_stock: Flags
    trades_late: Flags
    expired: Flags
    not_subscribed: Flags
    halted: Flags
    has_price: Flags


def compute_ages(as_of: int, timestamp: Times, received_at: Times) -> Ages:
    """Ages of n events at the moment `as_of` (microseconds)."""
    heard = received_at != 0
    ahead = timestamp > np.where(heard, np.minimum(received_at, as_of), as_of) + _TOLERANCE
    since = np.where(ahead | (timestamp == 0), received_at, timestamp)
    known = (since != 0) & (since <= as_of + _TOLERANCE)
    seconds = np.where(known, np.maximum(as_of - since, 0) / _SECOND, np.nan)
    return Ages(seconds, ahead)


def compute_lags(timestamp: Times, received_at: Times, from_rest: Flags) -> Floats:
    """Receive time minus event time in seconds; NaN for REST rows, which are fetched at any time."""
    known = (timestamp != 0) & (received_at != 0) & ~from_rest
    return np.where(known, (received_at - timestamp) / _SECOND, np.nan)


def compute_states(
    ages: Floats, standing: Standing, live: LiveSnapshot, stale_after_seconds: float
) -> NDArray[np.int8]:
    """Numbers in `TRUTH_STATES` for n rows."""
    young = ages <= stale_after_seconds
    old = np.where(
        standing.is_stock, _old_state(live, StreamName.STOCKS), _old_state(live, StreamName.OPTIONS)
    )
    young = young & ~np.where(
        standing.is_stock, _has_ended(live, StreamName.STOCKS), _has_ended(live, StreamName.OPTIONS)
    )
    if live.market_phase in _CLOSED_FOR_OPTIONS:
        young = young & _still_trading(live, standing)
    states = np.where(young, CODE[TruthState.LIVE], old)
    # An age that is not known proves nothing, even beside a stream that is alive.
    np.putmask(states, np.isnan(ages) & (states == CODE[TruthState.QUIET]), CODE[TruthState.STALE])
    np.putmask(states, ~standing.has_price, CODE[TruthState.NO_DATA])
    np.putmask(states, standing.halted, CODE[TruthState.HALTED])
    np.putmask(states, standing.not_subscribed, CODE[TruthState.NOT_SUBSCRIBED])
    np.putmask(states, standing.expired, CODE[TruthState.EXPIRED])
    return states


def _still_trading(live: LiveSnapshot, standing: Standing) -> Flags | bool:
    """What may trade outside the regular session: stocks, and after it the products that close later."""
    if live.market_phase == MarketPhase.PRE:
        return standing.is_stock
    if live.market_phase == MarketPhase.AFTER:
        return standing.is_stock | standing.trades_late
    return False


def _old_state(live: LiveSnapshot, stream: StreamName) -> np.int8:
    """The state of a price over the threshold on this stream."""
    if live.market_phase in _CLOSED_FOR_OPTIONS:
        return CODE[TruthState.CLOSED]
    if live.market_phase == MarketPhase.OPEN and is_heard(live, stream):
        return CODE[TruthState.QUIET]
    return CODE[TruthState.STALE]


def _has_ended(live: LiveSnapshot, stream: StreamName) -> bool:
    """Whether nothing will come on this stream any more: however young a price is, it is not live."""
    health = live.health.get(stream)
    return health is not None and health.state in _ENDED


def is_heard(live: LiveSnapshot, stream: StreamName) -> bool:
    """Whether anything, a pong included, came on this stream in the last 10 s and it has not ended since."""
    heard_at = last_heard_at(live, stream)
    return heard_at is not None and (live.as_of - heard_at).total_seconds() <= QUIET_HEARD_SECONDS


def last_heard_at(live: LiveSnapshot, stream: StreamName) -> dt.datetime | None:
    """When a stream that has not ended was last heard."""
    health = live.health.get(stream)
    return None if health is None or health.state in _DEAD else health.last_heard_at
