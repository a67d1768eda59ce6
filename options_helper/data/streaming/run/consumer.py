"""The thread that applies batches to the cache."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Callable, Mapping
from functools import partial

from options_helper.data.streaming.normalize.batches import quote_change, trade_change
from options_helper.data.streaming.normalize.corrections import read_corrections
from options_helper.data.streaming.normalize.halts import read_halts
from options_helper.data.streaming.reconnect.worker import StreamWorker
from options_helper.data.streaming.run.cache import LiveCache
from options_helper.data.streaming.run.inbox import Batch, EventInbox
from options_helper.data.streaming.trading_normalizers import is_whole_update, normalize_trade_update
from options_helper.error_guard import Guard
from options_helper.market import StreamName
from options_helper.recording.journal import Journal

logger = logging.getLogger(__name__)


class Consumer:
    """The thread that takes batches until the inbox is closed and empty; a bad batch fails alone.

    Args:
        journal: Learns when a batch has taken effect.
        orders_unread: Called with the time of receipt if an order update could not be read in full.
    """

    def __init__(
        self,
        inbox: EventInbox,
        cache: LiveCache,
        workers: Mapping[StreamName, StreamWorker],
        clock: Callable[[], dt.datetime],
        orders_unread: Callable[[dt.datetime], None],
        journal: Journal,
    ) -> None:
        self._inbox = inbox
        self._cache = cache
        self._workers = workers
        self._clock = clock
        self._orders_unread = orders_unread
        self._journal = journal
        self._guard = Guard(logger, " and is skipped; it is counted.")
        self.thread = threading.Thread(target=self._consume, name="options-helper-consumer", daemon=True)

    def start(self) -> None:
        """Start taking batches."""
        self.thread.start()

    def _consume(self) -> None:
        while (batch := self._inbox.take()) is not None:
            self.apply(batch)

    def apply(self, batch: Batch) -> None:
        """Apply a batch as of its receipt."""
        what, count = f"A batch of the {batch.stream} stream", partial(self._count_skipped, batch)
        self._journal.take_over(batch.received_at)
        with self._guard.keep_going(what, count):
            self._apply(batch)
        self._journal.end()

    def _apply(self, batch: Batch) -> None:
        if batch.orders:
            self._apply_orders(batch)
        elif batch.statuses:
            self._cache.apply_halts(read_halts(batch.statuses, batch.received_at))
        elif batch.corrections:
            corrections = read_corrections(batch.corrections)
            self._cache.apply_corrections(batch.stream, corrections)
            self._workers[batch.stream].skipped(batch.messages - len(corrections))
        else:
            self._apply_market(batch)

    def _apply_market(self, batch: Batch) -> None:
        quotes = quote_change(batch.quotes, batch.received_at)
        trades = trade_change(batch.trades, batch.received_at)
        is_stocks = batch.stream is StreamName.STOCKS
        apply = self._cache.apply_stocks if is_stocks else self._cache.apply_options
        known = quotes.known + trades.known
        if known:
            apply(quotes.rows, trades.rows)
        self._workers[batch.stream].applied(
            received_at=batch.received_at,
            # Only quotes count, because the trades of the indicative feed are late by design.
            lag=quotes.lag_seconds(batch.received_at),
            conflated=quotes.conflated + trades.conflated,
            malformed=batch.messages - known,
        )

    def _apply_orders(self, batch: Batch) -> None:
        rows = [row for row in map(normalize_trade_update, batch.orders) if row is not None]
        if rows:
            for row in rows:
                row["received_at"] = batch.received_at
            self._cache.apply_orders(rows, now=self._clock())
        self._workers[StreamName.FILLS].applied(
            received_at=batch.received_at, lag=None, conflated=0, malformed=batch.messages - len(rows)
        )
        if len(rows) < batch.messages or not all(map(is_whole_update, rows)):
            self._orders_unread(batch.received_at)

    def _count_skipped(self, batch: Batch, _kind: str) -> None:
        self._workers[batch.stream].skipped(batch.messages)
        if batch.orders:
            self._orders_unread(batch.received_at)
