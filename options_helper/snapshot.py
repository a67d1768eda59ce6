"""The record of each stream, and the frozen snapshot of all live data.

Times are aware UTC datetimes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from options_helper.market_records import (
    Betas,
    BrokerAccount,
    BrokerEvent,
    BrokerFill,
    BrokerPosition,
    CashChange,
    Dividend,
    Greeks,
    MarketPhase,
    PreviousClose,
    Quote,
    Split,
    Trade,
)
from options_helper.order_rows import NO_UNREADABLE_ROWS, FillGap, OrderRow, UnreadableRows
from options_helper.times import utc_now

Value = TypeVar("Value")


class StreamName(StrEnum):
    """The three streams; their values are the keys of every mapping by stream."""

    STOCKS = "stocks"
    OPTIONS = "options"
    FILLS = "fills"


class StreamState(StrEnum):
    """The state of one stream; RUNNING requires an acknowledgement or an event, not just a thread."""

    NOT_STARTED = "not_started"
    CONNECTING = "connecting"
    RUNNING = "running"
    RECONNECTING = "reconnecting"
    ERROR = "error"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class StreamFailure:
    """The reason a stream last ended, with the time, Alpaca's code if any, and whether it is final."""

    text: str
    at: dt.datetime
    code: int | None = None
    final: bool = False

    @property
    def words(self) -> str:
        """The sentence, followed by the code unless the sentence contains it."""
        held = self.code is None or str(self.code) in self.text
        return self.text if held else f"{self.text} ({self.code})"


@dataclass(frozen=True, slots=True)
class StreamHealth:
    """The record of one stream; every change replaces the whole record.

    Attributes:
        since: When the state began.
        step: What a connecting stream is waiting for, in words.
        asked: The requested symbols; empty for fills.
        missing: Requested symbols that the server did not acknowledge.
        invalid: Missing symbols in a format that Alpaca does not accept.
        channels: The number of channels (quotes or trades of one symbol) granted, if the plan refused more.
        polled: Symbols that do not stream and are fetched from REST at an interval.
        poll_seconds: The interval of those fetches; 0 if nothing is polled.
        polled_at: When the last fetch that answered for all of them began; None if there was none.
        attempts: Reconnection attempts since Start.
        tries: The consecutive failures that the last backoff counted; 0 if unknown.
        next_attempt_at: When the next attempt begins, while reconnecting.
        complete_at: When REST last returned all quotes of the stream; only a time after `connected_at`
            and `lost_at` proves that none was missed.
        lost_at: When a message of the stream was last dropped or could not be read.
        last_event_at: When the newest market event or order update was received.
        last_heard_at: When anything at all was last received, even a pong.
        last_failure: The last failure, kept after recovery.
        messages, conflated, dropped, malformed: Counts since Start.
        lag_seconds: Median delay from event to receipt over the last batches; None if unknown.
        latency_seconds: Median delay from receipt to visibility in a snapshot; None if unknown.
        relay_seconds: The part of the lag spent on the way from a relay; None without one.
        rate: Messages per second over the last seconds.
    """

    stream: StreamName
    state: StreamState = StreamState.NOT_STARTED
    since: dt.datetime | None = None
    step: str = ""
    asked: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    invalid: frozenset[str] = frozenset()
    channels: int | None = None
    polled: frozenset[str] = frozenset()
    poll_seconds: float = 0.0
    polled_at: dt.datetime | None = None
    attempts: int = 0
    tries: int = 0
    next_attempt_at: dt.datetime | None = None
    connected_at: dt.datetime | None = None
    complete_at: dt.datetime | None = None
    lost_at: dt.datetime | None = None
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
    relay_seconds: float | None = None

    @property
    def alive(self) -> bool:
        """True if the stream is connected, connecting or reconnecting."""
        return self.state in {StreamState.CONNECTING, StreamState.RUNNING, StreamState.RECONNECTING}


# The default of each field for streams without a record.
_UNKNOWN: Mapping[str, Mapping[str, object]] = {
    "status_by_stream": dict.fromkeys(StreamName, StreamState.NOT_STARTED),
    "alive": dict.fromkeys(StreamName, False),
    "reconnect_attempts": dict.fromkeys(StreamName, 0),
    "last_event_ts_by_stream": dict.fromkeys(StreamName),
    "dropped_events_by_stream": dict.fromkeys(StreamName, 0),
}
_READ_ONLY = (
    "stock_quotes",
    "stock_trades",
    "option_quotes",
    "option_trades",
    "errors_by_stream",
    "health",
    "previous_closes",
    "daily_closes",
    "greeks",
    "multipliers",
    "broker_positions",
    "backfill",
)


def _read_only(values: Mapping[str, Value]) -> Mapping[str, Value]:
    """Return a read-only view of a dict; any other mapping is returned as it is."""
    return MappingProxyType(values) if isinstance(values, dict) else values


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """All data reported by the streams and REST.

    Attributes:
        fills: Every order update of the New York day, newest first, as `normalize_trade_update` returns them.
        rest_fills, rest_orders: The same day's executions and orders from REST, as rows of the same kind.
        fill_gaps: Spans not yet confirmed by REST, oldest first.
        unreadable_rows: Fills and orders from REST that could not be read.
        daily_closes: The stocks' unadjusted closes of the last 30 days, by date.
        greeks, multipliers: Keyed by contract symbol.
        broker_positions: Keyed by contract or stock symbol.
        broker_unread: Symbols of the broker's rows that could not be read, "" for a row without a symbol; the
            quantities held are unknown.
        broker_positions_at: When the broker's positions were read; None while they are unknown.
        broker: The account's equity, cash and buying power.
        broker_account: The broker's account number, masked.
        broker_fills, broker_events: The account's executions and other changes since
            `broker_history_since`, including today's; that date is None while they are incomplete.
        broker_cash: Fees, dividends, interest and transfers; complete since `broker_cash_since`.
        splits: Splits of the stocks in the last 30 days.
        betas: The stocks' betas; None until known.
        dividends: Declared cash dividends of the stocks with an ex-date of today or later; None until known.
        halted: Symbols with halted trading.
        backfill: For each part of the background fetch, its progress or the reason it failed, in words.
    """

    stock_quotes: Mapping[str, Quote] = field(default_factory=dict)
    stock_trades: Mapping[str, Trade] = field(default_factory=dict)
    option_quotes: Mapping[str, Quote] = field(default_factory=dict)
    option_trades: Mapping[str, Trade] = field(default_factory=dict)
    fills: Sequence[OrderRow] = ()
    rest_fills: Sequence[OrderRow] = ()
    rest_orders: Sequence[OrderRow] = ()
    fill_gaps: Sequence[FillGap] = ()
    unreadable_rows: UnreadableRows = NO_UNREADABLE_ROWS
    previous_closes: Mapping[str, PreviousClose] = field(default_factory=dict)
    daily_closes: Mapping[str, Mapping[dt.date, float]] = field(default_factory=dict)
    greeks: Mapping[str, Greeks] = field(default_factory=dict)
    multipliers: Mapping[str, float] = field(default_factory=dict)
    broker_positions: Mapping[str, BrokerPosition] = field(default_factory=dict)
    broker_unread: frozenset[str] = frozenset()
    broker_positions_at: dt.datetime | None = None
    broker: BrokerAccount | None = None
    broker_account: str | None = None
    broker_fills: Sequence[BrokerFill] = ()
    broker_events: Sequence[BrokerEvent] = ()
    broker_history_since: dt.date | None = None
    broker_cash: Sequence[CashChange] = ()
    broker_cash_since: dt.date | None = None
    splits: Sequence[Split] = ()
    dividends: Sequence[Dividend] | None = None
    betas: Betas | None = None
    halted: frozenset[str] = frozenset()
    backfill: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSnapshot(Received):
    """All live data at one time; every field has a default.

    It is read-only: writing to its mappings, or to the rows and tables in them, raises. Mappings keyed by
    stream always hold all three streams. `Received` documents the fields that are not listed here.

    Attributes:
        as_of: The time of the snapshot; every age counts from it.
        version: Increases with every change; within a run, equal versions mean equal contents except `as_of`.
        status: The overall state, a value of `StreamState`.
        subscribed: Symbols requested and not refused by the server; None if unknown.
        market_phase_until: When the next phase begins.
        market_next_open: When the next regular session opens.
        session_open, session_close: The regular session of `trading_date`; the close is earlier on half days.
        account: "paper", "live" or "demo", None before Start.
        trading_date, previous_trading_date: New York dates of the calendar, None until known.
        previous_session_close: When the session of `previous_trading_date` ended.
        stopped_at: When the last run ended, while status is stopped.
        clock_offset_seconds: Seconds by which this computer's clock is ahead of Alpaca's; None if unknown.
    """

    as_of: dt.datetime = field(default_factory=utc_now)
    running: bool = False
    status: str = StreamState.NOT_STARTED
    status_by_stream: Mapping[str, str] = field(default_factory=dict)
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
    subscribed: frozenset[str] | None = None
    market_phase: str = MarketPhase.UNKNOWN
    market_phase_until: dt.datetime | None = None
    market_next_open: dt.datetime | None = None
    session_open: dt.datetime | None = None
    session_close: dt.datetime | None = None
    trading_date: dt.date | None = None
    previous_trading_date: dt.date | None = None
    previous_session_close: dt.datetime | None = None
    clock_offset_seconds: float | None = None

    def __post_init__(self) -> None:
        for name, unknown in _UNKNOWN.items():
            object.__setattr__(self, name, MappingProxyType({**unknown, **getattr(self, name)}))
        for name in _READ_ONLY:
            object.__setattr__(self, name, _read_only(getattr(self, name)))
