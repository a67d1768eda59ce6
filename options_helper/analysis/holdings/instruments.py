"""The static side of table rows: the symbol that prices each row, the quantity, and the expiry."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from options_helper.analysis.arrays.columns import ColumnValues, dates, flags, floats, integers, texts
from options_helper.analysis.arrays.memo import IdentityMemo
from options_helper.analysis.arrays.types import Flags, Floats, Numbers
from options_helper.analysis.contracts.expiry import LATE_CLOSE_DELAY, expiry_moment, last_trading_moment
from options_helper.analysis.contracts.products import (
    AM_SETTLED_ROOTS,
    LATE_FUND_ROOTS,
    LATE_ROOTS,
    is_adjusted,
)
from options_helper.analysis.osi import contract_symbol, root_of, stock_symbol
from options_helper.analysis.text.wording import format_day
from options_helper.errors import ContractSymbolError
from options_helper.models import STANDARD_MULTIPLIER, AnyLeg, EquityPosition, Leg, Position
from options_helper.times import new_york_date, to_microseconds

InstrumentRow = AnyLeg | Position | EquityPosition

NEVER = int(np.iinfo(np.int64).max)


class ContractClock(NamedTuple):
    """The last trading times and expiries of n contracts, in microseconds, on a day with the regular close.

    Attributes:
        expires_at: `NEVER` for shares.
        last_trading: When it trades for the last time, and `last_day`, that New York date's ordinal.
        trades_late: Whether the product trades past the regular close on days before its last.
        delay, last_delay: How long after the session's close it expires, and trades for the last time.
        settles_at_open: Whether an opening price settles it, which no stream carries.
    """

    expires_at: Numbers
    last_trading: Numbers
    last_day: Numbers
    trades_late: Flags
    delay: Numbers
    last_delay: Numbers
    settles_at_open: Flags


class Multipliers(NamedTuple):
    """Dollars per point of n rows: of one contract, of the signed quantity; and whether confirmed."""

    value: Floats
    scale: Floats
    confirmed: Flags


@dataclass(frozen=True, slots=True)
class Instruments:
    """The static side of n rows, one instrument each.

    Attributes:
        symbols: The key of each row in the snapshot's tables; "" if no symbol can express the terms.
        underlyings: The stock's key (`BRK.B`); `underlying_codes` are its numbers in the book's list.
        quantity: Signed contracts or shares.
        multipliers: The file's, else the standard.
        adjusted: Whether the contract is an adjusted one, by its root.
        unspellable: Whether no contract symbol can express the terms.
        expiry_days: Ordinals of the dates in the contracts' symbols, 0 for shares.
        clock: When each contract expires and trades for the last time.
        columns: Finished columns by name.
        memo: Values found for these symbols in the current run's mappings.
    """

    symbols: tuple[str, ...]
    underlyings: tuple[str, ...]
    underlying_codes: Numbers
    is_stock: Flags
    is_put: Flags
    strike: Floats
    quantity: Floats
    multipliers: Multipliers
    adjusted: Flags
    unspellable: Flags
    expiry_days: Numbers
    clock: ContractClock
    columns: Mapping[str, ColumnValues]
    memo: IdentityMemo = field(default_factory=IdentityMemo)

    def __len__(self) -> int:
        return len(self.symbols)


def build_instruments(
    rows: Sequence[tuple[str, InstrumentRow]], codes: Mapping[str, int], columns: Mapping[str, ColumnValues]
) -> Instruments:
    """Return the arrays of (underlying's symbol in the file, holding) pairs, with columns of their table."""
    stocks = tuple(stock_symbol(symbol) for symbol, _ in rows)
    options = [row if isinstance(row, Position | Leg) else None for _, row in rows]
    symbols = tuple(
        stock if option is None else _contract_symbol(symbol, option)
        for (symbol, _), stock, option in zip(rows, stocks, options, strict=True)
    )
    roots = [
        "" if option is None else root_of(symbol, option)
        for (symbol, _), option in zip(rows, options, strict=True)
    ]
    quantity = floats(_quantity(row) for _, row in rows)
    is_stock = flags(option is None for option in options)
    return Instruments(
        symbols=symbols,
        underlyings=stocks,
        underlying_codes=integers(codes[stock] for stock in stocks),
        is_stock=is_stock,
        is_put=flags(option is not None and option.option_type == "put" for option in options),
        strike=floats(None if option is None else option.strike for option in options),
        quantity=quantity,
        multipliers=_standard_multipliers(
            floats(None if option is None else option.multiplier for option in options), is_stock, quantity
        ),
        adjusted=flags(is_adjusted(root) for root in roots),
        unspellable=flags(not symbol for symbol in symbols),
        expiry_days=integers(0 if option is None else option.expiry.toordinal() for option in options),
        clock=_build_clock(roots, options),
        columns={**columns, **_contract_columns(symbols, stocks, options)},
    )


def _build_clock(roots: Sequence[str], options: Sequence[Position | Leg | None]) -> ContractClock:
    rooted = list(zip(roots, options, strict=True))
    ends = [None if each is None else expiry_moment(root, each.expiry) for root, each in rooted]
    last = [None if each is None else last_trading_moment(root, each.expiry) for root, each in rooted]
    delay = LATE_CLOSE_DELAY // dt.timedelta(microseconds=1)
    return ContractClock(
        expires_at=integers(NEVER if moment is None else to_microseconds(moment) for moment in ends),
        last_trading=integers(NEVER if moment is None else to_microseconds(moment) for moment in last),
        last_day=integers(0 if moment is None else new_york_date(moment).toordinal() for moment in last),
        trades_late=flags(root in LATE_ROOTS for root in roots),
        delay=integers(delay if root in LATE_FUND_ROOTS else 0 for root in roots),
        last_delay=integers(delay if root in LATE_FUND_ROOTS | AM_SETTLED_ROOTS else 0 for root in roots),
        settles_at_open=flags(root in AM_SETTLED_ROOTS for root in roots),
    )


def _contract_columns(
    symbols: Sequence[str], stocks: Sequence[str], options: Sequence[Position | Leg | None]
) -> dict[str, ColumnValues]:
    expiries = [None if option is None else option.expiry for option in options]
    pairs = list(zip(symbols, options, strict=True))
    return {
        "kind": texts(["stock" if option is None else "option" for option in options]),
        "underlying": texts(stocks),
        "option_type": texts([None if option is None else option.option_type for option in options]),
        "expiry": dates(expiries),
        "expiry_text": texts([None if expiry is None else format_day(expiry) for expiry in expiries]),
        "strike": floats(None if option is None else option.strike for option in options),
        "contract_symbol": texts([None if option is None else symbol or None for symbol, option in pairs]),
        "quote_symbol": texts([symbol or None for symbol in symbols]),
    }


def _contract_symbol(underlying: str, option: Position | Leg) -> str:
    try:
        return contract_symbol(underlying, option)
    except ContractSymbolError:
        return ""


def _quantity(row: InstrumentRow) -> float:
    match row:
        case Position():
            return row.contracts
        case EquityPosition():
            return row.shares
        case Leg():
            return row.signed_contracts
        case _:
            return row.signed_shares


def _standard_multipliers(stated: Floats, is_stock: Flags, quantity: Floats) -> Multipliers:
    """Return the multipliers by the file alone; `stated` is NaN if it gives none."""
    value = np.where(np.isnan(stated), np.where(is_stock, 1.0, STANDARD_MULTIPLIER), stated)
    return Multipliers(value, value * quantity, is_stock | ~np.isnan(stated))
