"""The implied volatilities of a contract's mark, bid and ask."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import QuantLib as ql  # noqa: N813 - the library's own abbreviation

from options_helper.analysis.risk.pricing.model import Model, ModelGreeks, OptionInputs
from options_helper.analysis.risk.pricing.reasons import WIDE_POINTS, Reason

LEAST_VOLATILITY, MOST_VOLATILITY = 1e-3, 10.0

# Accuracies of the volatility. The last secant step's error is far smaller than its length.
_ACCURACY = 1e-5
_SIDE_ACCURACY = 1e-3
_BLACK_ACCURACY = 1e-8
_MOST_STEPS, _BISECT_EVERY = 80, 8
_LEAST_DIFFERENCE = 1e-7  # dollars per share; a price closer to the model's lowest value has no volatility
_NAN = math.nan
NO_GREEKS = ModelGreeks(_NAN, _NAN, _NAN, _NAN, _NAN)


class Solution(NamedTuple):
    """The implied volatilities and Greeks of one quote.

    Attributes:
        iv, bid_iv, ask_iv: Fractions; NaN if unknown. `bid_iv` is 0 if the bid is below every model price.
        greeks: The Greeks of one share of a long option.
        reason: The reason why the quote has no volatility; None if it has one.
        is_modelled: True if `iv` was interpolated from neighbouring strikes; `reason` is then kept.
    """

    iv: float
    bid_iv: float
    ask_iv: float
    greeks: ModelGreeks
    reason: Reason | None
    is_modelled: bool = False


def unsolved(reason: Reason) -> Solution:
    """Return a solution without volatility and Greeks."""
    return Solution(_NAN, _NAN, _NAN, NO_GREEKS, reason)


def solve(model: Model, option: OptionInputs, bid: float, mark: float, ask: float) -> Solution:
    """Return the implied volatilities and Greeks of a two-sided quote, or the reason why there are none."""
    price = model.pricer(option)
    least = price(LEAST_VOLATILITY) + _LEAST_DIFFERENCE
    if mark <= least:
        return unsolved(Reason.BELOW_INTRINSIC)
    iv = _implied(price, option, mark, _ACCURACY)
    if iv >= MOST_VOLATILITY:
        return unsolved(Reason.ABOVE_ALL)
    low = _implied(price, option, bid, _SIDE_ACCURACY) if bid > least else 0.0
    high = _implied(price, option, ask, _SIDE_ACCURACY)
    if high - low > WIDE_POINTS / 100:
        return Solution(_NAN, low, high, NO_GREEKS, Reason.WIDE)
    return Solution(iv, min(low, iv), max(high, iv), model.greeks(option, iv), None)


def _implied(price: Callable[[float], float], option: OptionInputs, target: float, accuracy: float) -> float:
    """Return the volatility, at most `MOST_VOLATILITY`, that gives a price above the model's lowest one."""
    black, slope = _black_implied(option, target)
    if option.is_never_early or black >= MOST_VOLATILITY:
        return black
    # Early exercise adds to the price, so the European volatility is an upper bound.
    excess = price(black) - target
    if excess <= 0:
        return black
    return find_root(lambda volatility: price(volatility) - target, black, excess, slope, accuracy)


def _black_implied(option: OptionInputs, target: float) -> tuple[float, float]:
    """Return the volatility of a European price, at most `MOST_VOLATILITY`, and the price's slope at it."""
    kind = int(ql.Option.Put if option.is_put else ql.Option.Call)
    root = math.sqrt(option.years)
    strike, forward, discount = option.strike, option.forward, option.discount

    def difference(deviation: float) -> float:
        return float(ql.blackFormula(kind, strike, forward, deviation, discount)) - target

    least, most = LEAST_VOLATILITY * root, MOST_VOLATILITY * root
    if difference(most) <= 0:
        return MOST_VOLATILITY, 0.0
    guess = min(max(target / (0.4 * discount * forward), 2 * least), most / 2)  # exact at the money
    deviation = ql.Brent().solve(difference, _BLACK_ACCURACY * root, guess, least, most)
    slope = (difference(deviation * 1.001) - difference(deviation)) / (0.001 * deviation)
    return deviation / root, slope * root


def find_root(
    function: Callable[[float], float], high: float, at_high: float, slope: float, accuracy: float
) -> float:
    """Return the zero of an increasing function between `LEAST_VOLATILITY` and `high`.

    The search takes secant steps, the first with the given slope. It bisects when a step leaves the bracket,
    and at every eighth step, so the bracket always shrinks.
    """
    low, last, at_last = LEAST_VOLATILITY, high, at_high
    step = at_high / slope if slope > 0 else high
    for number in range(1, _MOST_STEPS):
        point = last - step
        if number % _BISECT_EVERY == 0 or not low < point < high:
            point = (low + high) / 2
        here = function(point)
        low, high = (low, point) if here > 0 else (point, high)
        slope = (here - at_last) / (point - last)
        last, at_last = point, here
        step = here / slope if slope > 0 else high
        if abs(step) < accuracy or high - low < accuracy:
            return min(max(point - step, low), high)
    return (low + high) / 2
