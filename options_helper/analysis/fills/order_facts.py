"""Everything known about one order: reports of executions, totals, states, corrections and events.

Quantities and prices are decimals made from the shortest text of their floats, which is exactly Alpaca's.
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
LONG_AGO = dt.datetime(1, 1, 2, tzinfo=dt.UTC)  # an unknown time that every time zone can express
_FINEST_NUMBER = Decimal("1e-12")  # quantities have up to nine decimals, prices of coins more
_LARGEST = 1e15


class Report(NamedTuple):
    """One report of one execution.

    `identity` distinguishes reports of the same total; it is the stream's execution id or REST's activity id.
    A leg's share of a multi-leg fill has no identity, only its parent's `execution_id`.
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
    """A filled quantity reported for the order, its average price, and the time by which it was reached."""

    cumulative: Decimal
    average: Decimal | None
    at: dt.datetime


class Correction(NamedTuple):
    """A bust or correction of an earlier execution; a correction has the new quantity and price.

    `execution_id` is the correction's own id, which a later correction of the same execution may name.
    """

    event: str
    previous_id: str | None
    quantity: Decimal | None
    price: Decimal | None
    at: dt.datetime
    execution_id: str | None = None


class OtherEvent(NamedTuple):
    """An event that is not an execution, such as `held` or `order_cancel_rejected`."""

    at: dt.datetime
    event: str
    reason: str | None


class OrderState(NamedTuple):
    """The state of an order or leg in one report."""

    at: dt.datetime
    terms: OrderTerms
    is_rest: bool

    @property
    def changed_at(self) -> dt.datetime:
        """The time of the order's last change, or the report's time if the order does not state it."""
        return self.terms.get("updated_at") or self.at


class ReportedBy(StrEnum):
    """The source of an execution; `DERIVED` is a quantity known only from totals."""

    LIVE = "live"
    REST = "rest"
    BOTH = "both"
    DERIVED = "derived"


class PriceOrigin(StrEnum):
    """The origin of an execution's price.

    A `DERIVED` price follows exactly from two averages. `MIXED` means no price, because shares and contracts
    have no common unit.
    """

    REPORTED = "reported"
    DERIVED = "derived"
    MIXED = "mixed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One execution of an order, or a filled quantity without a reported execution.

    Attributes:
        cumulative: The order's reported filled quantity after the execution.
        quantity, price: The figures after any correction.
        average: The order's average price after the execution, including busts and corrections.
        was: The quantity and price before a correction.
        occurrence: The index among executions with the same cumulative quantity; above 0 only after a bust.
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
        """The quantity that counts: 0 if busted."""
        return ZERO if self.busted else self.quantity


@dataclass(slots=True)
class OrderFacts:
    """Everything known about one order or leg.

    Attributes:
        parent_id: The id of the multi-leg or bracket order that this leg belongs to.
        states: The order's reported states, in any order.
        last_rest_fill: The newest REST fill, for fields that no state has.
        newest: The newest reported value of each field; set by `settle`, as are the next two attributes.
        reported: The newest state's total and its time, even if an earlier total was higher.
        reported_at: The time of the newest state, or of the newest REST fill if there is no state.
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
        """True for a multi-leg order with known legs; only the legs have executions."""
        return self.newest.get("order_class") == MULTI_LEG and bool(self.leg_ids)

    @property
    def began_at(self) -> dt.datetime | None:
        """The time the order was submitted."""
        return self.newest.get("submitted_at") or self.newest.get("created_at")

    @property
    def changed_at(self) -> dt.datetime | None:
        """The time of the order's last known change."""
        return self.newest.get("updated_at") or self.reported_at

    @property
    def quantity(self) -> Decimal | None:
        """The order's whole quantity."""
        return exact(self.newest.get("qty"))

    def add_state(self, state: OrderState) -> None:
        """Add a reported state and its total."""
        self.states.append(state)
        filled = exact(state.terms.get("filled_qty"))
        if filled:
            average = exact(state.terms.get("filled_avg_price"))
            self.totals.append(TotalSeen(filled, average, state.changed_at))

    def add_correction(self, correction: Correction) -> None:
        """Add a bust or correction, unless it is already known."""
        if correction not in self.corrections:
            self.corrections.append(correction)

    def settle(self) -> None:
        """Apply the states from oldest to newest; at equal times, REST takes precedence."""
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
    """Return a float as an exact decimal with 12 places, or None if it is missing or absurdly large."""
    if number is None or not abs(number) < _LARGEST:
        return None
    return Decimal(repr(float(number))).quantize(_FINEST_NUMBER)


def _overlay(newest: dict[str, object], terms: OrderTerms) -> None:
    newest.update((name, value) for name, value in terms.items() if value is not None)


def _state_rank(state: OrderState) -> tuple[dt.datetime, float, bool, dt.datetime]:
    return (state.changed_at, state.terms.get("filled_qty") or 0.0, state.is_rest, state.at)
