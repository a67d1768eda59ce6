"""Legs that the model can value at other prices, dates and volatilities."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from options_helper.analysis.arrays.types import Floats, Numbers
from options_helper.analysis.risk.live_risk import LiveRisk
from options_helper.analysis.risk.pricing.implied import LEAST_VOLATILITY
from options_helper.analysis.risk.pricing.model import DAYS_PER_YEAR, OptionInputs, PriceAll, PriceGrid
from options_helper.analysis.text.wording import coverage

_LEAST_SPOT = 1e-3  # dollars; the model cannot price options on a worthless share
_EXPIRED_YEARS = 1e-9  # less than a tick: at its own expiry a contract's rounded time left is not always zero


class KnownLeg(NamedTuple):
    """One leg that the model can value.

    Attributes:
        option: The contract; None for shares.
        iv: The volatility as a fraction; 0 for shares.
        scale: Dollars per point for the whole signed quantity.
        spot: The underlying's current price.
    """

    option: OptionInputs | None
    iv: float
    scale: float
    spot: float


class MovedLeg(NamedTuple):
    """One leg at several prices of its underlying, after a number of days, with a different volatility."""

    leg: KnownLeg
    spots: Floats
    days: float = 0.0
    iv_shift: float = 0.0

    @property
    def grid(self) -> PriceGrid | None:
        """The prices that the model must find; None for shares and expired contracts."""
        option = self.leg.option
        if option is None or (left := option.years - self.days / DAYS_PER_YEAR) < _EXPIRED_YEARS:
            return None
        iv = max(self.leg.iv + self.iv_shift, LEAST_VOLATILITY)
        return PriceGrid(option._replace(years=left), iv, np.maximum(self.spots, _LEAST_SPOT).tolist())

    @property
    def intrinsic(self) -> Floats:
        """The prices of shares, or the intrinsic values of a contract."""
        option, spots = self.leg.option, self.spots
        if option is None:
            return spots
        return np.maximum(option.strike - spots if option.is_put else spots - option.strike, 0.0)


def values_of(price_all: PriceAll, changes: Sequence[MovedLeg]) -> list[Floats]:
    """Return the values in dollars of each changed leg at its prices, all priced in one call."""
    grids = [each.grid for each in changes]
    priced = iter(price_all([grid for grid in grids if grid is not None]))
    return [
        each.leg.scale * (each.intrinsic if grid is None else np.array(next(priced)))
        for each, grid in zip(changes, grids, strict=True)
    ]


class LegSelection(NamedTuple):
    """The legs of a selection that the model can value, and the number of all its legs."""

    known: Sequence[KnownLeg]
    legs: int

    @property
    def coverage(self) -> str:
        """The coverage in words, such as `13 of 14 legs`."""
        return coverage(len(self.known), self.legs)

    @property
    def is_whole(self) -> bool:
        """True if the model can value every leg."""
        return len(self.known) == self.legs

    @property
    def front_days(self) -> float:
        """The days until the first expiry; 0 without options."""
        years = [leg.option.years for leg in self.known if leg.option is not None]
        return min(years, default=0.0) * DAYS_PER_YEAR

    def value_at(self, price_all: PriceAll, spots: Floats, days: float) -> Floats:
        """Return the total value of the known legs in dollars; all must have the same underlying."""
        values = values_of(price_all, [MovedLeg(leg, spots, days) for leg in self.known])
        return np.sum(values, axis=0) if values else np.zeros(len(spots))


def holding_of(risk: LiveRisk, numbers: Iterable[int]) -> LegSelection:
    """Return a selection of legs, given their indices in the risk's table of legs.

    A position with a leg that the model cannot value is left out, because its other legs alone would show a
    different risk.
    """
    legs = {number: _known_leg(risk, number) for number in numbers}
    positions = risk.terms.position_ids
    partial = {positions[number] for number, leg in legs.items() if leg is None}
    known = [leg for number, leg in legs.items() if leg is not None and positions[number] not in partial]
    return LegSelection(known, len(legs))


def known_words(risk: LiveRisk, numbers: Sequence[int]) -> str:
    """Return the number of legs that the model can value, each on its own, such as `1 of 2 legs`."""
    return coverage(sum(_known_leg(risk, number) is not None for number in numbers), len(numbers))


def _known_leg(risk: LiveRisk, number: int) -> KnownLeg | None:
    option, solution = risk.inputs.options[number], risk.solutions[number]
    scale, spot = float(risk.prices.scale[number]), float(risk.prices.spot[number])
    if risk.terms.is_stock[number] and spot > 0:
        return KnownLeg(None, 0.0, scale, spot)
    if option is not None and not math.isnan(solution.iv):
        return KnownLeg(option, solution.iv, scale, option.spot)
    return None


def first_expiry_of(risk: LiveRisk, numbers: Sequence[int]) -> float:
    """Return the days until the first expiry of the legs that `holding_of` knows; 0 without options."""
    years = risk.inputs.years[_known_of(risk, numbers)]
    return float(np.nanmin(years, initial=math.inf)) * DAYS_PER_YEAR if np.any(years > 0) else 0.0


def knows_any(risk: LiveRisk, numbers: Sequence[int]) -> bool:
    """Return whether `holding_of` knows any of the legs."""
    return len(_known_of(risk, numbers)) > 0


def _known_of(risk: LiveRisk, numbers: Sequence[int]) -> Numbers:
    """Return the indices of those legs whose positions have no unknown leg."""
    chosen, terms = np.array(numbers, dtype=np.int64), risk.terms
    iv = np.array([risk.solutions[number].iv for number in numbers])
    is_known = np.where(terms.is_stock[chosen], risk.prices.spot[chosen] > 0, ~np.isnan(iv))
    positions = terms.position_codes[chosen]
    return chosen[~np.isin(positions, positions[~is_known])]


def legs_on(risk: LiveRisk, *, position_id: str | None = None, stock: str | None = None) -> list[int]:
    """Return the indices of the legs of a position or an underlying, by default of the whole portfolio."""
    terms = risk.terms
    return [
        number
        for number in range(len(terms))
        if (position_id is None or terms.position_ids[number] == position_id)
        and (stock is None or terms.stocks[number] == stock)
    ]
