"""The previous closes of a fixed list of symbols, and the doubts for which P/L Day is withheld."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from options_helper.analysis.arrays.columns import Column, dates, flags, floats, integers
from options_helper.analysis.arrays.types import Flags, Floats, Numbers
from options_helper.analysis.holdings.instruments import Instruments
from options_helper.analysis.valuation.row_warnings import RowWarning, flag
from options_helper.market import LiveSnapshot, PreviousClose
from options_helper.times import NEW_YORK, new_york_date

_MONDAY, _SATURDAY = 0, 5
_LATE_ENOUGH = dt.time(12, 30)  # half an hour before the close of a half day


class PreviousCloses(NamedTuple):
    """Closing prices in dollars per share, NaN for none; their days as ordinals, 0 for none, and as dates."""

    price: Floats
    day: Numbers
    date: Column
    is_early: Flags


class JudgedCloses(NamedTuple):
    """The previous closes, and what of them P/L Day can count from.

    Attributes:
        usable: The price, NaN unless it is of the previous trading day.
        doubts: Bits of the warnings that say why it is not usable.
    """

    closes: PreviousCloses
    usable: Floats
    doubts: Numbers


def find_previous_closes(rows: Instruments, expired: Flags, live: LiveSnapshot) -> JudgedCloses:
    """Return the previous closes of these symbols, judged for P/L Day."""
    closes = _find_closes(rows, live)
    is_previous = closes.day == _previous_trading_day(live)
    return JudgedCloses(
        closes=closes,
        usable=np.where(is_previous & ~closes.is_early, closes.price, np.nan),
        doubts=flag((closes.day != 0) & ~is_previous & ~expired, RowWarning.PREVIOUS_CLOSE_OLD)
        | flag(is_previous & closes.is_early & ~expired, RowWarning.PREVIOUS_CLOSE_EARLY),
    )


def _find_closes(rows: Instruments, live: LiveSnapshot) -> PreviousCloses:
    """Return the previous closes of these symbols, whatever their day."""
    closes = live.previous_closes
    return rows.memo.get("previous closes", closes or (), lambda: _previous_closes(rows, closes))


def _previous_closes(rows: Instruments, closes: Mapping[str, PreviousClose]) -> PreviousCloses:
    found = [closes.get(symbol) for symbol in rows.symbols]
    return PreviousCloses(
        floats(None if close is None else close.price for close in found),
        integers(0 if close is None else close.date.toordinal() for close in found),
        dates([None if close is None else close.date for close in found]),
        flags(close is not None and _is_early(close) for close in found),
    )


def _is_early(close: PreviousClose) -> bool:
    """Return whether a close is the only trade of its day, made long before the close."""
    if close.trades != 1:
        return False
    return close.traded_at is None or close.traded_at.astimezone(NEW_YORK).time() < _LATE_ENOUGH


def _previous_trading_day(live: LiveSnapshot) -> int:
    """Return the ordinal of the trading day before the current one.

    Without a calendar it is the last weekday before the New York date. If that was a holiday, no close can be
    dated on it, and P/L Day is withheld.
    """
    if live.previous_trading_date is not None:
        return live.previous_trading_date.toordinal()
    today = new_york_date(live.as_of)
    weekday = today.weekday()
    back = 3 if weekday == _MONDAY else weekday - _SATURDAY + 1 if weekday >= _SATURDAY else 1
    return today.toordinal() - back
