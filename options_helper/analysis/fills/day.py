"""One New York day of fills: one line per execution, and whether the day is complete.

`merge_reports.py` merges the stream's updates and REST's records by order (or leg) and cumulative filled
quantity. No fill appears twice, regardless of the number and order of the reports. A missed fill is shown as
unconfirmed until REST reports it.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from typing import NamedTuple

from options_helper.analysis.fills.merge_reports import build_spans
from options_helper.analysis.fills.option_events import OptionEvent, build_option_events
from options_helper.analysis.fills.order_facts import MULTI_LEG, OrderFacts, Span
from options_helper.analysis.fills.read_orders import OrderGroup, group_orders, read_orders
from options_helper.analysis.fills.records import (
    Completeness,
    Execution,
    Figures,
    FillKind,
    OrderTimeline,
    join_gaps,
)
from options_helper.analysis.fills.spreads import UnitFill, build_legs, build_unit_fills
from options_helper.analysis.fills.timelines import build_timelines, newest_change_first
from options_helper.analysis.fills.words import completeness_words
from options_helper.market import NO_UNREADABLE_ROWS, BrokerEvent, FillGap, LiveSnapshot, UnreadableRows
from options_helper.order_rows import OrderRow
from options_helper.times import NEW_YORK, new_york_date, start_of_day

_PRICE_DECIMALS = 12  # a coin may cost 0.000008765
_DIGITS = 80  # more than products and quotients of any wire figures can have
_SHOWN_EVENTS = dt.timedelta(days=7)  # an expired contract may stay in the file for days
_NO_DAY = dt.date(1970, 1, 1)  # used if there are no rows and no day is given


@dataclass(frozen=True, slots=True, kw_only=True)
class FillDay:
    """One New York day of fills and orders.

    Attributes:
        executions: Newest first; the legs of a multi-leg fill follow its line.
        orders: Newest change first.
        events: The day's assignments, exercises, expiries and other events that are not fills, newest first.
        earlier_events: The events of the week before the day, as far as they are known.
        gaps: Spans of time not confirmed by REST, oldest first.
        since: The start of the span for which the day claims to be complete.
        unreadable: REST rows of the day that could not be read.
    """

    day: dt.date
    executions: tuple[Execution, ...] = ()
    orders: tuple[OrderTimeline, ...] = ()
    events: tuple[OptionEvent, ...] = ()
    earlier_events: tuple[OptionEvent, ...] = ()
    gaps: tuple[FillGap, ...] = ()
    since: dt.datetime | None = None
    unreadable: UnreadableRows = NO_UNREADABLE_ROWS

    @property
    def fills(self) -> tuple[Execution, ...]:
        """The executions without the legs of multi-leg orders."""
        return tuple(one for one in self.executions if one.kind is not FillKind.LEG)

    @property
    def leaf_fills(self) -> tuple[Execution, ...]:
        """The executions that changed a position: all but the lines of multi-leg orders."""
        return tuple(one for one in self.executions if one.kind is not FillKind.PARENT)

    @property
    def completeness(self) -> Completeness:
        """The day's gaps, unconfirmed fills, contradictions and unreadable rows."""
        missed = [one for one in self.leaf_fills if not one.confirmed]
        orders = (one for order in self.orders for one in (order, *order.legs))
        return Completeness(
            since=self.since or self.day_start,
            gaps=join_gaps(gap for gap in self.gaps if gap.end is None or gap.end > self.day_start),
            day_start=self.day_start,
            unconfirmed=len(missed),
            unconfirmed_quantity=sum(one.quantity or 0.0 for one in missed),
            contradictions=sum(order.contradiction is not None for order in orders),
            unreadable=self.unreadable,
        )

    @property
    def complete(self) -> bool:
        """True if nothing about the day is in doubt."""
        return self.completeness.complete

    @property
    def words(self) -> str:
        """The heading in New York time: the start of the complete span, or the gap and its reason."""
        known = self.completeness
        return " · ".join(part for part in (completeness_words(known, NEW_YORK), known.reason) if part)

    @property
    def day_start(self) -> dt.datetime:
        """The start of the day, midnight in New York."""
        return start_of_day(self.day)


class _KnownGroup(NamedTuple):
    """The rows of an order group, with the executions and orders computed from them."""

    group: OrderGroup
    fills: tuple[list[Execution], ...]
    orders: tuple[OrderTimeline, ...]


class FillDayBuilder:
    """Builds the day's fills, and updates them when new rows arrive.

    Only order families with new rows are recomputed; the others keep the same objects. Not thread-safe.
    """

    def __init__(self) -> None:
        self._day: dt.date | None = None
        self._groups: dict[str, _KnownGroup] = {}
        self._built: tuple[tuple[object, ...], FillDay] | None = None

    def build_from(self, snapshot: LiveSnapshot, *, day: dt.date | None = None) -> FillDay:
        """Return the fills of one New York day in a snapshot.

        The day defaults to the snapshot's own. The same object is returned while its sources are equal.
        """
        day = day or new_york_date(snapshot.as_of)
        since = _claimed_since(snapshot, day)
        sources = (
            snapshot.fills,
            snapshot.rest_fills,
            snapshot.rest_orders,
            snapshot.fill_gaps,
            snapshot.unreadable_rows,
            snapshot.broker_events,
            day,
            since,
        )
        if self._built is None or self._built[0] != sources:  # immediate if each is the same object
            built = self.build(
                snapshot.fills,
                snapshot.rest_fills,
                snapshot.rest_orders,
                snapshot.fill_gaps,
                day=day,
                since=since,
                unreadable=snapshot.unreadable_rows,
                broker_events=snapshot.broker_events,
            )
            self._built = (sources, built)
        return self._built[1]

    def build(
        self,
        stream_rows: Sequence[OrderRow],
        rest_fills: Sequence[OrderRow] = (),
        rest_orders: Sequence[OrderRow] = (),
        gaps: Sequence[FillGap] = (),
        *,
        day: dt.date | None = None,
        since: dt.datetime | None = None,
        unreadable: UnreadableRows = NO_UNREADABLE_ROWS,
        broker_events: Sequence[BrokerEvent] = (),
    ) -> FillDay:
        """Return the fills of one New York day from rows in any order.

        Args:
            stream_rows: Order updates from `normalize_trade_update`.
            rest_fills: Executions from `execution_row`.
            rest_orders: Orders from `normalize_rest_order`.
            gaps: Spans of time not confirmed by REST.
            day: The New York date; the date of the newest row if None.
            since: The start of the span for which the day claims to be complete; New York midnight if None.
            unreadable: REST rows of the day that could not be read.
            broker_events: Assignments, exercises, expiries and the like; those of the last week are kept.
        """
        day = day or _newest_day((*stream_rows, *rest_fills, *rest_orders), since)
        day_start = start_of_day(day)
        before = self._groups if day == self._day else {}
        groups = group_orders(stream_rows, rest_fills, rest_orders)
        self._groups = {
            name: _reuse(before.get(name), group) or _compute(group, day_start)
            for name, group in groups.items()
        }
        self._day = day
        fills = (fill for known in self._groups.values() for fill in known.fills)
        orders = (order for known in self._groups.values() for order in known.orders)
        events = build_option_events(one for one in broker_events if one.date >= day - _SHOWN_EVENTS)
        return FillDay(
            day=day,
            executions=tuple(itertools.chain(*_newest_first(fills))),
            orders=newest_change_first(orders),
            events=tuple(one for one in events if one.date == day),
            earlier_events=tuple(one for one in events if one.date < day),
            gaps=tuple(sorted(gaps, key=lambda gap: gap.start)),
            since=since or day_start,
            unreadable=unreadable,
        )


def build_fill_day(snapshot: LiveSnapshot, *, day: dt.date | None = None) -> FillDay:
    """Return the fills, orders and option events of one New York day, by default the snapshot's own."""
    return FillDayBuilder().build_from(snapshot, day=day)


def _claimed_since(snapshot: LiveSnapshot, day: dt.date) -> dt.datetime | None:
    """Return the time of the day's opening once it has passed, else None (complete since midnight)."""
    opening = snapshot.session_open
    if opening is None or opening > snapshot.as_of:
        return None
    return opening if new_york_date(opening) == day else None


def _reuse(known: _KnownGroup | None, group: OrderGroup) -> _KnownGroup | None:
    """Return the previous result if the rows are equal, or None; it keeps the new rows and frees the old."""
    return known._replace(group=group) if known is not None and known.group == group else None


def _compute(group: OrderGroup, day_start: dt.datetime) -> _KnownGroup:
    # Absurd figures in a broken record may cause a wrong line, but must never raise.
    with localcontext(prec=_DIGITS):
        by_id = read_orders(group)
        spans = {order_id: build_spans(facts, day_start) for order_id, facts in by_id.items()}
        fills = _newest_first(fill for facts in by_id.values() for fill in _fills(facts, by_id, spans))
        return _KnownGroup(group, tuple(fills), build_timelines(by_id, itertools.chain(*fills)))


def _newest_first(fills: Iterable[list[Execution]]) -> list[list[Execution]]:
    return sorted(fills, key=lambda lines: _place_in_time(lines[0]), reverse=True)


def _newest_day(rows: Iterable[OrderRow], since: dt.datetime | None) -> dt.date:
    newest = max((row["timestamp"] for row in rows), default=since)
    return _NO_DAY if newest is None else new_york_date(newest)


def _place_in_time(execution: Execution) -> tuple[dt.datetime, str, float, str]:
    return (execution.at, execution.order_id, execution.filled or 0.0, execution.key)


def _fills(
    facts: OrderFacts, by_id: Mapping[str, OrderFacts], spans: Mapping[str, list[Span]]
) -> list[list[Execution]]:
    """Return the lines of one order, each alone or as a multi-leg fill followed by its legs."""
    parent = by_id.get(facts.parent_id or "")
    if parent is not None and parent.is_multi_leg:
        return []
    if not facts.is_multi_leg:
        # Until its legs are known, a multi-leg order has only a net price.
        kind = FillKind.PARENT if facts.newest.get("order_class") == MULTI_LEG else FillKind.SINGLE
        return [[_execution(facts, span, kind)] for span in spans[facts.order_id]]
    legs = build_legs(facts, by_id, spans)
    return [_with_legs(facts, fill) for fill in build_unit_fills(facts, legs)]


def _with_legs(parent: OrderFacts, fill: UnitFill) -> list[Execution]:
    line = _execution(parent, fill.line, FillKind.PARENT)
    legs = sorted(
        fill.legs, key=lambda one: (parent.leg_ids.index(one[0].facts.order_id), -one[1].cumulative)
    )
    lines = [_execution(leg.facts, span, FillKind.LEG) for leg, span in legs]
    undone = sum(one.busted for one in lines)
    is_void = line.busted or 0 < len(lines) == undone
    return [replace(line, busted=is_void, busted_legs=0 if is_void else undone), *lines]


def _execution(facts: OrderFacts, span: Span, kind: FillKind) -> Execution:
    occurrence = f"#{span.occurrence}" if span.occurrence else ""
    unfinished = kind is FillKind.PARENT and not span.quantity
    newest = facts.newest
    return Execution(
        key=f"{facts.order_id}:{span.cumulative.normalize():f}{occurrence}{'+' if unfinished else ''}",
        kind=kind,
        order_id=facts.order_id,
        parent_id=facts.parent_id if kind is FillKind.LEG else None,
        at=span.at,
        symbol=newest.get("symbol") or "",
        side=newest.get("side"),
        intent=newest.get("position_intent"),
        quantity=None if unfinished else float(span.quantity),
        price=_rounded(span.price),
        price_origin=span.price_origin,
        source=span.source,
        filled=float(span.cumulative),
        total=newest.get("qty"),
        average_price=_rounded(span.average),
        status=newest.get("status"),
        position_after=span.position_after,
        execution_id=span.execution_id,
        activity_id=span.activity_id,
        busted=span.busted,
        corrected=span.corrected,
        was=Figures(float(span.was[0]), _rounded(span.was[1])) if span.was else None,
    )


def _rounded(price: Decimal | None) -> float | None:
    return None if price is None else float(round(price, _PRICE_DECIMALS))
