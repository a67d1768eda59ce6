"""The previous close, from which P/L Day counts, for one symbol or a fixed list of symbols."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from math import prod
from typing import NamedTuple

import numpy as np

from options_helper.analysis.arrays.typed_columns import ColumnValues, dates, floats, integers
from options_helper.analysis.arrays.types import Flags, Floats, Numbers
from options_helper.analysis.holdings.instruments import Instruments
from options_helper.analysis.osi import is_contract_symbol, underlying_of
from options_helper.analysis.valuation.marks import PRICE_TOLERANCE
from options_helper.analysis.valuation.row_warnings import RowWarning, flag
from options_helper.market import LiveSnapshot, PreviousClose
from options_helper.times import NEW_YORK, new_york_date

_MONDAY, _SATURDAY = 0, 5
_USUAL_CLOSE = dt.time(16, 0)
_LAST_TRADES = dt.timedelta(minutes=30)
_JUMP_FRACTION = 0.6  # an unknown split of 10 : 1 would otherwise look like a loss of 90 %


class CloseBasis(StrEnum):
    """The source of a previous close, or the reason why it is withheld."""

    BROKER = "the broker's"
    DAILY = "the daily close"
    QUOTE = "the middle of the closing quote"
    TRADE = "a trade of the session's last half hour"
    UNKNOWN = "none is known"
    OLD = "it is from an older day"
    EARLY = "its only trade was long before the close"
    SPLIT = "the underlying has split since"


class ChosenClose(NamedTuple):
    """A price in dollars per share and its source, or None and the reason why there is no price."""

    price: float | None
    basis: CloseBasis


class PreviousCloses(NamedTuple):
    """The previous closes of n symbols in dollars per share; NaN if missing.

    Attributes:
        price, date: The price from which P/L Day counts and its date, or the known close if that price is
            withheld.
        daily, day: The daily close as reported, and its date as an ordinal; 0 if missing.
    """

    price: Floats
    date: ColumnValues
    daily: Floats
    day: Numbers


class JudgedCloses(NamedTuple):
    """The previous closes of n symbols, and the prices from which P/L Day can count.

    Attributes:
        closes: The closes, including withheld ones.
        usable: The price; NaN if it is withheld.
        doubts: Bits of the warnings that explain why it is withheld.
    """

    closes: PreviousCloses
    usable: Floats
    doubts: Numbers


_WARNINGS = {
    CloseBasis.OLD: RowWarning.PREVIOUS_CLOSE_OLD,
    CloseBasis.EARLY: RowWarning.PREVIOUS_CLOSE_EARLY,
    CloseBasis.SPLIT: RowWarning.PREVIOUS_CLOSE_JUMP,
}


def choose_close(symbol: str, live: LiveSnapshot) -> ChosenClose:
    """Return the previous close of a contract or stock; the first row that applies decides.

    | if known | used |
    | --- | --- |
    | a spin-off since the close | withheld |
    | a split since the close, for a stock | the daily close, divided by the split's ratio |
    | a split since the close, for a contract (its strike and deliverable changed) | withheld |
    | the broker's `lastday_price`, read on the trading date | that price, as in the broker's own P/L |
    | no close, or one from before the previous trading date | withheld |
    | the daily close of a stock | that price |
    | the closing quote of a contract | its middle, under the mark rule |
    | a daily close with a trade in the session's last half hour | that price |
    | a daily close of several trades, the last at an unknown time | that price |
    | a daily close of any other trade | withheld |
    """
    ratio, brokers = _split_ratio(symbol, live), _brokers_close(symbol, live)
    if ratio is not None and (ratio == 1 or is_contract_symbol(symbol)):
        return ChosenClose(None, CloseBasis.SPLIT)
    if ratio is None and brokers is not None:
        return ChosenClose(brokers, CloseBasis.BROKER)
    close = live.previous_closes.get(symbol)
    if close is None:
        return ChosenClose(None, CloseBasis.UNKNOWN)
    if close.date != _previous_trading_day(live):
        return ChosenClose(None, CloseBasis.OLD)
    if is_contract_symbol(symbol):
        return _contract_close(close, live.previous_session_close)
    return ChosenClose(close.price / (ratio or 1.0), CloseBasis.DAILY)


def find_previous_closes(rows: Instruments, expired: Flags, live: LiveSnapshot) -> JudgedCloses:
    """Return the previous closes of these rows, and the prices from which P/L Day can count."""
    # An empty mapping is a new object in every snapshot; `()` is always the same.
    known, sources = live.previous_closes or (), (live.broker_positions or (), live.splits or ())
    flags = 2 * _is_of_today(live) + (live.previous_session_close is None)
    day = _previous_trading_day(live).toordinal() + flags / 4
    judged = rows.memo.get("previous closes", known, lambda: _judge(rows, live), also=sources, extent=day)
    return judged._replace(doubts=np.where(expired, 0, judged.doubts))


def _judge(rows: Instruments, live: LiveSnapshot) -> JudgedCloses:
    chosen = [choose_close(symbol, live) for symbol in rows.symbols]
    daily = [live.previous_closes.get(symbol) for symbol in rows.symbols]
    previous = _previous_trading_day(live)
    usable = floats(each.price for each in chosen)
    prices = floats(None if close is None else close.price for close in daily)
    days = [
        previous if one.price is not None else None if close is None else close.date
        for one, close in zip(chosen, daily, strict=True)
    ]
    doubts = np.zeros(len(chosen), dtype=np.int64)
    for basis, warning in _WARNINGS.items():
        doubts |= flag(np.array([each.basis is basis for each in chosen], dtype=np.bool_), warning)
    return JudgedCloses(
        closes=PreviousCloses(
            price=np.where(np.isnan(usable), prices, usable),
            date=dates(days),
            daily=prices,
            day=integers(0 if close is None else close.date.toordinal() for close in daily),
        ),
        usable=usable,
        doubts=doubts,
    )


def _brokers_close(symbol: str, live: LiveSnapshot) -> float | None:
    """Return the `lastday_price` of the broker's position, or None if it may be from another day."""
    position = live.broker_positions.get(symbol)
    if position is None or not position.previous_close or not _is_of_today(live):
        return None
    return position.previous_close


def _is_of_today(live: LiveSnapshot) -> bool:
    """Return whether the broker's positions were read on the trading date."""
    read_at = live.broker_positions_at
    return read_at is not None and new_york_date(read_at) == (live.trading_date or new_york_date(live.as_of))


def _split_ratio(symbol: str, live: LiveSnapshot) -> float | None:
    """Return the ratio of all splits since the previous close, or None if there was none."""
    today, ratios = live.trading_date or new_york_date(live.as_of), []
    for split in live.splits:
        is_since = _previous_trading_day(live) < split.date <= today
        if is_since and underlying_of(split.symbol) == underlying_of(symbol):
            ratios.append(float(split.ratio))
    return prod(ratios) if ratios else None


def _contract_close(close: PreviousClose, session_close: dt.datetime | None) -> ChosenClose:
    if close.mid is not None:
        return ChosenClose(close.mid, CloseBasis.QUOTE)
    end = session_close or dt.datetime.combine(close.date, _USUAL_CLOSE, NEW_YORK)
    is_early = close.trades == 1 if close.traded_at is None else close.traded_at < end - _LAST_TRADES
    return ChosenClose(None, CloseBasis.EARLY) if is_early else ChosenClose(close.price, CloseBasis.TRADE)


def _previous_trading_day(live: LiveSnapshot) -> dt.date:
    """Return the trading day before the current one.

    Without a calendar, it is the last weekday before the New York date. If that was a holiday, no close is
    dated on it, and P/L Day is withheld.
    """
    if live.previous_trading_date is not None:
        return live.previous_trading_date
    today = new_york_date(live.as_of)
    weekday = today.weekday()
    back = 3 if weekday == _MONDAY else weekday - _SATURDAY + 1 if weekday >= _SATURDAY else 1
    return today - dt.timedelta(days=back)


def find_jumps(marks: Floats, closes: Floats) -> Flags:
    """Return flags for marks more than 60 % away from the previous close, which suggests an unknown split."""
    base = np.where(closes > 0, closes, np.nan)
    return np.asarray(np.abs(marks - base) > _JUMP_FRACTION * base + PRICE_TOLERANCE)
