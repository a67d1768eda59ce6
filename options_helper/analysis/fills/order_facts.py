"""Everything known about one order: reports of executions, totals, states, corrections, events.

Quantities and prices are decimals, read from the shortest text of their floats, so that they are exactly
what the vendor wrote.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple, cast

from options_helper.order_rows import OrderRow, OrderTerms

FILLS = frozenset({"fill", "partial_fill"})
BUST = "trade_bust"
CORRECTIONS = frozenset({BUST, "trade_correct"})
MULTI_LEG = "mleg"
ZERO = Decimal(0)
LONG_AGO = dt.datetime(1, 1, 2, tzinfo=dt.UTC)  # an unknown time; every zone can express it
_FINEST_NUMBER = Decimal("1e-12")  # quantities have up to nine decimals, prices of coins more
_LARGEST = 1e15


class Report(NamedTuple):
    """One report of one execution.

    `identity` distinguishes reports of the same total: the stream's execution id or REST's activity id. A
    leg's share of a multi-leg fill has no identity of its own, only its parent's `execution_id`.
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
    """A total reported on the order: the filled quantity, its average price, and the latest time."""

    cumulative: Decimal
    average: Decimal | None
    at: dt.datetime


class Correction(NamedTuple):
    """A bust, or a correction with its new quantity and price, of an earlier execution.

    `execution_id` is its own id, by which a later correction of the same execution may refer to it.
    """

    event: str
    previous_id: str | None
    quantity: Decimal | None
    price: Decimal | None
    at: dt.datetime
    execution_id: str | None = None


class OtherEvent(NamedTuple):
    """An event that is no execution, such as `held` or `order_cancel_rejected`."""

    at: dt.datetime
    event: str
    reason: str | None


class OrderState(NamedTuple):
    """An order or leg as it was reported at one time."""

    at: dt.datetime
    terms: OrderTerms
    is_rest: bool

    @property
    def changed_at(self) -> dt.datetime:
        """The time of its last change, by the order itself or else by its report."""
        return self.terms.get("updated_at") or self.at


class ReportedBy(StrEnum):
    """The source of an execution's report; DERIVED is a quantity known only from totals."""

    LIVE = "live"
    REST = "rest"
    BOTH = "both"
    DERIVED = "derived"


class PriceOrigin(StrEnum):
    """The origin of an execution's price.

    DERIVED follows exactly from two averages. MIXED is none: shares and contracts have no common unit.
    """

    REPORTED = "reported"
    DERIVED = "derived"
    MIXED = "mixed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One execution, or a quantity whose execution was missed, on its order's line.

    Attributes:
        cumulative: The order's filled quantity after it, as reported.
        quantity, price: As corrected.
        average: The order's average price after it, including busts and corrections.
        was: The quantity and price before a correction.
        occurrence: Its number among executions with the same cumulative quantity, which a bust can cause;
            else 0.
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
        """The quantity that counts: none if busted."""
        return ZERO if self.busted else self.quantity


@dataclass(slots=True)
class OrderFacts:
    """Everything known about one order or leg.

    Attributes:
        parent_id: The order whose leg this is, a spread's or a bracket's.
        states: The order's reported states, in any order.
        last_rest_fill: The newest REST fill, for fields that no state has.
        newest: Each field as the newest report that has it; set by `settle`, as are the next two.
        reported: The total of the newest state and its time, even if it is lower than an earlier one.
        reported_at: When the newest state, or else the newest REST fill, was reported.
    """

    order_id: str
    parent_id: str | None = None
    leg_ids: list[str] = field(default_factory=list)
    states: list[OrderState] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    totals: list[TotalSeen] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    events: list[OtherEvent] = field(default_factory=list)
    last_rest_fill: OrderRow | None = None
    newest: OrderTerms = field(default_factory=OrderTerms)
    reported: TotalSeen | None = None
    reported_at: dt.datetime | None = None

    @property
    def is_multi_leg(self) -> bool:
        """True for the parent of a spread, which has no executions of its own, only its legs'."""
        return self.newest.get("order_class") == MULTI_LEG and bool(self.leg_ids)

    @property
    def began_at(self) -> dt.datetime | None:
        """The time the order was submitted."""
        return self.newest.get("submitted_at") or self.newest.get("created_at")

    @property
    def changed_at(self) -> dt.datetime | None:
        """Return when it last changed."""
        return self.newest.get("updated_at") or self.reported_at

    @property
    def quantity(self) -> Decimal | None:
        """Return the order's whole quantity."""
        return exact(self.newest.get("qty"))

    def add_state(self, state: OrderState) -> None:
        """Add the state that a report contains, and its total."""
        self.states.append(state)
        filled = exact(state.terms.get("filled_qty"))
        if filled:
            average = exact(state.terms.get("filled_avg_price"))
            self.totals.append(TotalSeen(filled, average, state.changed_at))

    def add_correction(self, correction: Correction) -> None:
        """Add a bust or correction unless it is already known."""
        if correction not in self.corrections:
            self.corrections.append(correction)

    def settle(self) -> None:
        """Apply the states from the oldest to the newest; REST wins if both report the same time."""
        newest: dict[str, object] = {}
        if self.last_rest_fill is not None:
            _overlay(newest, self.last_rest_fill)
            self.reported_at = self.last_rest_fill["timestamp"]
        for state in sorted(self.states, key=_state_rank):
            _overlay(newest, state.terms)
            self.reported_at = state.at
            total = exact(state.terms.get("filled_qty"))
            if total is not None:
                average = exact(state.terms.get("filled_avg_price"))
                self.reported = TotalSeen(total, average, max(state.changed_at, state.at))
        self.newest = cast("OrderTerms", newest)


@lru_cache(maxsize=4096)  # the same quantities and averages are read with each order update
def exact(number: float | None) -> Decimal | None:
    """Return a float as the decimal that was written, to 12 places; None if no order can have it."""
    if number is None or not abs(number) < _LARGEST:
        return None
    return Decimal(repr(float(number))).quantize(_FINEST_NUMBER)


def _overlay(newest: dict[str, object], terms: OrderTerms) -> None:
    newest.update((name, value) for name, value in terms.items() if value is not None)


def _state_rank(state: OrderState) -> tuple[dt.datetime, float, bool, dt.datetime]:
    return (state.changed_at, state.terms.get("filled_qty") or 0.0, state.is_rest, state.at)
