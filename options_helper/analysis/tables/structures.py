"""The structures table and the table of their legs.

If a leg has no mark, its structure has none; the sums of a structure are never partial.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from options_helper.analysis.arrays.typed_columns import (
    ColumnValues,
    categories,
    floats,
    format_coverage,
    objects,
    texts,
)
from options_helper.analysis.arrays.types import Codes, Flags, Floats, Numbers
from options_helper.analysis.holdings.portfolio_arrays import (
    PortfolioArrays,
    StructureArrays,
    arrays_of,
    reduce_by,
)
from options_helper.analysis.holdings.session_ends import days_until, hours_until
from options_helper.analysis.risk.greek_signs import GREEK_NAMES
from options_helper.analysis.strategies.structures import Structure, describe_structure
from options_helper.analysis.tables.build_table import build_table
from options_helper.analysis.tables.column_type import Table
from options_helper.analysis.tables.doubts import doubt_structures, has_any
from options_helper.analysis.valuation.marks import compute_natural
from options_helper.analysis.valuation.quote_state import CODE, QuoteState
from options_helper.analysis.valuation.reference import days_since, opened_today
from options_helper.analysis.valuation.row_warnings import RowWarning, flag
from options_helper.analysis.valuation.settlement import settle
from options_helper.analysis.valuation.value_rows import (
    STATE_TYPE,
    Valuation,
    build_quote_columns,
    compute_live_rows,
    divide,
)
from options_helper.market import LiveSnapshot
from options_helper.models import Portfolio


class Descriptions(NamedTuple):
    """The columns that depend only on the terms and the multipliers."""

    columns: Mapping[str, ColumnValues]
    at_risk: Floats
    unit_multiplier: Floats


_LEAST_BASE = 0.25  # least base of a spread percentage, as a fraction of the legs' absolute values


class LegSums(NamedTuple):
    """The sums and extremes over the legs of each structure."""

    net_mark: Floats
    natural: Floats
    opposite: Floats
    gross: Floats
    missing: Numbers
    all_expired: Flags
    oldest_quote: Floats
    oldest_mark: Floats
    warnings: Numbers


def compute_live_multileg_rows(
    portfolio: Portfolio, live: LiveSnapshot, *, stale_after_seconds: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return one row per structure, and one row per leg of all structures, both in the file's order.

    Structures, in total dollars: `net_debit` (also as `cost`), `net_mark` (also as `market_value`),
    `net_natural` (closing at the bid of longs and the ask of shorts), `net_pnl_abs, pnl_day, max_profit,
    max_loss` (a loss as a positive figure; infinite if unlimited, null if undefined). Per share of one unit:
    `cost_basis, bid, ask, mark, natural, delta, gamma, theta, vega`. `dte` and `hours_left` refer to the
    first expiry.

    Legs have prices per share, and `leg_value, market_value, natural_value, pnl_day` in signed dollars. A leg
    of shares has its number in `quantity` and null in the columns of options.

    Raises:
        ValueError: `stale_after_seconds` is not above zero.
    """
    arrays = arrays_of(portfolio)
    stocks = compute_live_rows(arrays.underlyings, live, stale_after_seconds)
    structures, legs = structure_columns(arrays, live, stocks, stale_after_seconds)
    return build_table(Table.STRUCTURES, structures), build_table(Table.LEGS, legs)


def structure_columns(
    arrays: PortfolioArrays, live: LiveSnapshot, stocks: Valuation, stale_after_seconds: float
) -> tuple[dict[str, ColumnValues], dict[str, ColumnValues]]:
    """Return both tables' columns, keyed by name; `stocks` is the valuation of the underlyings."""
    own = arrays.structures
    now = settle(arrays.legs, compute_live_rows(arrays.legs, live, stale_after_seconds), stocks, live)
    new = opened_today(own.opened, live)
    quotes = build_quote_columns(arrays.legs, now, live)
    structures = {
        **own.columns,
        **_structure_columns(arrays, now, live, new, stale_after_seconds),
        **_net_greeks(arrays, now, quotes),
        "underlying_price": stocks.mark[own.underlying_codes],
    }
    legs = {
        **arrays.legs.columns,
        **quotes,
        **_leg_money(arrays, now, new),
        "underlying_price": stocks.mark[arrays.legs.underlying_codes],
    }
    return structures, legs


def _leg_money(arrays: PortfolioArrays, now: Valuation, new: Flags) -> dict[str, ColumnValues]:
    value = now.mark * now.scale
    # The file does not contain the costs of legs, so P/L Day is unknown for a leg opened today.
    is_new = np.repeat(new, arrays.structures.sizes)
    return {
        "leg_value": value,
        "market_value": value,
        "natural_value": now.natural * now.scale,
        "pnl_day": np.where(is_new, np.nan, _leg_days(now)),
        "warnings": now.warnings | np.where(is_new, 0, now.close_doubts),
    }


def _leg_days(now: Valuation) -> Floats:
    """Return each leg's P/L since the previous close; 0 for contracts that expired on an earlier day."""
    return np.where(now.is_over, 0.0, (now.mark - now.close) * now.scale)


def _structure_columns(
    arrays: PortfolioArrays, now: Valuation, live: LiveSnapshot, new: Flags, stale_after_seconds: float
) -> dict[str, ColumnValues]:
    own = arrays.structures
    sums, about = _sum_legs(arrays, now, new, stale_after_seconds), _describe(arrays, now)
    pnl, most = sums.net_mark - own.net_debit, about.columns["max_profit"]
    doubts = doubt_structures(arrays, sums.net_mark, sums.all_expired)
    return {
        **about.columns,
        **_dates(own, now, live),
        **_unit_prices(own, sums, own.units * about.unit_multiplier),
        **_day_results(own, now, new, pnl),
        "net_debit": own.net_debit,
        "cost": own.net_debit,
        "net_mark": sums.net_mark,
        "market_value": sums.net_mark,
        "net_natural": sums.natural,
        "net_pnl_abs": pnl,
        "net_pnl_pct": divide(pnl, own.net_debit),
        "return_on_max_risk": pnl / about.at_risk,
        "max_profit_pct": pnl / np.where((most > 0) & (most < np.inf), most, np.nan),
        "days_held": days_since(own.opened, live, own.memo),
        "quote_age_seconds_max": sums.oldest_quote,
        "mark_age_seconds": sums.oldest_mark,
        "missing_legs": sums.missing,
        "legs_with_mark": format_coverage(own.sizes - sums.missing, own.sizes),
        "state": categories(_worst_states(own, now, sums.all_expired), STATE_TYPE),
        "doubts": doubts,
        "warnings": sums.warnings | flag(has_any(doubts), RowWarning.DOUBTFUL_ENTRY),
    }


def _unit_prices(own: StructureArrays, sums: LegSums, divisor: Floats) -> dict[str, ColumnValues]:
    """Return prices per share of one unit; `divisor` is the whole structure's dollars per point."""
    bid, ask = sums.natural / divisor, sums.opposite / divisor
    # Legs that nearly cancel out leave no base for a percentage.
    middle = (sums.natural + sums.opposite) / 2
    base = np.where(np.abs(middle) < _LEAST_BASE * sums.gross, np.nan, middle / divisor)
    return {
        "cost_basis": own.net_debit / divisor,
        "mark": sums.net_mark / divisor,
        "natural": bid,
        "bid": bid,
        "ask": ask,
        "spread_pct": divide(ask - bid, base),
    }


def _day_results(own: StructureArrays, now: Valuation, new: Flags, pnl: Floats) -> dict[str, ColumnValues]:
    """Return the day's P/L, which is the whole P/L for a structure opened today."""
    pnl_day = np.where(new, pnl, _sum(own, _leg_days(now)))
    base = np.where(new, own.net_debit, _sum(own, now.close * now.scale))
    return {"pnl_day": pnl_day, "pnl_day_pct": divide(pnl_day, base)}


def _sum_legs(arrays: PortfolioArrays, now: Valuation, new: Flags, stale_after_seconds: float) -> LegSums:
    own, rows = arrays.structures, arrays.legs
    without = np.isnan(now.mark)
    # Opening the same position would use the other side of each quote.
    opposite = compute_natural(now.marks.bid, now.marks.ask, -rows.quantity)
    missing = _sum(own, without.astype(np.int64))
    all_expired = _sum(own, now.expired.astype(np.int64)) == own.sizes
    ages = np.where(now.expired, np.nan, now.mark_ages)
    oldest = reduce_by(np.fmax, own.starts, ages)
    apart = oldest - reduce_by(np.fmin, own.starts, ages) > stale_after_seconds
    doubts = reduce_by(np.bitwise_or, own.starts, now.close_doubts)
    warnings = (
        reduce_by(np.bitwise_or, own.starts, now.warnings)
        | np.where(new, 0, doubts)
        | flag((missing > 0) & ~all_expired, RowWarning.MISSING_LEG)
        | flag(np.isnan(own.net_debit), RowWarning.MISSING_NET_DEBIT)
        | flag(apart, RowWarning.MIXED_AGES)
    )
    return LegSums(
        net_mark=_sum(own, now.mark * now.scale),
        natural=_sum(own, now.natural * now.scale),
        opposite=_sum(own, np.where(now.expired, np.nan, opposite) * now.scale),
        gross=_sum(own, np.abs(now.mark * now.scale)),
        missing=missing,
        all_expired=all_expired,
        oldest_quote=reduce_by(np.fmax, own.starts, now.quote_ages),
        oldest_mark=oldest,
        warnings=warnings,
    )


def _worst_states(own: StructureArrays, now: Valuation, all_expired: Flags) -> Codes:
    """Return the worst state of each structure's unexpired legs; a warning reports expired ones."""
    expired, best = CODE[QuoteState.EXPIRED], CODE[QuoteState.LIVE]
    worst = reduce_by(np.maximum, own.starts, np.where(now.expired, best, now.states))
    return np.where(all_expired, expired, worst)


def _dates(own: StructureArrays, now: Valuation, live: LiveSnapshot) -> dict[str, ColumnValues]:
    first_last_trading = reduce_by(np.minimum, own.starts, now.ends.last_trading)
    return {
        "dte": days_until(own.first_expiry_day, live, own.memo),
        "hours_left": hours_until(first_last_trading, own.first_last_day, live),
    }


def _net_greeks(
    arrays: PortfolioArrays, now: Valuation, quotes: Mapping[str, ColumnValues]
) -> dict[str, ColumnValues]:
    rows = arrays.legs
    size, side = np.abs(now.scale), np.sign(rows.quantity)
    nets = {
        name: _sum(
            arrays.structures,
            # A share has a delta of 1 and no other Greek.
            np.where(rows.is_stock, side if name == "delta" else 0.0, quotes[name]) * size,
        )
        for name in GREEK_NAMES
    }
    divisor = arrays.structures.units * _describe(arrays, now).unit_multiplier
    return {
        **{f"net_{name}": net for name, net in nets.items()},
        **{name: net / divisor for name, net in nets.items()},
    }


def _describe(arrays: PortfolioArrays, now: Valuation) -> Descriptions:
    """Return names, widths, extremes and divisors, which change only with the vendor's multipliers."""
    return arrays.structures.memo.get("descriptions", now.multiplier, lambda: _descriptions(arrays, now))


def _descriptions(arrays: PortfolioArrays, now: Valuation) -> Descriptions:
    own = arrays.structures
    per_structure = np.split(now.multiplier, own.starts[1:]) if len(own) else []
    found: list[Structure] = [
        describe_structure(position, list(multipliers))
        for position, multipliers in zip(own.positions, per_structure, strict=True)
    ]
    max_loss = floats(each.max_loss for each in found)
    of_options = np.where(arrays.legs.is_stock, np.nan, now.multiplier)
    most, least = reduce_by(np.fmax, own.starts, of_options), reduce_by(np.fmin, own.starts, of_options)
    return Descriptions(
        columns={
            "name": texts([each.name for each in found]),
            "kind": texts([each.kind.value for each in found]),
            "width": floats(each.width for each in found),
            "max_profit": floats(each.max_profit for each in found),
            "max_loss": max_loss,
            "break_evens": objects([each.break_evens for each in found]),
        },
        at_risk=np.where((max_loss > 0) & (max_loss < np.inf), max_loss, np.nan),
        unit_multiplier=np.where(most == least, most, np.nan),
    )


def _sum(own: StructureArrays, values: NDArray[Any]) -> NDArray[Any]:
    return reduce_by(np.add, own.starts, values)
