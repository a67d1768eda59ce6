"""The positions table: single options and shares."""

from __future__ import annotations

import numpy as np
import pandas as pd

from options_helper.analysis.arrays.typed_columns import ColumnValues, flags
from options_helper.analysis.arrays.types import Floats, Numbers
from options_helper.analysis.holdings.portfolio_arrays import PortfolioArrays, arrays_of
from options_helper.analysis.tables.build_table import build_table
from options_helper.analysis.tables.column_type import Table
from options_helper.analysis.tables.doubts import doubt_positions, has_any
from options_helper.analysis.valuation.reference import days_since, opened_today
from options_helper.analysis.valuation.row_warnings import RowWarning, flag
from options_helper.analysis.valuation.settlement import settle
from options_helper.analysis.valuation.value_rows import (
    Valuation,
    build_quote_columns,
    compute_live_rows,
    divide,
)
from options_helper.market import LiveSnapshot, is_unsure
from options_helper.models import Portfolio
from options_helper.order_rows import QUANTITY_TOLERANCE


def compute_live_position_rows(
    portfolio: Portfolio, live: LiveSnapshot, *, stale_after_seconds: float
) -> pd.DataFrame:
    """Return one row per single option or block of shares, in the file's order.

    Dollars per share: `cost_basis, bid, ask, last, mark, natural, previous_close`. Total dollars, signed:
    `cost, market_value, natural_value, pnl_abs, pnl_day`. Total dollars, positive: `max_loss`, infinite if
    unlimited. Fractions: `spread_pct, pnl_pct, pnl_day_pct, return_on_max_risk, iv`. Shares have their number
    in `quantity`, a multiplier of 1, and null in the columns of options.

    Args:
        portfolio: The holdings; their arrays are built on first use and kept as long as the object exists.
        live: The snapshot; ages are measured at its `as_of`.
        stale_after_seconds: The age above which a price is no longer live.

    Raises:
        ValueError: `stale_after_seconds` is not above zero.
    """
    arrays = arrays_of(portfolio)
    stocks = compute_live_rows(arrays.underlyings, live, stale_after_seconds)
    return build_table(Table.POSITIONS, position_columns(arrays, live, stocks, stale_after_seconds))


def position_columns(
    arrays: PortfolioArrays, live: LiveSnapshot, stocks: Valuation, stale_after_seconds: float
) -> dict[str, ColumnValues]:
    """Return the columns, keyed by name; `stocks` is the valuation of the portfolio's underlyings."""
    rows = arrays.positions
    now = settle(rows, compute_live_rows(rows, live, stale_after_seconds), stocks, live)
    return {
        **rows.columns,
        **build_quote_columns(rows, now, live),
        **_money_columns(arrays, now, live, doubts := doubt_positions(arrays, now, stocks)),
        "doubts": doubts,
        "cost_basis": arrays.cost_basis,
        "underlying_price": stocks.mark[rows.underlying_codes],
    }


def _money_columns(
    arrays: PortfolioArrays, now: Valuation, live: LiveSnapshot, doubts: ColumnValues
) -> dict[str, ColumnValues]:
    rows = arrays.positions
    cost, max_loss, at_risk = rows.memo.get("risk", now.scale, lambda: _risk(arrays, now.scale))
    pnl = (now.mark - arrays.cost_basis) * now.scale
    new = opened_today(arrays.opened, live)
    base = np.where(new, arrays.cost_basis, now.close)
    pnl_day = np.where(now.is_over, 0.0, (now.mark - base) * now.scale)
    warnings = now.warnings | flag(has_any(doubts), RowWarning.DOUBTFUL_ENTRY)
    # A short option earns at most its credit, a long put its strike minus the cost; a long call has no limit.
    most = np.where(rows.quantity < 0, -cost, np.where(rows.is_put, rows.strike * now.scale - cost, np.nan))
    return {
        "cost": cost,
        "market_value": now.mark * now.scale,
        "natural_value": now.natural * now.scale,
        "pnl_abs": pnl,
        "pnl_pct": divide(pnl, cost),
        "pnl_day": pnl_day,
        "pnl_day_pct": divide(pnl_day, base * now.scale),
        "max_loss": max_loss,
        "max_profit_pct": pnl / np.where((most > 0) & ~rows.is_stock & ~rows.adjusted, most, np.nan),
        "days_held": days_since(arrays.opened, live, rows.memo),
        "return_on_max_risk": pnl / at_risk,
        "warnings": warnings | _differs(arrays, live) | np.where(new, 0, now.close_doubts),
    }


def _differs(arrays: PortfolioArrays, live: LiveSnapshot) -> Numbers:
    """Return the warning bits of rows with a different quantity at the broker."""
    rows, held = arrays.positions, live.broker_positions
    if not held and live.broker_positions_at is None:  # not read yet; an empty account has a time
        return np.zeros(len(rows.symbols), dtype=np.int64)

    def look_up() -> Numbers:
        totals = arrays.compared_quantities
        apart = flags(
            abs(totals.get(symbol, 0.0) - (held[symbol].quantity if symbol in held else 0.0))
            > QUANTITY_TOLERANCE
            and not is_unsure(symbol, held, live.broker_unread)
            for symbol in rows.symbols
        )
        return flag(apart & arrays.compared, RowWarning.BROKER_DIFFERS)

    return rows.memo.get("broker differs", held or (), look_up, also=(live.broker_unread,))


def _risk(arrays: PortfolioArrays, scale: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the cost, the maximum loss, and the loss as a divisor, NaN unless finite and positive."""
    # A long position can lose its cost, a short put its strike minus the credit; the loss of any other short
    # is unlimited, and that of an adjusted contract unknown, as in `describe_structure`.
    rows, cost = arrays.positions, arrays.cost_basis * scale
    short = np.where(rows.is_put, cost - rows.strike * scale, np.inf)
    max_loss = np.where(rows.adjusted, np.nan, np.where(rows.quantity > 0, cost, short))
    return cost, max_loss, np.where((max_loss > 0) & (max_loss < np.inf), max_loss, np.nan)
