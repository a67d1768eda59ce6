"""Implied volatility: the one at which the model's price is the mark, with those of bid and ask beside it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import QuantLib as ql  # noqa: N813 - the library's own abbreviation

from options_helper.analysis.risk.pricing.model import Model, ModelGreeks, OptionInputs
from options_helper.analysis.risk.pricing.reasons import WIDE_POINTS, Reason

LEAST_VOLATILITY, MOST_VOLATILITY = 1e-3, 10.0

# Of volatility. The last secant's step errs by far less than its length.
_ACCURACY = 1e-5
_SIDE_ACCURACY = 1e-3
_BLACK_ACCURACY = 1e-8
_MOST_STEPS, _BISECT_EVERY = 80, 8
_LEAST_DIFFERENCE = 1e-7  # dollars per share above the least value, below which volatility means nothing
_NAN = math.nan
NO_GREEKS = ModelGreeks(_NAN, _NAN, _NAN, _NAN, _NAN)


class Solution(NamedTuple):
    """The implied volatilities and Greeks of one quote.

    Attributes:
        iv, bid_iv, ask_iv: Fractions, NaN for none; `bid_iv` is 0 if every volatility is too high.
        greeks: Of one share of one long option.
        reason: Why the quote has no volatility, None if it has one.
        is_modelled: Whether `iv` comes from the neighbours of its expiry instead; then `reason` stays.
    """

    iv: float
    bid_iv: float
    ask_iv: float
    greeks: ModelGreeks
    reason: Reason | None
    is_modelled: bool = False


def unsolved(reason: Reason) -> Solution:
    """Return the solution of a quote that has none."""
    return Solution(_NAN, _NAN, _NAN, NO_GREEKS, reason)


def solve(model: Model, option: OptionInputs, bid: float, mark: float, ask: float) -> Solution:
    """Return implied volatility and Greeks of one two-sided quote, or the reason why there are none."""
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
    """Return the volatility of a price above the least one, at most `MOST_VOLATILITY`."""
    black, slope = _black_implied(option, target)
    if option.is_never_early or black >= MOST_VOLATILITY:
        return black
    # Early exercise adds to the price, so the European volatility is the highest that it can be.
    excess = price(black) - target
    if excess <= 0:
        return black
    return find_root(lambda volatility: price(volatility) - target, black, excess, slope, accuracy)


def _black_implied(option: OptionInputs, target: float) -> tuple[float, float]:
    """Return the volatility of a European price, at most `MOST_VOLATILITY`, and the price's slope there."""
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
    """Return the zero of an increasing function above `LEAST_VOLATILITY` and below `high`.

    Secants, beginning with a line of this slope, and a bisection whenever one leaves the bracket; every
    eighth step bisects too, so that the bracket always closes.
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
