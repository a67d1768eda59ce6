"""When a connected stream that says nothing is worth a new connection."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from options_helper.analysis.status.stream_lines import MUTE_AFTER_SECONDS, silence_seconds
from options_helper.market import MarketPhase, StreamHealth, StreamName, StreamState

MIN_TICKING_SYMBOLS = 5
MIN_BETWEEN_RECONNECTS = dt.timedelta(minutes=10)
TICKING_WINDOW = dt.timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class MuteEvidence:
    """What is known about a stream's silence besides its record.

    Attributes:
        phase: The market's phase.
        ticking: Symbols that gave an event in the minute before the last event.
        last_reconnect_at: When a connection was last given up for being mute.
        session_open: When the session began, None where not known.
    """

    phase: str
    ticking: int
    last_reconnect_at: dt.datetime | None = None
    session_open: dt.datetime | None = None


def is_mute(health: StreamHealth, evidence: MuteEvidence, *, now: dt.datetime) -> bool:
    """Whether to give a connection up for its silence, though it answers pings.

    Never the stream of fills, which speaks only when an order moves. Of the others only while the market is
    open, only if several symbols were ticking before, and rarely: a book of one contract, or a closed market,
    is silent by nature. Silence begins with the last event, the connection or the session, whichever is the
    latest.
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
