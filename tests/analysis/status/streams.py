"""Snapshots of streams in any state, as of one time."""

from __future__ import annotations

import datetime as dt
from typing import Any

from options_helper.market import (
    LiveSnapshot,
    MarketPhase,
    StreamFailure,
    StreamHealth,
    StreamName,
    StreamState,
)

# A Friday, 13:46:02 in New York.
NOW = dt.datetime(2026, 11, 20, 18, 46, 2, tzinfo=dt.UTC)
OPTIONS, STOCKS, FILLS = StreamName.OPTIONS, StreamName.STOCKS, StreamName.FILLS
CONTRACTS = frozenset(f"AAPL26121{n}C00250000" for n in range(8))


def ago(seconds: float) -> dt.datetime:
    """A moment before NOW."""
    return NOW - dt.timedelta(seconds=seconds)


def health(stream: StreamName, state: StreamState = StreamState.RUNNING, **fields: Any) -> StreamHealth:
    """Return the health of a stream, good by default."""
    asked = {OPTIONS: CONTRACTS, STOCKS: frozenset({"AAPL", "MSFT"}), FILLS: frozenset()}[stream]
    good: dict[str, Any] = {
        "asked": asked,
        "since": ago(600),
        "connected_at": ago(600),
        "last_event_at": ago(0.2),
        "last_heard_at": ago(0.1),
    }
    return StreamHealth(stream, state=state, **(good | fields))


def failure(
    text: str = "the connection was reset", code: int | None = None, *, final: bool = False
) -> StreamFailure:
    """A failure of a stream at 13:45:10."""
    return StreamFailure(text, ago(52), code, final)


def rejected(stream: StreamName, code: int | None, text: str = "refused", **fields: Any) -> StreamHealth:
    """A stream in error."""
    return health(stream, StreamState.ERROR, last_failure=failure(text, code, final=True), **fields)


def snapshot(*records: StreamHealth, **fields: Any) -> LiveSnapshot:
    """An open market with these streams; all others are in good health."""
    given = {record.stream: record for record in records}
    everything = {stream: given.get(stream, health(stream)) for stream in StreamName}
    states = [record.state for record in everything.values()]
    order = (StreamState.ERROR, StreamState.RECONNECTING, StreamState.CONNECTING, StreamState.RUNNING)
    base: dict[str, Any] = {
        "as_of": NOW,
        "running": True,
        "status": next(state for state in order if state in states),
        "health": everything,
        "market_phase": MarketPhase.OPEN,
        "options_feed": "indicative",
        "stock_feed": "iex",
        "account": "paper",
    }
    return LiveSnapshot(**(base | fields))


def polled(stream: StreamName, number: int, **fields: Any) -> StreamHealth:
    """A stream with this many symbols polled, because the plan grants no more channels."""
    asked = health(stream).asked
    some = frozenset(sorted(asked)[:number])
    given: dict[str, Any] = {"missing": some, "polled": some, "poll_seconds": 15.0, "polled_at": ago(3)}
    given["channels"] = len(asked - some)
    return health(stream, **given | fields)
