"""Solutions kept from one snapshot to the next, so that only what moved is solved again."""

from __future__ import annotations

from typing import NamedTuple

from options_helper.analysis.risk.pricing.implied import Solution, solve
from options_helper.analysis.risk.pricing.model import Model, OptionInputs

# A solution stays while its time to expiry changes by less: an hour for a year, a second for three hours.
_TIME_FRACTION = 1e-4
_MOST_KEPT = 20_000


class _Kept(NamedTuple):
    option: OptionInputs
    prices: tuple[float, float, float]
    solution: Solution


class Solver:
    """Solves quotes and keeps the last solution of every contract; not thread-safe."""

    def __init__(self) -> None:
        self.model = Model()
        self.solved = 0
        self._kept: dict[str, _Kept] = {}

    def solve(self, symbol: str, option: OptionInputs, prices: tuple[float, float, float]) -> Solution:
        """Return the solution of a contract at its bid, mark and ask."""
        kept = self._kept.get(symbol)
        if kept is not None and kept.prices == prices and _is_same(kept.option, option):
            return kept.solution
        solution = solve(self.model, option, *prices)
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[symbol] = _Kept(option, prices, solution)
        self.solved += 1
        return solution


def _is_same(one: OptionInputs, other: OptionInputs) -> bool:
    """Return whether two options differ in nothing but a negligible time and dividend yield."""
    if abs(one.years - other.years) > _TIME_FRACTION * other.years:
        return False
    return one._replace(years=other.years, dividend_yield=other.dividend_yield) == other and (
        abs(one.dividend_yield - other.dividend_yield) <= _TIME_FRACTION
    )
