"""Volatilities of strikes without an honest mark, interpolated from neighbouring strikes."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from statistics import fmean

from options_helper.analysis.risk.inputs import RiskInputs
from options_helper.analysis.risk.legs import RiskLegs
from options_helper.analysis.risk.pricing.implied import Solution
from options_helper.analysis.risk.pricing.model import Model
from options_helper.analysis.risk.pricing.reasons import Reason

Smile = dict[float, list[float]]


def fill_from_neighbours(
    legs: RiskLegs, inputs: RiskInputs, solutions: Sequence[Solution], model: Model
) -> tuple[Solution, ...]:
    """Return the solutions, with a modelled volatility for legs that lack only an honest mark.

    The volatility is that of the same strike's other option, or interpolated linearly between the nearest
    strikes with the same root and expiry. Nothing is modelled beyond the outermost strikes.
    """
    smiles: dict[int, Smile] = {}
    codes, strikes = legs.pairs.tolist(), legs.strike.tolist()
    for code, strike, each in zip(codes, strikes, solutions, strict=True):
        if each.reason is None:
            smiles.setdefault(code, {}).setdefault(strike, []).append(each.iv)
    found = list(solutions)
    for number, each in enumerate(solutions):
        option = inputs.options[number]
        if each.reason is not Reason.NO_MARK or option is None or codes[number] not in smiles:
            continue
        iv = _between(smiles[codes[number]], strikes[number])
        if not math.isnan(iv):
            found[number] = each._replace(iv=iv, greeks=model.greeks(option, iv), is_modelled=True)
    return tuple(found)


def _between(smile: Smile, strike: float) -> float:
    """Return the volatility at a strike; NaN beyond the outermost known strikes."""
    known = sorted(smile)
    place = bisect_left(known, strike)
    if place == len(known) or (place == 0 and known[0] != strike):
        return math.nan
    above = known[place]
    if above == strike:
        return fmean(smile[above])
    below = known[place - 1]
    share = (strike - below) / (above - below)
    return (1 - share) * fmean(smile[below]) + share * fmean(smile[above])
