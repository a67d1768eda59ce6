"""Alpaca's records of one symbol: quotes, trades, closes, Greeks, positions; and the market's phase.

Times are aware UTC datetimes.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum


class MarketPhase(StrEnum):
    """The phase of the regular US option session."""

    UNKNOWN = "unknown"
    PRE = "pre"
    OPEN = "open"
    AFTER = "after"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Quote:
    """The newest bid and ask of one symbol.

    Prices are dollars per share, sizes as the vendor counts them; None if the message had no such value.
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
        trades: How many trades the day had, if known.
        traded_at: When its last trade was made, if known.
    """

    price: float
    date: dt.date
    trades: int | None = None
    traded_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Greeks:
    """The vendor's own greeks and implied volatility (a fraction); None if the vendor gives none."""

    delta: float | None = None
    gamma: float | None = None
    theta: float | None = None
    vega: float | None = None
    rho: float | None = None
    implied_volatility: float | None = None
    timestamp: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class BrokerPosition:
    """The broker's own record of a position (`/v2/positions`): signed quantity, price per share."""

    symbol: str
    quantity: float
    price: float | None = None
    market_value: float | None = None
