"""The executions of one order on one day: merged, corrected, with what is missing between them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from options_helper.analysis.execution_merge import find_missed, merge_reports, trim_overlaps
from options_helper.analysis.execution_prices import add_averages, derive_prices
from options_helper.analysis.execution_span import PriceOrigin, Source, Span
from options_helper.analysis.order_facts import BUST, ZERO, Correction, Mark, OrderFacts

if TYPE_CHECKING:
    import datetime as dt
    from decimal import Decimal

__all__ = ["PriceOrigin", "Source", "Span", "apply_correction", "build_spans"]


def build_spans(facts: OrderFacts, day_start: dt.datetime) -> list[Span]:
    """The order's executions of the day, oldest first.

    An order from before `day_start` may have been filled in part before; what lies below its first
    execution of the day is then not taken for missed.
    """
    today = [report for report in facts.reports if report.at >= day_start]
    earlier = [Mark(r.cumulative, None, r.at) for r in facts.reports if r.at < day_start]
    marks = [*facts.marks, *earlier]
    spans = merge_reports(today)
    if not facts.corrections:
        spans = trim_overlaps(spans)
    spans += find_missed(spans, marks, _floor(facts, spans, marks, day_start))
    spans.sort(key=lambda span: (span.cumulative, span.occurrence, span.at))
    carried = _is_carried(facts, day_start)
    if not facts.corrections:
        spans = derive_prices(spans, marks, carried=carried)
    for correction in sorted(facts.corrections, key=lambda one: one.at):
        spans = apply_correction(spans, correction, carried=carried)
    return add_averages(spans, marks, carried=carried)


def _is_carried(facts: OrderFacts, day_start: dt.datetime) -> bool:
    return facts.began_at is not None and facts.began_at < day_start


def _floor(facts: OrderFacts, spans: list[Span], marks: list[Mark], day_start: dt.datetime) -> Decimal:
    """The total from which on the order's line must be covered by executions of the day."""
    before = [mark.cumulative for mark in marks if mark.at < day_start]
    if before:
        return max(before)
    if not _is_carried(facts, day_start):
        return ZERO
    starts = [span.cumulative - span.quantity for span in spans]
    return min(starts) if starts else max((mark.cumulative for mark in marks), default=ZERO)


def apply_correction(spans: list[Span], correction: Correction, *, carried: bool = False) -> list[Span]:
    """Bust or correct the execution that is meant; unchanged where none can be told for sure.

    Of an order carried over from an earlier day, the one that is meant may be of that day.
    """
    number = _find_corrected(spans, correction, carried=carried)
    if number is None:
        return spans
    span = spans[number]
    if correction.event == BUST:
        changed = replace(span, busted=True)
    else:
        quantity = span.quantity if correction.quantity is None else abs(correction.quantity)
        price = span.price if correction.price is None else correction.price
        origin = span.price_origin if correction.price is None else PriceOrigin.REPORTED
        was = span.was or (span.quantity, span.price)
        changed = replace(
            span,
            quantity=quantity,
            price=price,
            price_origin=origin,
            corrected=True,
            was=None if was == (quantity, price) else was,
        )
    return [*spans[:number], changed, *spans[number + 1 :]]


def _find_corrected(spans: list[Span], correction: Correction, *, carried: bool) -> int | None:
    """By execution id; else, for a bust, by equal quantity and price; else the only one there ever was."""
    standing = [number for number, span in enumerate(spans) if not span.busted]
    if correction.previous_id is not None:
        for number in standing:
            if spans[number].execution_id == correction.previous_id:
                return number
    # An execution whose own id is known, and is another, is not the one that is meant.
    open_to_it = [
        number for number in standing if not correction.previous_id or spans[number].execution_id is None
    ]
    alike = [
        number
        for number in open_to_it
        if (spans[number].quantity, spans[number].price) == (correction.quantity, correction.price)
    ]
    if correction.event == BUST and alike:
        return alike[-1]
    return open_to_it[0] if len(open_to_it) == 1 and not carried else None
