"""Stores what a relay publishes in the reader's run, with its times in the reader's clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from options_helper.data.calendar.alpaca_clock import AlpacaCalendar
from options_helper.data.calendar.market_clock import ExchangeCalendar, MarketCalendar
from options_helper.data.streaming.backfill.rest_rows import indices_of
from options_helper.data.streaming.run.config import LiveStreamConfig
from options_helper.data.streaming.run.rest_results import Polling, RestResults
from options_helper.market import FillGap, Quote, StreamHealth, StreamName, Trade
from options_helper.relay.wire import CalendarFacts, Facts, Heartbeat
from options_helper.times import EARLIEST


class Receiver:
    """Stores a relay's facts in a run's results.

    Attributes:
        shift: How far the reader's clock is ahead of the relay's.
    """

    def __init__(self, results: RestResults, config: LiveStreamConfig) -> None:
        self._results = results
        contracts = (*config.option_contracts, *config.polled_contracts)
        self._own = {
            StreamName.STOCKS: frozenset((*config.stocks, *indices_of(contracts))),
            StreamName.OPTIONS: frozenset(contracts),
        }
        self._complete: dict[StreamName, dt.datetime] = {}
        self._offset: float | None = None
        self.shift = dt.timedelta()

    def take_facts(self, facts: Facts) -> None:
        """Store data from REST."""
        results = self._results
        if facts.reference is not None:
            results.put_reference(facts.reference)
        stocks, options = self._own[StreamName.STOCKS], self._own[StreamName.OPTIONS]
        results.put_quotes(
            self._quotes(facts.stock_quotes, stocks), self._quotes(facts.option_quotes, options)
        )
        results.put_trades(
            self._trades(facts.stock_trades, stocks), self._trades(facts.option_trades, options)
        )
        for stream, polling in (facts.polling or {}).items():
            self._take_polling(stream, polling)
        if facts.calendar is not None:
            results.put_market(_calendar(facts.calendar))
        if facts.clock_offset is not None:
            self._offset = facts.clock_offset
            self._put_offset()
        if facts.history is not None:
            history = facts.history
            # What is complete follows from the relay's own gaps, not from this.
            results.put_order_history(history.fills, history.orders, EARLIEST, history.unreadable)
        for part, words in (facts.progress or {}).items():
            results.put_progress(part, words)
        if facts.halts is not None:
            results.put_halts(facts.halts)

    def take_clock(self, asked_at: dt.datetime, read_at: dt.datetime, answered_at: dt.datetime) -> None:
        """Compare the clocks; the difference is only known to within half the time of the request."""
        uncertain = (answered_at - asked_at) / 2
        shift = asked_at + uncertain - read_at
        if abs(shift - self.shift) > uncertain:
            self.shift = shift
            self._put_offset()

    def _put_offset(self) -> None:
        if self._offset is not None:
            self._results.put_clock_offset(self._offset + self.shift.total_seconds())

    def take_complete(self, heartbeat: Heartbeat, *, is_whole: bool) -> None:
        """Store up to when the prices are complete; `is_whole` if the relay's whole state was just read."""
        for stream, health in heartbeat.streams.items():
            if stream is StreamName.FILLS or not is_complete(health):
                continue
            as_of = heartbeat.at if is_whole else health.complete_at
            if as_of is not None and as_of > self._complete.get(stream, EARLIEST):
                self._complete[stream] = as_of
                self._results.put_complete(stream, as_of + self.shift)

    def take_gaps(self, gaps: Sequence[FillGap]) -> None:
        """Store the relay's own gaps, once this reader has every order update that it stored."""
        self._results.put_gaps(
            FillGap(gap.start + self.shift, gap.end and gap.end + self.shift, gap.reason) for gap in gaps
        )

    def _take_polling(self, stream: StreamName, polling: Polling) -> None:
        symbols = polling.symbols & self._own.get(stream, frozenset())
        self._results.put_polling(stream, symbols, polling.seconds)
        if polling.answered_at is not None and symbols:
            self._results.put_polled(stream, symbols, polling.answered_at + self.shift)

    def _quotes(self, rows: Sequence[Quote], own: frozenset[str]) -> list[Quote]:
        return [
            replace(row, received_at=row.received_at and row.received_at + self.shift)
            for row in rows
            if row.symbol in own
        ]

    def _trades(self, rows: Sequence[Trade], own: frozenset[str]) -> list[Trade]:
        return [
            replace(row, received_at=row.received_at and row.received_at + self.shift)
            for row in rows
            if row.symbol in own
        ]


def is_complete(health: StreamHealth) -> bool:
    """Return whether the relay missed no price of a stream since it connected."""
    complete, since = health.complete_at, health.connected_at
    if complete is None or since is None:
        return False
    return complete >= since and (health.lost_at is None or complete >= health.lost_at)


def _calendar(facts: CalendarFacts) -> MarketCalendar:
    return ExchangeCalendar() if facts.clock is None else AlpacaCalendar(facts.clock, facts.sessions)
