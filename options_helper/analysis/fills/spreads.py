"""The lines of multi-leg fills: a net price, with the legs' executions below it.

REST reports a multi-leg order's fills only per leg, so the lines are built from the legs: a fill of the whole
order is complete when all legs have reached the same number of units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from options_helper.analysis.fills.order_facts import (
    BUST,
    ZERO,
    OrderFacts,
    PriceOrigin,
    Report,
    ReportedBy,
    Span,
)
from options_helper.analysis.osi import is_contract_symbol

_FINEST_QUANTITY = Decimal("1e-9")


@dataclass(frozen=True, slots=True)
class SpreadLeg:
    """One leg of a multi-leg order with its executions.

    Attributes:
        ratio: Contracts or shares per unit of the order.
        sign: 1 if bought, -1 if sold, None if unknown.
    """

    facts: OrderFacts
    ratio: Decimal
    sign: int | None
    spans: tuple[Span, ...]

    @property
    def is_shares(self) -> bool:
        """True for a leg of shares; its price cannot be added to a contract's."""
        symbol = self.facts.newest.get("symbol")
        return symbol is not None and not is_contract_symbol(symbol)

    def units(self, span: Span) -> Decimal:
        """Return the number of the order's units filled after one of the leg's executions."""
        return (span.cumulative / self.ratio).quantize(_FINEST_QUANTITY)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFill:
    """One fill of a multi-leg order.

    Attributes:
        line: The quantity in units, and the net price per unit, negative for a credit.
        legs: The legs' executions in this fill, leg by leg.
    """

    line: Span
    legs: tuple[tuple[SpreadLeg, Span], ...]


def build_legs(
    parent: OrderFacts, by_id: Mapping[str, OrderFacts], spans: Mapping[str, list[Span]]
) -> list[SpreadLeg]:
    """Return the legs of a multi-leg order with their executions."""
    legs = []
    for leg_id in parent.leg_ids:
        facts = by_id[leg_id]
        if facts.parent_id != parent.order_id:  # a broken record has the same leg under two orders
            continue
        side = facts.newest.get("side")
        sign = None if side is None else 1 if side.startswith("buy") else -1
        legs.append(SpreadLeg(facts, _ratio(facts, parent), sign, tuple(spans[leg_id])))
    return legs


def build_unit_fills(parent: OrderFacts, legs: list[SpreadLeg]) -> list[UnitFill]:
    """Return the fills of a multi-leg order, oldest first; the last one may still lack legs."""
    fills: list[UnitFill] = []
    start = _start(legs)
    value: Decimal | None = ZERO if start == 0 else None
    ends = _common_ends(legs)
    for end in [*ends, None]:
        inside = tuple(
            (leg, span)
            for leg in legs
            for span in leg.spans
            if leg.units(span) > start and (end is None or leg.units(span) <= end)
        )
        if not inside:
            continue
        line = _line(parent, inside, start, end)
        value = None if value is None or line.price is None else value + line.price * line.counted
        average = value / end if value is not None and end else None
        fills.append(UnitFill(line=replace(line, average=average), legs=inside))
        start = start if end is None else end
    return fills


def _ratio(leg: OrderFacts, parent: OrderFacts) -> Decimal:
    given = leg.newest.get("ratio_qty")
    if given:
        return Decimal(repr(float(given)))
    quantity, units = leg.quantity, parent.quantity
    return quantity / units if quantity and units else Decimal(1)


def _start(legs: list[SpreadLeg]) -> Decimal:
    """Return the units filled before the day's first execution."""
    starts = [
        ((leg.spans[0].cumulative - leg.spans[0].quantity) / leg.ratio).quantize(_FINEST_QUANTITY)
        for leg in legs
        if leg.spans
    ]
    return min(starts, default=ZERO)


def _common_ends(legs: list[SpreadLeg]) -> list[Decimal]:
    ends = [{leg.units(span) for span in leg.spans} for leg in legs]
    return sorted(set.intersection(*ends)) if ends else []


def _line(
    parent: OrderFacts, inside: tuple[tuple[SpreadLeg, Span], ...], start: Decimal, end: Decimal | None
) -> Span:
    spans = [span for _, span in inside]
    reported = _own_report(parent, start, end)
    quantity = ZERO if end is None else end - start
    price, origin = _net_price(inside, quantity, reported)
    corrected = _corrected_price(parent, reported)
    if corrected is not None:
        price, origin = corrected, PriceOrigin.REPORTED
    return Span(
        cumulative=start if end is None else end,
        quantity=quantity,
        price=price,
        price_origin=origin,
        at=max(span.at for span in spans),
        source=_source(spans),
        execution_id=reported.execution_id if reported else None,
        busted=all(span.busted for span in spans),
        corrected=corrected is not None or any(span.corrected for span in spans),
    )


def _own_report(parent: OrderFacts, start: Decimal, end: Decimal | None) -> Report | None:
    """Return the stream's report of the whole fill, or None."""
    reports = (
        one for one in parent.reports if one.cumulative == end and one.quantity == one.cumulative - start
    )
    return next(reports, None)


def _net_price(
    inside: tuple[tuple[SpreadLeg, Span], ...], quantity: Decimal, reported: Report | None
) -> tuple[Decimal | None, PriceOrigin]:
    """Return the net price and its origin.

    The price is the sum of the legs' prices, or the stream's net price if a leg's price was not reported or a
    leg is shares.
    """
    mixed = any(leg.is_shares for leg, _ in inside)
    known = all(span.price_origin is PriceOrigin.REPORTED for _, span in inside)
    if reported is not None and reported.price is not None and (mixed or not known):
        return reported.price, PriceOrigin.REPORTED
    if mixed:
        return None, PriceOrigin.MIXED
    total = ZERO
    for leg, span in inside:
        if span.price is None or leg.sign is None:
            return None, PriceOrigin.UNKNOWN
        total += leg.sign * span.price * span.quantity
    if not quantity:
        return None, PriceOrigin.UNKNOWN
    return total / quantity, PriceOrigin.REPORTED if known else PriceOrigin.DERIVED


def _corrected_price(parent: OrderFacts, reported: Report | None) -> Decimal | None:
    """Return the newest net price that a correction set for the whole fill, or None."""
    if reported is None or reported.execution_id is None:
        return None
    meant = [
        one for one in parent.corrections if one.previous_id == reported.execution_id and one.event != BUST
    ]
    return max(meant, key=lambda one: one.at).price if meant else None


def _source(spans: list[Span]) -> ReportedBy:
    sources = {span.source for span in spans}
    if len(sources) == 1:
        return sources.pop()
    return ReportedBy.DERIVED if ReportedBy.DERIVED in sources else ReportedBy.BOTH
