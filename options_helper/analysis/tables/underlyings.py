"""The underlyings table: each stock's price, and the sums over its positions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from options_helper.analysis.arrays.typed_columns import ColumnValues, categories, datetimes, format_coverage
from options_helper.analysis.holdings.portfolio_arrays import PortfolioArrays, arrays_of
from options_helper.analysis.tables.build_table import build_table
from options_helper.analysis.tables.column_type import Table
from options_helper.analysis.tables.sums import TableSums
from options_helper.analysis.valuation.settlement import settle
from options_helper.analysis.valuation.sources import source_type
from options_helper.analysis.valuation.value_rows import (
    STATE_TYPE,
    Valuation,
    compute_live_rows,
)
from options_helper.market import LiveSnapshot
from options_helper.models import Portfolio


def compute_live_underlying_rows(
    portfolio: Portfolio,
    live: LiveSnapshot,
    position_rows: pd.DataFrame,
    structure_rows: pd.DataFrame,
    legs: pd.DataFrame,
    *,
    stale_after_seconds: float,
) -> pd.DataFrame:
    """Return one row per underlying, in alphabetical order, from the tables of the same snapshot.

    `price` is the stock's mark; `change` and `change_pct` are relative to the close of the previous trading
    day, null if that is unknown. `open_pnl, day_pnl, market_value, cost, premium_at_risk` are null unless
    they cover all legs, including expired ones at their settlement; `…_partial` is the sum over the known
    legs and `…_covered` the number of these legs.

    Raises:
        ValueError: The tables' lengths differ from the portfolio's, or the threshold is not above zero.
    """
    arrays = arrays_of(portfolio)
    stocks = compute_live_rows(arrays.underlyings, live, stale_after_seconds)
    sums = TableSums.of_tables(arrays, position_rows, structure_rows, legs)
    return build_table(Table.UNDERLYINGS, underlying_columns(arrays, live, stocks, sums))


def underlying_columns(
    arrays: PortfolioArrays, live: LiveSnapshot, stocks: Valuation, sums: TableSums
) -> dict[str, ColumnValues]:
    """Return the columns, keyed by name; `stocks` is the valuation of the portfolio's underlyings."""
    now = settle(arrays.underlyings, stocks, stocks, live)
    return {**arrays.underlyings.columns, **_price_columns(now, live), **_sum_columns(sums)}


def _price_columns(now: Valuation, live: LiveSnapshot) -> dict[str, ColumnValues]:
    change = now.mark - now.close
    return {
        "price": now.mark,
        "bid": now.marks.bid,
        "ask": now.marks.ask,
        "last": now.ticks.last,
        "previous_close": now.closes.price,
        "change": change,
        "change_pct": change / np.where(now.close > 0, now.close, np.nan),
        "state": categories(now.states, STATE_TYPE),
        "source": categories(now.sources, source_type(live)),
        "mark_age_seconds": now.mark_ages,
        "quote_time": datetimes(now.ticks.quote_time),
        "warnings": now.warnings | now.close_doubts,
    }


def _sum_columns(sums: TableSums) -> dict[str, ColumnValues]:
    arrays = sums.arrays
    positions = np.bincount(arrays.by_position.groups, minlength=len(arrays.underlyings))
    columns: dict[str, ColumnValues] = {"positions": positions.astype(np.int64)}
    tallies = {
        "open_pnl": sums.open_pnl,
        "day_pnl": sums.day_pnl,
        "market_value": sums.market_value,
        "cost": sums.cost,
        "premium_at_risk": sums.premium_at_risk,
    }
    for name, tally in tallies.items():
        columns[name] = tally.complete()
        columns[f"{name}_partial"] = tally.partial
        columns[f"{name}_covered"] = tally.covered
    marked, legs = tallies["market_value"].covered, tallies["market_value"].legs
    oldest = np.full(len(positions), np.nan)
    np.fmax.at(oldest, arrays.by_leg.groups, sums.ages())
    return {
        **columns,
        "legs": legs,
        "legs_with_mark": marked,
        "coverage": format_coverage(marked, legs),
        "oldest_age_seconds": oldest,
    }
