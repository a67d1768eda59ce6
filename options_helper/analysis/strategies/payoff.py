"""Profit and loss at expiry as a piecewise linear function of the underlying's price."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from options_helper.analysis.arrays.types import Floats
from options_helper.models import OptionType

_CENT_FRACTION = 1e-6  # dollars; a smaller P/L counts as zero, a smaller difference as float error


@dataclass(frozen=True, slots=True)
class OptionAmount:
    """Options with one type and strike; `amount` is signed contracts times the multiplier."""

    option_type: OptionType
    strike: float
    amount: float


@dataclass(frozen=True, slots=True)
class Payoff:
    """The profit or loss at expiry of shares and options with a common expiry.

    Attributes:
        options: The options, summed per type and strike.
        shares: Signed shares.
        cost: Total dollars paid; negative for a credit.
    """

    options: tuple[OptionAmount, ...]
    shares: float
    cost: float

    def at(self, prices: ArrayLike) -> Floats:
        """Return the P/L in dollars at each price of the underlying."""
        price = np.asarray(prices, dtype=np.float64)
        value = self.shares * price - self.cost
        for option in self.options:
            inside = price - option.strike if option.option_type == "call" else option.strike - price
            value = value + option.amount * np.maximum(inside, 0.0)
        return value

    @property
    def max_profit(self) -> float:
        """The best outcome in dollars; `math.inf` if unlimited."""
        return math.inf if self._tail() > _CENT_FRACTION else max(self._corner_values())

    @property
    def max_loss(self) -> float:
        """The worst loss as a positive number of dollars; `math.inf` if unlimited."""
        return math.inf if self._tail() < -_CENT_FRACTION else -min(self._corner_values())

    @property
    def break_evens(self) -> tuple[float, ...]:
        """The prices above zero at which the P/L is zero or changes sign, ascending."""
        return tuple(sorted(self._zeros()))

    def _corners(self) -> list[float]:
        return [0.0, *sorted({option.strike for option in self.options})]

    def _corner_values(self) -> list[float]:
        return [float(value) for value in self.at(self._corners())]

    def _tail(self) -> float:
        """Return the change in dollars per dollar of the underlying above the highest strike."""
        return self.shares + math.fsum(each.amount for each in self.options if each.option_type == "call")

    def _zeros(self) -> Iterator[float]:
        points = list(zip(self._corners(), self._corner_values(), strict=True))
        yield from (price for price, value in points[1:] if abs(value) < _CENT_FRACTION)
        for (low, at_low), (high, at_high) in itertools.pairwise(points):
            if min(abs(at_low), abs(at_high)) >= _CENT_FRACTION and at_low * at_high < 0:
                yield low + (high - low) * at_low / (at_low - at_high)
        price, value = points[-1]
        if abs(value) >= _CENT_FRACTION and value * self._tail() < -(_CENT_FRACTION**2):
            yield price - value / self._tail()


def sum_options(options: Iterable[OptionAmount]) -> tuple[OptionAmount, ...]:
    """Combine options with the same type and strike, and drop those that cancel out."""
    amounts: dict[tuple[OptionType, float], float] = {}
    for option in options:
        key = (option.option_type, option.strike)
        amounts[key] = amounts.get(key, 0.0) + option.amount
    return tuple(OptionAmount(*key, amount) for key, amount in amounts.items() if amount)
