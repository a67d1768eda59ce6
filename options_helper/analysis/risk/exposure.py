"""Greeks and other exposures of a position, an underlying, a tag or the whole portfolio."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # with QuantLib, which naming a measure does not need
    from options_helper.analysis.risk.live_risk import LiveRisk


class Measure(StrEnum):
    """An exposure that can be summed; the value is its column in the risk tables."""

    DELTA = "delta"
    GAMMA = "gamma"
    THETA = "theta"
    VEGA = "vega"
    RHO = "rho"
    DOLLAR_DELTA = "dollar_delta"
    DOLLAR_GAMMA = "dollar_gamma"
    BETA_DELTA = "beta_delta"


class Exposure(NamedTuple):
    """The sum of a measure over the known legs of a selection.

    Attributes:
        value: The sum in the units of `LiveRisk`, beta-weighted delta in shares of the benchmark; None if
            unknown.
        covered_legs: The number of legs in the sum.
        legs: The number of legs in the selection, including expired ones; 0 if the portfolio has none.
    """

    value: float | None
    covered_legs: int
    legs: int

    @property
    def is_whole(self) -> bool:
        """True if the sum covers every leg of the selection."""
        return 0 < self.legs == self.covered_legs


def find_exposure(
    risk: LiveRisk,
    measure: Measure,
    *,
    position_id: str | None = None,
    underlying: str | None = None,
    tag: str | None = None,
) -> Exposure:
    """Return a measure's sum over a position, an underlying or a tag, by default over the whole portfolio.

    Raises:
        ValueError: More than one of `position_id`, `underlying` and `tag` is given.
    """
    tables = ((risk.positions, "id"), (risk.underlyings, "symbol"), (risk.tags, "tag"))
    chosen = [
        (table[table[key] == name])
        for (table, key), name in zip(tables, (position_id, underlying, tag), strict=True)
        if name is not None
    ]
    if len(chosen) > 1:
        raise ValueError("choose a position, an underlying or a tag, not several")
    if chosen and not len(chosen[0]):
        return Exposure(None, 0, 0)
    row = chosen[0].iloc[0] if chosen else risk.total
    counted = "beta_covered_legs" if measure is Measure.BETA_DELTA else "covered_legs"
    value = float(row[measure])
    return Exposure(None if math.isnan(value) else value, int(row[counted]), int(row["legs"]))
