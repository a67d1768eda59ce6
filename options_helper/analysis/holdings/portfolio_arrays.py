"""A portfolio as arrays: the part of its tables that does not depend on prices, built once."""

from __future__ import annotations

import datetime as dt
import math
import weakref
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from options_helper.analysis.arrays.memo import IdentityMemo
from options_helper.analysis.arrays.typed_columns import (
    ColumnValues,
    counts,
    dates,
    flags,
    floats,
    integers,
    texts,
)
from options_helper.analysis.arrays.types import Flags, Floats, Numbers
from options_helper.analysis.holdings.instruments import NEVER, Instruments, build_instruments
from options_helper.analysis.osi import stock_symbol
from options_helper.analysis.text.wording import format_day
from options_helper.models import EquityPosition, Leg, MultiLegPosition, Portfolio, Position, StockLeg

_LOT = 100  # shares that pair with one standard contract


@dataclass(frozen=True, slots=True)
class StructureArrays:
    """The static part of n structures; their legs are consecutive in the portfolio's `legs`.

    Attributes:
        positions: The structures in the file's order.
        starts, sizes: The index of each structure's first leg, and its number of legs.
        underlying_codes: The index of the underlying in the portfolio's list.
        net_debit: Total dollars; NaN if unknown.
        opened: Ordinals of the opening dates; 0 if unknown.
        units: The number of times the structure is held: the greatest common divisor of its legs' sizes.
        has_shares: True if a leg is shares.
        first_expiry_day, first_last_day: The earliest expiry date and last trading date of the legs, as
            ordinals; `NEVER` if all legs are shares.
        columns: Finished columns, keyed by name.
        memo: Values computed for these structures from parts of the snapshot.
    """

    positions: tuple[MultiLegPosition, ...]
    starts: Numbers
    sizes: Numbers
    underlying_codes: Numbers
    net_debit: Floats
    opened: Numbers
    units: Numbers
    has_shares: Flags
    first_expiry_day: Numbers
    first_last_day: Numbers
    columns: Mapping[str, ColumnValues]
    memo: IdentityMemo

    def __len__(self) -> int:
        return len(self.positions)


class LegCounts(NamedTuple):
    """The legs of n rows by underlying.

    Attributes:
        groups: The index of each row's underlying.
        legs: The number of legs of each row.
        totals: The number of legs per underlying.
    """

    groups: Numbers
    legs: Numbers
    totals: Numbers

    @classmethod
    def of(cls, groups: Numbers, legs: Numbers, size: int) -> Self:
        """Return the counts for this many underlyings."""
        return cls(groups, legs, np.bincount(groups, legs, size).astype(np.int64))


@dataclass(frozen=True, slots=True)
class PortfolioArrays:
    """A portfolio as arrays.

    Attributes:
        singles: Single options and shares in the file's order, as models.
        positions: The same positions as arrays.
        cost_basis: Dollars per share, one value per row of `positions`.
        opened: Ordinals of the opening dates of `positions`; 0 if unknown.
        structures: The structures.
        legs: The legs of all structures, structure after structure.
        underlyings: One stock row per underlying, in alphabetical order.
        by_position: The legs of positions and structures; a single position counts as one leg.
        by_leg: The same for positions and legs.
        compared: True for the `positions` that are compared with the broker's account.
        compared_quantities: Signed quantities of all compared positions and legs, keyed by symbol.
    """

    singles: tuple[Position | EquityPosition, ...]
    positions: Instruments
    cost_basis: Floats
    opened: Numbers
    structures: StructureArrays
    legs: Instruments
    underlyings: Instruments
    by_position: LegCounts
    by_leg: LegCounts
    compared: Flags
    compared_quantities: Mapping[str, float]


_arrays_by_id: dict[int, tuple[weakref.ref[Portfolio], PortfolioArrays]] = {}


def arrays_of(portfolio: Portfolio) -> PortfolioArrays:
    """Return the arrays of a portfolio object, built on first use and freed together with the object."""
    key = id(portfolio)
    kept = _arrays_by_id.get(key)
    if kept is not None and kept[0]() is portfolio:
        return kept[1]

    arrays = build_arrays(portfolio)
    # The callback runs before the object's memory, and therefore its id, can be reused.
    _arrays_by_id[key] = (weakref.ref(portfolio, lambda _: _arrays_by_id.pop(key, None)), arrays)
    return arrays


def build_arrays(portfolio: Portfolio) -> PortfolioArrays:
    """Build the arrays of a portfolio."""
    singles = tuple(each for each in portfolio.positions if not isinstance(each, MultiLegPosition))
    structures = tuple(each for each in portfolio.positions if isinstance(each, MultiLegPosition))
    stocks = sorted({stock_symbol(each.symbol) for each in portfolio.positions})
    codes = {stock: number for number, stock in enumerate(stocks)}
    shares = [(stock, StockLeg(side="long", shares=1)) for stock in stocks]
    legs = build_instruments(
        [(each.symbol, leg) for each in structures for leg in each.legs], codes, _leg_columns(structures)
    )
    positions = build_instruments(
        [(each.symbol, each) for each in singles], codes, _position_columns(singles)
    )
    owners = (*singles, *(each for each in structures for _ in each.legs))
    compared = [portfolio.account is None and owner.account is None for owner in owners]
    own, ones = _build_structures(structures, codes, legs), np.ones(len(owners), np.int64)
    codes_of_singles = positions.underlying_codes
    return PortfolioArrays(
        singles=singles,
        positions=positions,
        cost_basis=floats(each.cost_basis for each in singles),
        opened=integers(_ordinal(each.opened_on) for each in singles),
        structures=own,
        legs=legs,
        underlyings=build_instruments(shares, codes, {}),
        by_position=LegCounts.of(
            np.concatenate([codes_of_singles, own.underlying_codes]),
            np.concatenate([ones[: len(singles)], own.sizes]),
            len(stocks),
        ),
        by_leg=LegCounts.of(np.concatenate([codes_of_singles, legs.underlying_codes]), ones, len(stocks)),
        compared=flags(compared[: len(singles)]),
        compared_quantities=_sum_by_symbol(positions, legs, compared),
    )


def _sum_by_symbol(positions: Instruments, legs: Instruments, counted: Sequence[bool]) -> dict[str, float]:
    sums: defaultdict[str, float] = defaultdict(float)
    symbols = (*positions.symbols, *legs.symbols)
    quantities = (*positions.quantity.tolist(), *legs.quantity.tolist())
    for symbol, quantity, counts_here in zip(symbols, quantities, counted, strict=True):
        if counts_here:
            sums[symbol] += quantity
    return dict(sums)


def _position_columns(singles: Sequence[Position | EquityPosition]) -> dict[str, ColumnValues]:
    return {
        "id": texts([each.id for each in singles]),
        "symbol": texts([each.symbol for each in singles]),
        "contracts": counts([each.contracts if isinstance(each, Position) else None for each in singles]),
    }


def _leg_columns(structures: Sequence[MultiLegPosition]) -> dict[str, ColumnValues]:
    legs = [leg for each in structures for leg in each.legs]
    options = [leg if isinstance(leg, Leg) else None for leg in legs]
    return {
        "position_id": texts([each.id for each in structures for _ in each.legs]),
        "leg_index": integers(number for each in structures for number in range(len(each.legs))),
        "symbol": texts([each.symbol for each in structures for _ in each.legs]),
        "side": texts([leg.side for leg in legs]),
        "contracts": counts([None if leg is None else leg.contracts for leg in options]),
        "signed_contracts": counts([None if leg is None else leg.signed_contracts for leg in options]),
    }


def _build_structures(
    structures: tuple[MultiLegPosition, ...], codes: Mapping[str, int], legs: Instruments
) -> StructureArrays:
    sizes = integers(len(each.legs) for each in structures)
    starts = np.cumsum(sizes) - sizes
    units = integers(count_units(each) for each in structures)
    expiry_days = np.where(legs.is_stock, NEVER, legs.expiry_days)
    last_day = np.where(legs.is_stock, NEVER, legs.clock.last_day)
    return StructureArrays(
        positions=structures,
        starts=starts,
        sizes=sizes,
        underlying_codes=integers(codes[stock_symbol(each.symbol)] for each in structures),
        net_debit=floats(each.net_debit for each in structures),
        opened=integers(_ordinal(each.opened_on) for each in structures),
        units=units,
        has_shares=flags(len(each.option_legs) < len(each.legs) for each in structures),
        first_expiry_day=reduce_by(np.minimum, starts, expiry_days),
        first_last_day=reduce_by(np.minimum, starts, last_day),
        columns={**_structure_columns(structures), "units": units, "legs": sizes},
        memo=IdentityMemo(),
    )


def _structure_columns(structures: Sequence[MultiLegPosition]) -> dict[str, ColumnValues]:
    expiries = [sorted({leg.expiry for leg in each.option_legs}) for each in structures]
    return {
        "id": texts([each.id for each in structures]),
        "symbol": texts([each.symbol for each in structures]),
        "underlying": texts([stock_symbol(each.symbol) for each in structures]),
        "expiry": dates([days[0] if days else None for days in expiries]),
        "last_expiry": dates([days[-1] if days else None for days in expiries]),
        "expiry_text": texts([" / ".join(map(format_day, days)) or None for days in expiries]),
    }


def reduce_by(ufunc: np.ufunc, starts: Numbers, values: NDArray[Any]) -> NDArray[Any]:
    """Return one value per structure, reduced from the values of its legs; every structure has legs."""
    return ufunc.reduceat(values, starts) if len(starts) else values[:0]


def count_units(position: MultiLegPosition) -> int:
    """Return the number of times a structure is held: the greatest common divisor of its legs' sizes.

    100 shares count as one contract. Return 1 if a leg of shares is not a multiple of 100.
    """
    contracts = [leg.contracts for leg in position.option_legs]
    lots = [leg.shares / _LOT for leg in position.legs if isinstance(leg, StockLeg)]
    whole = [int(lot) for lot in lots if lot.is_integer()]
    return math.gcd(*contracts, *whole) if len(whole) == len(lots) else 1


def _ordinal(day: dt.date | None) -> int:
    return 0 if day is None else day.toordinal()
