"""P/L curves of a position or an underlying over the underlying's price, up to the first expiry."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from options_helper.analysis.arrays.types import Floats
from options_helper.analysis.risk.pricing.model import PriceAll
from options_helper.analysis.risk.what_if.holdings import LegSelection


@dataclass(frozen=True, slots=True, eq=False)
class RiskCurve:
    """The P/L over the underlying's price at one date.

    Attributes:
        days: Calendar days from now.
        prices: Prices of the underlying in dollars, ascending.
        pnl: Dollars at each price.
        break_evens: The prices at which the P/L is zero, ascending.
    """

    days: float
    prices: Floats
    pnl: Floats
    break_evens: tuple[float, ...]


def compute_curve(
    price_all: PriceAll, holding: LegSelection, prices: Floats, days: float, cost: float
) -> RiskCurve:
    """Return the P/L at each price after a number of days, relative to the cost in dollars.

    Contracts that have expired by then have their intrinsic value, the others the model's.
    """
    pnl = holding.value_at(price_all, prices, days) - cost
    return RiskCurve(days, prices, pnl, find_zeros(prices, pnl))


def find_zeros(prices: Floats, pnl: Floats) -> tuple[float, ...]:
    """Return the prices at which the line through the points meets zero; of a stretch of zeros, its ends."""
    found = []
    for (low, at_low), (high, at_high) in pairwise(zip(prices.tolist(), pnl.tolist(), strict=True)):
        if at_low * at_high < 0:
            found.append(low + (high - low) * at_low / (at_low - at_high))
        elif (at_low == 0) != (at_high == 0):
            found.append(low if at_low == 0 else high)
    return tuple(dict.fromkeys(found))


def price_range(holding: LegSelection, spot: float, points: int) -> Floats:
    """Return prices around the spot that span every strike and three standard deviations (at most 60 %)."""
    strikes = [leg.option.strike for leg in holding.known if leg.option is not None]
    moves = [3 * leg.iv * math.sqrt(leg.option.years) for leg in holding.known if leg.option is not None]
    reach = min(max(moves, default=0.2), 0.6)
    low = min([spot * (1 - reach), *(0.95 * strike for strike in strikes)])
    high = max([spot * (1 + reach), *(1.05 * strike for strike in strikes)])
    grid = np.linspace(max(low, 0.01), high, points)
    return np.unique(np.concatenate([grid, np.array([*strikes, spot])]))
