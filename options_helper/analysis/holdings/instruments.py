"""The static part of table rows: symbols, quantities, multipliers and expiries as arrays."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from options_helper.analysis.arrays.memo import IdentityMemo
from options_helper.analysis.arrays.typed_columns import ColumnValues, dates, flags, floats, integers, texts
from options_helper.analysis.arrays.types import Flags, Floats, Numbers
from options_helper.analysis.contracts.expiry import LATE_CLOSE_DELAY, expiry_time, last_trading_time
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
    """The last trading times and expiries of n contracts on days with the regular close, in microseconds.

    Attributes:
        expires_at, last_trading: The expiry and the last trading time; `NEVER` for shares.
        last_day: The ordinal of the last trading time's New York date; 0 for shares.
        trades_late: True if the product trades past the regular close on days before its last.
        delay, last_delay: The time from the session's close to the expiry, and to the last trading time.
        settles_at_open: True if an opening price, which no stream carries, settles the contract.
    """

    expires_at: Numbers
    last_trading: Numbers
    last_day: Numbers
    trades_late: Flags
    delay: Numbers
    last_delay: Numbers
    settles_at_open: Flags


class Multipliers(NamedTuple):
    """The multipliers of n rows.

    Attributes:
        value: Dollars per point of one contract or share.
        scale: Dollars per point of the whole signed quantity.
        confirmed: True if the file or Alpaca states the multiplier; always True for shares.
    """

    value: Floats
    scale: Floats
    confirmed: Flags


@dataclass(frozen=True, slots=True)
class Instruments:
    """The static part of n rows, one instrument each.

    Attributes:
        symbols: Each row's key in the snapshot; "" if no symbol can express the terms.
        underlyings: The key of the underlying stock (`BRK.B`).
        underlying_codes: The underlying's index in the portfolio's list.
        quantity: Signed contracts or shares.
        multipliers: The file's multipliers, else the standard ones.
        adjusted: True if the root marks an adjusted contract.
        unspellable: True if no contract symbol can express the terms.
        expiry_days: Ordinals of the dates in the contracts' symbols; 0 for shares.
        clock: Each contract's expiry and last trading time.
        columns: Finished columns, keyed by name.
        memo: Values computed for these rows from parts of the snapshot.
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
    """Return the arrays for pairs of the underlying's symbol in the file and a holding.

    Args:
        rows: The pairs.
        codes: The index of each underlying in the portfolio's list.
        columns: Further columns of the rows' table.
    """
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
    ends = [None if each is None else expiry_time(root, each.expiry) for root, each in rooted]
    last = [None if each is None else last_trading_time(root, each.expiry) for root, each in rooted]
    delay = LATE_CLOSE_DELAY // dt.timedelta(microseconds=1)
    return ContractClock(
        expires_at=integers(NEVER if time is None else to_microseconds(time) for time in ends),
        last_trading=integers(NEVER if time is None else to_microseconds(time) for time in last),
        last_day=integers(0 if time is None else new_york_date(time).toordinal() for time in last),
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
    """Return the file's multipliers, or the standard ones in rows with NaN in `stated`."""
    value = np.where(np.isnan(stated), np.where(is_stock, 1.0, STANDARD_MULTIPLIER), stated)
    return Multipliers(value, value * quantity, is_stock | ~np.isnan(stated))
