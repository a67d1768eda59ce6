"""The risk-neutral probability that a position makes a profit at expiry.

The price at expiry is assumed to be lognormal around the model's forward, with the volatility of the leg
nearest to the money. The probability is implied by prices; it is not a forecast. It is NaN if the payoff at
expiry or the volatility is unknown.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from options_helper.analysis.risk.inputs import RiskInputs
from options_helper.analysis.risk.legs import LegPrices
from options_helper.analysis.risk.pricing.implied import Solution
from options_helper.analysis.strategies.structures import describe_structure
from options_helper.models import MultiLegPosition, Portfolio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from options_helper.analysis.holdings.portfolio_arrays import PortfolioArrays
    from options_helper.market import LiveSnapshot

Spans = tuple[tuple[float, float], ...]


class _Wins(NamedTuple):
    """The prices at which a position profits at expiry (None if unknown), its first leg and leg count."""

    spans: Spans | None
    first: int
    size: int


def find_probabilities(
    portfolio: Portfolio,
    arrays: PortfolioArrays,
    live: LiveSnapshot,
    prices: LegPrices,
    inputs: RiskInputs,
    solutions: Sequence[Solution],
) -> NDArray[np.float64]:
    """Return the probability of profit of each position of the file, as a fraction."""
    wins = arrays.structures.memo.get(
        "risk wins", live.multipliers or (), lambda: _find_wins(portfolio, prices.multiplier.tolist())
    )
    return np.array([_probability(each, inputs, solutions) for each in wins], dtype=np.float64)


def _find_wins(portfolio: Portfolio, multipliers: list[float]) -> list[_Wins]:
    found, first = [], 0
    for position in portfolio.positions:
        size = len(position.legs) if isinstance(position, MultiLegPosition) else 1
        payoff = describe_structure(position, multipliers[first : first + size]).payoff
        spans: Spans | None = None
        if payoff is not None and payoff.options:
            highest = max(*payoff.break_evens, *(option.strike for option in payoff.options), 1.0)
            ends = (0.0, *payoff.break_evens, 2 * highest)
            middles = [(low + high) / 2 for low, high in pairwise(ends)]
            signs = payoff.at(middles) > 0
            bounds = (0.0, *payoff.break_evens, math.inf)
            spans = tuple(span for span, wins in zip(pairwise(bounds), signs, strict=True) if wins)
        found.append(_Wins(spans, first, size))
        first += size
    return found


def _probability(wins: _Wins, inputs: RiskInputs, solutions: Sequence[Solution]) -> float:
    if wins.spans is None:
        return math.nan
    known = [
        (abs(option.strike - option.spot), option, solutions[number].iv)
        for number in range(wins.first, wins.first + wins.size)
        if (option := inputs.options[number]) is not None and solutions[number].reason is None
    ]
    if not known:
        return math.nan
    _, option, iv = min(known)
    deviation = iv * math.sqrt(option.years)

    def below(price: float) -> float:
        """Return the probability that the price at expiry is below this one."""
        if price <= 0 or math.isinf(price):
            return float(price > 0)
        score = math.log(price / option.forward) / deviation + deviation / 2
        return (1 + math.erf(score / math.sqrt(2))) / 2

    return math.fsum(below(high) - below(low) for low, high in wins.spans)
