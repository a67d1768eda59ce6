"""One execution of an order, or a quantity whose execution was missed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from options_helper.analysis.fills.order_facts import ZERO


class ReportedBy(StrEnum):
    """The source of an execution's report; DERIVED is a quantity known only from totals."""

    LIVE = "live"
    REST = "rest"
    BOTH = "both"
    DERIVED = "derived"


class PriceOrigin(StrEnum):
    """The origin of an execution's price; DERIVED follows exactly from two averages."""

    REPORTED = "reported"
    DERIVED = "derived"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One execution, or a quantity whose execution was missed, on its order's line.

    Attributes:
        cumulative: The order's filled quantity after it, as reported.
        quantity, price: As corrected.
        average: The order's average price after it, busts and corrections counted.
        was: Quantity and price before a correction.
        occurrence: 0, or its number among executions of one cumulative quantity, which a bust can leave.
    """

    cumulative: Decimal
    quantity: Decimal
    price: Decimal | None
    price_origin: PriceOrigin
    at: dt.datetime
    source: ReportedBy
    average: Decimal | None = None
    position_after: float | None = None
    execution_id: str | None = None
    activity_id: str | None = None
    busted: bool = False
    corrected: bool = False
    was: tuple[Decimal, Decimal | None] | None = None
    occurrence: int = 0

    @property
    def counted(self) -> Decimal:
        """Return the quantity that counts: none if busted."""
        return ZERO if self.busted else self.quantity
