"""What the market says: quotes, trades, the health of the streams, and the frozen snapshot of it all.

Times are aware UTC datetimes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from options_helper.times import utc_now


class StreamName(StrEnum):
    """The three streams; their values are the keys of every mapping by stream."""

    STOCKS = "stocks"
    OPTIONS = "options"
    FILLS = "fills"


class StreamState(StrEnum):
    """The life of one stream; RUNNING means acknowledged by the server, never that a thread exists."""

    NOT_STARTED = "not_started"
    CONNECTING = "connecting"
    RUNNING = "running"
    RECONNECTING = "reconnecting"
    ERROR = "error"
    STOPPED = "stopped"


class MarketPhase(StrEnum):
    """The phase of the regular US option session."""

    UNKNOWN = "unknown"
    PRE = "pre"
    OPEN = "open"
    AFTER = "after"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Quote:
    """The newest bid and ask of one symbol.

    Prices are dollars per share, sizes as the vendor counts them; None where the message had no such value.
    `from_rest` tells a first quote fetched by REST from one that came on the stream.
    """

    symbol: str
    bid_price: float | None = None
    ask_price: float | None = None
    bid_size: float | None = None
    ask_size: float | None = None
    timestamp: dt.datetime | None = None
    received_at: dt.datetime | None = None
    from_rest: bool = False


@dataclass(frozen=True, slots=True)
class Trade:
    """The last trade of one symbol; price in dollars per share."""

    symbol: str
    price: float | None = None
    size: float | None = None
    timestamp: dt.datetime | None = None
    received_at: dt.datetime | None = None
    from_rest: bool = False


@dataclass(frozen=True, slots=True)
class PreviousClose:
    """A symbol's closing price in dollars per share and the New York date it belongs to."""

    price: float
    date: dt.date


@dataclass(frozen=True, slots=True)
class Greeks:
    """The vendor's own greeks and implied volatility (a fraction); None where the vendor gives none."""

    delta: float | None = None
    gamma: float | None = None
    theta: float | None = None
    vega: float | None = None
    rho: float | None = None
    implied_volatility: float | None = None
    timestamp: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class BrokerPosition:
    """What the broker's own books say of a symbol (`/v2/positions`): signed quantity, its price per share."""

    symbol: str
    quantity: float
    price: float | None = None
    market_value: float | None = None


@dataclass(frozen=True, slots=True)
class FillGap:
    """A span in which order updates may have been missed; `reason` says why it is still unconfirmed.

    `end` is None while the stream is still down.
    """

    start: dt.datetime
    end: dt.datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class UnreadableRows:
    """How many REST rows of fills and orders could not be read, and since when; `since` is None for none."""

    count: int = 0
    since: dt.datetime | None = None


NO_UNREADABLE_ROWS = UnreadableRows()


@dataclass(frozen=True, slots=True)
class StreamFailure:
    """Why a stream last ended: a sentence, Alpaca's code if any, when, and whether it is tried again."""

    text: str
    at: dt.datetime
    code: int | None = None
    final: bool = False

    @property
    def words(self) -> str:
        """The sentence with the code, where it does not hold it already."""
        held = self.code is None or str(self.code) in self.text
        return self.text if held else f"{self.text} ({self.code})"


@dataclass(frozen=True, slots=True)
class StreamHealth:
    """One record per stream, replaced whole.

    Attributes:
        since: When the state was entered.
        step: What a connecting stream is waiting for, in words.
        asked: Symbols asked for; empty for fills.
        missing: Symbols asked for and not acknowledged by the server.
        attempts: Reconnection attempts since Start.
        tries: The same since the stream last proved itself, which the backoff counts; 0 where not known.
        next_attempt_at: When the next attempt begins, while reconnecting.
        complete_at: As of when REST last told all quotes of the stream; only one since `connected_at` proves
            that none was missed.
        last_event_at: Receipt of the newest market event or order update.
        last_heard_at: Receipt of anything at all, a pong included.
        last_failure: Kept after recovery.
        messages, conflated, dropped, malformed: Counts since Start.
        lag_seconds: Median of receive time minus event time over the last batches, None if unknown.
        latency_seconds: Median time from receipt to visible in a snapshot, None if unknown.
        rate: Messages per second over the last seconds.
    """

    stream: StreamName
    state: StreamState = StreamState.NOT_STARTED
    since: dt.datetime | None = None
    step: str = ""
    asked: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    attempts: int = 0
    tries: int = 0
    next_attempt_at: dt.datetime | None = None
    connected_at: dt.datetime | None = None
    complete_at: dt.datetime | None = None
    last_event_at: dt.datetime | None = None
    last_heard_at: dt.datetime | None = None
    last_failure: StreamFailure | None = None
    messages: int = 0
    conflated: int = 0
    dropped: int = 0
    malformed: int = 0
    lag_seconds: float | None = None
    latency_seconds: float | None = None
    rate: float = 0.0

    @property
    def alive(self) -> bool:
        """Whether the stream is connected, or on its way there."""
        return self.state in {StreamState.CONNECTING, StreamState.RUNNING, StreamState.RECONNECTING}


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSnapshot:
    """The state of everything live at one moment; every field has a default.

    Attributes:
        as_of: The clock's time of the snapshot; every age counts from it.
        version: Grows with every change; equal versions of one run mean equal contents, `as_of` apart.
        status: One word of `StreamState` for the whole.
        fills: Every order update of the New York day, newest first, as `normalize_trade_update` makes them.
        rest_fills, rest_orders: What REST gave of the same day, as rows of the same kind.
        fill_gaps: Spans not yet confirmed by REST, oldest first.
        unreadable_rows: REST rows of fills and orders that could not be read.
        subscribed: Symbols asked for and not refused by a server; None where nothing is known of it.
        market_phase_until: When the phase changes next.
        market_next_open: When the next regular session opens.
        session_open, session_close: The regular session of `trading_date`; the close is earlier on half days.
        account: "paper", "live" or "demo", None before Start.
        broker_account: The account as the broker names it, masked.
        trading_date, previous_trading_date: New York dates of the calendar, None where not known yet.
        greeks, multipliers, broker_positions: By contract symbol (stocks too for broker_positions).
        halted: Symbols whose trading is halted.
        stopped_at: When the last run ended, while status is stopped.
        backfill: What the background fetch is doing or why it failed, in words, by part.
        clock_offset_seconds: By how much this computer's clock is ahead of Alpaca's (negative is behind), as
            nearly as a request can tell; None where not known.
    """

    as_of: dt.datetime = field(default_factory=utc_now)
    running: bool = False
    status: str = StreamState.NOT_STARTED
    status_by_stream: Mapping[str, str] = field(default_factory=dict)
    stock_quotes: Mapping[str, Quote] = field(default_factory=dict)
    stock_trades: Mapping[str, Trade] = field(default_factory=dict)
    option_quotes: Mapping[str, Quote] = field(default_factory=dict)
    option_trades: Mapping[str, Trade] = field(default_factory=dict)
    fills: Sequence[Mapping[str, Any]] = ()
    alive: Mapping[str, bool] = field(default_factory=dict)
    reconnect_attempts: Mapping[str, int] = field(default_factory=dict)
    last_event_ts_by_stream: Mapping[str, dt.datetime | None] = field(default_factory=dict)
    queue_depth: int = 0
    dropped_events: int = 0
    dropped_events_by_stream: Mapping[str, int] = field(default_factory=dict)
    conflated_events: int = 0
    last_error: str | None = None
    errors_by_stream: Mapping[str, str] = field(default_factory=dict)

    version: int = 0
    health: Mapping[str, StreamHealth] = field(default_factory=dict)
    started_at: dt.datetime | None = None
    stopped_at: dt.datetime | None = None
    stock_feed: str | None = None
    options_feed: str | None = None
    demo: bool = False
    account: str | None = None
    broker_account: str | None = None
    subscribed: frozenset[str] | None = None
    market_phase: str = MarketPhase.UNKNOWN
    market_phase_until: dt.datetime | None = None
    market_next_open: dt.datetime | None = None
    session_open: dt.datetime | None = None
    session_close: dt.datetime | None = None
    trading_date: dt.date | None = None
    previous_trading_date: dt.date | None = None
    previous_closes: Mapping[str, PreviousClose] = field(default_factory=dict)
    greeks: Mapping[str, Greeks] = field(default_factory=dict)
    multipliers: Mapping[str, float] = field(default_factory=dict)
    broker_positions: Mapping[str, BrokerPosition] = field(default_factory=dict)
    halted: frozenset[str] = frozenset()
    rest_fills: Sequence[Mapping[str, Any]] = ()
    rest_orders: Sequence[Mapping[str, Any]] = ()
    fill_gaps: Sequence[FillGap] = ()
    unreadable_rows: UnreadableRows = NO_UNREADABLE_ROWS
    backfill: Mapping[str, str] = field(default_factory=dict)
    clock_offset_seconds: float | None = None
