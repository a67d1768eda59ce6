"""A position's detail in words: its extremes, how its marks were made, and why the broker's prices differ."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import replace

from apps.streamlit.components.positions.table.records import Record
from apps.streamlit.components.positions.table.row_words import AGED_STATES, STATE_WORDS, name_of, terms_of
from options_helper.analysis.osi import stock_symbol
from options_helper.analysis.strategies.portfolio_loss import Cover
from options_helper.analysis.strategies.structures import Structure
from options_helper.analysis.text.figures import (
    MISSING,
    format_bare_price,
    format_count,
    format_dollars,
    format_price,
    format_span,
)
from options_helper.analysis.text.wording import format_near_time
from options_helper.analysis.valuation.marks import MarkMethod
from options_helper.analysis.valuation.quote_state import QuoteState
from options_helper.models import EquityPosition, MultiLegPosition, Position

METHOD_WORDS = {
    MarkMethod.MID: "the middle of bid and ask",
    MarkMethod.LOCKED: "bid and ask, which are equal",
    MarkMethod.HALF_ASK: "half the ask",
    MarkMethod.LAST: "the last trade",
    MarkMethod.SETTLED: "the intrinsic value at expiry, provisional",
    MarkMethod.NONE: "no mark",
}
_CENT = 0.005


def title_of(position: Position | EquityPosition | MultiLegPosition, structure: Structure) -> str:
    """Return a position's title: `AAPL Credit iron condor · 18 Dec 2026 · 255/260/285/290`."""
    name = f"{stock_symbol(position.symbol)} {name_of(position, structure.name)}"
    terms = terms_of(position, days=math.inf)
    return f"{name} · {terms}" if terms else name


def extremes_of(structure: Structure) -> str:
    """Return the extremes in words: `width $5.00 · max profit $324 · max loss unlimited · break-even 258.38`.

    Undefined figures are left out; figures that an adjusted contract makes unknown are `—`.
    """
    parts = []
    if structure.width is not None:
        parts.append(f"width {format_price(structure.width)}")
    if structure.adjusted:
        parts += [f"{what} {MISSING}" for what in ("max profit", "max loss", "break-evens")]
    if structure.max_profit is not None:
        parts.append(f"max profit {_extreme(structure.max_profit)}")
    if structure.max_loss is not None:
        parts.append(f"max loss {_extreme(-structure.max_loss)}")
    if structure.break_evens:
        noun = "break-even" if len(structure.break_evens) == 1 else "break-evens"
        parts.append(f"{noun} {' / '.join(map(format_bare_price, structure.break_evens))}")
    return " · ".join(parts)


def cover_words(cover: Cover | None) -> str:
    """Return how many shares cover a call: `covered by 100 of 100 shares in the file`, or ""."""
    if cover is None:
        return ""
    return f"covered by {format_count(cover.shares)} of {format_count(cover.needed)} shares in the file"


def with_cover(structure: Structure, cover: Cover | None) -> Structure:
    """Return the structure with the extremes of a covered call if shares cover all of it, else unchanged."""
    payoff = None if cover is None else cover.payoff
    if payoff is None:
        return structure
    extremes = (payoff.max_profit, payoff.max_loss, payoff.break_evens)
    return replace(structure, max_profit=extremes[0], max_loss=extremes[1], break_evens=extremes[2])


def no_payoff_words(structure: Structure) -> str:
    """Return why there is no payoff at expiry."""
    if structure.adjusted:
        return "No payoff at expiry: the deliverable of an adjusted contract is unknown."
    return "No payoff at expiry: the legs expire on different days, or the file does not say what was paid."


def marks_of(records: Sequence[Record]) -> str:
    """Return how the legs' marks were made: `marks: the middle of bid and ask · OPRA`."""
    methods = dict.fromkeys(METHOD_WORDS[MarkMethod(record["mark_method"])] for record in records)
    sources = dict.fromkeys(source_words(record["source"]) for record in records if record["source"])
    parts = [" and ".join(methods), " and ".join(sources)]
    return f"{'mark' if len(records) == 1 else 'marks'}: {' · '.join(part for part in parts if part)}"


def source_words(source: str) -> str:
    """Return the page's name for a source; IEX is marked as a single exchange."""
    return "IEX only" if source == "IEX" else source


def state_words(state: str, age_seconds: float | None) -> str:
    """Return a quote's state in words: `● live 2 s`, with the age only if it matters."""
    words = STATE_WORDS[QuoteState(state)]
    return (
        f"{words} {format_span(age_seconds)}" if age_seconds is not None and state in AGED_STATES else words
    )


def stopped_words(state: str, at: dt.datetime, now: dt.datetime, zone: dt.tzinfo) -> str:
    """Return a quote's state after Stop, when nothing ages: `■ as of 13:46`; "" if it has other words.

    A time on a different day than `now` includes the day: `■ as of Fri 13:46`.
    """
    return f"\N{BLACK SQUARE} as of {format_near_time(at, now, zone)}" if state in AGED_STATES else ""


def origin_words(record: Record) -> str:
    """Return the source of a quote and its delay: `OPRA, received 18 ms after it was made`."""
    source, lag = record["source"], record["lag_seconds"]
    if not source or lag is None:
        return source_words(source or "")
    after = format_span(lag) if lag >= 1 else f"{max(lag, 0.0) * 1000:,.0f} ms"
    return f"{source_words(source)}, received {after} after it was made"


def broker_words(records: Sequence[Record]) -> str:
    """Return why the broker's prices differ from the marks, or "".

    Alpaca values an option at its last trade (Alpaca's staff, forum thread 14769).
    """
    differing = [record for record in records if _differs(record)]
    if not differing:
        return ""
    methods = dict.fromkeys(METHOD_WORDS[MarkMethod(record["mark_method"])] for record in differing)
    here = "the mark here is" if len(differing) == 1 else "the marks here are"
    if set(methods) == {METHOD_WORDS[MarkMethod.NONE]}:
        here = "here there is"
    return f"The broker values an option at its last trade, however old; {here} {' or '.join(methods)}."


def _differs(record: Record) -> bool:
    price, mark = record["broker_price"], record["mark"]
    if price is None or record["kind"] == "stock":
        return False
    return mark is None or abs(price - mark) >= _CENT


def _extreme(value: float) -> str:
    if math.isinf(value):
        return "unlimited"
    return format_dollars(value)
