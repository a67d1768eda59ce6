"""The totals in four tiles, each with its coverage.

If something is missing, a figure is "—". Only P/L Day then shows its known part, marked as partial, because
one symbol without a trusted close must not blank the headline.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from apps.streamlit.components.plain_text import in_html
from options_helper.analysis.tables.sums import Total
from options_helper.analysis.tables.totals import LiveTotals
from options_helper.analysis.text.figures import MISSING, format_dollars, format_percent, format_pnl
from options_helper.analysis.valuation.quote_state import QuoteState

_HELP = {
    "Portfolio value": "Cash and the market value of all positions at their marks.",
    "P/L Open": "Profit or loss since the positions were opened: marks against cost.",
    "P/L Day": "Profit or loss since the previous close, or since opening for what was opened today. "
    "Excludes lots closed today: they are no longer in the file.",
    "Coverage": "How many legs are live now: their quotes are younger than the threshold.",
}


_OLD_WORDS = {QuoteState.STALE: "stale", QuoteState.FROM_YESTERDAY: "from yesterday"}


def render_totals(totals: LiveTotals, cash: float, mix: str = "", *, not_held: str = "") -> None:
    """Draw the tiles.

    Args:
        totals: The figures.
        cash: The file's cash in dollars.
        mix: How prices arrive if not all of them stream.
        not_held: How much of them belongs to positions that the broker does not hold, in words.
    """
    with st.container(key="live-totals", gap="xsmall"):
        with st.grid(4, min_column_width=140, gap="xsmall"):
            _tile("Portfolio value", totals.portfolio_value, format_dollars, f"cash {format_dollars(cash)}")
            old = [(totals.states.get(state, 0), words) for state, words in _OLD_WORDS.items()]
            notes = [*(f"{number} {words}" for number, words in old if number), *describe_expired(totals)]
            _pnl_tile("P/L Open", totals.open_pnl, totals.open_pnl_pct, notes)
            _pnl_tile("P/L Day", totals.day_pnl, totals.day_pnl_pct, notes, show_part=True)
            _coverage_tile(totals, mix)
        st.html(f'<p class="oh-more">{in_html(describe_more(totals))}</p>')
        if not_held:
            st.html(f'<p class="oh-more oh-not-held">{in_html(not_held)}</p>')


def describe_more(totals: LiveTotals) -> str:
    """Return the other totals in one line, each with its coverage, and what no total can include."""
    parts = [
        f"{label} {_short(total)}"
        for label, total in (
            ("Cost", totals.cost),
            ("Market value", totals.market_value),
            ("Premium paid, long options", totals.premium_at_risk),
        )
    ]
    parts += describe_expired(totals)
    return f"{' · '.join(parts)} · P/L Day excludes lots closed today: they are no longer in the file."


def describe_expired(totals: LiveTotals) -> list[str]:
    """Return how many legs have expired: `2 expired, provisional`, `1 expired, settlement not known`."""
    unknown = totals.expired - totals.settled
    parts = [(totals.settled, "provisional"), (unknown, "settlement not known")]
    return [f"including {number} expired, {words}" for number, words in parts if number]


def _short(total: Total) -> str:
    if total.value is not None:
        return format_dollars(total.value)
    return f"{MISSING} ({_part(total, format_dollars)})"


def _tile(label: str, total: Total, write: Callable[[float | None], str], beneath: str) -> None:
    """Draw a figure that covers everything, or "—" with the known part beneath it."""
    if total.value is None:
        beneath = _part(total, write)
    _metric(label, write(total.value), beneath, color="off")


def _pnl_tile(
    label: str, total: Total, fraction: float | None, notes: list[str], *, show_part: bool = False
) -> None:
    """Draw a P/L tile; a sum that is partial or needs notes (stale, provisional) has no colour."""
    if total.value is None and total.covered and show_part:
        beneath = " · ".join([f"partial: {total.coverage}", *notes])
        _metric(label, format_pnl(total.partial), beneath, color="off")
        return
    if total.value is None:
        _metric(label, MISSING, _part(total, format_pnl), color="off")
        return
    percent = format_percent(fraction, signed=True)
    color = "green" if total.value > 0 else "red" if total.value < 0 else "off"
    if notes:
        percent, color = " · ".join([percent, *notes]), "off"
    _metric(label, format_pnl(total.value), percent, color=color)


def _part(total: Total, write: Callable[[float | None], str]) -> str:
    return f"{total.coverage}: {write(total.partial)}" if total.covered else total.coverage


def _coverage_tile(totals: LiveTotals, mix: str) -> None:
    live = f"{totals.live_legs} of {totals.legs} live" if totals.legs else MISSING
    others = [
        f"{number} {state.replace('_', ' ')}"
        for state, number in totals.states.items()
        if state != QuoteState.LIVE
    ]
    if totals.expired:
        others.append(f"{totals.expired} expired")
    if mix:
        others.append(mix)
    _metric(
        "Coverage", live, " · ".join(others) or ("nothing missing" if totals.legs else "no legs"), color="off"
    )


def _metric(label: str, value: str, beneath: str, *, color: str) -> None:
    st.metric(
        label,
        value,
        delta=beneath,
        delta_color=color,  # type: ignore[arg-type]  # one of Streamlit's words
        delta_arrow="off",
        help=_HELP[label],
        border=True,
    )
