"""Records of executions, orders and the completeness of a day; `words` puts them into sentences."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

from options_helper.analysis.fills.order_facts import MULTI_LEG, PriceOrigin, ReportedBy
from options_helper.market import NO_UNREADABLE_ROWS, FillGap, UnreadableRows


class FillKind(StrEnum):
    """The kind of an execution: a single fill, the line of a multi-leg fill, or one of its legs."""

    SINGLE = "single"
    PARENT = "parent"
    LEG = "leg"


class Figures(NamedTuple):
    """A quantity and a price, each None if unknown."""

    quantity: float | None
    price: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One execution; a multi-leg fill has one with its net price and one for each leg.

    Attributes:
        key: Unique within the day, and the same whenever the day is built.
        at: The time of the execution; for a derived one, the time its quantity was first reported.
        quantity, price: The figures after any correction. The price is per share; a multi-leg line's is per
            unit, negative for a credit.
        filled, total, average_price: The order's filled quantity, whole quantity and average price after this
            execution.
        status: The order's current status.
        position_after: The signed position in the symbol, if the stream reported it.
        source: The source of the report; "derived" is an unconfirmed quantity known only from totals.
        busted, corrected: True if the execution was undone or changed later.
        busted_legs: The number of undone legs of a multi-leg line, if not all of them are.
        was: The figures before a correction.
    """

    key: str
    kind: FillKind
    order_id: str
    parent_id: str | None
    at: dt.datetime
    symbol: str
    side: str | None
    intent: str | None
    quantity: float | None
    price: float | None
    price_origin: PriceOrigin
    source: ReportedBy
    filled: float | None
    total: float | None
    average_price: float | None
    status: str | None
    position_after: float | None = None
    execution_id: str | None = None
    activity_id: str | None = None
    busted: bool = False
    busted_legs: int = 0
    corrected: bool = False
    was: Figures | None = None

    @property
    def confirmed(self) -> bool:
        """True if the stream or REST reported the execution itself."""
        return self.source is not ReportedBy.DERIVED


TermName = Literal["limit_price", "stop_price", "trail_price", "trail_percent", "qty"]


class TermChange(NamedTuple):
    """A term that a replacement changed."""

    name: TermName
    before: float | None
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent:
    """One event in an order's timeline.

    Attributes:
        event: Alpaca's word, such as `new`, `partial_fill` or `replaced`.
        figures: The quantity and limit of a `new` order, or the figures that a bust or correction names.
        order_type: The type of a `new` order.
        execution: The execution of a `fill` or `partial_fill`.
        changes: The terms that differ in the order that replaced this one.
        reason: Alpaca's reason, or "".
    """

    at: dt.datetime
    event: str
    figures: Figures | None = None
    order_type: str | None = None
    execution: Execution | None = None
    changes: tuple[TermChange, ...] = ()
    reason: str = ""


class Contradiction(NamedTuple):
    """A missed bust: the sum of an order's fills, and the lower total that the order reports."""

    fills: float
    order: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTimeline:
    """An order and its replacements, with all their events.

    Attributes:
        order_ids: The ids of the chain's orders, oldest first.
        limit_price, stop_price, quantity, status: The newest order's terms and status.
        notional: Dollars, for an order with an amount instead of a quantity.
        trail_price, trail_percent: A trailing stop's distance in dollars or percent.
        filled, average_price: The filled quantity and average price of the whole chain.
        steps: The events, oldest first.
        legs: The legs of a multi-leg or bracket order.
        contradiction: The newest contradiction in the chain, if any.
    """

    order_ids: tuple[str, ...]
    symbol: str
    side: str | None
    intent: str | None
    order_class: str | None
    type: str | None
    tif: str | None
    limit_price: float | None
    stop_price: float | None
    notional: float | None
    trail_price: float | None
    trail_percent: float | None
    extended_hours: bool
    quantity: float | None
    filled: float | None
    average_price: float | None
    status: str | None
    reject_reason: str
    submitted_at: dt.datetime | None
    changed_at: dt.datetime
    steps: tuple[OrderEvent, ...]
    legs: tuple[OrderTimeline, ...] = ()
    contradiction: Contradiction | None = None

    @property
    def order_id(self) -> str:
        """The id of the chain's newest order."""
        return self.order_ids[-1]

    @property
    def is_multi_leg(self) -> bool:
        """True if the prices are net prices of several legs."""
        return self.order_class == MULTI_LEG


@dataclass(frozen=True, slots=True, kw_only=True)
class FillFact:
    """The fills today in one contract or stock of a position, in one direction.

    Attributes:
        quantity: The total quantity, above zero; busted fills do not count.
        at: The time of the newest fill.
        after_save: Whether the fills came after the file was saved; None if the time of saving is unknown.
        fills: The number of fills.
        of_several: True if the position also holds other contracts, so this one must be named.
        shared_with: The ids of other positions with this contract or stock; the fills may belong to them.
    """

    symbol: str
    is_contract: bool
    bought: bool
    quantity: float
    at: dt.datetime
    after_save: bool | None
    fills: int = 1
    of_several: bool = False
    shared_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """The known gaps and doubts of a day of fills.

    Attributes:
        since: The start of the span for which the day claims to be complete.
        gaps: Spans of time in which fills may have been missed, oldest first; touching gaps are joined.
        day_start: Midnight in New York; a gap that starts by then is described only by its end.
        unconfirmed: The number of executions known only from totals; `unconfirmed_quantity` is their sum.
        contradictions: The number of orders with fills that exceed the order's own total.
        unreadable: REST rows that could not be read.
    """

    since: dt.datetime
    gaps: tuple[FillGap, ...]
    day_start: dt.datetime
    unconfirmed: int = 0
    unconfirmed_quantity: float = 0.0
    contradictions: int = 0
    unreadable: UnreadableRows = NO_UNREADABLE_ROWS

    @property
    def complete(self) -> bool:
        """True if nothing is in doubt."""
        return not (self.gaps or self.unconfirmed or self.contradictions or self.unreadable.count)

    @property
    def reason(self) -> str:
        """The reason why the newest gap is not closed, or ""."""
        return self.gaps[-1].reason if self.gaps else ""


def join_gaps(gaps: Iterable[FillGap]) -> tuple[FillGap, ...]:
    """Join gaps that touch or overlap; a joined gap has the newest reason."""
    joined: list[FillGap] = []
    for gap in sorted(gaps, key=lambda one: one.start):
        last = joined[-1] if joined else None
        if last is None or (last.end is not None and gap.start > last.end):
            joined.append(gap)
            continue
        ends = [last.end, gap.end]
        end = None if None in ends else max(at for at in ends if at is not None)
        joined[-1] = FillGap(last.start, end, gap.reason or last.reason)
    return tuple(joined)
