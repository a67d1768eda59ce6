"""The reconnect decision: which errors are final, how long to wait, and which silence ends a connection.

`is_final` depends on the error's type alone. `connection/failures.py` chooses the type, by `FINAL_CODES` if
the error has one of Alpaca's codes. `worker.py` acts on the answers; `run/mute_watch.py` asks `is_mute`.
A relay's reader connects to NATS by `relay/reader/connection.py`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from options_helper.analysis.streams.silence import MUTE_AFTER_SECONDS, silence_seconds
from options_helper.errors import OptionsHelperError, StreamError, StreamInterrupted
from options_helper.market import MarketPhase, StreamHealth, StreamName, StreamState

BASE_SECONDS = 0.5
CAP_SECONDS = 30.0
TOO_MANY_ATTEMPTS = 429
ATTEMPTS_BASE_SECONDS = 5.0
_JITTER = 0.25

# A naturally silent stream has no first event to reset its backoff, so a minute of connection resets it.
PROVEN_AFTER = dt.timedelta(seconds=60)
MIN_TICKING_SYMBOLS = 5
MIN_BETWEEN_RECONNECTS = dt.timedelta(minutes=10)
TICKING_WINDOW = dt.timedelta(seconds=60)

# Alpaca's error codes after which retrying would not help (websocket documentation, "Errors"; 405 and 409 to
# 413 depend on the plan or the request, which stay the same until the next Start).
FINAL_CODES = frozenset({400, 401, 402, 403, 405, 409, 410, 412, 413})


def compute_backoff_seconds(
    failures: int, *, base_seconds: float = BASE_SECONDS, cap_seconds: float = CAP_SECONDS, draw: float = 0.5
) -> float:
    """Return the seconds before the next attempt: the base, doubled with each failure, capped, with jitter.

    Args:
        failures: Consecutive failures so far, at least 1.
        base_seconds: The wait after the first failure.
        cap_seconds: The longest wait, including jitter.
        draw: A uniform random number in [0, 1); 0.5 means no jitter.
    """
    exponential = base_seconds * 2.0 ** min(failures - 1, 32)
    return float(min(cap_seconds, min(cap_seconds, exponential) * (1 + _JITTER * (2 * draw - 1))))


def choose_base_seconds(error: BaseException, base_seconds: float) -> float:
    """Return the base of the backoff after an error: longer if the server counts attempts (HTTP 429)."""
    counts_attempts = isinstance(error, StreamError) and error.code == TOO_MANY_ATTEMPTS
    return max(base_seconds, ATTEMPTS_BASE_SECONDS) if counts_attempts else base_seconds


def is_final(error: BaseException) -> bool:
    """Return whether retrying would not help; an unexpected error is retried."""
    return isinstance(error, OptionsHelperError) and not isinstance(error, StreamInterrupted)


def has_proven_itself(health: StreamHealth, *, now: dt.datetime) -> bool:
    """Return whether a connection lasted long enough for the backoff to start over when it is lost."""
    return health.connected_at is not None and now - health.connected_at >= PROVEN_AFTER


@dataclass(frozen=True, slots=True)
class MuteEvidence:
    """Facts about a stream's silence that its record does not contain.

    Attributes:
        phase: The market's phase.
        ticking: The number of symbols with an event in the minute before the last event.
        last_reconnect_at: When a connection was last ended because it was mute.
        session_open: When the session began, or None if unknown.
    """

    phase: str
    ticking: int
    last_reconnect_at: dt.datetime | None = None
    session_open: dt.datetime | None = None


def is_mute(health: StreamHealth, evidence: MuteEvidence, *, now: dt.datetime) -> bool:
    """Return whether a connection must be ended because it is silent, although it answers pings.

    The fills stream is never mute, because it sends something only when an order changes. The others are mute
    only while the market is open, only if several symbols were ticking before, and at most once per
    `MIN_BETWEEN_RECONNECTS`, because one contract, or a closed market, is naturally silent. Silence begins
    with the last event, the connection or the session, whichever is latest.
    """
    if health.stream is StreamName.FILLS:
        return False
    if health.state is not StreamState.RUNNING or evidence.phase != MarketPhase.OPEN:
        return False
    if health.last_event_at is None:
        return False
    _seen, silent = silence_seconds(health, now, evidence.session_open)
    if silent < MUTE_AFTER_SECONDS:
        return False
    if evidence.ticking < MIN_TICKING_SYMBOLS:
        return False
    return evidence.last_reconnect_at is None or now - evidence.last_reconnect_at >= MIN_BETWEEN_RECONNECTS
