"""The positions table: single options and shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from options_helper.analysis.book import book_of
from options_helper.analysis.live_rows import (
    build_quote_columns,
    compute_live_rows,
    compute_stock_rows,
    divide,
    value_of,
)
from options_helper.analysis.reference import opened_today
from options_helper.analysis.row_warnings import RowWarning, flag, to_lists
from options_helper.analysis.table_columns import POSITION_COLUMNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from options_helper.analysis.book import PortfolioBook
    from options_helper.analysis.columns import Column
    from options_helper.analysis.live_rows import LiveRows
    from options_helper.market import LiveSnapshot
    from options_helper.models import Portfolio

    Floats = NDArray[np.float64]


def compute_live_position_rows(
    portfolio: Portfolio, live: LiveSnapshot, *, stale_after_seconds: float
) -> pd.DataFrame:
    """One row per single option and per shares position, in the file's order.

    Dollars per share: `cost_basis, bid, ask, last, mark, natural, previous_close`. Total dollars, signed:
    `cost, market_value, natural_value, pnl_abs, pnl_day, max_loss` (a loss as a positive figure, infinite
    where it has no end). Fractions: `spread_pct, pnl_pct, pnl_day_pct, return_on_max_risk, iv`. Shares have
    their count in `quantity`, multiplier 1, and null in the columns of options.

    Args:
        portfolio: Its arrays are built on first use and kept as long as it lives.
        live: The snapshot; every age counts from its `as_of`.
        stale_after_seconds: The age above which a price is no longer live.

    Raises:
        ValueError: `stale_after_seconds` is not above zero.
    """
    book = book_of(portfolio)
    rows = book.positions
    now = compute_live_rows(rows, live, stale_after_seconds)
    spots = compute_stock_rows(book.underlyings, live, stale_after_seconds).mark
    columns = {
        **rows.columns,
        **build_quote_columns(rows, now, live),
        **_money_columns(book, now, live),
        "cost_basis": book.cost_basis,
        "underlying_price": spots[rows.underlying_codes],
    }
    return pd.DataFrame({name: columns[name] for name in POSITION_COLUMNS})


def _money_columns(book: PortfolioBook, now: LiveRows, live: LiveSnapshot) -> dict[str, Column]:
    rows = book.positions
    cost = value_of(book.cost_basis, rows, now)
    pnl = value_of(now.mark - book.cost_basis, rows, now)
    new = opened_today(book.opened, live)
    base = np.where(new, book.cost_basis, now.close)
    pnl_day = value_of(now.mark - base, rows, now)
    max_loss = _max_loss(book, now, cost)
    at_risk = np.where(max_loss > 0, max_loss, np.nan)
    return {
        "cost": cost,
        "market_value": value_of(now.mark, rows, now),
        "natural_value": value_of(now.natural, rows, now),
        "pnl_abs": pnl,
        "pnl_pct": divide(pnl, cost),
        "pnl_day": pnl_day,
        "pnl_day_pct": divide(pnl_day, value_of(base, rows, now)),
        "max_loss": max_loss,
        "return_on_max_risk": np.where(np.isinf(at_risk), np.nan, pnl / at_risk),
        "warnings": to_lists(now.warnings | flag(now.close_is_old & ~new, RowWarning.PREVIOUS_CLOSE_OLD)),
    }


def _max_loss(book: PortfolioBook, now: LiveRows, cost: Floats) -> Floats:
    """The most that can be lost: what was paid; a short put's strike less its credit; else without end."""
    rows = book.positions
    strikes = value_of(rows.strike, rows, now)
    short = np.where(rows.is_put, cost - strikes, np.inf)
    return np.where(rows.quantity > 0, cost, short)
