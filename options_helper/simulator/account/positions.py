"""The simulated account's holdings: signed quantities at average entry prices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

_NOTHING = Decimal(0), Decimal(0)


class Positions:
    """Quantities and entry prices by symbol.

    Args:
        held: The initial holdings.
    """

    def __init__(self, held: Mapping[str, tuple[float, float]]) -> None:
        self._held = {
            symbol: (Decimal(str(quantity)), Decimal(str(entry)))
            for symbol, (quantity, entry) in held.items()
        }

    def __iter__(self) -> Iterator[tuple[str, Decimal, Decimal]]:
        """Yield the symbol, quantity and entry price of every holding."""
        return iter([(symbol, *position) for symbol, position in self._held.items() if position[0]])

    def quantity(self, symbol: str) -> Decimal:
        """Return the signed quantity of a symbol, 0 if it is not held."""
        return self._held.get(symbol, _NOTHING)[0]

    def move(self, symbol: str, change: Decimal, price: Decimal) -> Decimal:
        """Buy or sell, and return the holding; adding averages the entry price, crossing zero resets it."""
        held, entry = self._held.get(symbol, _NOTHING)
        after = held + change
        if held * change >= 0 and after:
            entry = (abs(held) * entry + abs(change) * price) / abs(after)
        elif held * after < 0:
            entry = price
        self._held[symbol] = after, entry
        return after

    def adjust(self, symbol: str, successor: str) -> None:
        """Replace a contract with its adjusted successor."""
        self._held[successor] = self._held.pop(symbol, _NOTHING)

    def split(self, symbol: str, ratio: Decimal) -> None:
        """Multiply a holding and divide its entry price."""
        held, entry = self._held.get(symbol, _NOTHING)
        self._held[symbol] = held * ratio, entry / ratio

    def turns_over(self, symbol: str, side: str, qty: int) -> bool:
        """Return whether a trade of this quantity would cross zero."""
        held = self.quantity(symbol)
        return held * (held + (qty if side == "buy" else -qty)) < 0

    def intent(self, symbol: str, side: str) -> str:
        """Return the intent of a trade: closing the opposite holding, or opening one."""
        held = self.quantity(symbol)
        closing = held < 0 if side == "buy" else held > 0
        return f"{side}_to_{'close' if closing else 'open'}"
