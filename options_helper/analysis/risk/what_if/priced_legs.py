"""P/L of legs by move and day; equal legs are priced once, and only if their inputs have changed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from options_helper.analysis.arrays.types import Floats
from options_helper.analysis.risk.pricing.model import OptionInputs, PriceAll
from options_helper.analysis.risk.what_if.holdings import KnownLeg, MovedLeg, values_of

# Prices are kept while time changes by less than this fraction, as solutions are: about an hour in a year.
_TIME_FRACTION = 1e-4
_AT_ONCE = -(10**9)  # equals no time's number

Key = TypeVar("Key")


class _Inputs(NamedTuple):
    """Everything on which a leg's prices depend; equal inputs have equal prices."""

    option: OptionInputs | None
    iv: float
    spot: float
    beta: float


class PricedLegs(NamedTuple):
    """The values per dollar of scale in one computation; the next one reuses those that are unchanged."""

    moves: tuple[float, ...]
    iv_shift: float
    now: Mapping[_Inputs, Floats]
    then: Mapping[tuple[_Inputs, int], Floats]


NOTHING_PRICED = PricedLegs((), 0.0, {}, {})


class Moves(NamedTuple):
    """The moves as fractions, the days from now, and the change in volatility as a fraction."""

    moves: tuple[float, ...]
    days: tuple[float, ...]
    iv_shift: float


def compute_pnl(
    price_all: PriceAll, legs: Sequence[tuple[KnownLeg, float]], moved: Moves, before: PricedLegs
) -> tuple[Floats, PricedLegs]:
    """Return P/L per move and day of legs and their betas, and the values from which it was computed."""
    scales: dict[_Inputs, float] = {}
    known: dict[_Inputs, KnownLeg] = {}
    for leg, beta in legs:
        inputs = _inputs_of(leg, beta)
        scales[inputs] = scales.get(inputs, 0.0) + leg.scale
        known.setdefault(inputs, leg._replace(scale=1.0))
    factors, by_number = np.array(moved.moves), {_number(day): day for day in moved.days}

    def moved_leg(key: tuple[_Inputs, int]) -> MovedLeg:
        leg, day = known[key[0]], by_number[key[1]]
        return MovedLeg(leg, leg.spot * np.maximum(1 + key[0].beta * factors, 0.0), day, moved.iv_shift)

    def unmoved_leg(inputs: _Inputs) -> MovedLeg:
        return MovedLeg(known[inputs], np.array([inputs.spot]))

    now = _renew(price_all, before.now, list(known), unmoved_leg)
    is_same = (before.moves, before.iv_shift) == (moved.moves, moved.iv_shift)
    keys = [(inputs, number) for number in by_number for inputs in known]
    then = _renew(price_all, before.then if is_same else {}, keys, moved_leg)
    scale = np.array(list(scales.values()))
    at_first = np.array([now[inputs] for inputs in known])
    columns = [
        scale @ (np.array([then[inputs, _number(day)] for inputs in known]) - at_first) for day in moved.days
    ]
    return np.array(columns).T, PricedLegs(moved.moves, moved.iv_shift, now, then)


def _renew(
    price_all: PriceAll, before: Mapping[Key, Floats], keys: Sequence[Key], leg_of: Callable[[Key], MovedLeg]
) -> dict[Key, Floats]:
    """Return the value of each key; only keys without an earlier value are priced."""
    missing = [key for key in keys if key not in before]
    fresh = dict(zip(missing, values_of(price_all, [leg_of(key) for key in missing]), strict=True))
    return {key: fresh[key] if key in fresh else before[key] for key in keys}


def _inputs_of(leg: KnownLeg, beta: float) -> _Inputs:
    option = leg.option
    if option is not None:
        option = option._replace(years=float(_number(option.years)))
    return _Inputs(option, leg.iv, leg.spot, beta)


def _number(time: float) -> int:
    """Return a number that times have in common if they differ only negligibly."""
    return round(math.log(time) / math.log1p(_TIME_FRACTION)) if time > 0 else _AT_ONCE
