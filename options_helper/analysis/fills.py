"""The day's fills: one row per execution, complete, or saying where it is not.

Live updates and REST's account are merged by order (or leg) and cumulative filled quantity, so that no fill
shows twice, whatever arrived in which order and however often, and a missed one leaves a visible hole until
REST tells of it.
"""

from __future__ import annotations

import datetime as dt
from decimal import localcontext
from typing import TYPE_CHECKING

from options_helper.analysis.executions import Span, build_spans
from options_helper.analysis.fill_book import Execution, FillBook, FillKind, OrderStory, Step
from options_helper.analysis.fill_completeness import Completeness, completeness
from options_helper.analysis.fill_words import contract_words, fill_words, net_words
from options_helper.analysis.multileg_fills import Leg, UnitFill, build_legs, build_unit_fills
from options_helper.analysis.order_facts import MULTI_LEG
from options_helper.analysis.order_gathering import gather
from options_helper.analysis.orders import build_stories
from options_helper.analysis.portfolio_fills import FillFact, PortfolioFills, fills_for_portfolio
from options_helper.market_time import new_york_date, start_of_day

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from decimal import Decimal

    from options_helper.analysis.order_facts import OrderFacts, Row
    from options_helper.market import FillGap

__all__ = [
    "Completeness",
    "Execution",
    "FillBook",
    "FillFact",
    "FillKind",
    "OrderStory",
    "PortfolioFills",
    "Step",
    "build_fill_book",
    "completeness",
    "contract_words",
    "fills_for_portfolio",
    "net_words",
]

_PRICE_DECIMALS = 6
_DIGITS = 80  # more than products and quotients of any figures on the wire can have
_NO_DAY = dt.date(1970, 1, 1)  # of a book of nothing, for which no day was given


def build_fill_book(
    stream_rows: Sequence[Row],
    rest_fills: Sequence[Row] = (),
    rest_orders: Sequence[Row] = (),
    gaps: Sequence[FillGap] = (),
    *,
    day: dt.date | None = None,
    since: dt.datetime | None = None,
) -> FillBook:
    """The book of one New York day.

    Args:
        stream_rows: Order updates as `normalize_trade_update` makes them, in any order.
        rest_fills: Executions as `normalize_rest_activity` makes them.
        rest_orders: Orders as `normalize_rest_order` makes them.
        gaps: Spans not confirmed yet.
        day: The New York date; of the newest row where None.
        since: From when on the book claims completeness; midnight in New York where None.
    """
    day = day or _newest_day((*stream_rows, *rest_fills, *rest_orders), since)
    # Figures that only a broken record can have must cost a wrong line at most, not the page.
    with localcontext(prec=_DIGITS):
        return _build(gather(stream_rows, rest_fills, rest_orders), gaps, day, since)


def _build(
    by_id: Mapping[str, OrderFacts], gaps: Sequence[FillGap], day: dt.date, since: dt.datetime | None
) -> FillBook:
    day_start = start_of_day(day)
    spans = {order_id: build_spans(facts, day_start) for order_id, facts in by_id.items()}
    groups = [group for facts in by_id.values() for group in _groups(facts, by_id, spans)]
    groups.sort(key=lambda group: _newest_first(group[0]), reverse=True)
    executions = tuple(execution for group in groups for execution in group)
    return FillBook(
        day=day,
        executions=executions,
        orders=build_stories(by_id, executions),
        gaps=tuple(sorted(gaps, key=lambda gap: gap.start)),
        since=since or day_start,
    )


def _newest_day(rows: Iterable[Row], since: dt.datetime | None) -> dt.date:
    newest = max((row["timestamp"] for row in rows), default=since)
    return _NO_DAY if newest is None else new_york_date(newest)


def _newest_first(execution: Execution) -> tuple[dt.datetime, str, float, str]:
    return (execution.at, execution.order_id, execution.filled or 0.0, execution.key)


def _groups(
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


def _place(parent: OrderFacts, leg: Leg) -> int:
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
