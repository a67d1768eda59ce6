"""The signed quantities of a portfolio file, keyed by symbol in the broker's spelling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from options_helper.analysis.osi import contract_symbol, stock_symbol
from options_helper.models import AnyPosition, EquityPosition, Leg, Portfolio, Position, StockLeg


@dataclass(frozen=True, slots=True)
class FilePart:
    """One leg of a structure, or a single position.

    Attributes:
        leg: The leg's index in its structure; 0 for a single position.
        quantity: Signed contracts or shares.
    """

    position_id: str
    leg: int
    symbol: str
    quantity: Decimal


def parts_of(position: AnyPosition) -> list[FilePart]:
    """Return the parts of a position, with legs in the file's order."""
    rows = [position] if isinstance(position, Position | EquityPosition) else position.legs
    return [
        FilePart(position.id, number, *_symbol_and_quantity(position.symbol, row))
        for number, row in enumerate(rows)
    ]


def compared_positions(portfolio: Portfolio) -> Iterator[AnyPosition]:
    """Yield the positions to compare with the account: all but those marked `"account": "none"`."""
    if portfolio.account is None:
        yield from (position for position in portfolio.positions if position.account is None)


def _symbol_and_quantity(
    underlying: str, row: Position | EquityPosition | Leg | StockLeg
) -> tuple[str, Decimal]:
    if isinstance(row, EquityPosition):
        return stock_symbol(underlying), Decimal(str(row.shares))
    if isinstance(row, StockLeg):
        return stock_symbol(underlying), Decimal(str(row.signed_shares))
    contracts = row.contracts if isinstance(row, Position) else row.signed_contracts
    return contract_symbol(underlying, row), Decimal(contracts)
