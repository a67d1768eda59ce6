"""The executions of one order on one day: merged, corrected, with the missing quantities between them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from options_helper.analysis.fills.corrections import (
    apply_named,
    apply_unnamed,
    busted_at,
    comes_to_total,
)
from options_helper.analysis.fills.order_facts import ZERO, OrderFacts, Report, TotalSeen
from options_helper.analysis.fills.prices import add_averages, derive_prices
from options_helper.analysis.fills.reconcile import find_missed, merge_reports, trim_overlaps
from options_helper.analysis.fills.span import PriceOrigin, ReportedBy, Span

__all__ = ["PriceOrigin", "ReportedBy", "Span", "build_spans"]


def build_spans(facts: OrderFacts, day_start: dt.datetime) -> list[Span]:
    """Return the order's executions of the day, oldest first.

    An order from before `day_start` may have been partly filled then; a quantity below its first execution of
    the day is then not counted as missed.
    """
    today = [report for report in facts.reports if report.at >= day_start]
    earlier = [TotalSeen(r.cumulative, None, r.at) for r in facts.reports if r.at < day_start]
    totals = [*facts.totals, *earlier]
    carried = _is_carried(facts, day_start)
    if facts.corrections:
        spans = _build_corrected(facts, today, totals, day_start)
    else:
        spans = trim_overlaps(merge_reports(today))
        spans = _in_order(spans + find_missed(spans, totals, _floor(facts, spans, totals, day_start)))
        spans = derive_prices(spans, totals, carried=carried)
    return add_averages(spans, totals, carried=carried)


def _build_corrected(
    facts: OrderFacts, today: list[Report], totals: list[TotalSeen], day_start: dt.datetime
) -> list[Span]:
    """Return the spans of an order with busted or corrected executions.

    A bust takes its quantity off the order's total, so the total says more than the spans end to end. If
    the standing executions add up to it, none was missed.
    """
    carried = _is_carried(facts, day_start)
    reported = None if carried else facts.reported  # which includes the earlier days
    merged = merge_reports(today, busted_at(facts.corrections))
    spans, unmatched = apply_named(merged, facts.corrections, reported)
    if not comes_to_total(spans, reported):
        spans += find_missed(merged, totals, _floor(facts, merged, totals, day_start))
    return apply_unnamed(_in_order(spans), unmatched, reported, carried=carried)


def _in_order(spans: list[Span]) -> list[Span]:
    return sorted(spans, key=lambda span: (span.cumulative, span.occurrence, span.at))


def _is_carried(facts: OrderFacts, day_start: dt.datetime) -> bool:
    return facts.began_at is not None and facts.began_at < day_start


def _floor(facts: OrderFacts, spans: list[Span], totals: list[TotalSeen], day_start: dt.datetime) -> Decimal:
    """Return the total from which on executions of the day must cover the order's line.

    REST reports a day from its beginning, so a quantity below its first execution is of an earlier day.
    """
    before = max((seen.cumulative for seen in totals if seen.at < day_start), default=None)
    if before is None and not _is_carried(facts, day_start):
        return ZERO
    first = min(spans, key=lambda span: span.cumulative - span.quantity, default=None)
    if first is None:
        return max((seen.cumulative for seen in totals), default=ZERO) if before is None else before
    start = first.cumulative - first.quantity
    if before is None:
        return start
    return before if first.source is ReportedBy.LIVE else max(before, start)
