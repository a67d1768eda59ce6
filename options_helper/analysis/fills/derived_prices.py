"""Execution prices derived from averages, and the running average."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from options_helper.analysis.fills.order_facts import ZERO, PriceOrigin, Span, TotalSeen

_CENT = Decimal("0.01")
_FEWEST_DECIMALS = 4  # Alpaca's averages are assumed to be rounded to this many decimals or more
_HALF = Decimal("0.5")


def derive_prices(spans: list[Span], totals: list[TotalSeen], *, carried: bool) -> list[Span]:
    """Fill in prices that two totals and their averages determine uniquely."""
    averages = _averages(totals)
    value: Decimal | None = None if carried else ZERO
    slack = ZERO
    priced: list[Span] = []
    for span in spans:
        if span.price is None and value is not None and span.cumulative in averages:
            average = averages[span.cumulative]
            here = slack + _slack(average) * span.cumulative
            price = _to_cent((average * span.cumulative - value) / span.quantity, here / span.quantity)
            if price is not None:
                span = replace(span, price=price, price_origin=PriceOrigin.DERIVED)  # noqa: PLW2901
        if value is not None and span.price is not None:
            value += span.price * span.quantity
        elif span.cumulative in averages:
            value = averages[span.cumulative] * span.cumulative
            slack = _slack(averages[span.cumulative]) * span.cumulative
        else:
            value = None
        priced.append(span)
    return priced


def _averages(totals: Iterable[TotalSeen]) -> dict[Decimal, Decimal]:
    """Return the newest average reported at each total."""
    ordered = sorted(totals, key=lambda seen: seen.at)
    return {seen.cumulative: seen.average for seen in ordered if seen.average is not None}


def _slack(average: Decimal) -> Decimal:
    """Return the largest rounding error of an average."""
    exponent = average.normalize().as_tuple().exponent
    decimals = -exponent if isinstance(exponent, int) else 0
    return _HALF.scaleb(-max(decimals, _FEWEST_DECIMALS))


def _to_cent(price: Decimal, slack: Decimal) -> Decimal | None:
    """Return the only price in whole cents within the slack, or None if there is none or more than one."""
    cents = price.quantize(_CENT)
    return cents if abs(price - cents) <= slack < _CENT / 2 else None


def add_averages(spans: list[Span], totals: list[TotalSeen], *, carried: bool) -> list[Span]:
    """Set the running average after each execution; None from the first missing price onwards."""
    quantity, value = _carried_over(spans, totals) if carried else (ZERO, ZERO)
    result: list[Span] = []
    for span in spans:
        if span.price is None and span.counted:
            value = None
        if value is not None and quantity is not None:
            quantity += span.counted
            value += (span.price or ZERO) * span.counted
        average = value / quantity if value is not None and quantity else None
        result.append(replace(span, average=average))
    return result


def _carried_over(spans: list[Span], totals: list[TotalSeen]) -> tuple[Decimal | None, Decimal | None]:
    """Return the quantity filled before the day and its cost, derived from the newest average."""
    newest = max(
        (seen for seen in totals if seen.average is not None), key=lambda seen: seen.at, default=None
    )
    if newest is None or newest.average is None:
        return None, None
    quantity, value = newest.cumulative, newest.average * newest.cumulative
    for span in spans:
        if span.cumulative <= newest.cumulative:
            if span.price is None:
                return None, None
            quantity -= span.quantity
            value -= span.price * span.quantity
    return quantity, value
