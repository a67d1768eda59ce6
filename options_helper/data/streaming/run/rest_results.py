"""Publishes a run's REST results to its cache, its streams' records and its gaps."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from options_helper.analysis.streams.clock import accept_offset, clock_error
from options_helper.data.calendar.market_clock import MarketCalendar
from options_helper.data.streaming.reconnect.worker import StreamWorker
from options_helper.data.streaming.run.cache import LiveCache, Reference
from options_helper.data.streaming.run.fill_gaps import FillGaps
from options_helper.data.streaming.run.progress_words import words_after_stop
from options_helper.market import NO_UNREADABLE_ROWS, FillGap, Quote, StreamName, Trade, UnreadableRows
from options_helper.order_rows import OrderRow


@dataclass(frozen=True, slots=True)
class Polling:
    """The polled symbols of one stream, their interval, and the time of the last request answered in full."""

    symbols: frozenset[str] = frozenset()
    seconds: float = 0.0
    answered_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class DataSource:
    """The account ("paper", "live" or "demo") and the feeds behind a relay."""

    account: str
    stock_feed: str
    options_feed: str


class RestResults:
    """The receiver of REST's results; its methods may be called from several threads.

    Args:
        cache, workers, gaps: The destinations of the results.
        seconds_ahead: Returns the seconds by which the run's clock is ahead of the computer's, 0 unless that
            was set.

    Attributes:
        calendar: The market calendar, None until it is known.
        measured_offset: Seconds by which the run's clock is ahead of Alpaca's, None until it is measured.
        polling: The polled symbols by stream.
        source: The account and the feeds, if they are a relay's and not the config's.
    """

    def __init__(
        self,
        cache: LiveCache,
        workers: Mapping[StreamName, StreamWorker],
        gaps: FillGaps | None,
        seconds_ahead: Callable[[], float] = float,
    ) -> None:
        self.calendar: MarketCalendar | None = None
        self.source: DataSource | None = None
        self.measured_offset: float | None = None
        self.seconds_ahead = seconds_ahead
        self.polling: Mapping[StreamName, Polling] = {}
        self._polling_lock = threading.Lock()  # between the streams' threads and the one that polls
        self._cache, self._workers, self._gaps = cache, workers, gaps

    @property
    def clock_offset_seconds(self) -> float | None:
        """The offset to correct for; until Alpaca's clock is known, the computer's is trusted."""
        return (self.seconds_ahead() or None) if self.measured_offset is None else self.measured_offset

    @property
    def clock_offset(self) -> float | None:
        """The measured offset, or None if it is unknown or a quote contradicts it."""
        state = self._cache.state
        return accept_offset(self.clock_offset_seconds, state.stock_quotes, state.option_quotes)

    def to_alpaca_time(self, at: dt.datetime) -> dt.datetime:
        """Convert a time of this computer's clock to Alpaca's, if the offset is known."""
        return at - clock_error(self.clock_offset)

    def put_quotes(self, stocks: Sequence[Quote] = (), options: Sequence[Quote] = ()) -> None:
        """Store quotes, marked `from_rest`, with their own times; newer streamed quotes stay."""
        if stocks:
            self._cache.apply_stocks(stocks)
        if options:
            self._cache.apply_options(options)

    def put_trades(self, stocks: Sequence[Trade] = (), options: Sequence[Trade] = ()) -> None:
        """Store last trades, and index values as trades of stocks; newer streamed trades stay."""
        if stocks:
            self._cache.apply_stocks((), stocks)
        if options:
            self._cache.apply_options((), options)

    def put_complete(self, stream: StreamName, as_of: dt.datetime) -> None:
        """Record that all quotes and trades of a data stream are stored, at least up to this time."""
        worker = self._workers.get(stream)
        if worker is not None:
            worker.completed(as_of)
            self._cache.touch()

    def put_polling(self, stream: StreamName, symbols: Iterable[str], seconds: float) -> None:
        """Record the polled symbols and their interval in seconds."""
        wanted = frozenset(symbols)
        with self._polling_lock:
            known = self.polling.get(stream, Polling())
            # Keep the object if the symbols are equal, for readers that hold it.
            changed = replace(known, seconds=seconds) if wanted == known.symbols else Polling(wanted, seconds)
            self.polling = {**self.polling, stream: changed}
        if changed != known:
            self._cache.touch()

    def put_polled(self, stream: StreamName, symbols: Iterable[str], asked_at: dt.datetime) -> None:
        """Record that REST answered a request from `asked_at` for all polled symbols."""
        with self._polling_lock:
            known = self.polling[stream]
            if known.symbols == frozenset(symbols):  # otherwise other symbols are polled by now
                self.polling = {**self.polling, stream: replace(known, answered_at=asked_at)}
        self._cache.touch()

    def put_reference(self, reference: Reference) -> None:
        """Store facts about symbols and the account."""
        self._cache.apply_reference(reference)

    def put_halts(self, since_by_symbol: Mapping[str, dt.datetime]) -> None:
        """Store when stocks were halted."""
        self._cache.apply_halts(since_by_symbol)

    def put_market(self, calendar: MarketCalendar) -> None:
        """Store the market calendar."""
        self.calendar = calendar
        self._cache.touch()

    def put_clock_offset(self, seconds: float) -> None:
        """Store the seconds by which the run's clock is ahead of Alpaca's; negative if it is behind."""
        self.measured_offset = seconds
        self._cache.touch()

    def put_order_history(
        self,
        rest_fills: Sequence[OrderRow],
        rest_orders: Sequence[OrderRow],
        confirmed_until: dt.datetime,
        unreadable: UnreadableRows = NO_UNREADABLE_ROWS,
    ) -> None:
        """Store the day's executions and orders, complete up to a time, and the number of unreadable rows."""
        self._cache.apply_order_history(rest_fills, rest_orders, unreadable)
        if self._gaps is not None:
            self._gaps.confirmed(confirmed_until)

    def put_gaps(self, gaps: Iterable[FillGap]) -> None:
        """Store the spans in which a relay may have missed order updates; this run has all the others."""
        if self._gaps is not None:
            self._gaps.put(gaps)

    def put_source(self, source: DataSource) -> None:
        """Store the account and the feeds behind a relay."""
        if source != self.source:
            self.source = source
            self._cache.touch()

    def put_progress(self, part: str, words: str) -> None:
        """Store the progress of a part of the background fetch, or why it failed; "" when all is well."""
        self._cache.apply_progress(part, words)
        if part == "fills" and self._gaps is not None:
            self._gaps.failed(words)

    def end_progress(self) -> None:
        """Remove from each part's progress what no longer happens after Stop."""
        for part, words in self._cache.state.backfill.items():
            if words_after_stop(words) != words:
                self.put_progress(part, words_after_stop(words))
