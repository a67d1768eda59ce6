"""The day's fills and orders, ready to be shown."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from options_helper.analysis.fills.completeness import Completeness, join_gaps
from options_helper.analysis.fills.option_events import OptionEvent
from options_helper.analysis.fills.span import PriceOrigin, ReportedBy
from options_helper.analysis.text.fills import (
    MULTI_LEG_WORDS,
    contract_words,
    fill_words,
    net_words,
    price_words,
    side_words,
)
from options_helper.market import NO_UNREADABLE_ROWS, FillGap, UnreadableRows
from options_helper.times import NEW_YORK, start_of_day


class FillKind(StrEnum):
    """A fill of its own, the line of a multi-leg fill, or one of the legs under it."""

    SINGLE = "single"
    PARENT = "parent"
    LEG = "leg"


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One execution. A multi-leg order has one with its net price, and one for each leg's share.

    Attributes:
        key: Unique in the book and the same at every look.
        at: When it was executed; of a derived one, when its quantity was first seen.
        quantity, price: As corrected; the price is per share, of a parent per unit and negative for a credit.
        filled, total, average_price: Of the order, after this execution.
        status: Of the order now.
        position_after: Signed position in the symbol, if the stream reported it.
        source: Who reported it; "derived" is a quantity known from totals only, not confirmed.
        busted, corrected, was: Undone or changed since; `was` is what stood before, in words.
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
    corrected: bool = False
    was: str = ""

    @property
    def confirmed(self) -> bool:
        """Return True if the stream or REST reported this very execution."""
        return self.source.value != "derived"

    @property
    def words(self) -> str:
        """The symbol in words: `AAPL 18 Dec 2026 250 call`, of a multi-leg line `AAPL multi-leg`."""
        if self.kind is FillKind.PARENT:
            return f"{self.symbol} multi-leg" if self.symbol else MULTI_LEG_WORDS
        return contract_words(self.symbol)

    @property
    def side_words(self) -> str:
        """`buy to open`, or `buy` where the intent is not known."""
        return side_words(self.side, self.intent)

    @property
    def price_words(self) -> str:
        """`1.62`, of a multi-leg line `1.62 credit`, `—` where it is not known."""
        return net_words(self.price) if self.kind is FillKind.PARENT else price_words(self.price)

    @property
    def fill_words(self) -> str:
        """`2 @ 1.62`."""
        return fill_words(self.quantity, self.price)

    @property
    def notes(self) -> tuple[str, ...]:
        """Return everything special about it, each in words."""
        notes = []
        if not self.confirmed:
            notes.append("not confirmed")
        if self.busted:
            notes.append("busted")
        if self.corrected:
            notes.append(f"corrected, was {self.was}" if self.was else "corrected")
        if self.price_origin.value == "derived":
            notes.append("price from averages")
        return tuple(notes)

    @property
    def note(self) -> str:
        """Return everything special about it in one line, or ""."""
        return " · ".join(self.notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent:
    """One step of an order's life: `new`, `partial fill`, `replaced`, … with its detail in words."""

    at: dt.datetime
    word: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTimeline:
    """An order with everything it was replaced by, from its first step to its last.

    Attributes:
        order_id: Of the newest order of the chain; `order_ids` holds them all, oldest first.
        limit_price, stop_price, quantity, status: Of the newest order.
        notional: Dollars, for an order of a sum of money instead of a quantity.
        trail_price, trail_percent: Dollars, or percent, of a trailing stop.
        filled, average_price: Of the whole chain.
        steps: Oldest first.
        legs: Of a multi-leg or bracket order.
        note: Where its fills contradict what the order itself says, in words, else "": a missed bust.
    """

    order_id: str
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
    note: str = ""

    @property
    def is_multi_leg(self) -> bool:
        """Return True if its prices are net prices of several legs."""
        return self.order_class == "mleg"

    @property
    def words(self) -> str:
        """The symbol in words, of a multi-leg order those of its legs."""
        if self.is_multi_leg and self.legs:
            return " / ".join(contract_words(leg.symbol) for leg in self.legs)
        return MULTI_LEG_WORDS if self.is_multi_leg and not self.symbol else contract_words(self.symbol)

    @property
    def side_words(self) -> str:
        """`buy to open`, of a multi-leg order `buy/sell`."""
        return side_words(self.side, self.intent)

    @property
    def limit_words(self) -> str:
        """`1.65`, of a multi-leg order `1.65 debit`, `—` without one."""
        return net_words(self.limit_price) if self.is_multi_leg else price_words(self.limit_price)

    @property
    def timeline(self) -> str:
        """The steps in one line: `new → partial fill → canceled`."""
        return " → ".join(step.word for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class FillDay:
    """One New York day of fills and orders.

    Attributes:
        executions: Newest first, the legs of a multi-leg fill under its line.
        orders: Newest change first.
        events: Assignments, exercises and expiries, newest first; they are no fills.
        gaps: Spans not confirmed by REST, oldest first.
        since: From when on the book claims to be complete.
        unreadable: REST rows of the day that could not be read.
    """

    day: dt.date
    executions: tuple[Execution, ...] = ()
    orders: tuple[OrderTimeline, ...] = ()
    events: tuple[OptionEvent, ...] = ()
    gaps: tuple[FillGap, ...] = ()
    since: dt.datetime | None = None
    unreadable: UnreadableRows = NO_UNREADABLE_ROWS

    @property
    def fills(self) -> tuple[Execution, ...]:
        """The lines of the table's first level: no legs."""
        return tuple(one for one in self.executions if one.kind is not FillKind.LEG)

    @property
    def leaf_fills(self) -> tuple[Execution, ...]:
        """Return the executions that moved a position: legs, without the lines of their multi-leg orders."""
        return tuple(one for one in self.executions if one.kind is not FillKind.PARENT)

    @property
    def completeness(self) -> Completeness:
        """Return the completeness of the day, from its gaps, its holes and its unreadable rows."""
        missed = [one for one in self.leaf_fills if not one.confirmed]
        return Completeness(
            since=self.since or self.day_start,
            gaps=join_gaps(gap for gap in self.gaps if gap.end is None or gap.end > self.day_start),
            day_start=self.day_start,
            unconfirmed=len(missed),
            unconfirmed_quantity=sum(one.quantity or 0.0 for one in missed),
            contradictions=sum(1 for story in self.orders for one in (story, *story.legs) if one.note),
            unreadable=self.unreadable,
        )

    @property
    def complete(self) -> bool:
        """Return True if nothing of the day is in doubt."""
        return self.completeness.complete

    @property
    def words(self) -> str:
        """The heading in New York time: complete since when, or the gap and its reason."""
        said = self.completeness
        return " · ".join(part for part in (said.sentence(NEW_YORK), said.reason) if part)

    @property
    def day_start(self) -> dt.datetime:
        """Midnight in New York, at which the day began."""
        return start_of_day(self.day)
