"""What the streams do not tell, fetched by REST in one background thread of a run.

First quotes, previous closes and greeks; the market's clock; the account, its positions; the multipliers of
adjusted contracts; the day's executions and orders. Quotes and executions are fetched again after every
acknowledgement of their stream. Each part is on its own: one that fails is tried again, and the others go on.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

from options_helper.data.calendar.alpaca_clock import AlpacaCalendar, clock_offset_seconds
from options_helper.data.calendar.market_clock import ExchangeCalendar
from options_helper.data.rest.client import AlpacaRest
from options_helper.data.rest.http import Host
from options_helper.data.streaming.backfill.account import AccountFetch
from options_helper.data.streaming.backfill.first_rows import FirstRows
from options_helper.data.streaming.backfill.order_history import OrderHistory
from options_helper.data.streaming.backfill.rest_rows import (
    SnapshotRows,
    adjusted_contracts,
    indices_of,
    read_index_values,
    read_snapshots,
)
from options_helper.data.streaming.backfill.schedule import Part, Schedule
from options_helper.data.streaming.backfill.sink import BackfillSink
from options_helper.errors import AlpacaRestError
from options_helper.market import StreamName
from options_helper.times import new_york_date, utc_now

logger = logging.getLogger(__name__)

__all__ = ["Backfill", "BackfillSink"]

MARKET_SECONDS = 900.0
SNAPSHOT_SECONDS = 60.0
INDEX_SECONDS = 15.0
FILL_SECONDS = 60.0
FILL_SPACING_SECONDS = 1.0  # between two looks that are asked for one after the other
SETTLE_SECONDS = 2.0  # how long REST may lag behind the stream
_CALENDAR_DAYS = 12
_LONGEST_SLEEP = 3600.0


class Backfill:
    """The background fetch of one run: one daemon thread from `start` to `stop`.

    Args:
        rest: The client, which the backfill closes when it ends.
        stocks, option_contracts: Symbols as the streams use them.
        stock_feed, options_feed: The streams' feeds, so that first quotes are of the same source.
        want_fills: Whether executions and orders are wanted.
        sink: Where the results go.
        clock: The time of day, aware.
        monotonic: Seconds that only grow.
        settle_seconds: How long before a look REST may not have known everything yet.
    """

    def __init__(  # noqa: PLR0913 - a run's settings and its clocks
        self,
        rest: AlpacaRest,
        *,
        stocks: Sequence[str],
        option_contracts: Sequence[str],
        stock_feed: str,
        options_feed: str,
        want_fills: bool,
        sink: BackfillSink,
        clock: Callable[[], dt.datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        settle_seconds: float = SETTLE_SECONDS,
    ) -> None:
        self._rest, self._sink, self._clock, self._monotonic = rest, sink, clock, monotonic
        self._stocks, self._contracts = tuple(stocks), tuple(option_contracts)
        self._stock_feed, self._options_feed = stock_feed, options_feed
        self._settle_seconds = settle_seconds
        self._history = OrderHistory(rest)
        self._calendar: AlpacaCalendar | None = None
        self._sessions: tuple[dt.date, list[Any]] | None = None
        self._first = {stream: FirstRows() for stream in (StreamName.OPTIONS, StreamName.STOCKS)}
        self._fills_asked_at: float | None = None
        self._stopped, self._wake = threading.Event(), threading.Event()
        self._schedule = Schedule(
            self._parts(want_fills=want_fills),
            sink.put_progress,
            monotonic=monotonic,
            is_stopped=self._stopped.is_set,
        )
        rest.when_limited(self._tell_limited)
        self._thread = threading.Thread(target=self._run, name="options-helper-backfill", daemon=True)

    def start(self) -> None:
        """Begin to fetch."""
        self._thread.start()

    def request_fills(self) -> None:
        """Look for executions again, now and once more when REST has settled; returns at once.

        Called after each acknowledgement of the trading stream; requests that come together are one.
        """
        self._fills_asked_at = self._monotonic()
        self._schedule.ask("fills", FILL_SPACING_SECONDS)
        self._wake.set()

    def request_quotes(self, stream: StreamName) -> None:
        """Fetch first quotes again, for what a data stream may have missed; returns at once.

        Called after each acknowledgement of the stream: it tells nothing of what changed before.
        """
        self._first[stream].tell_again()
        self._schedule.ask(stream, FILL_SPACING_SECONDS)
        self._wake.set()

    def stop(self) -> None:
        """End it: waits and requests under way end at once; legal at any moment, any number of times."""
        self._stopped.set()
        self._rest.stop()
        self._wake.set()

    def join(self, timeout: float | None = None) -> None:
        """Wait until the thread is gone, at most `timeout` seconds."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        else:
            self._rest.close()

    def step(self) -> float:
        """Fetch the part that is due, if one is; the seconds until the next one is."""
        return self._schedule.step()

    def _run(self) -> None:
        try:
            while not self._stopped.is_set():
                self._wake.clear()
                seconds = self.step()
                if seconds > 0 and not self._stopped.is_set():
                    self._wake.wait(min(seconds, _LONGEST_SLEEP))
        finally:
            self._rest.close()
            if not self._stopped.is_set():
                logger.error("The background fetch ended unexpectedly.")
                self._schedule.tell_all("the background fetch ended unexpectedly; Restart begins it anew.")

    def _parts(self, *, want_fills: bool) -> list[Part]:
        """What to fetch, the most wanted first."""
        parts = [Part("market", Host.TRADING, self._fetch_market)]
        if self._contracts:
            parts.append(Part("options", Host.DATA, self._fetch_options))
        if self._stocks:
            parts.append(Part("stocks", Host.DATA, self._fetch_stocks))
        if indices_of(self._contracts):
            parts.append(Part("indices", Host.DATA, self._fetch_indices))
        if want_fills:
            parts.append(Part("fills", Host.TRADING, self._fetch_fills))
        account = AccountFetch(self._rest, self._sink)
        parts.append(Part("positions", Host.TRADING, account.fetch_positions))
        parts.append(Part("account", Host.TRADING, account.fetch_account))
        if adjusted := adjusted_contracts(self._contracts):
            parts.append(Part("multipliers", Host.TRADING, partial(account.fetch_multipliers, adjusted)))
        return parts

    # The parts: each gives the seconds until it is due again, or None where once is enough

    def _fetch_market(self) -> float:
        try:
            return self._ask_market()
        except AlpacaRestError:
            if self._calendar is None and not self._stopped.is_set():
                calendar = ExchangeCalendar()
                calendar.phase(self._clock())  # its heavy import is this thread's, not a reader's
                self._sink.put_market(calendar)
            raise

    def _ask_market(self) -> float:
        asked_at = self._clock()
        clock, answered_at = self._rest.clock(), self._clock()
        today = new_york_date(answered_at)
        sessions = self._sessions
        if sessions is None or sessions[0] != today:
            span = dt.timedelta(days=_CALENDAR_DAYS)
            sessions = (today, self._rest.calendar(today - span, today + span))
        self._calendar = AlpacaCalendar.from_alpaca(clock, sessions[1])
        self._sessions = sessions  # only now: an answer that cannot be read is asked for again
        self._sink.put_market(self._calendar)
        self._sink.put_clock_offset(clock_offset_seconds(self._calendar.told_at, asked_at, answered_at))
        return MARKET_SECONDS

    def _fetch_options(self) -> float:
        rows = self._tell_first(
            StreamName.OPTIONS, lambda: self._rest.option_snapshots(self._contracts, self._options_feed)
        )
        self._sink.put_reference(previous_closes=rows.previous_closes, greeks=rows.greeks)
        return SNAPSHOT_SECONDS

    def _fetch_stocks(self) -> float:
        rows = self._tell_first(
            StreamName.STOCKS, lambda: self._rest.stock_snapshots(self._stocks, self._stock_feed)
        )
        self._sink.put_reference(previous_closes=rows.previous_closes)
        return SNAPSHOT_SECONDS

    def _tell_first(self, stream: StreamName, fetch: Callable[[], Mapping[str, Any]]) -> SnapshotRows:
        """Look at a data stream's symbols, and tell what was not told yet.

        All is told then, unless a row was there and could not be read: it may be a change. Symbols that REST
        refuses or has nothing of do not matter. One is left out only where the same route answers others, so
        that it is the symbol; and what has no market has no price that changes.
        """
        first = self._first[stream]
        as_of = first.begin(self._clock())
        rows = self._read(fetch())
        with ExitStack() as unless_put:
            unless_put.callback(first.tell_again)
            self._sink.put_quotes(**{stream.value: first.select(rows.quotes)})
            self._sink.put_trades(**{stream.value: first.select(rows.trades)})
            unless_put.pop_all()
        if not rows.skipped:
            self._sink.put_complete(stream, as_of)
        return rows

    def _fetch_indices(self) -> float:
        values = self._rest.index_values(indices_of(self._contracts))
        self._sink.put_trades(stocks=read_index_values(values, self._clock()))
        return INDEX_SECONDS

    def _fetch_fills(self) -> float:
        began, began_at = self._monotonic(), self._clock()
        self._history.update(began_at, self._tell_fills)
        if new_york_date(self._clock()) != new_york_date(began_at):
            return 0.0  # what it brought is of the day before; the next look begins at once
        settled = began_at - dt.timedelta(seconds=self._settle_seconds)
        history = self._history
        self._sink.put_order_history(
            history.fills, history.orders, settled, history.unreadable, history.events
        )
        asked_at = self._fills_asked_at
        if asked_at is not None and began < asked_at + self._settle_seconds:
            return max(0.0, asked_at + self._settle_seconds - self._monotonic())
        return FILL_SECONDS

    def _tell_limited(self, path: str, seconds: float) -> None:
        self._schedule.say_of_running(f"GET {path}: too many requests (429). Waiting {seconds:.0f} s.")

    def _tell_fills(self, count: int) -> None:
        if not self._schedule.has_succeeded("fills"):
            self._schedule.say("fills", f"fetching today's fills, {count:,} so far")

    # Snapshots

    def _read(self, snapshots: Mapping[str, Any]) -> SnapshotRows:
        now = self._clock()
        known = {symbol: row for symbol, row in snapshots.items() if row is not None}  # null: has no market
        calendar = self._calendar or ExchangeCalendar()
        rows = read_snapshots(
            known, received_at=now, trading_date=calendar.trading_date(now) or new_york_date(now)
        )
        if rows.skipped:
            logger.warning("%d quotes or trades of REST could not be read and were skipped.", rows.skipped)
        return rows
