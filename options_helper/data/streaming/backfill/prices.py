"""Prices by REST: first quotes and trades of the streams' symbols, previous closes, greeks, index values."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from options_helper.data.calendar.market_clock import MarketCalendar
from options_helper.data.rest.client import AlpacaRest
from options_helper.data.streaming.backfill.first_rows import FirstRows
from options_helper.data.streaming.backfill.rest_rows import (
    SnapshotRows,
    indices_of,
    read_index_values,
    read_snapshots,
)
from options_helper.data.streaming.run.cache import Reference
from options_helper.data.streaming.run.rest_results import RestResults
from options_helper.market import StreamName
from options_helper.times import new_york_date

logger = logging.getLogger(__name__)

SNAPSHOT_SECONDS = 60.0
INDEX_SECONDS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The symbols to price, spelled as the streams do, and the streams' feeds."""

    stocks: Sequence[str]
    option_contracts: Sequence[str]
    stock_feed: str
    options_feed: str


class PriceFetch:
    """Parts of the background fetch; each returns the seconds until it is due again.

    All raise AlpacaRestError.
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

    def begin_again(self, stream: StreamName) -> None:
        """Let the next look publish every symbol of a stream once more; callable from any thread."""
        self._first[stream].begin_again()

    def fetch_options(self) -> float:
        """Fetch the contracts' first quotes and trades, their previous closes and greeks."""
        wanted = self._wanted
        rows = self._publish_first(
            StreamName.OPTIONS,
            lambda: self._rest.option_snapshots(wanted.option_contracts, wanted.options_feed),
        )
        self._results.put_reference(Reference(previous_closes=rows.previous_closes, greeks=rows.greeks))
        return SNAPSHOT_SECONDS

    def fetch_stocks(self) -> float:
        """Fetch the stocks' first quotes and trades and their previous closes."""
        wanted = self._wanted
        rows = self._publish_first(
            StreamName.STOCKS, lambda: self._rest.stock_snapshots(wanted.stocks, wanted.stock_feed)
        )
        self._results.put_reference(Reference(previous_closes=rows.previous_closes))
        return SNAPSHOT_SECONDS

    def fetch_indices(self) -> float:
        """Fetch the values of the contracts' indices, which no stream carries."""
        values = self._rest.index_values(self.indices)
        self._results.put_trades(stocks=read_index_values(values, self._clock()))
        return INDEX_SECONDS

    def _publish_first(self, stream: StreamName, fetch: Callable[[], Mapping[str, object]]) -> SnapshotRows:
        """Look at a data stream's symbols, and publish those not published yet.

        The look counts as complete unless a row could not be read, because that row might be a change.
        Symbols that REST rejects are ignored, but only if the same route works for others; a symbol
        without a market has no price that could change.
        """
        first = self._first[stream]
        as_of = first.begin(self._clock())
        rows = self._read(fetch())
        with ExitStack() as unless_put:
            unless_put.callback(first.begin_again)
            self._results.put_quotes(**{stream.value: first.select(rows.quotes)})
            self._results.put_trades(**{stream.value: first.select(rows.trades)})
            unless_put.pop_all()
        if not rows.skipped:
            self._results.put_complete(stream, as_of)
        return rows

    def _read(self, snapshots: Mapping[str, object]) -> SnapshotRows:
        now = self._clock()
        known = {symbol: row for symbol, row in snapshots.items() if row is not None}  # null: has no market
        alpaca_now = self._results.to_alpaca_time(now)
        trading_date = self._calendar().trading_date(alpaca_now) or new_york_date(alpaca_now)
        rows = read_snapshots(known, received_at=now, trading_date=trading_date)
        if rows.skipped:
            logger.warning("Skipped %d quotes or trades of REST that could not be read.", rows.skipped)
        return rows
