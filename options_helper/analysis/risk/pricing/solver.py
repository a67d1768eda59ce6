"""A solver that keeps solutions from one snapshot to the next and solves only quotes that moved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from options_helper.analysis.risk.pricing.implied import Solution, solve
from options_helper.analysis.risk.pricing.model import Model, OptionInputs

# A solution is kept until its time to expiry changes by this fraction: about an hour in a year.
_TIME_FRACTION = 1e-4
_MOST_KEPT = 20_000

# From this number of contracts on, solving in this process would be noticeable; below it, another process is
# not worth its overhead.
_MANY = 50


class OptionQuote(NamedTuple):
    """A contract's inputs, and its bid, mark and ask in dollars per share."""

    symbol: str
    option: OptionInputs
    prices: tuple[float, float, float]


class _Kept(NamedTuple):
    quote: OptionQuote
    solution: Solution


class Solver:
    """Solves quotes and keeps the last solution of each contract; not thread-safe.

    Args:
        solve_many: A function that solves many quotes elsewhere and returns the solutions in their order.
    """

    def __init__(
        self, solve_many: Callable[[Sequence[OptionQuote]], Sequence[Solution]] | None = None
    ) -> None:
        self.model = Model()
        self.solved = 0
        self._solve_many = solve_many
        self._kept: dict[str, _Kept] = {}

    def solve_all(self, quotes: Sequence[OptionQuote]) -> list[Solution]:
        """Return the solutions of the quotes in their order; only quotes that moved are solved again."""
        moved = {each.symbol: each for each in quotes if not self._is_kept(each)}
        if len(self._kept) + len(moved) > _MOST_KEPT:
            self._kept.clear()
            moved = {each.symbol: each for each in quotes}
        for quote, solution in zip(moved.values(), self._solve(tuple(moved.values())), strict=True):
            self._kept[quote.symbol] = _Kept(quote, solution)
        self.solved += len(moved)
        return [self._kept[each.symbol].solution for each in quotes]

    def _solve(self, quotes: Sequence[OptionQuote]) -> Iterable[Solution]:
        if self._solve_many is not None and len(quotes) >= _MANY:
            return self._solve_many(quotes)
        return (solve(self.model, each.option, *each.prices) for each in quotes)

    def _is_kept(self, quote: OptionQuote) -> bool:
        kept = self._kept.get(quote.symbol)
        return (
            kept is not None
            and kept.quote.prices == quote.prices
            and _is_same(kept.quote.option, quote.option)
        )


def _is_same(one: OptionInputs, other: OptionInputs) -> bool:
    """Return whether two options differ only negligibly, in time and dividend yield."""
    if abs(one.years - other.years) > _TIME_FRACTION * other.years:
        return False
    return one._replace(years=other.years, dividend_yield=other.dividend_yield) == other and (
        abs(one.dividend_yield - other.dividend_yield) <= _TIME_FRACTION
    )
