"""The day's fills: one row per execution, complete, or saying where it is not.

Live updates and REST's account are merged by order (or leg) and cumulative filled quantity, so that no fill
shows twice, whatever arrived in which order and however often, and a missed one leaves a visible hole until
REST reports it.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, localcontext
from typing import NamedTuple

from options_helper.analysis.fills.day import Execution, FillDay, FillKind, OrderTimeline
from options_helper.analysis.fills.executions import Span, build_spans
from options_helper.analysis.fills.option_events import build_option_events
from options_helper.analysis.fills.order_facts import MULTI_LEG, OrderFacts, Row
from options_helper.analysis.fills.order_families import Family, group_by_family
from options_helper.analysis.fills.read_orders import gather
from options_helper.analysis.fills.spreads import SpreadLeg, UnitFill, build_legs, build_unit_fills
from options_helper.analysis.fills.timelines import build_stories, newest_change_first
from options_helper.analysis.text.fills import fill_words
from options_helper.market import NO_UNREADABLE_ROWS, FillGap, LiveSnapshot, UnreadableRows
from options_helper.times import new_york_date, start_of_day

_PRICE_DECIMALS = 12  # a coin may cost 0.000008765
_DIGITS = 80  # more than products and quotients of any figures on the wire can have
_NO_DAY = dt.date(1970, 1, 1)  # of a book of nothing, for which no day was given


class _Told(NamedTuple):
    """The rows of an order family, and the result computed from them."""

    family: Family
    fills: tuple[list[Execution], ...]
    orders: tuple[OrderTimeline, ...]


class FillDayBuilder:
    """Builds the fills of a day again whenever something new is known of it.

    Only orders with new rows are computed again; for all others the day holds the same objects as before.
    Not thread-safe.
    """

    def __init__(self) -> None:
        self._day: dt.date | None = None
        self._told: dict[str, _Told] = {}

    def build_from(self, snapshot: LiveSnapshot, *, day: dt.date | None = None) -> FillDay:
        """Return the day of a snapshot; see `build_fill_day`."""
        day = day or new_york_date(snapshot.as_of)
        return self.build(
            snapshot.fills,
            snapshot.rest_fills,
            snapshot.rest_orders,
            snapshot.fill_gaps,
            day=day,
            since=_claimed_since(snapshot, day),
            unreadable=snapshot.unreadable_rows,
            option_events=snapshot.option_events,
        )

    def build(
        self,
        stream_rows: Sequence[Row],
        rest_fills: Sequence[Row] = (),
        rest_orders: Sequence[Row] = (),
        gaps: Sequence[FillGap] = (),
        *,
        day: dt.date | None = None,
        since: dt.datetime | None = None,
        unreadable: UnreadableRows = NO_UNREADABLE_ROWS,
        option_events: Sequence[Row] = (),
    ) -> FillDay:
        """The book of one New York day.

        Args:
            stream_rows: Order updates as `normalize_trade_update` makes them, in any order.
            rest_fills: Executions as `normalize_rest_activity` makes them.
            rest_orders: Orders as `normalize_rest_order` makes them.
            gaps: Spans not confirmed yet.
            day: The New York date; of the newest row where None.
            since: From when on the book claims completeness; midnight in New York where None.
            unreadable: REST rows of the day that could not be read.
            option_events: As `normalize_option_event` makes them.
        """
        day = day or _newest_day((*stream_rows, *rest_fills, *rest_orders), since)
        day_start = start_of_day(day)
        before = self._told if day == self._day else {}
        families = group_by_family(stream_rows, rest_fills, rest_orders)
        self._told = {
            name: _told_again(before.get(name), family) or _tell(family, day_start)
            for name, family in families.items()
        }
        self._day = day
        fills = (fill for reported in self._told.values() for fill in reported.fills)
        orders = (order for reported in self._told.values() for order in reported.orders)
        return FillDay(
            day=day,
            executions=tuple(itertools.chain(*_newest_first(fills))),
            orders=newest_change_first(orders),
            events=build_option_events(option_events, day),
            gaps=tuple(sorted(gaps, key=lambda gap: gap.start)),
            since=since or day_start,
            unreadable=unreadable,
        )


def build_fill_day(snapshot: LiveSnapshot, *, day: dt.date | None = None) -> FillDay:
    """Return a snapshot's fills, orders and option events of one New York day, the snapshot's own if None."""
    return FillDayBuilder().build_from(snapshot, day=day)


def _claimed_since(snapshot: LiveSnapshot, day: dt.date) -> dt.datetime | None:
    """Return the day's opening once it has passed, else None: the claim then begins with the day."""
    opening = snapshot.session_open
    if opening is None or opening > snapshot.as_of:
        return None
    return opening if new_york_date(opening) == day else None


def _told_again(reported: _Told | None, family: Family) -> _Told | None:
    """Reuse the previous result for equal rows; keep the new rows, so that the old ones are freed."""
    return reported._replace(family=family) if reported is not None and reported.family == family else None


def _tell(family: Family, day_start: dt.datetime) -> _Told:
    # Figures that only a broken record can have must cost a wrong line at most, not the page.
    with localcontext(prec=_DIGITS):
        by_id = gather(*family)
        spans = {order_id: build_spans(facts, day_start) for order_id, facts in by_id.items()}
        fills = _newest_first(fill for facts in by_id.values() for fill in _fills(facts, by_id, spans))
        return _Told(family, tuple(fills), build_stories(by_id, itertools.chain(*fills)))


def _newest_first(fills: Iterable[list[Execution]]) -> list[list[Execution]]:
    return sorted(fills, key=lambda lines: _place_in_time(lines[0]), reverse=True)


def _newest_day(rows: Iterable[Row], since: dt.datetime | None) -> dt.date:
    newest = max((row["timestamp"] for row in rows), default=since)
    return _NO_DAY if newest is None else new_york_date(newest)


def _place_in_time(execution: Execution) -> tuple[dt.datetime, str, float, str]:
    return (execution.at, execution.order_id, execution.filled or 0.0, execution.key)


def _fills(
    facts: OrderFacts, by_id: Mapping[str, OrderFacts], spans: Mapping[str, list[Span]]
) -> list[list[Execution]]:
    """The lines of one order: each alone, or a multi-leg fill followed by its legs."""
    parent = by_id.get(facts.parent_id or "")
    if parent is not None and parent.is_multi_leg:
        return []
    if not facts.is_multi_leg:
        # Until its legs are known, a multi-leg order has a net price and nothing else.
        kind = FillKind.PARENT if facts.latest("order_class") == MULTI_LEG else FillKind.SINGLE
        return [[_execution(facts, span, kind)] for span in spans[facts.order_id]]
    legs = build_legs(facts, by_id, spans)
    return [_with_legs(facts, fill) for fill in build_unit_fills(facts, legs)]


def _with_legs(parent: OrderFacts, fill: UnitFill) -> list[Execution]:
    line = _execution(parent, fill.line, FillKind.PARENT)
    legs = sorted(fill.legs, key=lambda one: (_place(parent, one[0]), -one[1].cumulative))
    return [line, *(_execution(leg.facts, span, FillKind.LEG) for leg, span in legs)]


def _place(parent: OrderFacts, leg: SpreadLeg) -> int:
    return parent.leg_ids.index(leg.facts.order_id)


def _execution(facts: OrderFacts, span: Span, kind: FillKind) -> Execution:
    occurrence = f"#{span.occurrence}" if span.occurrence else ""
    unfinished = kind is FillKind.PARENT and not span.quantity
    return Execution(
        key=f"{facts.order_id}:{span.cumulative.normalize():f}{occurrence}{'+' if unfinished else ''}",
        kind=kind,
        order_id=facts.order_id,
        parent_id=facts.parent_id if kind is FillKind.LEG else None,
        at=span.at,
        symbol=facts.latest("symbol") or "",
        side=facts.latest("side"),
        intent=facts.latest("position_intent"),
        quantity=None if unfinished else float(span.quantity),
        price=_rounded(span.price),
        price_origin=span.price_origin,
        source=span.source,
        filled=float(span.cumulative),
        total=facts.latest("qty"),
        average_price=_rounded(span.average),
        status=facts.latest("status"),
        position_after=span.position_after,
        execution_id=span.execution_id,
        activity_id=span.activity_id,
        busted=span.busted,
        corrected=span.corrected,
        was=fill_words(float(span.was[0]), _rounded(span.was[1])) if span.was else "",
    )


def _rounded(price: Decimal | None) -> float | None:
    return None if price is None else float(round(price, _PRICE_DECIMALS))
