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
    """The symbols that one position needs, and the reasons for its priority.

    Attributes:
        id: The position's id.
        stock: Alpaca's symbol of the underlying, or of the shares.
        owns_shares: True if the position's mark needs that stock's price.
        contracts: Alpaca's symbols of its unexpired contracts, without duplicates.
        expired: Alpaca's symbols of its expired contracts.
        unnamed: Sentences about options whose terms no contract symbol can express.
        doubts: Sentences about terms and prices that are possible but probably not intended.
        pinned: True if the file asks to stream it before others.
        first_expiry: The earliest expiry of its contracts.
        notional: Dollars of the underlying that it controls, valued at its strikes or cost.
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
        """True if the underlying is an index, which has no shares."""
        return is_index(self.stock)


def find_need(position: Position | MultiLegPosition | EquityPosition, today: dt.date) -> PositionNeed:
    """Return a position's needs on a New York date; a contract is unexpired on its last day."""
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
