"""Executions, orders and their completeness as facts; `words` puts them into sentences."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

from options_helper.analysis.fills.order_facts import MULTI_LEG, PriceOrigin, ReportedBy
from options_helper.market import NO_UNREADABLE_ROWS, FillGap, UnreadableRows


class FillKind(StrEnum):
    """A fill of its own, the line of a multi-leg fill, or one of the legs under it."""

    SINGLE = "single"
    PARENT = "parent"
    LEG = "leg"


class Figures(NamedTuple):
    """Quantity and price, each None if unknown."""

    quantity: float | None
    price: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One execution. A multi-leg order has one with its net price, and one for each leg's share.

    Attributes:
        key: Unique in the day, and the same each time the day is built.
        at: When it was executed; for a derived one, when its quantity was first reported.
        quantity, price: As corrected; the price is per share, of a parent per unit and negative for a credit.
        filled, total, average_price: The order's figures after this execution.
        status: The order's current status.
        position_after: The signed position in the symbol, if the stream reported it.
        source: Who reported it; "derived" is an unconfirmed quantity known only from totals.
        busted, corrected: Undone or changed since; `was` has the figures before a correction.
        busted_legs: Of a parent, the number of its legs that were undone while others stand.
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
        """True if the stream or REST reported this very execution."""
        return self.source is not ReportedBy.DERIVED


TermName = Literal["limit_price", "stop_price", "trail_price", "trail_percent", "qty"]


class TermChange(NamedTuple):
    """A term that a replacement changed."""

    name: TermName
    before: float | None
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent:
    """A step of an order's life: `new`, `partial fill`, `replaced`, … with its detail in words.

    Attributes:
        event: Alpaca's word for it, such as `new`, `partial_fill` or `replaced`.
        figures: Of `new` the quantity and the limit, of a bust or correction the figures it names.
        order_type: Of `new` the order's type.
        execution: Of `fill` and `partial_fill`.
        changes: Of `replaced`, the terms that differ in the next order of the chain.
        reason: Alpaca's own.
    """

    at: dt.datetime
    event: str
    figures: Figures | None = None
    order_type: str | None = None
    execution: Execution | None = None
    changes: tuple[TermChange, ...] = ()
    reason: str = ""


class Contradiction(NamedTuple):
    """The sum of an order's fills, and the lower total that the order itself reports: a missed bust."""

    fills: float
    order: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTimeline:
    """An order and everything that replaced it, from its first step to its last.

    Attributes:
        order_ids: The ids of the chain's orders, oldest first.
        limit_price, stop_price, quantity, status: Those of the newest order.
        notional: Dollars, for an order by amount instead of quantity.
        trail_price, trail_percent: The dollars or percent of a trailing stop.
        filled, average_price: Those of the whole chain.
        steps: Oldest first.
        legs: The legs of a multi-leg or bracket order.
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
        """True if its prices are net prices of several legs."""
        return self.order_class == MULTI_LEG


@dataclass(frozen=True, slots=True, kw_only=True)
class FillFact:
    """The quantity of one contract or stock of a position that was bought or sold today.

    Attributes:
        quantity: Above zero; busted fills do not count.
        at: Time of the newest of these fills.
        after_save: Whether they came after the file was saved; None if that time is unknown.
        fills: The number of these fills.
        shared_with: Other positions that hold the same contract or stock: the fill may belong to any of them.
        of_several: Whether the position holds other contracts too, so that this one has to be named.
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
    """The completeness of a day of fills.

    Attributes:
        since: The start of the span that it covers.
        gaps: Spans in which fills may have been missed, oldest first, touching ones joined.
        day_start: Midnight in New York; the beginning of a gap from then on is not mentioned.
        unconfirmed: Executions known only from totals; `unconfirmed_quantity` is their sum.
        contradictions: Orders whose fills sum to more than the order's own total.
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
        """Why the newest gap is not yet closed, in words, or ""."""
        return self.gaps[-1].reason if self.gaps else ""


def join_gaps(gaps: Iterable[FillGap]) -> tuple[FillGap, ...]:
    """Join gaps that touch or overlap; the result has the newest one's reason."""
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
