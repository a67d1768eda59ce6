"""The state of a price in one word.

| state | condition (the first that applies, from the top) |
| --- | --- |
| `expired` | the contract has expired |
| `not_subscribed` | the acknowledged subscription is known and lacks the symbol, and REST does not poll it |
| `halted` | trading in the contract or its underlying is halted |
| `no_data` | there is neither a quote nor a last trade that makes a mark |
| `live` | the price is young enough, in an open market, on a stream that is not lost |
| `closed` | the market is closed; before and after the session, only products that trade then can be live |
| `from_yesterday` | the price is from an earlier day than the open session |
| `quiet` | the price is too old while the market is open, but proven unchanged |
| `stale` | the price is too old, its age is unknown, or its stream is lost |

A stream is lost if it has ended for good, or is reconnecting and has not been heard from for more than 5 s.

A quote is quiet, not stale, if its stream was heard in the last 10 s, is not mute (no event for 45 s, or
for 10 s on a new connection), is not lagging, and cannot have missed an update: the price came on the current
connection, or REST has reported all prices since the subscription was acknowledged. A dropped or unreadable
message might have changed any price, so only prices after it count. A stream is lagging if its quotes are
older than the threshold on arrival. A price from before today's opening, or without a known time, is stale
even if its stream is alive; a price from an earlier day is from yesterday.

A price that REST polls is live only while it is also younger than the interval. After that, it is quiet as
long as REST has answered within the interval and a grace period, because the response would have contained a
change. The state of the stream does not affect it. On a delayed feed, no price is live or quiet.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from options_helper.analysis.arrays.types import Codes, Flags, Floats, Times
from options_helper.analysis.streams.ages import stream_lag
from options_helper.analysis.streams.silence import is_silent
from options_helper.market import LiveSnapshot, MarketPhase, StreamHealth, StreamName, StreamState
from options_helper.times import new_york_date, start_of_day, to_microseconds

QUIET_HEARD_SECONDS = 10.0
LOST_AFTER_SECONDS = 5.0

# The longest accepted delay of a REST response.
POLL_GRACE_SECONDS = 10.0
DELAYED_FEEDS = frozenset({"delayed_sip"})

_ENDED = frozenset({StreamState.ERROR, StreamState.STOPPED})
_DEAD = frozenset({StreamState.RECONNECTING, StreamState.ERROR, StreamState.STOPPED})
_CLOSED_FOR_OPTIONS = frozenset(
    {MarketPhase.PRE, MarketPhase.AFTER, MarketPhase.OVERNIGHT, MarketPhase.CLOSED}
)


class QuoteState(StrEnum):
    """The state of a price, ordered from best to worst."""

    LIVE = "live"
    QUIET = "quiet"
    CLOSED = "closed"
    STALE = "stale"
    FROM_YESTERDAY = "from_yesterday"
    HALTED = "halted"
    EXPIRED = "expired"
    NO_DATA = "no_data"
    NOT_SUBSCRIBED = "not_subscribed"


STALE_AFTER_SECONDS = 30.0  # the default; the user may set another threshold
QUOTE_STATES = tuple(QuoteState)
CODE = {state: np.int8(number) for number, state in enumerate(QUOTE_STATES)}
OLD = (CODE[QuoteState.STALE], CODE[QuoteState.FROM_YESTERDAY])


class RowFacts(NamedTuple):
    """The facts that determine the states of n rows, besides their ages.

    Attributes:
        streamed_at: The time the price behind the mark arrived on its stream, in microseconds; 0 if it did
            not.
        dated_at: The time of the price behind the mark, in microseconds; 0 if missing.
        polled: True if REST polls the symbol, because it does not stream.
    """

    is_stock: Flags
    trades_late: Flags
    expired: Flags
    not_subscribed: Flags
    halted: Flags
    has_price: Flags
    streamed_at: Times
    dated_at: Times
    polled: Flags | np.bool_ = np.bool_(False)


def compute_states(ages: Floats, facts: RowFacts, live: LiveSnapshot, stale_after_seconds: float) -> Codes:
    """Return the states of n rows as indices into `QUOTE_STATES`."""
    states = _states_on(StreamName.OPTIONS, ages, facts, live, stale_after_seconds)
    if facts.is_stock.any():
        of_stocks = _states_on(StreamName.STOCKS, ages, facts, live, stale_after_seconds)
        states = np.where(facts.is_stock, of_stocks, states)
    # An unknown age proves nothing, even if the stream is alive.
    unproven = np.isnan(ages) | _is_before(live.session_open, live, facts.dated_at)
    np.putmask(states, unproven & (states == CODE[QuoteState.QUIET]), CODE[QuoteState.STALE])
    is_old = (states == CODE[QuoteState.STALE]) & (facts.dated_at != 0)
    np.putmask(states, is_old & _is_from_yesterday(live, facts.dated_at), CODE[QuoteState.FROM_YESTERDAY])
    np.putmask(states, ~facts.has_price, CODE[QuoteState.NO_DATA])
    np.putmask(states, facts.halted, CODE[QuoteState.HALTED])
    np.putmask(states, facts.not_subscribed, CODE[QuoteState.NOT_SUBSCRIBED])
    np.putmask(states, facts.expired, CODE[QuoteState.EXPIRED])
    return states


def _states_on(
    stream: StreamName, ages: Floats, facts: RowFacts, live: LiveSnapshot, stale_after_seconds: float
) -> Codes:
    """Return the states of n prices as if all of them came from this stream."""
    polled, health = facts.polled, live.health.get(stream)
    poll_seconds = health.poll_seconds if health is not None else 0.0
    limits = np.where(polled, min(poll_seconds, stale_after_seconds), stale_after_seconds)
    lost = np.where(polled, live.status == StreamState.STOPPED, is_lost(live, stream))
    young = (ages <= limits) & ~lost & ~np.bool_(_is_delayed(live, stream))
    old = np.where(polled, _old_polled(live, stream), _old_state(live, stream, stale_after_seconds))
    unproven = ~(polled | _is_unchanged(live, stream, facts.streamed_at))
    old = np.where(unproven & (old == CODE[QuoteState.QUIET]), CODE[QuoteState.STALE], old)
    if live.market_phase in _CLOSED_FOR_OPTIONS:
        young = young & _still_trading(live, facts)
    return np.where(young, CODE[QuoteState.LIVE], old)


def _is_delayed(live: LiveSnapshot, stream: StreamName) -> bool:
    return stream is StreamName.STOCKS and (live.stock_feed or "").lower() in DELAYED_FEEDS


def _old_polled(live: LiveSnapshot, stream: StreamName) -> np.int8:
    """Return the state of a polled price that is not live."""
    if live.market_phase in _CLOSED_FOR_OPTIONS:
        return CODE[QuoteState.CLOSED]
    proven = live.market_phase == MarketPhase.OPEN and is_polled_in_time(live, stream)
    return CODE[QuoteState.QUIET if proven and not _is_delayed(live, stream) else QuoteState.STALE]


def is_polled_in_time(live: LiveSnapshot, stream: StreamName) -> bool:
    """Return whether REST returned a stream's polled symbols within the interval and the grace period."""
    health = live.health.get(stream)
    if health is None or health.polled_at is None or live.status == StreamState.STOPPED:
        return False
    return (live.as_of - health.polled_at).total_seconds() <= health.poll_seconds + POLL_GRACE_SECONDS


def _still_trading(live: LiveSnapshot, facts: RowFacts) -> Flags | bool:
    """Return flags for rows that may trade now, outside the regular session."""
    if live.market_phase in {MarketPhase.PRE, MarketPhase.OVERNIGHT}:
        return facts.is_stock
    if live.market_phase == MarketPhase.AFTER:
        return facts.is_stock | facts.trades_late
    return False


def _old_state(live: LiveSnapshot, stream: StreamName, stale_after_seconds: float) -> np.int8:
    """Return the state of a price on this stream that is older than the threshold."""
    if live.market_phase in _CLOSED_FOR_OPTIONS:
        return CODE[QuoteState.CLOSED]
    up_to_date = (stream_lag(live, stream) or 0.0) <= stale_after_seconds and not _is_delayed(live, stream)
    if (
        live.market_phase == MarketPhase.OPEN
        and is_heard(live, stream)
        and up_to_date
        and not is_silent_too_long(live, stream)
    ):
        return CODE[QuoteState.QUIET]
    return CODE[QuoteState.STALE]


def _is_unchanged(live: LiveSnapshot, stream: StreamName, streamed_at: Times) -> Flags | bool:
    """Return flags for rows that cannot have missed an update on the current connection."""
    health = live.health.get(stream)
    if health is None or health.connected_at is None:
        return health is None or health.state is not StreamState.CONNECTING
    since = max(health.connected_at, health.lost_at or health.connected_at)
    if health.complete_at is not None and health.complete_at >= since:
        return True
    return streamed_at >= to_microseconds(since)


def _is_before(at: dt.datetime | None, live: LiveSnapshot, dated_at: Times) -> Flags | bool:
    """Return flags for prices from before a time; none unless that has passed and the market is open."""
    if live.market_phase != MarketPhase.OPEN or at is None or at > live.as_of:
        return False
    return dated_at < to_microseconds(at)


def _is_from_yesterday(live: LiveSnapshot, dated_at: Times) -> Flags | bool:
    """Return flags for prices from an earlier day than the open session."""
    opened = live.session_open
    day = None if opened is None or opened > live.as_of else start_of_day(new_york_date(opened))
    return _is_before(day, live, dated_at)


def is_lost(live: LiveSnapshot, stream: StreamName) -> bool:
    """Return whether a stream has ended for good or is away; no price on it is live then."""
    health = live.health.get(stream)
    if health is None or health.state not in _DEAD:
        return False
    return health.state in _ENDED or not _is_heard_within(LOST_AFTER_SECONDS, health, live)


def is_heard(live: LiveSnapshot, stream: StreamName) -> bool:
    """Return whether a stream sent anything, even a pong, within 10 s and is not interrupted."""
    health = live.health.get(stream)
    if health is None or health.state in _DEAD:
        return False
    return _is_heard_within(QUIET_HEARD_SECONDS, health, live)


def _is_heard_within(seconds: float, health: StreamHealth, live: LiveSnapshot) -> bool:
    at = health.last_heard_at
    return at is not None and (live.as_of - at).total_seconds() <= seconds


def is_silent_too_long(live: LiveSnapshot, stream: StreamName) -> bool:
    """Return whether a stream is silent in an open market; the status line uses the same rule."""
    health = live.health.get(stream)
    if health is None or not health.asked or live.market_phase != MarketPhase.OPEN:
        return False
    return is_silent(health, live.as_of, live.session_open)
