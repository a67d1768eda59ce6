"""All that is known of one order: reports of executions, totals seen, states, corrections, events.

Quantities and prices are decimals, read from the shortest text of their floats, so that they are exactly
what the vendor wrote.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

Row: TypeAlias = Mapping[str, Any]

FILLS = frozenset({"fill", "partial_fill"})
BUST = "trade_bust"
CORRECTIONS = frozenset({BUST, "trade_correct"})
MULTI_LEG = "mleg"
ZERO = Decimal(0)
_GRAIN = Decimal("1e-12")  # quantities have up to nine decimals, prices of coins more
_LARGEST = 1e15
_LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)


class Report(NamedTuple):
    """One report of one execution.

    `identity` distinguishes it from another of the same total: the stream's execution id or REST's activity
    id. A leg's share of a multi-leg fill has none of its own, only its parent's `execution_id`.
    """

    cumulative: Decimal
    quantity: Decimal
    price: Decimal | None
    at: dt.datetime
    is_rest: bool
    identity: str | None
    execution_id: str | None = None
    position_after: float | None = None


class TotalSeen(NamedTuple):
    """A total seen on the order: how much was filled in all, at which average, by when."""

    cumulative: Decimal
    average: Decimal | None
    at: dt.datetime


class Correction(NamedTuple):
    """A bust, or a correction with its new quantity and price, of an earlier execution.

    `execution_id` is its own, by which a later correction of the same execution may name it.
    """

    event: str
    previous_id: str | None
    quantity: Decimal | None
    price: Decimal | None
    at: dt.datetime
    execution_id: str | None = None


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


@dataclass(slots=True)
class OrderFacts:
    """Everything known of one order or leg.

    Attributes:
        parent_id: The order whose leg this is, a spread's or a bracket's.
        states: The order's reported states, in any order.
        fallback: The newest REST fill, for fields that no state has.
        reported: The total of the newest state and its time, even if it is lower than an earlier one.
    """

    order_id: str
    parent_id: str | None = None
    leg_ids: list[str] = field(default_factory=list)
    states: list[Row] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    totals: list[TotalSeen] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    events: list[tuple[dt.datetime, str, str | None]] = field(default_factory=list)
    fallback: dict[str, Any] = field(default_factory=dict)
    reported: TotalSeen | None = None
    _known: dict[str, Any] = field(default_factory=dict)

    def latest(self, name: str) -> Any:  # noqa: ANN401 - the row's own types
        """A field of the newest state that has it, else as the fills tell it."""
        value = self._known.get(name)
        return self.fallback.get(name) if value is None else value

    @property
    def is_multi_leg(self) -> bool:
        """Return True for the parent of a spread, which has no executions of its own, only its legs'."""
        return self.latest("order_class") == MULTI_LEG and bool(self.leg_ids)

    @property
    def began_at(self) -> dt.datetime | None:
        """When it was submitted."""
        began: dt.datetime | None = self.latest("submitted_at") or self.latest("created_at")
        return began

    @property
    def quantity(self) -> Decimal | None:
        """The order's whole quantity."""
        return exact(self.latest("qty"))

    def settle(self) -> None:
        """Read the states from the oldest to the newest; REST wins where both tell of the same moment."""
        for state in sorted(self.states, key=_state_rank):
            self._known.update((name, value) for name, value in state.items() if value is not None)
            total = exact(state.get("filled_qty"))
            if total is not None:
                at = max(filter(None, (state.get("updated_at"), state.get("timestamp"), _LONG_AGO)))
                self.reported = TotalSeen(total, exact(state.get("filled_avg_price")), at)


def exact(number: float | None) -> Decimal | None:
    """A float as the decimal it was written as, to nine decimals; None for what no order can have."""
    if number is None or not abs(number) < _LARGEST:
        return None
    return Decimal(repr(float(number))).quantize(_GRAIN)


def _state_rank(state: Row) -> tuple[dt.datetime, float, bool, dt.datetime]:
    reported = state.get("timestamp") or _LONG_AGO
    changed = state.get("updated_at") or reported
    return (changed, state.get("filled_qty") or 0.0, state.get("origin") == "rest", reported)
