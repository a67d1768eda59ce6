"""Black-Scholes without dividends: the price and Greeks of a European option."""

from __future__ import annotations

import math
from dataclasses import dataclass

RATE = 0.04
_ROOT_TWO_PI = math.sqrt(2 * math.pi)


@dataclass(frozen=True, slots=True)
class OptionValue:
    """A price in dollars per share, and Greeks: theta per day, vega and rho per percentage point."""

    price: float
    delta: float
    gamma: float
    theta: float
    vega: float
    rho: float


def _cumulative(value: float) -> float:
    return 0.5 * (1 + math.erf(value / math.sqrt(2)))


def value_option(
    spot: float, strike: float, years: float, volatility: float, *, is_call: bool
) -> OptionValue:
    """Return the value of one option; `years` and `volatility` must be above zero."""
    sign = 1.0 if is_call else -1.0
    spread = volatility * math.sqrt(years)
    d1 = (math.log(spot / strike) + (RATE + volatility**2 / 2) * years) / spread
    d2 = d1 - spread
    density = math.exp(-(d1**2) / 2) / _ROOT_TWO_PI
    present_strike = strike * math.exp(-RATE * years)
    exercised = _cumulative(sign * d2)
    decay = -spot * density * volatility / (2 * math.sqrt(years)) - sign * RATE * present_strike * exercised
    return OptionValue(
        price=max(sign * (spot * _cumulative(sign * d1) - present_strike * exercised), 0.0),
        delta=sign * _cumulative(sign * d1),
        gamma=density / (spot * spread),
        theta=decay / 365,
        vega=spot * density * math.sqrt(years) / 100,
        rho=sign * present_strike * years * exercised / 100,
    )
