"""Where a run's background fetch puts what it got: the run's cache, its streams' records, its gaps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from options_helper.data.calendar.market_clock import MarketCalendar
from options_helper.data.streaming.reconnect.worker import StreamWorker
from options_helper.data.streaming.run.fill_gaps import FillGaps
from options_helper.market import (
    NO_UNREADABLE_ROWS,
    BrokerPosition,
    Greeks,
    PreviousClose,
    Quote,
    StreamName,
    Trade,
    UnreadableRows,
)

if TYPE_CHECKING:
    from options_helper.data.streaming.run.cache import LiveCache


class RunSink:
    """The `BackfillSink` of a run; called from the backfill's thread.

    Attributes:
        calendar: The market's clock, None until it is known.
        clock_offset_seconds: By how much this computer's clock is ahead of Alpaca's, None until it is known.
    """

    def __init__(
        self, cache: LiveCache, workers: Mapping[StreamName, StreamWorker], gaps: FillGaps | None
    ) -> None:
        self.calendar: MarketCalendar | None = None
        self.clock_offset_seconds: float | None = None
        self._cache, self._workers, self._gaps = cache, workers, gaps

    def put_quotes(self, stocks: Sequence[Quote] = (), options: Sequence[Quote] = ()) -> None:
        """First quotes by REST; a newer one of the stream wins."""
        if stocks:
            self._cache.apply_stocks(stocks)
        if options:
            self._cache.apply_options(options)

    def put_trades(self, stocks: Sequence[Trade] = (), options: Sequence[Trade] = ()) -> None:
        """Last trades by REST; a newer one of the stream wins."""
        if stocks:
            self._cache.apply_stocks((), stocks)
        if options:
            self._cache.apply_options((), options)

    def put_complete(self, stream: StreamName, as_of: dt.datetime) -> None:
        """All quotes of a data stream are put, as of a time."""
        worker = self._workers.get(stream)
        if worker is not None:
            worker.completed(as_of)
            self._cache.touch()

    def put_reference(
        self,
        *,
        previous_closes: Mapping[str, PreviousClose] | None = None,
        greeks: Mapping[str, Greeks] | None = None,
        multipliers: Mapping[str, float] | None = None,
        broker_positions: Mapping[str, BrokerPosition] | None = None,
        account: str | None = None,
    ) -> None:
        """What REST knows of symbols and of the account."""
        self._cache.apply_reference(
            previous_closes=previous_closes,
            greeks=greeks,
            multipliers=multipliers,
            broker_positions=broker_positions,
            account=account,
        )

    def put_market(self, calendar: MarketCalendar) -> None:
        """The market's clock."""
        self.calendar = calendar
        self._cache.touch()

    def put_clock_offset(self, seconds: float) -> None:
        """By how much this computer's clock is ahead of Alpaca's."""
        self.clock_offset_seconds = seconds
        self._cache.touch()

    def put_order_history(
        self,
        rest_fills: Sequence[dict[str, Any]],
        rest_orders: Sequence[dict[str, Any]],
        confirmed_until: dt.datetime,
        unreadable: UnreadableRows = NO_UNREADABLE_ROWS,
        option_events: Sequence[dict[str, Any]] = (),
    ) -> None:
        """Put the day's executions and orders, fetched up to a time, and how many rows were unreadable."""
        self._cache.apply_order_history(rest_fills, rest_orders, unreadable, option_events)
        if self._gaps is not None:
            self._gaps.confirmed(confirmed_until)

    def put_progress(self, part: str, words: str) -> None:
        """What a part of the backfill is doing, or why it failed; "" when it is well."""
        self._cache.apply_progress(part, words)
        if part == "fills" and self._gaps is not None:
            self._gaps.failed(words)
