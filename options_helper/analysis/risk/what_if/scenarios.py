"""The P/L of a selection at other prices, dates and volatilities, relative to its value now."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from options_helper.analysis.arrays.types import Floats
from options_helper.analysis.risk.live_risk import LiveRisk
from options_helper.analysis.risk.pricing.model import DAYS_PER_YEAR, PriceAll
from options_helper.analysis.risk.what_if.holdings import LegSelection, holding_of
from options_helper.analysis.risk.what_if.priced_legs import NOTHING_PRICED, Moves, PricedLegs, compute_pnl
from options_helper.analysis.text.figures import MINUS, format_percent, format_pnl

MOVES = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
_PORTFOLIO_STEP = 0.03
_MOST_STEP, _LEAST_STEP = 0.25, 0.002
_FIXED_DAYS = (0.0, 1.0, 7.0, 30.0)
_MOST_DAYS = 30


@dataclass(frozen=True, slots=True, eq=False)
class Scenario:
    """A grid of P/L in dollars.

    Attributes:
        name: The name of the moving price, such as `SPY` or `every underlying`.
        changes: The moves as fractions, one per row.
        days: Calendar days from now, one per column.
        iv_points: Points added to every volatility.
        pnl: A value per row and column; NaN if no leg is known.
        coverage: The number of legs in every cell, in words.
        is_whole: True if these are all legs of the selection.
        first_expiry: The days until the first expiry; 0 without options.
        priced: The values from which it was computed.
    """

    name: str
    changes: tuple[float, ...]
    days: tuple[float, ...]
    iv_points: float
    pnl: Floats
    coverage: str
    is_whole: bool
    first_expiry: float = 0.0
    priced: PricedLegs = NOTHING_PRICED

    @property
    def worst_words(self) -> str:
        """The worst cell in words, with its move and day; "" if nothing is known."""
        if not len(self.pnl) or np.isnan(self.pnl).all():
            return ""
        row, column = np.unravel_index(int(np.nanargmin(self.pnl)), self.pnl.shape)
        where = (
            f"{self.name} {format_change(self.changes[int(row)])}, {self.day_words(self.days[int(column)])}"
        )
        partly = "" if self.is_whole else f" ({self.coverage})"
        return f"Worst in this grid: {format_pnl(float(self.pnl[row, column]))} at {where}{partly}"

    def day_words(self, days: float) -> str:
        """Return a column's day in words: `now`, `tomorrow`, `in 7 days` or `at first expiry`."""
        if days and days == self.first_expiry:
            return "at first expiry"
        return {0.0: "now", 1.0: "tomorrow"}.get(days, f"in {days:g} days")


class Shock(NamedTuple):
    """A selection of legs and the price move applied to them.

    Attributes:
        holdings: The legs, keyed by underlying.
        name: The name of the moving price.
        step: One move, as a fraction.
        betas: The move of each underlying per move of `name`; underlyings without a beta are left out. None
            moves all by the same fraction.
    """

    holdings: Mapping[str, LegSelection]
    name: str
    step: float
    betas: Mapping[str, float] | None = None


def shock_of(risk: LiveRisk, numbers: Sequence[int]) -> Shock:
    """Return the shock for some legs: expected moves of a single underlying, else moves through beta."""
    holdings = {stock: holding_of(risk, own) for stock, own in _by_stock(risk, numbers).items()}
    if len(holdings) == 1:
        [(stock, holding)] = holdings.items()
        return Shock(holdings, stock, step_of(holding))
    betas = risk.at.betas
    if betas is None:
        return Shock(holdings, "every underlying", _PORTFOLIO_STEP)
    return Shock(holdings, betas.benchmark, _PORTFOLIO_STEP, betas.values)


def compute_scenario(
    price_all: PriceAll,
    shock: Shock,
    *,
    changes: Sequence[float],
    iv_points: float,
    days: Sequence[float],
    before: PricedLegs = NOTHING_PRICED,
) -> Scenario:
    """Compute the grid of a selection.

    Args:
        price_all: The pricing function.
        shock: The selection and its price move.
        changes: The moves as fractions, one per row.
        iv_points: Points added to every volatility, in all columns.
        days: Calendar days from now, one per column.
        before: The values of an earlier grid; those with unchanged inputs are not computed again.
    """
    betas = dict.fromkeys(shock.holdings, 1.0) if shock.betas is None else shock.betas
    known = [
        (leg, betas[stock])
        for stock, holding in shock.holdings.items()
        if stock in betas
        for leg in holding.known
    ]
    whole = LegSelection([leg for leg, _ in known], sum(holding.legs for holding in shock.holdings.values()))
    moved, priced = Moves(tuple(changes), tuple(days), iv_points / 100), before
    pnl = np.full((len(changes), len(days)), math.nan)
    if known:
        pnl, priced = compute_pnl(price_all, known, moved, before)
    return Scenario(
        name=shock.name,
        changes=moved.moves,
        days=moved.days,
        iv_points=iv_points,
        pnl=pnl,
        coverage=whole.coverage,
        is_whole=whole.is_whole,
        first_expiry=first_expiry_days(shock.holdings),
        priced=priced,
    )


def step_of(holding: LegSelection) -> float:
    """Return the expected move up to the first expiry as a fraction.

    It is computed from the volatility nearest to the money. At most 30 days count, so a distant expiry does
    not lead to implausibly large moves.
    """
    options = [leg for leg in holding.known if leg.option is not None]
    if not options:
        return _PORTFOLIO_STEP
    nearest = min(options, key=lambda leg: abs(leg.option.strike / leg.spot - 1) if leg.option else math.inf)
    days = min(max(holding.front_days, 1.0), float(_MOST_DAYS))
    step = nearest.iv * math.sqrt(days / DAYS_PER_YEAR)
    return min(max(step, _LEAST_STEP), _MOST_STEP)


def moves_of(step: float) -> tuple[float, ...]:
    """Return the moves of the grid: three down, none, and three up."""
    return tuple(move * step for move in MOVES)


def days_for(holdings: Mapping[str, LegSelection]) -> tuple[float, ...]:
    """Return the days of the grid: now, tomorrow, in a week, in 30 days, and the first expiry."""
    return days_until(first_expiry_days(holdings))


def days_until(first: float) -> tuple[float, ...]:
    """Return the days of a grid whose first expiry is in `first` days; 0 without options."""
    return tuple(sorted({*_FIXED_DAYS, first}))


def first_expiry_days(holdings: Mapping[str, LegSelection]) -> float:
    """Return the days until the first expiry; 0 without options."""
    return min((each.front_days for each in holdings.values() if each.front_days > 0), default=0.0)


def _by_stock(risk: LiveRisk, numbers: Sequence[int]) -> dict[str, list[int]]:
    """Return the indices of the legs, keyed by underlying."""
    found: dict[str, list[int]] = {}
    for number in numbers:
        found.setdefault(risk.terms.stocks[number], []).append(number)
    return found


def format_change(change: float) -> str:
    """Return a move such as `+8.0%`, or `unchanged`."""
    return format_percent(change, signed=True) if change else "unchanged"


def scenario_rows(scenario: Scenario) -> list[dict[str, object]]:
    """Return the grid as rows for a CSV file, one per cell."""
    return [
        {
            "moves": scenario.name,
            "change": change,
            "days": round(day, 4),
            "iv_points": scenario.iv_points,
            "pnl": None if math.isnan(value := float(scenario.pnl[row, column])) else round(value, 2),
            "coverage": scenario.coverage,
        }
        for row, change in enumerate(scenario.changes)
        for column, day in enumerate(scenario.days)
    ]


def format_shift(points: float) -> str:
    """Return a change in volatility such as `+5 points`."""
    sign = "+" if points > 0 else MINUS if points < 0 else ""
    return f"{sign}{abs(points):g} points"
