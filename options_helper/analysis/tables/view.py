"""All tables and totals of a portfolio in one snapshot, and the time at which they go out of date.

A view is read-only: every tab, the alerts and the day's curves share it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from options_helper.analysis.arrays.typed_columns import ColumnValues
from options_helper.analysis.holdings.portfolio_arrays import arrays_of
from options_helper.analysis.status.diagnosis import QuoteCounts
from options_helper.analysis.tables.build_table import build_table
from options_helper.analysis.tables.column_type import Table
from options_helper.analysis.tables.deadlines import deadline, recompute_key
from options_helper.analysis.tables.positions import position_columns
from options_helper.analysis.tables.quote_counts import count_quotes
from options_helper.analysis.tables.structures import structure_columns
from options_helper.analysis.tables.sums import TableSums
from options_helper.analysis.tables.totals import LiveTotals, sum_up
from options_helper.analysis.tables.underlyings import underlying_columns
from options_helper.analysis.valuation.value_rows import compute_live_rows
from options_helper.market import LiveSnapshot
from options_helper.models import Portfolio

# Long enough for tabs and alerts that refresh together, which is all that sharing is for: a view costs a few
# milliseconds, and a page that shares an older one shows older prices.
_SHARED_FOR = dt.timedelta(seconds=0.1)


@dataclass(frozen=True, eq=False, kw_only=True)
class TablesView:
    """The tables and totals of one portfolio in one snapshot; writing into a table raises.

    Attributes:
        at: The snapshot that the tables were computed from.
        columns: The finished columns of each table, keyed by name; `warnings` are bits.
        until: The time at which the tables change even without a new event.
    """

    portfolio: Portfolio
    at: LiveSnapshot
    stale_after_seconds: float
    columns: Mapping[Table, Mapping[str, ColumnValues]]
    totals: LiveTotals
    quotes: QuoteCounts
    until: dt.datetime

    # A DataFrame costs as much as its figures, and most readers of a view do not need one.
    @cached_property
    def positions(self) -> pd.DataFrame:
        """The table of single options and shares."""
        return build_table(Table.POSITIONS, self.columns[Table.POSITIONS], frozen=True)

    @cached_property
    def structures(self) -> pd.DataFrame:
        """The table of structures."""
        return build_table(Table.STRUCTURES, self.columns[Table.STRUCTURES], frozen=True)

    @cached_property
    def legs(self) -> pd.DataFrame:
        """The table of the structures' legs."""
        return build_table(Table.LEGS, self.columns[Table.LEGS], frozen=True)

    @cached_property
    def underlyings(self) -> pd.DataFrame:
        """The table of underlyings."""
        return build_table(Table.UNDERLYINGS, self.columns[Table.UNDERLYINGS], frozen=True)

    def holds_for(self, live: LiveSnapshot) -> bool:
        """Return whether the view is still valid for a snapshot.

        It is valid until there is new data or `until` has passed. New data does not count within a tenth of
        a second, so simultaneous readers share a view.
        """
        age = live.as_of - self.at.as_of
        # If the clock went back, nothing is reused; otherwise the tables would freeze until it has caught up.
        if age < -_SHARED_FOR or live.as_of >= self.until:
            return False
        if recompute_key(live) != recompute_key(self.at):
            return False
        return live.version == self.at.version or age < _SHARED_FOR


def compute_view(portfolio: Portfolio, live: LiveSnapshot, *, stale_after_seconds: float) -> TablesView:
    """Compute all tables and totals of a portfolio in one snapshot.

    Raises:
        ValueError: `stale_after_seconds` is not above zero.
    """
    arrays = arrays_of(portfolio)
    stocks = compute_live_rows(arrays.underlyings, live, stale_after_seconds)
    positions = position_columns(arrays, live, stocks, stale_after_seconds)
    structures, legs = structure_columns(arrays, live, stocks, stale_after_seconds)
    sums = TableSums.of(arrays, positions, structures, legs)
    underlyings = underlying_columns(arrays, live, stocks, sums)
    return TablesView(
        portfolio=portfolio,
        at=live,
        stale_after_seconds=stale_after_seconds,
        columns={
            Table.POSITIONS: positions,
            Table.STRUCTURES: structures,
            Table.LEGS: legs,
            Table.UNDERLYINGS: underlyings,
        },
        totals=sum_up(sums, portfolio.cash),
        quotes=count_quotes(positions, legs, stale_after_seconds),
        until=deadline(live, (positions, legs, underlyings), stale_after_seconds),
    )
