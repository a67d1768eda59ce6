"""The Greeks of a position, leg by leg: the model's with their inputs, and the vendor's with their age."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from apps.streamlit.components.plain_text import in_html
from apps.streamlit.components.positions.table.records import Record, plain_records
from options_helper.analysis.risk import LiveRisk
from options_helper.analysis.risk.facts import find_facts
from options_helper.analysis.risk.inputs import SpotSource
from options_helper.analysis.risk.pricing.reasons import Reason
from options_helper.analysis.risk.vendor import VendorGreeks, find_vendor_greeks
from options_helper.analysis.text.figures import (
    MISSING,
    format_percent,
    format_pnl,
    format_price,
    format_quantity,
    format_span,
)

_HEADS = ("IV", "Delta", "Theta / day", "Vega / pt", "Extrinsic", "Spot", "Time left")
_DAY_SECONDS = 86_400


def greeks_html(risk: LiveRisk, numbers: Sequence[int]) -> str:
    """Return the legs' Greeks as a table, followed by notes: reasons for missing figures, and facts."""
    records = plain_records(risk.legs.iloc[list(numbers)])
    heads = "".join(f'<th scope="col">{head}</th>' for head in _HEADS)
    rows = "".join(
        "".join(_leg_rows(record, _spot_words(risk, number), find_vendor_greeks(risk, number)))
        for record, number in zip(records, numbers, strict=True)
    )
    facts = (fact for number in numbers for fact in find_facts(risk, number))
    forwards = (words for number in numbers for words in _forward_words(risk, number))
    paid = (words for record in records for words in _dividend_words(record))
    notes = [*_reasons(records), *_unknown_dividends(risk, records), *paid, *forwards, *facts]
    lines = "".join(f"<li>{in_html(note)}</li>" for note in dict.fromkeys(notes))
    return (
        '<div class="pd-ladder" tabindex="0" role="region" aria-label="Greeks">'
        f"<table><thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
        + (f'<ul class="pd-facts">{lines}</ul>' if lines else "")
    )


def _spot_words(risk: LiveRisk, number: int) -> str:
    """Return the source of the spot, and the time since it was last confirmed."""
    source, age = risk.inputs.sources[number], float(risk.prices.spot_ages[number])
    aged = source not in {SpotSource.PARITY, SpotSource.NONE} and not math.isnan(age)
    return f"{source}, {format_span(age)}" if aged else source


def _leg_rows(record: Record, spot_words: str, vendor: VendorGreeks | None) -> Iterator[str]:
    name = record["contract_symbol"] or "Shares"
    years = record["years"]
    left = MISSING if years is None else format_span(years * 365 * _DAY_SECONDS)
    cells = [
        _volatility(record),
        _quantity(record["delta"]),
        format_pnl(record["theta"]),
        format_pnl(record["vega"]),
        format_price(record["extrinsic"]),
        f"{format_price(record['spot'])} <small>{in_html(spot_words)}</small>",
        left,
    ]
    yield _row(name, cells)
    if vendor is not None:
        age = "age unknown" if vendor.age_seconds is None else f"{format_span(vendor.age_seconds)} old"
        yield _row(f"vendor, {age}", [
            _against(format_percent(vendor.iv), vendor.iv, record["iv"], points=True),
            _against(_quantity(vendor.delta), vendor.delta, record["delta"]),
            _against(format_pnl(vendor.theta), vendor.theta, record["theta"]),
            _against(format_pnl(vendor.vega), vendor.vega, record["vega"]),
            "", "", "",
        ])  # fmt: skip


def _row(name: str, cells: Sequence[str]) -> str:
    figures = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr><th scope="row">{in_html(name)}</th>{figures}</tr>'


def _volatility(record: Record) -> str:
    low, high = record["bid_iv"], record["ask_iv"]
    text = format_percent(record["iv"])
    if record["modelled"]:
        return f"{text} <small>modelled</small>"
    if low is None or high is None:
        return text
    return f"{text} <small>{format_percent(low)[:-1]}\N{EN DASH}{format_percent(high)}</small>"


def _against(text: str, vendor: float | None, ours: float | None, *, points: bool = False) -> str:
    """Return the vendor's figure with its difference from ours."""
    if vendor is None or ours is None:
        return text
    difference = (vendor - ours) * (100 if points else 1)
    return f"{text} <small>{_quantity(difference)}{' pt' if points else ''}</small>"


def _quantity(value: float | None) -> str:
    return MISSING if value is None else format_quantity(round(value, 1))


def _forward_words(risk: LiveRisk, number: int) -> Iterator[str]:
    """Yield a sentence about the forward of an index option."""
    option, source = risk.inputs.options[number], risk.inputs.sources[number]
    if option is None or source is SpotSource.MARK:
        return
    symbol = risk.terms.symbols[number]
    if source is SpotSource.INDEX:
        yield f"{symbol}: no pair of quotes shows the index's dividend yield; the model assumes none."
    else:
        yield f"{symbol}: forward {format_price(option.forward)} by put-call parity of quoted pairs."


def _dividend_words(record: Record) -> Iterator[str]:
    if record["dividends"] and record["reason"] is None:
        total = format_price(record["dividends"])
        yield f"{record['contract_symbol']}: {total} of declared dividends per share until expiry."


def _unknown_dividends(risk: LiveRisk, records: Sequence[Record]) -> Iterator[str]:
    if risk.at.dividends is None and any(record["reason"] is None for record in records):
        yield "Declared dividends are not known yet; the model assumes none."


def _reasons(records: Sequence[Record]) -> Iterator[str]:
    for record in records:
        if record["reason"] is not None and record["reason"] != Reason.SHARES:
            yield f"{record['contract_symbol'] or 'A contract'}: {Reason(record['reason']).sentence}"
