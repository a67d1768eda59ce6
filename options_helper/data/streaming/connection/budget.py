"""The number of channels that Alpaca grants on a data stream, found by trial and kept for the process.

The documented limits count symbols, but some plans count each symbol once per channel, so the limit is not
assumed. A refused request (405, or 400 for a symbol in an invalid format) subscribes to nothing and leaves
earlier subscriptions as they were.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

Ask = Callable[[dict[str, list[str]]], Awaitable[bool]]


class Budget(NamedTuple):
    """The number of symbols granted quotes, and how many of them are granted trades too."""

    quotes: int
    trades: int

    @property
    def channels(self) -> int:
        """The total number of channels."""
        return self.quotes + self.trades

    @classmethod
    def unlimited(cls, symbols: Sequence[str]) -> Budget:
        """Return the budget that grants everything."""
        return cls(len(symbols), len(symbols))

    def request(self, symbols: Sequence[str]) -> dict[str, list[str]]:
        """Return the largest request for these symbols that fits: quotes first, then trades."""
        quotes = min(len(symbols), self.quotes)
        trades = min(quotes, self.channels - quotes)
        return {"quotes": list(symbols[:quotes]), "trades": list(symbols[:trades])}


# By endpoint and key id; a larger plan is noticed after a restart of the process.
known_budgets: dict[tuple[str, str], Budget] = {}
# By endpoint, symbols in a format that Alpaca refuses.
known_invalid: dict[str, frozenset[str]] = {}


async def find_budget(symbols: Sequence[str], ask: Ask) -> Budget:
    """Subscribe to as many symbols as are granted, in order, and return the budget.

    Args:
        symbols: In order of priority.
        ask: Sends one request and returns False if it exceeds the limit.
    """
    quotes = await _grow("quotes", symbols, ask)
    trades = await _grow("trades", symbols[:quotes], ask)
    return Budget(quotes, trades)


async def _grow(channel: str, symbols: Sequence[str], ask: Ask) -> int:
    """Return the number of symbols granted on a channel, found with ever smaller requests."""
    granted, step = 0, len(symbols)
    while step:
        wanted = list(symbols[granted : granted + step])
        if wanted and await ask({channel: wanted}):
            granted += len(wanted)
        step = (step + 1) // 2 if step > 1 else 0
    return granted


async def find_invalid(
    symbols: Sequence[str], is_accepted: Callable[[Sequence[str]], Awaitable[bool]]
) -> frozenset[str]:
    """Return the symbols that are refused even alone, by halving each refused part.

    Args:
        symbols: Symbols that were refused together.
        is_accepted: Asks for some symbols; returns False if their format is refused.
    """
    invalid: set[str] = set()
    waiting = [symbols]
    while waiting:
        some = waiting.pop()
        if await is_accepted(some):
            continue
        if len(some) == 1:
            invalid.update(some)
        else:
            waiting += [some[::2], some[1::2]]
    return frozenset(invalid)
