"""Where the background fetch puts what it got."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from options_helper.data.calendar.market_clock import MarketCalendar
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

Row = dict[str, Any]


class BackfillSink(Protocol):
    """Where the results go; called from the backfill's thread."""

    def put_quotes(self, stocks: Sequence[Quote] = (), options: Sequence[Quote] = ()) -> None:
        """First quotes, `from_rest`, with their true times."""
        ...

    def put_trades(self, stocks: Sequence[Trade] = (), options: Sequence[Trade] = ()) -> None:
        """Last trades, `from_rest`, with their true times; values of indices come as stocks' trades."""
        ...

    def put_complete(self, stream: StreamName, as_of: dt.datetime) -> None:
        """All quotes and trades of a data stream are put, as they were at a time or later."""
        ...

    def put_reference(
        self,
        *,
        previous_closes: Mapping[str, PreviousClose] | None = None,
        greeks: Mapping[str, Greeks] | None = None,
        multipliers: Mapping[str, float] | None = None,
        broker_positions: Mapping[str, BrokerPosition] | None = None,
        account: str | None = None,
    ) -> None:
        """What REST knows of symbols and of the account, whose number is masked."""
        ...

    def put_market(self, calendar: MarketCalendar) -> None:
        """The market's clock."""
        ...

    def put_clock_offset(self, seconds: float) -> None:
        """By how much this computer's clock is ahead of Alpaca's; negative is behind."""
        ...

    def put_order_history(
        self,
        rest_fills: Sequence[Row],
        rest_orders: Sequence[Row],
        confirmed_until: dt.datetime,
        unreadable: UnreadableRows = NO_UNREADABLE_ROWS,
        option_events: Sequence[Row] = (),
    ) -> None:
        """Put the day's executions and orders, fetched up to a time, and how many rows were unreadable."""
        ...

    def put_progress(self, part: str, words: str) -> None:
        """What a part is doing, or why it failed; "" when it is well."""
        ...
