"""Prices over REST: first quotes of streamed symbols, all quotes of others, closes, Greeks, indices."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from options_helper.data.calendar.market_clock import MarketCalendar
from options_helper.data.rest.client import AlpacaRest
from options_helper.data.streaming.backfill.first_rows import FirstRows
from options_helper.data.streaming.backfill.poll_pace import choose_poll_seconds
from options_helper.data.streaming.backfill.rest_rows import (
    SnapshotRows,
    indices_of,
    read_index_values,
    read_snapshots,
    require_all,
)
from options_helper.data.streaming.run.cache import Reference
from options_helper.data.streaming.run.rest_results import RestResults
from options_helper.market import Quote, StreamName, Trade
from options_helper.times import new_york_date

logger = logging.getLogger(__name__)

SNAPSHOT_SECONDS = 60.0
INDEX_SECONDS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The symbols to price, spelled as in the streams, and the streams' feeds.

    Attributes:
        to_poll: Returns the symbols of a data stream that do not stream now; None polls nothing.
    """

    stocks: Sequence[str]
    option_contracts: Sequence[str]
    stock_feed: str
    options_feed: str
    to_poll: Callable[[StreamName], Sequence[str]] | None = None

    def symbols(self, stream: StreamName) -> Sequence[str]:
        """Return all symbols of a data stream."""
        return self.stocks if stream is StreamName.STOCKS else self.option_contracts

    def polled(self, stream: StreamName) -> Sequence[str]:
        """Return the symbols of a data stream that do not stream now."""
        return () if self.to_poll is None else self.to_poll(stream)


class PriceFetch:
    """Parts of the background fetch.

    Each fetch returns the seconds until it is due again, and raises AlpacaRestError.

    Attributes:
        indices: The underlying indices of the contracts; no stream carries them.
        pace_seconds: The shortest interval between two fetches of all symbols.
    """

    def __init__(
        self,
        rest: AlpacaRest,
        results: RestResults,
        wanted: Wanted,
        *,
        clock: Callable[[], dt.datetime],
        calendar: Callable[[], MarketCalendar],
    ) -> None:
        self._rest, self._results, self._wanted = rest, results, wanted
        self._clock, self._calendar = clock, calendar
        self._first = {stream: FirstRows() for stream in (StreamName.OPTIONS, StreamName.STOCKS)}
        self.indices = indices_of(wanted.option_contracts)
        self.pace_seconds = choose_poll_seconds(map(len, (wanted.stocks, wanted.option_contracts)))

    def begin_again(self, stream: StreamName) -> None:
        """Publish every symbol of a stream again, starting with the next fetch; callable from any thread."""
        self._first[stream].begin_again()

    def fetch_streamed(self, stream: StreamName) -> float:
        """Fetch first quotes and trades of streamed symbols, their previous closes and Greeks.

        The fetch is complete unless a row could not be read, because that row might be a change. Symbols that
        REST rejects are ignored if the same route works for others; a symbol without a market has no price
        that could change.
        """
        polled = frozenset(self._wanted.polled(stream))
        symbols = [symbol for symbol in self._wanted.symbols(stream) if symbol not in polled]
        if not symbols:
            return SNAPSHOT_SECONDS
        first = self._first[stream]
        as_of = first.begin(self._clock())
        rows = self._fetch(stream, symbols)
        with ExitStack() as unless_put:
            unless_put.callback(first.begin_again)
            self._put(stream, first.select(rows.quotes), first.select(rows.trades))
            unless_put.pop_all()
        if not rows.skipped:
            self._results.put_complete(stream, as_of)
        return SNAPSHOT_SECONDS

    def poll(self, stream: StreamName) -> float:
        """Fetch the quotes, trades, previous closes and Greeks of symbols that do not stream."""
        symbols, seconds = self.announce_poll(stream)
        if symbols:
            asked_at = self._clock()
            rows = self._fetch(stream, symbols)
            self._put(stream, rows.quotes, rows.trades)
            if not rows.skipped:
                self._results.put_polled(stream, symbols, asked_at)
        return seconds

    def announce_poll(self, stream: StreamName) -> tuple[Sequence[str], float]:
        """Publish and return a stream's symbols to poll, and the seconds between two polls; thread-safe."""
        symbols = {each: self._wanted.polled(each) for each in self._first}
        seconds = choose_poll_seconds(map(len, symbols.values()))
        self._results.put_polling(stream, symbols[stream], seconds)
        return symbols[stream], seconds

    def fetch_indices(self) -> float:
        """Fetch the values of the contracts' indices, which no stream carries."""
        values = self._rest.index_values(self.indices)
        trades = read_index_values(values, self._clock())
        self._results.put_trades(stocks=trades)
        require_all("/v1beta1/indices/latest/values", wanted=len(values), read=len(trades))
        return INDEX_SECONDS

    def _fetch(self, stream: StreamName, symbols: Sequence[str]) -> SnapshotRows:
        """Fetch snapshots, publish the closes and Greeks in them, and return their rows."""
        wanted = self._wanted
        if stream is StreamName.STOCKS:
            rows = self._read(self._rest.stock_snapshots(symbols, wanted.stock_feed))
        else:
            rows = self._read(self._rest.option_snapshots(symbols, wanted.options_feed))
        self._results.put_reference(Reference(previous_closes=rows.previous_closes, greeks=rows.greeks))
        return rows

    def _put(self, stream: StreamName, quotes: Sequence[Quote], trades: Sequence[Trade]) -> None:
        self._results.put_quotes(**{stream.value: quotes})
        self._results.put_trades(**{stream.value: trades})

    def _read(self, snapshots: Mapping[str, object]) -> SnapshotRows:
        now = self._clock()
        known = {symbol: row for symbol, row in snapshots.items() if row is not None}  # null: no market
        alpaca_now = self._results.to_alpaca_time(now)
        calendar = self._calendar()
        rows = read_snapshots(
            known,
            received_at=now,
            trading_date=calendar.trading_date(alpaca_now) or new_york_date(alpaca_now),
            previous_date=calendar.previous_trading_date(alpaca_now),
        )
        if rows.skipped:
            logger.warning("Skipped %d quotes or trades from REST that could not be read.", rows.skipped)
        return rows
