"""An execution in words, for the list of fills."""

from __future__ import annotations

from options_helper.analysis.fills.records import Execution, FillKind
from options_helper.analysis.fills.words import execution_name, execution_notes, execution_price
from options_helper.analysis.text.figures import MINUS
from options_helper.analysis.text.order_words import event_words, net_words, plain, price_words, side_words
from options_helper.session.views import FillsView

TIMES = "\N{MULTIPLICATION SIGN}"


def amount_words(one: Execution) -> str:
    """Return an amount: `+2 @ 1.62` with the side's sign, or the units and net price of a multi-leg line."""
    if one.kind is FillKind.PARENT:
        return f"{TIMES}{plain(one.quantity)} {execution_price(one)}"
    side = one.side or ""
    sign = "+" if side.startswith("buy") else MINUS if side.startswith("sell") else ""
    return f"{sign}{plain(one.quantity)} @ {execution_price(one)}"


def detail_words(one: Execution, view: FillsView) -> str:
    """Return a row's details: symbol, side, the order's progress, average and status, the position."""
    is_said = one.kind is FillKind.PARENT or one.symbol == execution_name(one)
    side = side_words(one.side, one.intent) if one.side or one.intent else ""
    parts = ["" if is_said else one.symbol, side]
    if one.kind is not FillKind.LEG:
        parts += _order_parts(one)
    if one.position_after is not None:
        parts.append(f"position {plain(one.position_after).replace('-', MINUS)}")
    parts.append(note_words(one, view))
    return " · ".join(part for part in parts if part)


def _order_parts(one: Execution) -> list[str]:
    """Return the order's progress and average after this execution, and its current status."""
    average = net_words(one.average_price) if one.kind is FillKind.PARENT else price_words(one.average_price)
    return [
        f"{plain(one.filled)} of {plain(one.total)}",
        f"avg {average}" if one.average_price is not None else "",
        f"order {event_words(one.status)}" if one.status else "",
    ]


def note_words(one: Execution, view: FillsView) -> str:
    """Return a row's remarks, including one if the portfolio file lacks its contract."""
    absent = "not in the portfolio file" if one.key in view.not_in_file else ""
    return " · ".join(part for part in (*execution_notes(one), absent) if part)
