"""The models of the user's holdings, and the types of their fields."""

from options_helper.models.fields import OptionType, Side
from options_helper.models.portfolio import (
    STANDARD_MULTIPLIER,
    AnyLeg,
    AnyPosition,
    EquityPosition,
    Leg,
    MultiLegPosition,
    Portfolio,
    Position,
    StockLeg,
)

__all__ = [
    "STANDARD_MULTIPLIER",
    "AnyLeg",
    "AnyPosition",
    "EquityPosition",
    "Leg",
    "MultiLegPosition",
    "OptionType",
    "Portfolio",
    "Position",
    "Side",
    "StockLeg",
]
