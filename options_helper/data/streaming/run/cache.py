"""The newest live data, written by the consumer and the background fetch, and read by snapshots."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, TypeVar, cast

from options_helper.data.streaming.normalize.corrections import TradeCorrection, correct_trade
from options_helper.data.streaming.normalize.halts import still_halted
from options_helper.data.streaming.run.fill_gaps import FillGaps
from options_helper.market import (
    NO_UNREADABLE_ROWS,
    Betas,
    BrokerAccount,
    BrokerEvent,
    BrokerFill,
    BrokerPosition,
    CashChange,
    Dividend,
    Greeks,
    PreviousClose,
    Quote,
    Split,
    StreamName,
    Trade,
    UnreadableRows,
)
from options_helper.order_rows import OrderRow
from options_helper.quote_tables import Columns, QuoteTable, TradeTable
from options_helper.snapshot import Received
from options_helper.times import new_york_date

logger = logging.getLogger(__name__)

Row = TypeVar("Row", bound=Mapping[str, object])


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerHistory:
    """The account's executions and other changes since a New York date, None while they are incomplete."""

    since: dt.date | None = None
    fills: tuple[BrokerFill, ...] = ()
    events: tuple[BrokerEvent, ...] = ()
    cash: tuple[CashChange, ...] = ()
    cash_since: dt.date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheState(Received):
    """One version of the cache, immutable; a snapshot holds its parts by reference."""

    version: int = 0
    stock_quotes: QuoteTable = field(default_factory=QuoteTable.empty)
    stock_trades: TradeTable = field(default_factory=TradeTable.empty)
    option_quotes: QuoteTable = field(default_factory=QuoteTable.empty)
    option_trades: TradeTable = field(default_factory=TradeTable.empty)
    fills: tuple[OrderRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Data from REST about symbols and the account, whose number is masked; None means not reported."""

    previous_closes: Mapping[str, PreviousClose] = field(default_factory=dict)
    daily_closes: Mapping[str, Mapping[dt.date, float]] = field(default_factory=dict)
    greeks: Mapping[str, Greeks] = field(default_factory=dict)
    multipliers: Mapping[str, float] = field(default_factory=dict)
    broker_positions: Mapping[str, BrokerPosition] | None = None
    broker_unread: frozenset[str] = frozenset()
    broker_positions_at: dt.datetime | None = None
    broker: BrokerAccount | None = None
    broker_history: BrokerHistory | None = None
    splits: tuple[Split, ...] | None = None
    dividends: tuple[Dividend, ...] | None = None
    betas: Betas | None = None
    account: str | None = None


class LiveCache:
    """A sequence of immutable versions; every `apply_…` publishes the next, and `state` is the newest.

    A new version is built beside the old one and published by one assignment, so readers never wait.
    """

    def __init__(self, stocks: Iterable[str] = (), option_contracts: Iterable[str] = ()) -> None:
        stock_index, option_index = tuple(stocks), tuple(option_contracts)
        self.updates_of_other_days = 0
        self._orders_day: dt.date | None = None
        self._halted_since: Mapping[str, dt.datetime] = {}
        self._lock = threading.Lock()  # between writers: the consumer, the backfill, the workers
        self._state = CacheState(
            stock_quotes=QuoteTable.empty(stock_index),
            stock_trades=TradeTable.empty(stock_index),
            option_quotes=QuoteTable.empty(option_index),
            option_trades=TradeTable.empty(option_index),
        )

    @property
    def state(self) -> CacheState:
        """The newest version."""
        return self._state

    def apply_stocks(
        self, quotes: Sequence[Quote] | Columns = (), trades: Sequence[Trade] | Columns = ()
    ) -> None:
        """Apply the newest rows of stocks; a later trade ends a halt."""
        with self._lock:
            state = self._state
            stock_trades = state.stock_trades.updated(trades) if trades else state.stock_trades
            self._publish(
                replace(
                    self._state,
                    stock_quotes=state.stock_quotes.updated(quotes) if quotes else state.stock_quotes,
                    stock_trades=stock_trades,
                )
            )
            if trades and self._halted_since:
                self._publish_halts(still_halted(self._halted_since, stock_trades))

    def apply_options(
        self, quotes: Sequence[Quote] | Columns = (), trades: Sequence[Trade] | Columns = ()
    ) -> None:
        """Apply the newest rows of option contracts."""
        with self._lock:
            state = self._state
            self._publish(
                replace(
                    self._state,
                    option_quotes=state.option_quotes.updated(quotes) if quotes else state.option_quotes,
                    option_trades=state.option_trades.updated(trades) if trades else state.option_trades,
                )
            )

    def apply_corrections(self, stream: StreamName, corrections: Iterable[TradeCorrection]) -> None:
        """Replace or remove last trades that were corrected or cancelled."""
        is_stocks = stream is StreamName.STOCKS
        with self._lock:
            table = self._state.stock_trades if is_stocks else self._state.option_trades
            for correction in corrections:
                trade = correct_trade(table, correction)
                table = table.without([correction.symbol]) if trade is None else table.updated([trade])
            self._publish(
                replace(self._state, stock_trades=table)
                if is_stocks
                else replace(self._state, option_trades=table)
            )

    def apply_halts(self, since_by_symbol: Mapping[str, dt.datetime | None]) -> None:
        """Record when symbols were halted; None means that trading resumed."""
        with self._lock:
            known = {**self._halted_since, **since_by_symbol}
            self._publish_halts({symbol: since for symbol, since in known.items() if since is not None})

    @property
    def halted_since(self) -> Mapping[str, dt.datetime]:
        """When each halted stock was halted."""
        return self._halted_since

    def forget_halts(self) -> None:
        """Forget all halts, because their ends may have been missed."""
        with self._lock:
            self._publish_halts({})

    def apply_orders(self, rows: Sequence[OrderRow], *, now: dt.datetime) -> None:
        """Add order updates, newest first; count and leave out those of an earlier New York day."""
        today = new_york_date(now)
        newest = [row for row in reversed(rows) if _is_of_day(row, today)]
        self._count_other_days(len(rows) - len(newest))
        with self._lock:
            self._begin_day(today)
            self._publish(replace(self._state, fills=tuple(map(freeze_row, newest)) + self._state.fills))

    def apply_reference(self, reference: Reference) -> None:
        """Merge REST's reference data; None changes nothing, and the broker's positions are replaced."""
        with self._lock:
            known = self._state
            names = ("broker_positions_at", "broker", "splits", "dividends", "betas")
            changed: dict[str, Any] = {
                name: value for name in names if (value := getattr(reference, name)) is not None
            }
            changed["broker_account"] = reference.account or known.broker_account
            if reference.broker_history is not None:
                changed["broker_fills"] = reference.broker_history.fills
                changed["broker_events"] = reference.broker_history.events
                changed["broker_history_since"] = reference.broker_history.since
                changed["broker_cash"] = reference.broker_history.cash
                changed["broker_cash_since"] = reference.broker_history.cash_since
            # Create the read-only views only once, because memos compare by identity.
            if reference.broker_positions is not None:
                changed["broker_positions"] = MappingProxyType(dict(reference.broker_positions))
                changed["broker_unread"] = reference.broker_unread
            closes = {
                symbol: close.completed(known.previous_closes.get(symbol))
                for symbol, close in reference.previous_closes.items()
            }
            more = {
                "previous_closes": closes,
                "daily_closes": reference.daily_closes,
                "greeks": reference.greeks,
                "multipliers": reference.multipliers,
            }
            for name, values in more.items():
                if values:
                    changed[name] = MappingProxyType({**getattr(known, name), **values})
            self._publish(replace(known, **changed))

    def apply_progress(self, part: str, words: str) -> None:
        """Record the progress of a part of the background fetch, or why it failed; "" when all is well."""
        with self._lock:
            self._publish(replace(self._state, backfill={**self._state.backfill, part: words}))

    def apply_order_history(
        self,
        fills: Sequence[OrderRow],
        orders: Sequence[OrderRow],
        unreadable: UnreadableRows = NO_UNREADABLE_ROWS,
    ) -> None:
        """Replace the day's executions and orders from REST, and the count of unreadable rows."""
        with self._lock:
            self._publish(
                replace(
                    self._state,
                    rest_fills=tuple(map(freeze_row, fills)),
                    rest_orders=tuple(map(freeze_row, orders)),
                    unreadable_rows=unreadable,
                )
            )

    def apply_gaps(self, gaps: FillGaps) -> None:
        """Publish the current unconfirmed spans."""
        with self._lock:  # read under the lock, or an older reading could be published after a newer one
            self._publish(replace(self._state, fill_gaps=gaps.gaps))

    def drop_orders_before(self, day: dt.date) -> None:
        """Drop the order updates of earlier New York days, once, when `day` begins.

        Later in the day nothing is dropped, because an earlier order that REST then reports is still open.
        """
        if self._orders_day != day:
            with self._lock:
                self._begin_day(day)

    def touch(self) -> None:
        """Publish a new version with the same contents, after a change elsewhere (a stream's state)."""
        with self._lock:
            self._publish(self._state)

    def _count_other_days(self, number: int) -> None:
        if number:
            self.updates_of_other_days += number
            logger.warning(
                "Left out order updates of an earlier New York day: %d (since Start: %d).",
                number,
                self.updates_of_other_days,
            )

    def _begin_day(self, day: dt.date) -> None:
        known, self._orders_day = self._orders_day, day
        if known is None or known == day:  # before the first day, nothing is old
            return
        state = self._state
        rows = (state.fills, state.rest_fills, state.rest_orders)
        kept = [tuple(row for row in part if _is_of_day(row, day)) for part in rows]
        if kept != list(rows) or state.unreadable_rows.count:
            self._publish(
                replace(
                    self._state,
                    fills=kept[0],
                    rest_fills=kept[1],
                    rest_orders=kept[2],
                    unreadable_rows=NO_UNREADABLE_ROWS,
                )
            )

    def _publish_halts(self, halted_since: Mapping[str, dt.datetime]) -> None:
        self._halted_since = halted_since
        if self._state.halted != halted_since.keys():
            self._publish(replace(self._state, halted=frozenset(halted_since)))

    def _publish(self, state: CacheState) -> None:
        """Publish a changed copy of the newest state as the next version."""
        self._state = replace(state, version=self._state.version + 1)


def _is_of_day(row: OrderRow, day: dt.date) -> bool:
    timestamp = row.get("timestamp") or row.get("received_at")
    return timestamp is None or new_york_date(timestamp) >= day


def freeze_row(row: Row) -> Row:
    """Return a read-only view of a row and of all rows within it."""
    frozen = {name: _freeze_nested(value) for name, value in row.items()}
    return cast("Row", MappingProxyType(frozen)) if isinstance(row, dict) else row


def _freeze_nested(value: object) -> object:
    if isinstance(value, dict):
        return freeze_row(value)
    return tuple(map(freeze_row, value)) if isinstance(value, list) else value
