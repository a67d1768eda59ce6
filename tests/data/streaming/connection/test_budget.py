"""The channel budget of a data stream."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_helper.data.streaming.connection.budget import Budget, find_budget, find_invalid


class Plan:
    """Grants a number of channels, counted per symbol or per channel and symbol."""

    def __init__(self, limit: int, *, per_channel: bool) -> None:
        self.limit, self.per_channel, self.requests = limit, per_channel, 0
        self.granted: dict[str, set[str]] = {"quotes": set(), "trades": set()}

    def count(self, granted: dict[str, set[str]]) -> int:
        quotes, trades = granted["quotes"], granted["trades"]
        return len(quotes) + len(trades) if self.per_channel else len(quotes | trades)

    async def ask(self, request: dict[str, list[str]]) -> bool:
        self.requests += 1
        changed = {name: known | set(request.get(name, ())) for name, known in self.granted.items()}
        if self.count(changed) > self.limit:
            return False
        self.granted = changed
        return True


@given(symbols=st.integers(1, 300), limit=st.integers(0, 650), per_channel=st.booleans())
def test_whatever_is_granted_is_found(symbols: int, limit: int, *, per_channel: bool) -> None:
    """A few requests fill the limit with quotes of the first symbols, then what is left of it with trades."""
    names = [f"S{number}" for number in range(symbols)]
    plan = Plan(limit, per_channel=per_channel)
    budget = asyncio.run(find_budget(names, plan.ask))
    quotes = min(symbols, limit)
    trades = min(quotes, limit - quotes) if per_channel else quotes
    assert budget == Budget(quotes, trades)
    assert plan.granted == {"quotes": set(names[:quotes]), "trades": set(names[:trades])}
    assert plan.requests <= 22


@pytest.mark.parametrize(
    ("symbols", "quotes", "trades"), [(60, 30, 0), (20, 20, 10), (10, 10, 10), (30, 30, 0)]
)
def test_a_known_budget_makes_one_request(symbols: int, quotes: int, trades: int) -> None:
    """The next connection requests what fits, quotes first."""
    names = [f"S{number}" for number in range(symbols)]
    request = Budget(30, 0).request(names)
    assert (request["quotes"], request["trades"]) == (names[:quotes], names[:trades])


@given(bad=st.sets(st.integers(0, 59), min_size=1, max_size=5))
def test_the_invalid_symbols_are_found_by_halving(bad: set[int]) -> None:
    """Exactly the symbols that are refused alone are found, in few requests."""
    names = [f"S{number}" for number in range(60)]
    invalid = {names[number] for number in bad}
    asked: list[int] = []

    async def is_accepted(some: Sequence[str]) -> bool:
        asked.append(len(some))
        return not invalid.intersection(some)

    assert asyncio.run(find_invalid(names, is_accepted)) == invalid
    assert len(asked) <= 1 + 12 * len(bad)
