"""The day's fills and orders, ready to be shown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from options_helper.analysis.fills.order_facts import PriceOrigin, ReportedBy
from options_helper.analysis.text.fills import (
    MULTI_LEG_WORDS,
    contract_words,
    fill_words,
    net_words,
    plain,
    price_words,
    side_words,
)
from options_helper.analysis.text.wording import count, format_minute, format_time, join_words
from options_helper.market import NO_UNREADABLE_ROWS, FillGap, UnreadableRows

_MOST_SPANS = 3  # named, the newest; more of them are counted


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
class Completeness:
    """The completeness of a day of fills.

    Attributes:
        since: The start of the span for which it is claimed.
        gaps: Spans in which fills may have been missed, oldest first, touching ones joined.
        day_start: Midnight in New York: a gap from there on has no beginning worth a word.
        unconfirmed: Executions known from totals only; `unconfirmed_quantity` is what they come to.
        contradictions: Orders whose fills come to more than the order itself says.
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
        """Return True if nothing is in doubt."""
        return not (self.gaps or self.unconfirmed or self.contradictions or self.unreadable.count)

    @property
    def reason(self) -> str:
        """Why the newest gap is not closed yet, in words, or ""."""
        return self.gaps[-1].reason if self.gaps else ""

    def sentence(self, zone: dt.tzinfo) -> str:
        """`complete since 09:30`, or `fills between 10:41:07 and 10:41:52 not confirmed`."""
        if self.complete:
            return f"complete since {format_minute(self.since, zone)}"
        return "; ".join(part for part in (self._missed(zone), self._unread(zone)) if part)

    def _unread(self, zone: dt.tzinfo) -> str:
        if not self.unreadable.count or self.unreadable.since is None:
            return ""
        rows = count(self.unreadable.count, "row")
        return f"{rows} from Alpaca could not be read since {format_time(self.unreadable.since, zone)}"

    def _missed(self, zone: dt.tzinfo) -> str:
        if self.gaps:
            return f"fills {join_words(self._spans(zone))} not confirmed"
        if self.unconfirmed:
            noun = "fill" if self.unconfirmed == 1 else "fills"
            return f"{plain(self.unconfirmed_quantity)} in {self.unconfirmed} {noun} not confirmed"
        if not self.contradictions:
            return ""
        orders = "1 order" if self.contradictions == 1 else f"{self.contradictions} orders"
        return f"the fills of {orders} come to more than the order says"

    def _spans(self, zone: dt.tzinfo) -> list[str]:
        spans = [self._span(gap, zone) for gap in self.gaps[-_MOST_SPANS:]]
        earlier = len(self.gaps) - len(spans)
        return [f"in {count(earlier, 'earlier span')}", *spans] if earlier else spans

    def _span(self, gap: FillGap, zone: dt.tzinfo) -> str:
        if gap.end is None:
            return f"since {format_time(gap.start, zone)}"
        if gap.start <= self.day_start:
            return f"before {format_time(gap.end, zone)}"
        return f"between {format_time(gap.start, zone)} and {format_time(gap.end, zone)}"


def join_gaps(gaps: Iterable[FillGap]) -> tuple[FillGap, ...]:
    """Return gaps that touch or overlap as one, with the newest one's reason."""
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
