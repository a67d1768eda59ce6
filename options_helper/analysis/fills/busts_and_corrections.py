"""Busts and corrections, applied to the executions they refer to.

The stream names the execution by its id. An execution known only from REST has no such id; then its figures
and the order's total identify it, and nothing changes if they are ambiguous.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from options_helper.analysis.fills.order_facts import (
    BUST,
    ZERO,
    Correction,
    PriceOrigin,
    ReportedBy,
    Span,
    TotalSeen,
)


def busted_at(corrections: Iterable[Correction]) -> Mapping[str, dt.datetime]:
    """Return the times of busts that name their execution, keyed by execution id."""
    return {one.previous_id: one.at for one in corrections if one.event == BUST and one.previous_id}


def comes_to_total(spans: Sequence[Span], reported: TotalSeen | None) -> bool:
    """Return whether the executions, without busted ones, add up to the order's last reported total."""
    if reported is None or any(span.at > reported.at for span in spans):
        return False
    return sum((span.counted for span in spans), ZERO) == reported.cumulative


def apply_named(
    spans: list[Span], corrections: Iterable[Correction], reported: TotalSeen | None
) -> tuple[list[Span], list[Correction]]:
    """Apply the corrections that name a span; return the spans and the remaining corrections."""
    spans, corrections, unmatched = list(spans), list(corrections), []
    places = _places_by_id(spans, corrections)
    for correction in _busts_first(corrections):
        place = places.get(correction.previous_id or "")
        if place is None:
            unmatched.append(correction)
        else:
            spans[place] = _changed(spans, place, correction, reported)
    return spans, unmatched


def _places_by_id(spans: Sequence[Span], corrections: Iterable[Correction]) -> dict[str, int]:
    """Return each execution's index, keyed by its ids; a correction adds an id that a bust may name."""
    places = {span.execution_id: place for place, span in enumerate(spans) if span.execution_id}
    for one in sorted(corrections, key=lambda each: each.at):
        if one.execution_id and one.previous_id in places:
            places.setdefault(one.execution_id, places[one.previous_id])
    return places


def apply_unnamed(
    spans: list[Span], corrections: Iterable[Correction], reported: TotalSeen | None, *, carried: bool
) -> list[Span]:
    """Apply the corrections that name no span but can refer to only one.

    An order carried over from an earlier day may have been corrected for an execution of that day.
    """
    spans, corrections = list(spans), _busts_first(corrections)
    for correction in corrections:
        if correction.event == BUST:
            place = _find_busted(spans, correction, reported, carried=carried)
        else:
            sure = not carried and len(spans) == 1 and all(one.event != BUST for one in corrections)
            place = 0 if sure and _may_be_meant(spans[0], correction) else None
        if place is not None:
            spans[place] = _changed(spans, place, correction, reported)
    return spans


def _busts_first(corrections: Iterable[Correction]) -> list[Correction]:
    return sorted(corrections, key=lambda one: (one.event != BUST, one.at))


def _find_busted(
    spans: list[Span], bust: Correction, reported: TotalSeen | None, *, carried: bool
) -> int | None:
    """Return the index of the busted span: the newest with the bust's figures, else the only candidate.

    Return None if the order's total covers all remaining spans, because REST has then already removed the
    busted one.
    """
    if reported is not None:
        excess = sum((span.counted for span in spans if span.at <= reported.at), ZERO) - reported.cumulative
        if excess < (bust.quantity or min((span.quantity for span in spans), default=ZERO)):
            return None
    places = [place for place, span in enumerate(spans) if not span.busted and _may_be_meant(span, bust)]
    alike = [place for place in places if spans[place].price in {bust.price, None}]
    if alike:
        return alike[-1]
    return places[0] if len(places) == 1 and not carried else None


def _may_be_meant(span: Span, correction: Correction) -> bool:
    """Return whether a correction may refer to a span, given their ids, quantities and times."""
    if correction.previous_id and span.execution_id is not None:
        return False
    if correction.quantity not in {span.quantity, None}:
        return False
    # A quantity known only from totals has no reported execution time.
    return span.source is ReportedBy.DERIVED or span.at <= correction.at


def _changed(spans: list[Span], place: int, correction: Correction, reported: TotalSeen | None) -> Span:
    span = spans[place]
    if correction.event == BUST:
        return replace(span, busted=True)
    quantity = span.quantity if correction.quantity is None else abs(correction.quantity)
    price = _corrected_price(spans, place, correction, reported)
    was = span.was or (span.quantity, span.price)
    return replace(
        span,
        quantity=quantity,
        price=price,
        price_origin=span.price_origin if price is None else PriceOrigin.REPORTED,
        corrected=True,
        was=None if was == (quantity, price) else was,
    )


def _corrected_price(
    spans: list[Span], place: int, correction: Correction, reported: TotalSeen | None
) -> Decimal | None:
    """Return the correction's price, or REST's if it is closer to the order's average.

    REST may already include this correction, or a later one that the stream missed.
    """
    span = spans[place]
    if correction.price is None:
        return span.price
    if reported is None or reported.average is None or span.price is None or span.source is ReportedBy.LIVE:
        return correction.price
    others = [one for one in spans if one is not span and one.counted]
    if any(one.price is None for one in others):
        return correction.price
    value = sum(((one.price or ZERO) * one.counted for one in others), ZERO)
    due = reported.average * reported.cumulative - value
    by_rest, by_correction = (abs(each * span.quantity - due) for each in (span.price, correction.price))
    return span.price if by_rest < by_correction else correction.price
