"""The previous close that the account's day is counted from."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from options_helper.market import LiveSnapshot, PreviousClose
from options_helper.times import NEW_YORK

_LATE_ENOUGH = dt.time(15, 30)


class CloseSource(StrEnum):
    """The sources of a previous close."""

    BROKER = "the broker's last price of the day before"
    DAY = "the close of the day before"


class ChosenClose(NamedTuple):
    """A price in dollars per share, and its source."""

    price: Decimal
    source: CloseSource


def choose_close(symbol: str, live: LiveSnapshot) -> ChosenClose | None:
    """Return the previous close of a contract or stock, None to withhold what depends on it.

    | the first that applies | used |
    | --- | --- |
    | the broker holds the symbol and reports `lastday_price` | that price: it makes the broker's own day |
    | the daily close of the previous trading date, of a stock | that close |
    | the same of a contract, with a trade in the last half hour of the session | that close |
    | an older close, or one of a trade long before the end, or none | withheld |
    """
    position = live.broker_positions.get(symbol)
    if position is not None and position.previous_close is not None:
        return ChosenClose(Decimal(repr(position.previous_close)), CloseSource.BROKER)
    close = live.previous_closes.get(symbol)
    if close is None or close.date != live.previous_trading_date or _is_early(close):
        return None
    return ChosenClose(Decimal(repr(close.price)), CloseSource.DAY)


def _is_early(close: PreviousClose) -> bool:
    """Return whether the day's last trade is known to be older than the last half hour."""
    if close.traded_at is None:
        return close.trades == 1
    return close.traded_at.astimezone(NEW_YORK).time() < _LATE_ENOUGH
