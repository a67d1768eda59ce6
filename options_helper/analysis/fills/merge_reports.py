"""The merge of live and REST reports of executions, and the detection of missed ones.

The key of an execution is the cumulative filled quantity of its order (or leg) after it: REST's `cum_qty`,
the stream's `filled_qty`. The executions of an order lie end to end on the line from 0 to its filled
quantity, so a hole between two, or a total beyond the last, means that an execution was missed.
"""

from __future__ import annotations

import datetime as dt
import itertools
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

from options_helper.analysis.fills.busts_and_corrections import (
    apply_named,
    apply_unnamed,
    busted_at,
    comes_to_total,
)
from options_helper.analysis.fills.derived_prices import add_averages, derive_prices
from options_helper.analysis.fills.order_facts import (
    ZERO,
    OrderFacts,
    PriceOrigin,
    Report,
    ReportedBy,
    Span,
    TotalSeen,
)

_CLOCKS_DIFFER = dt.timedelta(seconds=1)  # at most, between one execution's times on stream and REST


def build_spans(facts: OrderFacts, day_start: dt.datetime) -> list[Span]:
    """Return the order's executions of the day, oldest first.

    An order from before `day_start` may have been partly filled on earlier days, so a quantity below its
    first execution of the day does not count as missed.
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

    A bust lowers the order's total. If the executions without busted ones add up to the total, none was
    missed.
    """
    carried = _is_carried(facts, day_start)
    reported = None if carried else facts.reported  # a carried order's total includes earlier days
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
    """Return the filled quantity at which the order's day begins.

    REST reports a day from its start, so a quantity below its first execution belongs to an earlier day.
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


def merge_reports(
    reports: Iterable[Report], busted_at: Mapping[str, dt.datetime] | None = None
) -> list[Span]:
    """Return one span per execution, regardless of how often the stream and REST reported it.

    Args:
        reports: The reports about one order.
        busted_at: The times of busts, keyed by the stream's execution id.
    """
    by_total: dict[Decimal, list[Report]] = {}
    for report in reports:
        by_total.setdefault(report.cumulative, []).append(report)
    spans: list[Span] = []
    for group in by_total.values():
        pairs = _pair(_distinct(group, is_rest=False), _distinct(group, is_rest=True), busted_at or {})
        merged = sorted((_join(live, rest) for live, rest in pairs), key=lambda span: span.at)
        spans += [replace(span, occurrence=number) for number, span in enumerate(merged)]
    return spans


def trim_overlaps(spans: list[Span]) -> list[Span]:
    """Cut REST's finer executions out of the live spans that cover them.

    The stream may report two executions of a leg as one. The price of the remaining live span is then
    unknown.
    """
    reported = sorted(span.cumulative for span in spans if span.source is not ReportedBy.LIVE)
    trimmed = []
    for span in spans:
        below = bisect_left(reported, span.cumulative)
        reached = reported[below - 1] if below else span.cumulative - span.quantity
        if span.source is ReportedBy.LIVE and reached > span.cumulative - span.quantity:
            quantity = span.cumulative - reached
            span = replace(span, quantity=quantity, price=None, price_origin=PriceOrigin.UNKNOWN)  # noqa: PLW2901
        trimmed.append(span)
    return trimmed


def _distinct(group: list[Report], *, is_rest: bool) -> list[Report]:
    """Return one report per identity, oldest first; reports without an identity count as one execution."""
    kept: dict[str | None, Report] = {}
    for report in sorted((one for one in group if one.is_rest is is_rest), key=lambda one: one.at):
        kept.setdefault(report.identity, report)
    if len(kept) > 1:
        kept.pop(None, None)
    return list(kept.values())


def _pair(
    lives: list[Report], rests: list[Report], busted_at: Mapping[str, dt.datetime]
) -> list[tuple[Report | None, Report | None]]:
    """Pair the live and the REST report of each execution.

    There is usually one of each. After a bust, an order can reach the same total again; reports are then
    paired by equal quantity and price, then by equal quantity (the price may be corrected), then arbitrarily,
    always with the nearest in time.
    """
    pairs: list[tuple[Report | None, Report | None]] = []
    for likeness in (_figures, _quantity, _nothing):
        for rest in list(rests):
            alike = (one for one in lives if likeness(one) == likeness(rest))
            mates = [one for one in alike if _may_be_one(one, rest, busted_at)]
            if mates:
                mate = min(mates, key=lambda one: abs(one.at - rest.at))
                pairs.append((mate, rest))
                lives.remove(mate)
                rests.remove(rest)
    return [*pairs, *((live, None) for live in lives), *((None, rest) for rest in rests)]


def _figures(report: Report) -> object:
    return report.quantity, report.price


def _quantity(report: Report) -> object:
    return report.quantity


def _nothing(_report: Report) -> object:
    return None


def _may_be_one(live: Report, rest: Report, busted_at: Mapping[str, dt.datetime]) -> bool:
    """Return whether two reports may be of one execution.

    REST does not list a busted execution, so a report at another time is of a different one.
    """
    if live.execution_id not in busted_at:
        return True
    return abs(live.at - rest.at) <= _CLOCKS_DIFFER


def _join(live: Report | None, rest: Report | None) -> Span:
    """Return the span of both reports; REST takes precedence, because it is the broker's record.

    If REST's price differs from the stream's, the execution was corrected.
    """
    reported = [report for report in (rest, live) if report is not None]
    price = next((report.price for report in reported if report.price is not None), None)
    was = _corrected_from(live, rest)
    return Span(
        cumulative=reported[0].cumulative,
        quantity=reported[0].quantity,
        price=price,
        price_origin=PriceOrigin.UNKNOWN if price is None else PriceOrigin.REPORTED,
        at=reported[0].at,
        source=ReportedBy.BOTH if live and rest else ReportedBy.REST if rest else ReportedBy.LIVE,
        position_after=live.position_after if live else None,
        execution_id=live.execution_id if live else None,
        activity_id=rest.identity if rest else None,
        corrected=was is not None,
        was=was,
    )


def _corrected_from(live: Report | None, rest: Report | None) -> tuple[Decimal, Decimal] | None:
    if live is None or rest is None or live.price is None or rest.price is None:
        return None
    changed = live.quantity == rest.quantity and live.price != rest.price
    return (live.quantity, live.price) if changed else None


def find_missed(spans: list[Span], totals: list[TotalSeen], floor: Decimal) -> list[Span]:
    """Return spans for the quantities without an execution, split at the reported totals."""
    missed: list[Span] = []
    seen = sorted({one.cumulative for one in totals})
    for start, end in _holes(spans, max(seen, default=ZERO), floor):
        cuts = [start, *(total for total in seen if start < total < end), end]
        for low, high in itertools.pairwise(cuts):
            missed.append(_missed(low, high, spans, totals))
    return missed


def _holes(spans: list[Span], seen: Decimal, floor: Decimal) -> list[tuple[Decimal, Decimal]]:
    holes: list[tuple[Decimal, Decimal]] = []
    reached = floor
    for span in sorted(spans, key=lambda one: one.cumulative):
        start = span.cumulative - span.quantity
        if start > reached:
            holes.append((reached, start))
        reached = max(reached, span.cumulative)
    if seen > reached:
        holes.append((reached, seen))
    return holes


def _missed(low: Decimal, high: Decimal, spans: list[Span], totals: list[TotalSeen]) -> Span:
    by_then = [one.at for one in totals if one.cumulative >= high]
    by_then += [span.at for span in spans if span.cumulative >= high]
    return Span(
        cumulative=high,
        quantity=high - low,
        price=None,
        price_origin=PriceOrigin.UNKNOWN,
        at=min(by_then),
        source=ReportedBy.DERIVED,
    )
