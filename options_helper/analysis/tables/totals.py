"""The portfolio's totals, each with its coverage; a total with a missing leg is partial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from options_helper.analysis.holdings.portfolio_arrays import arrays_of
from options_helper.analysis.tables.sums import TableSums, Total
from options_helper.analysis.valuation.quote_state import QuoteState
from options_helper.models import Portfolio


@dataclass(frozen=True, slots=True)
class LiveTotals:
    """The totals of a portfolio; expired contracts count at their provisional settlement.

    Attributes:
        open_pnl, day_pnl: Dollars. A structure counts with all of its legs or not at all. `day_pnl` excludes
            lots closed today, because they are no longer in the file.
        cost: Dollars paid minus dollars received.
        market_value: The value of all legs at their marks, negative for shorts; each leg counts on its own.
        portfolio_value: Cash plus market value.
        premium_at_risk: The cost of long options, and of debit structures without shares, which is lost if
            they expire worthless.
        open_pnl_pct: `open_pnl` divided by the sum of the positions' |cost|, as a fraction.
        day_pnl_pct: `day_pnl` divided by the portfolio's value before it, as a fraction. Both fractions are
            None if a part is incomplete or the divisor is not above zero.
        oldest_age_seconds: The age of the oldest price behind a mark; None if unknown.
        legs, live_legs, expired: The number of legs that have not expired, are live, and have expired.
        settled: The number of expired legs with a provisional settlement; the others leave totals incomplete.
        states: The number of unexpired legs per state, without states that do not occur.
    """

    open_pnl: Total
    day_pnl: Total
    cost: Total
    market_value: Total
    portfolio_value: Total
    premium_at_risk: Total
    open_pnl_pct: float | None
    day_pnl_pct: float | None
    oldest_age_seconds: float | None
    legs: int
    live_legs: int
    expired: int
    settled: int
    states: Mapping[str, int]


def compute_live_totals(
    portfolio: Portfolio, position_rows: pd.DataFrame, structure_rows: pd.DataFrame, legs: pd.DataFrame
) -> LiveTotals:
    """Return the totals of three tables computed for this portfolio, with all their rows in order.

    Raises:
        ValueError: The tables' lengths differ from the portfolio's.
    """
    sums = TableSums.of_tables(arrays_of(portfolio), position_rows, structure_rows, legs)
    return sum_up(sums, portfolio.cash)


def sum_up(sums: TableSums, cash: float) -> LiveTotals:
    """Return the totals of a portfolio, given its sums per underlying and its cash."""
    open_pnl, day_pnl, market_value = sums.open_pnl.whole(), sums.day_pnl.whole(), sums.market_value.whole()
    value = Total(cash + market_value.partial, market_value.covered, market_value.legs)
    states = sums.count_states()
    return LiveTotals(
        open_pnl=open_pnl,
        day_pnl=day_pnl,
        cost=sums.cost.whole(),
        market_value=market_value,
        portfolio_value=value,
        premium_at_risk=sums.premium_at_risk.whole(),
        open_pnl_pct=_fraction(open_pnl, sums.gross_cost.whole()),
        day_pnl_pct=_fraction(day_pnl, Total(value.partial - day_pnl.partial, value.covered, value.legs)),
        oldest_age_seconds=sums.oldest_age(),
        legs=sum(states.values()),
        live_legs=states.get(QuoteState.LIVE, 0),
        expired=sums.expired,
        settled=int(sums.settled.sum()),
        states=states,
    )


def _fraction(part: Total, base: Total) -> float | None:
    """Return `part` divided by `base`; None unless both cover all legs and the base is above zero."""
    if part.value is None or base.value is None or base.value <= 0:
        return None
    return part.value / base.value
