"""Records of market and account data, such as quotes, closes and positions; and the market's phases.

Times are aware UTC datetimes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum


class MarketPhase(StrEnum):
    """A phase of the US option market's day; OVERNIGHT occurs only on a feed for overnight trading."""

    UNKNOWN = "unknown"
    PRE = "pre"
    OPEN = "open"
    AFTER = "after"
    OVERNIGHT = "overnight"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Quote:
    """The newest bid and ask of one symbol.

    Prices are in dollars per share and sizes in the vendor's units; None if the message lacked the value.
    `from_rest` marks a quote fetched by REST instead of streamed.
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
    """A symbol's closing price in dollars per share and its New York date.

    Attributes:
        trades: The number of trades on that day, if known.
        traded_at: The time of its last trade, if known.
        mid: The midpoint of a contract's closing quote, if read before the next session's first quote.
    """

    price: float
    date: dt.date
    trades: int | None = None
    traded_at: dt.datetime | None = None
    mid: float | None = None

    def completed(self, earlier: PreviousClose | None) -> PreviousClose:
        """Return this close, with gaps filled in from an earlier response for the same date."""
        if earlier is None or earlier.date != self.date or None not in (self.mid, self.traded_at):
            return self
        return replace(
            self,
            mid=earlier.mid if self.mid is None else self.mid,
            traded_at=self.traded_at or earlier.traded_at,
        )


@dataclass(frozen=True, slots=True)
class Greeks:
    """The vendor's own Greeks and implied volatility (a fraction), None if not reported."""

    delta: float | None = None
    gamma: float | None = None
    theta: float | None = None
    vega: float | None = None
    rho: float | None = None
    implied_volatility: float | None = None
    timestamp: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class BrokerPosition:
    """The broker's record of a position (`/v2/positions`), with a signed quantity and prices per share.

    Attributes:
        entry_price: The broker's average entry price.
        previous_close: The last session's closing price (`lastday_price`).
    """

    symbol: str
    quantity: float
    price: float | None = None
    market_value: float | None = None
    entry_price: float | None = None
    previous_close: float | None = None


def is_unsure(symbol: str, held: Container[str], unread: frozenset[str]) -> bool:
    """Return whether the broker may hold a symbol in a row that could not be read.

    Args:
        symbol: The contract or stock.
        held: The symbols of the readable rows.
        unread: The symbols of the unreadable rows, "" for a row without a symbol.
    """
    return symbol not in held and bool(unread & {symbol, ""})


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAccount:
    """The broker's account figures (`/v2/account`) in dollars, None if not reported.

    Attributes:
        last_equity: Equity at the last session's close.
        position_value: The value of all positions, as included in `equity`.
        as_of: When the figures were read.
    """

    equity: float | None = None
    last_equity: float | None = None
    cash: float | None = None
    buying_power: float | None = None
    options_buying_power: float | None = None
    position_value: float | None = None
    as_of: dt.datetime


class EventKind(StrEnum):
    """A change in a holding not caused by an order; the values are Alpaca's activity types in lower case."""

    ASSIGNMENT = "opasn"
    EXERCISE = "opexc"
    EXPIRY = "opexp"
    SHARES = "optrd"
    CORPORATE = "opca"
    CASH_SETTLEMENT = "opcsh"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerFill:
    """One execution of an order, or of one leg of a multi-leg order; `order_id` is the leg's own.

    Quantities and prices are exact; a sale's quantity is negative.

    Attributes:
        total, left: The order's filled and remaining quantities after this execution; never negative.
        side: Alpaca's word, "sell_short" if it opened a short position.
        event, status: "fill" or "partial_fill", and the order's status after this execution.
    """

    symbol: str
    quantity: Decimal
    price: Decimal
    at: dt.datetime
    order_id: str
    activity_id: str = ""
    total: Decimal = Decimal(0)
    left: Decimal | None = None
    side: str | None = None
    event: str = "fill"
    status: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerEvent:
    """One change in a holding not caused by an order; an assignment and its shares have the same `group_id`.

    Attributes:
        quantity: Signed; 0 for a cash settlement or corporate action that does not report one.
        price: Dollars per share, only for shares.
        amount: The cash received in dollars, negative if paid; None if unknown.
        booked_at: When Alpaca booked it, None if only the date is known.
        subtype: Alpaca's word for the kind of corporate action.
    """

    kind: EventKind
    symbol: str
    quantity: Decimal
    date: dt.date
    price: Decimal | None = None
    amount: Decimal | None = None
    group_id: str | None = None
    activity_id: str = ""
    booked_at: dt.datetime | None = None
    subtype: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dividend:
    """A declared cash dividend in dollars per share; buyers on or after the ex-date do not receive it."""

    symbol: str
    amount: Decimal
    ex_date: dt.date


@dataclass(frozen=True, slots=True, kw_only=True)
class Betas:
    """The betas of stocks against a market fund, from a year of daily closes.

    Attributes:
        benchmark, price: The fund and its last close in dollars.
        until: The New York date of that close.
        values: Beta by stock, without stocks that have too short a history.
        returns: The number of the benchmark's daily returns.
    """

    benchmark: str
    price: float
    until: dt.date
    values: Mapping[str, float]
    returns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CashChange:
    """A change in cash other than by a trade: a fee, a dividend, interest or a deposit.

    Attributes:
        amount: Dollars, negative if paid.
        is_transfer: True for deposits and withdrawals, which are neither profit nor loss.
    """

    amount: Decimal
    date: dt.date
    is_transfer: bool
    activity_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A split or stock dividend: `new` shares for every `old` shares; 1:1 for a spin-off."""

    symbol: str
    new: Decimal
    old: Decimal
    date: dt.date

    @property
    def ratio(self) -> Decimal:
        """The factor by which the number of shares grows."""
        return self.new / self.old

    @property
    def words(self) -> str:
        """The usual notation: `4:1`."""
        return f"{self.new:f}:{self.old:f}"
