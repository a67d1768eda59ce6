"""Sums over the tables per underlying, each with its coverage.

A single position counts as one leg. Expired contracts count at their provisional settlement, so their results
stay in the sums.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
import pandas as pd

from options_helper.analysis.arrays.typed_columns import ColumnValues
from options_helper.analysis.arrays.types import Codes, Flags, Floats, Numbers
from options_helper.analysis.holdings.portfolio_arrays import LegCounts, PortfolioArrays, reduce_by
from options_helper.analysis.text.wording import coverage
from options_helper.analysis.valuation.quote_state import CODE, QUOTE_STATES, QuoteState

_OF_POSITIONS = ("state", "market_value", "pnl_abs", "pnl_day", "cost", "mark_age_seconds", "dte")
_OF_STRUCTURES = ("state", "net_pnl_abs", "pnl_day")
_OF_LEGS = ("state", "market_value", "mark_age_seconds", "dte")


@dataclass(frozen=True, slots=True)
class Total:
    """A sum in dollars.

    Attributes:
        partial: The sum over the known legs.
        covered: The number of legs in the sum.
        legs: The number of all legs; a single option or a block of shares is one leg.
    """

    partial: float
    covered: int
    legs: int

    @property
    def value(self) -> float | None:
        """The sum if it covers all legs, else None."""
        return self.partial if self.covered == self.legs else None

    @property
    def coverage(self) -> str:
        """The coverage in words, such as `11 of 12 legs`."""
        return coverage(self.covered, self.legs)


class Tally(NamedTuple):
    """A sum per underlying: the known dollars, the number of legs in the sum, and the number of all legs."""

    partial: Floats
    covered: Numbers
    legs: Numbers

    @classmethod
    def of(cls, values: Floats, rows: LegCounts) -> Self:
        """Return the sums of the rows' values per underlying; NaN is unknown."""
        known, size = ~np.isnan(values), len(rows.totals)
        if known.all():
            return cls(_sum(rows.groups, values, size), rows.totals, rows.totals)
        covered = _sum(rows.groups, np.where(known, rows.legs, 0), size).astype(np.int64)
        return cls(_sum(rows.groups, np.where(known, values, 0.0), size), covered, rows.totals)

    def whole(self) -> Total:
        """Return the sum over all underlyings."""
        return Total(float(self.partial.sum()), int(self.covered.sum()), int(self.legs.sum()))

    def complete(self) -> Floats:
        """Return the sums that cover all legs; NaN for the others."""
        return np.where(self.covered == self.legs, self.partial, np.nan)


@dataclass(frozen=True)
class TableSums:
    """The figures of the tables as arrays, in two orders: positions and structures, and positions and legs.

    Attributes:
        leg_states: The state of each position and leg.
        alive: Flags for positions and legs that have not expired.
        settled: Flags for positions and legs that have expired with a known settlement.
    """

    arrays: PortfolioArrays
    positions: Mapping[str, ColumnValues]
    structures: Mapping[str, ColumnValues]
    leg_rows: Mapping[str, ColumnValues]
    leg_states: Codes
    alive: Flags
    settled: Flags

    @classmethod
    def of_tables(
        cls, arrays: PortfolioArrays, positions: pd.DataFrame, structures: pd.DataFrame, legs: pd.DataFrame
    ) -> Self:
        """Return the figures of one portfolio's three tables.

        Raises:
            ValueError: The tables' lengths differ from the portfolio's.
        """
        tables = ((positions, _OF_POSITIONS), (structures, _OF_STRUCTURES), (legs, _OF_LEGS))
        return cls.of(arrays, *({name: table[name].array for name in names} for table, names in tables))

    @classmethod
    def of(
        cls,
        arrays: PortfolioArrays,
        positions: Mapping[str, ColumnValues],
        structures: Mapping[str, ColumnValues],
        legs: Mapping[str, ColumnValues],
    ) -> Self:
        """Return the figures of one portfolio's three tables, given as columns.

        Raises:
            ValueError: The columns' lengths differ from the portfolio's.
        """
        lengths = (len(positions["state"]), len(structures["state"]), len(legs["state"]))
        if lengths != (len(arrays.positions), len(arrays.structures), len(arrays.legs)):
            raise ValueError(f"tables of {lengths} rows do not hold all rows of this portfolio")
        states = np.concatenate([_codes(positions), _codes(legs)])
        alive = states != CODE[QuoteState.EXPIRED]
        values = np.concatenate([_values(positions, "market_value"), _values(legs, "market_value")])
        return cls(
            arrays=arrays,
            positions=positions,
            structures=structures,
            leg_rows=legs,
            leg_states=states,
            alive=alive,
            settled=~alive & ~np.isnan(values),
        )

    @cached_property
    def open_pnl(self) -> Tally:
        """P/L since opening; a structure counts with all of its legs or not at all."""
        return self._tally(_values(self.positions, "pnl_abs"), _values(self.structures, "net_pnl_abs"))

    @cached_property
    def day_pnl(self) -> Tally:
        """P/L since the previous close; a structure counts with all of its legs or not at all.

        It is unknown while nothing is known except the $0 of contracts that expired before the day.
        """
        of_positions, of_structures = _values(self.positions, "pnl_day"), _values(self.structures, "pnl_day")
        days = np.concatenate([of_positions, of_structures])
        last_dte = reduce_by(np.fmax, self.arrays.structures.starts, _values(self.leg_rows, "dte"))
        is_over = (np.concatenate([_values(self.positions, "dte"), last_dte]) < 0) & (days == 0)
        is_unknown = np.isnan(days)
        if is_unknown.any() and (is_unknown | is_over).all():
            return self._tally(of_positions * np.nan, of_structures * np.nan)
        return self._tally(of_positions, of_structures)

    @cached_property
    def cost(self) -> Tally:
        """Dollars paid minus dollars received."""
        return self._tally(_values(self.positions, "cost"), self.arrays.structures.net_debit)

    @property
    def gross_cost(self) -> Tally:
        """The sum of |cost|, which credits do not reduce, as a base for fractions."""
        return self._tally(np.abs(_values(self.positions, "cost")), np.abs(self.arrays.structures.net_debit))

    @cached_property
    def premium_at_risk(self) -> Tally:
        """The cost of unexpired long options, and of debit structures without shares."""
        rows, own = self.arrays.positions, self.arrays.structures
        none = rows.is_stock | (rows.quantity < 0) | ~self.alive[: len(rows)]
        paid = np.where(none, 0.0, _values(self.positions, "cost"))
        gone = _codes(self.structures) == CODE[QuoteState.EXPIRED]
        debit = np.where(own.has_shares | gone, 0.0, np.maximum(own.net_debit, 0.0))
        return self._tally(paid, debit)

    @cached_property
    def market_value(self) -> Tally:
        """The value at the marks; each leg counts on its own."""
        values = [_values(self.positions, "market_value"), _values(self.leg_rows, "market_value")]
        return Tally.of(np.concatenate(values), self.arrays.by_leg)

    @property
    def expired(self) -> int:
        """The number of expired legs."""
        return int((~self.alive).sum())

    def count_states(self) -> dict[str, int]:
        """Return the number of unexpired legs in each state, without states that do not occur."""
        counted = np.bincount(self.leg_states[self.alive], minlength=len(QUOTE_STATES))
        return {str(state): int(n) for state, n in zip(QUOTE_STATES, counted, strict=True) if n}

    def ages(self) -> Floats:
        """Return the age of each leg's price; NaN if unknown or expired."""
        columns = [_values(self.positions, "mark_age_seconds"), _values(self.leg_rows, "mark_age_seconds")]
        return np.where(self.alive, np.concatenate(columns), np.nan)

    def oldest_age(self) -> float | None:
        """Return the oldest of `ages`, or None if all are NaN."""
        ages = self.ages()
        oldest = float(np.fmax.reduce(ages)) if len(ages) else np.nan
        return None if np.isnan(oldest) else oldest

    def _tally(self, of_positions: Floats, of_structures: Floats) -> Tally:
        return Tally.of(np.concatenate([of_positions, of_structures]), self.arrays.by_position)


def _sum(groups: Numbers, values: Floats, size: int) -> Floats:
    return np.bincount(groups, values, size).astype(np.float64)


def _values(table: Mapping[str, ColumnValues], name: str) -> Floats:
    return np.asarray(table[name], dtype=np.float64)


def _codes(table: Mapping[str, ColumnValues]) -> Codes:
    codes: Codes = table["state"].codes
    return codes
