"""What the market says: quotes, trades, the health of the streams, and the frozen snapshot of it all.

Times are aware UTC datetimes. Tables are columnar (`QuoteTable`, `TradeTable`) so that a snapshot of
thousands of symbols costs nothing to hand over; read as mappings they give `Quote` and `Trade`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar
from zoneinfo import ZoneInfo

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEW_YORK = ZoneInfo("America/New_York")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


def utc_now() -> dt.datetime:
    """The clock that is injected everywhere time matters."""
    return dt.datetime.now(dt.UTC)


def new_york_date(at: dt.datetime) -> dt.date:
    """The trading date of an aware datetime: the New York calendar date."""
    return at.astimezone(NEW_YORK).date()


def to_microseconds(at: dt.datetime | None) -> int:
    """Microseconds since 1970 UTC; 0 stands for no time."""
    return 0 if at is None else (at - _EPOCH) // _MICROSECOND


def to_microseconds_each(times: Iterable[dt.datetime | None]) -> list[int]:
    """`to_microseconds` of many, at a third of its cost."""
    epoch, microsecond = _EPOCH, _MICROSECOND
    return [0 if at is None else (at - epoch) // microsecond for at in times]


def from_microseconds(value: int) -> dt.datetime | None:
    """The inverse of `to_microseconds`."""
    return None if value == 0 else _EPOCH + value * _MICROSECOND


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
class StreamFailure:
    """Why a stream last ended: a sentence, Alpaca's code if any, when, and whether it is tried again."""

    text: str
    at: dt.datetime
    code: int | None = None
    final: bool = False


@dataclass(frozen=True, slots=True)
class StreamHealth:
    """One record per stream, replaced whole.

    Attributes:
        since: When the state was entered.
        step: What a connecting stream is waiting for, in words.
        asked: Symbols asked for; empty for fills.
        missing: Symbols asked for and not acknowledged by the server.
        attempts: Reconnection attempts since Start.
        next_attempt_at: When the next attempt begins, while reconnecting.
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
    next_attempt_at: dt.datetime | None = None
    connected_at: dt.datetime | None = None
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


Row = TypeVar("Row", Quote, Trade)

_PRESENT = "present"


@dataclass(frozen=True, slots=True)
class Columns:
    """Rows of a `QuoteTable` or `TradeTable` as columns, one row per symbol.

    Attributes:
        symbols: The rows' symbols, each once.
        values: By column of the table's dtype, `present` apart: an array of the symbols' length, or a scalar.
    """

    symbols: Sequence[str]
    values: Mapping[str, Any]

    def __len__(self) -> int:
        return len(self.symbols)


class _LatestTable(Mapping[str, Row], Generic[Row]):
    """The newest row of each symbol, as one structured array; immutable by convention.

    Attributes:
        index: Symbol to row number; the same object in every version of one run's table.
        rows: The structured array; numbers are NaN and times 0 where missing; `present` marks used rows.
    """

    __slots__ = ("index", "rows")
    _numbers: tuple[str, ...] = ()
    _row_type: type[Any]

    def __init__(self, index: dict[str, int], rows: NDArray[Any]) -> None:
        self.index = index
        self.rows = rows

    @classmethod
    def dtype(cls) -> np.dtype[Any]:
        """Numbers as float64, times as int64 microseconds, two flags."""
        numbers: list[tuple[str, str]] = [(name, "f8") for name in cls._numbers]
        return np.dtype(
            [*numbers, ("timestamp", "i8"), ("received_at", "i8"), ("from_rest", "?"), (_PRESENT, "?")]
        )

    @classmethod
    def empty(cls, symbols: Iterable[str] = ()) -> Self:
        """A table with a place for each symbol and no row present."""
        index = {symbol: number for number, symbol in enumerate(dict.fromkeys(symbols))}
        return cls(index, np.zeros(len(index), dtype=cls.dtype()))

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Self:
        """A table of these rows."""
        return cls.empty().updated(list(rows))

    @classmethod
    def from_mapping(cls, rows: Mapping[str, Row]) -> Self:
        """The same table if it is one already, else one of the mapping's values under its keys."""
        if isinstance(rows, cls):
            return rows
        table = cls.empty(rows)
        for symbol, row in rows.items():
            table.rows[table.index[symbol]] = cls._to_tuple(row)
        return table

    def updated(self, rows: Sequence[Row] | Columns) -> Self:
        """A new version with these rows; an older REST row never replaces a newer one of the stream.

        `Columns` are the stream's own and replace what is there.
        """
        if isinstance(rows, Columns):
            table = self._copy_with(rows.symbols)
            numbers = np.array([table.index[symbol] for symbol in rows.symbols], np.intp)
            for name, values in rows.values.items():
                table.rows[name][numbers] = values
            table.rows[_PRESENT][numbers] = True
            return table
        table = self._copy_with(row.symbol for row in rows)
        for row in rows:
            number = table.index[row.symbol]
            kept = table.rows[number]
            # An event without a time of its own is no older than its receipt.
            older = to_microseconds(row.timestamp) <= (kept["timestamp"] or kept["received_at"])
            if not (row.from_rest and kept[_PRESENT] and older):
                table.rows[number] = self._to_tuple(row)
        return table

    def _copy_with(self, symbols: Iterable[str]) -> Self:
        """A copy that has a place for each of these symbols too."""
        unknown = [symbol for symbol in symbols if symbol not in self.index]
        index = self.index
        if unknown:
            index = dict(index)
            for symbol in unknown:
                index.setdefault(symbol, len(index))
        rows = np.zeros(len(index), dtype=self.rows.dtype)
        rows[: len(self.rows)] = self.rows
        return type(self)(index, rows)

    @classmethod
    def _to_tuple(cls, row: Row) -> tuple[Any, ...]:
        values: list[float | None] = [getattr(row, name) for name in cls._numbers]
        return (
            *(float("nan") if value is None else value for value in values),
            to_microseconds(row.timestamp),
            to_microseconds(getattr(row, "received_at", None)),
            getattr(row, "from_rest", False),
            True,
        )

    def __getitem__(self, symbol: str) -> Row:
        raw = self.rows[self.index[symbol]]
        if not raw[_PRESENT]:
            raise KeyError(symbol)
        values: dict[str, Any] = {
            name: None if np.isnan(raw[name]) else float(raw[name]) for name in self._numbers
        }
        row: Row = self._row_type(
            symbol=symbol,
            **values,
            timestamp=from_microseconds(int(raw["timestamp"])),
            received_at=from_microseconds(int(raw["received_at"])),
            from_rest=bool(raw["from_rest"]),
        )
        return row

    def __iter__(self) -> Iterator[str]:
        present = self.rows[_PRESENT]
        return (symbol for symbol, number in self.index.items() if number < len(present) and present[number])

    def __len__(self) -> int:
        return int(self.rows[_PRESENT].sum())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} of {len(self.index)} symbols)"


class QuoteTable(_LatestTable[Quote]):
    """`Mapping[str, Quote]` over columns bid_price, ask_price, bid_size, ask_size, timestamp, received_at."""

    __slots__ = ()
    _numbers = ("bid_price", "ask_price", "bid_size", "ask_size")
    _row_type = Quote


class TradeTable(_LatestTable[Trade]):
    """`Mapping[str, Trade]` over columns price, size, timestamp, received_at."""

    __slots__ = ()
    _numbers = ("price", "size")
    _row_type = Trade


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
    backfill: Mapping[str, str] = field(default_factory=dict)
    clock_offset_seconds: float | None = None
