"""The symbols that a position needs before it can be live."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from options_helper.analysis.contracts.products import is_index
from options_helper.analysis.holdings.plausibility import find_doubts
from options_helper.analysis.osi import contract_symbol, stock_symbol
from options_helper.errors import ContractSymbolError
from options_helper.models import (
    STANDARD_MULTIPLIER,
    EquityPosition,
    Leg,
    MultiLegPosition,
    Position,
    StockLeg,
)


@dataclass(slots=True)
class PositionNeed:
    """The needs of one position.

    Attributes:
        id: The position's.
        stock: Alpaca's symbol of the underlying, or of the shares.
        owns_shares: Whether the position's own mark needs that stock.
        contracts: Alpaca's symbols of its contracts that have not expired, each once.
        expired: Those that have.
        unnamed: Sentences on options whose terms no contract symbol can carry.
        doubts: Sentences on terms and prices that are possible and hardly meant.
        pinned: Whether the file wants it streamed before all others.
        first_expiry: The earliest expiry of its contracts.
        notional: Dollars of the underlying that it controls, at its strikes or cost.
    """

    id: str
    stock: str
    owns_shares: bool
    contracts: list[str] = field(default_factory=list)
    expired: list[str] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    pinned: bool = False
    first_expiry: dt.date = dt.date.max
    notional: float = 0.0

    @property
    def index(self) -> bool:
        """Return True if the underlying is an index, which has no shares."""
        return is_index(self.stock)


def find_need(position: Position | MultiLegPosition | EquityPosition, today: dt.date) -> PositionNeed:
    """Return the needs of a position on a New York date; on its last day a contract has not expired."""
    legs = position.legs if isinstance(position, MultiLegPosition) else [position]
    need = PositionNeed(
        id=position.id,
        stock=stock_symbol(position.symbol),
        owns_shares=any(isinstance(leg, EquityPosition | StockLeg) for leg in legs),
        pinned=bool(position.stream),
    )
    for leg in legs:
        if isinstance(leg, Position | Leg):
            _add_option(need, position.symbol, leg, today)
        elif isinstance(leg, EquityPosition):
            need.notional += abs(leg.shares) * leg.cost_basis
    if need.contracts:
        need.doubts += [f"{need.id}: {doubt}" for doubt in find_doubts(position)]
    return need


def _add_option(need: PositionNeed, underlying: str, terms: Position | Leg, today: dt.date) -> None:
    try:
        symbol = contract_symbol(underlying, terms)
    except ContractSymbolError as error:
        need.unnamed.append(f"{need.id} will not be live: {error}")
        return
    symbols = need.expired if terms.expiry < today else need.contracts
    if symbol not in symbols:
        symbols.append(symbol)
    if terms.expiry >= today:
        need.first_expiry = min(need.first_expiry, terms.expiry)
        need.notional += abs(terms.contracts) * (terms.multiplier or STANDARD_MULTIPLIER) * terms.strike
