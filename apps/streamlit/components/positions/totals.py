"""The totals in four tiles, each with its coverage.

An incomplete figure shows its known part, marked as partial, because one symbol without a price or a trusted
close must not blank the headline. A figure is "—" if nothing is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import streamlit as st

from apps.streamlit.components.plain_text import in_html
from options_helper.analysis.account.day_result import AccountDay
from options_helper.analysis.account.panel_words import day_coverage
from options_helper.analysis.strategies.portfolio_loss import PortfolioLoss
from options_helper.analysis.tables.sums import Total
from options_helper.analysis.tables.totals import LiveTotals
from options_helper.analysis.text.figures import MISSING, format_dollars, format_percent, format_pnl
from options_helper.analysis.text.wording import TODAY
from options_helper.analysis.valuation.quote_state import QuoteState

_DAY = "P/L Day"
_HELP = {
    "Portfolio value": "Cash and the market value of all positions at their marks.",
    "P/L Open": "Profit or loss since the positions were opened: marks against cost.",
    _DAY: "Profit or loss since the previous close, or since opening for positions opened on the day. "
    "On a day without a session, it is that of the last session, and the tile is named after its day. "
    "File: the positions in the file, at their marks, without lots closed on the day. "
    "Account: everything the account held on the day, at the broker's prices.",
    "Coverage": "The number of legs that are live: their quotes are younger than the threshold.",
}


_OF_ACCOUNT = "Account"
_ACCOUNT_UNKNOWN = "until the account's positions and recent history are complete"
_DAY_KEY = "live-day-of"
_OLD_WORDS = {QuoteState.STALE: "stale", QuoteState.FROM_YESTERDAY: "from yesterday"}


def render_totals(
    totals: LiveTotals,
    cash: float,
    mix: str = "",
    *,
    loss: PortfolioLoss | None = None,
    not_held: str = "",
    day: AccountDay | None = None,
    day_name: str = TODAY,
    has_account: bool = True,
) -> None:
    """Draw the tiles.

    Args:
        totals: The figures.
        cash: The file's cash in dollars.
        mix: How prices arrive if not all of them stream.
        loss: The largest possible loss of the portfolio at expiry.
        not_held: The part of the totals in positions that the broker does not hold, in words.
        day: The account's day, which P/L Day can show instead of the file's; None while it is unknown.
        day_name: "today", or the day of the last session.
        has_account: False before Start, when there is no account to choose yet.
    """
    of_account = has_account and st.session_state.get(_DAY_KEY) == _OF_ACCOUNT
    with st.container(key="live-totals", gap="xsmall"):
        with st.grid(4, min_column_width=140, gap="xsmall"):
            _tile("Portfolio value", totals.portfolio_value, format_dollars, f"cash {format_dollars(cash)}")
            old = [(totals.states.get(state, 0), words) for state, words in _OLD_WORDS.items()]
            notes = [*(f"{number:,} {words}" for number, words in old if number), *describe_expired(totals)]
            _pnl_tile("P/L Open", totals.open_pnl, totals.open_pnl_pct, notes)
            if of_account and day is None:
                _metric(day_label(day_name), MISSING, _ACCOUNT_UNKNOWN, color="off")
            elif of_account and day is not None:
                _account_day_tile(day)
            else:
                _pnl_tile(day_label(day_name), totals.day_pnl, totals.day_pnl_pct, notes)
            _coverage_tile(totals, mix)
        with st.container(key="live-totals-more", horizontal=True, vertical_alignment="center", gap="small"):
            if has_account:
                st.segmented_control(
                    "P/L Day of",
                    ["File", _OF_ACCOUNT],
                    default="File",
                    required=True,
                    key=_DAY_KEY,
                    label_visibility="collapsed",
                    width="content",
                )
            more = describe_more(totals, loss, of_account=of_account, day_name=day_name)
            held = f' <b class="oh-not-held">{in_html(not_held)}.</b>' if not_held else ""
            st.html(f'<p class="oh-more">{in_html(more)}{held}</p>', width="stretch")


def render_meanings() -> None:
    """Draw an expander that explains each tile; hovering over a tile shows the same words."""
    with st.expander("What the totals mean", key="live-meanings"):
        lines = "".join(f"<dt>{label}</dt><dd>{in_html(words)}</dd>" for label, words in _HELP.items())
        st.html(f'<dl class="oh-meanings">{lines}</dl>')


def day_label(day_name: str) -> str:
    """Return `P/L Day`, or `P/L Friday` of the last session."""
    return _DAY if day_name == TODAY else f"P/L {day_name}"


def describe_more(
    totals: LiveTotals, loss: PortfolioLoss | None = None, *, of_account: bool = False, day_name: str = TODAY
) -> str:
    """Return the other totals in one line, each with its coverage, and what P/L Day covers."""
    parts = [
        f"{label} {_short(total)}"
        for label, total in (
            ("Cost", totals.cost),
            ("Market value", totals.market_value),
            ("Premium paid, long options", totals.premium_at_risk),
        )
    ]
    if loss is not None and loss.positions:
        parts.append(f"Max loss at expiry {describe_loss(loss)}")
    parts += describe_expired(totals)
    closed = f"lots closed {day_name if day_name == TODAY else f'on {day_name}'}"
    of_file = f"excludes {closed}"
    parts.append(
        f"{day_label(day_name)} {f'covers the account, including {closed}' if of_account else of_file}."
    )
    return " · ".join(parts)


def describe_loss(loss: PortfolioLoss) -> str:
    """Return a loss: `$5,210`, `unlimited`, or `— (7 of 9 positions: $5,210)` if some have no payoff."""
    words = "unlimited" if math.isinf(loss.value) else format_dollars(max(loss.value, 0.0))
    if math.isinf(loss.value) or loss.covered == loss.positions:
        return words
    part = f"{loss.covered:,} of {loss.positions:,} positions"
    return f"{MISSING} ({part}: {words})" if loss.covered else f"{MISSING} ({part})"


def describe_expired(totals: LiveTotals) -> list[str]:
    """Return how many legs have expired: `including 2 expired, provisional`, `excluding 1 expired, …`."""
    unknown = totals.expired - totals.settled
    parts = [f"including {totals.settled:,} expired, provisional"] if totals.settled else []
    return [*parts, f"excluding {unknown:,} expired, settlement unknown"] if unknown else parts


def _short(total: Total) -> str:
    if total.value is not None:
        return format_dollars(total.value)
    if not total.covered:
        return f"{MISSING} ({total.coverage})"
    return f"{format_dollars(total.partial)} (partial: {total.coverage})"


def _tile(label: str, total: Total, write: Callable[[float | None], str], beneath: str) -> None:
    """Draw a figure, marked as partial if it does not cover everything."""
    if total.value is None and not total.covered:
        _metric(label, MISSING, total.coverage, color="off")
        return
    if total.value is None:
        beneath = f"partial: {total.coverage}, {beneath}"
    _metric(label, write(total.partial), beneath, color="off")


def _pnl_tile(label: str, total: Total, fraction: float | None, notes: list[str]) -> None:
    """Draw a P/L tile; a sum that is partial or needs notes (stale, provisional) has no colour."""
    if not total.covered and total.legs:
        _metric(label, MISSING, total.coverage, color="off")
        return
    if total.value is None:
        beneath = " · ".join([f"partial: {total.coverage}", *notes])
        _metric(label, format_pnl(total.partial), beneath, color="off")
        return
    percent = format_percent(fraction, signed=True)
    color = "green" if total.value > 0 else "red" if total.value < 0 else "off"
    if notes:
        percent, color = " · ".join([percent, *notes]), "off"
    _metric(label, format_pnl(total.value), percent, color=color)


def _account_day_tile(day: AccountDay) -> None:
    """Draw the account's P/L Day; a partial one has no colour."""
    value = None if day.known is None else float(day.known)
    label = day_label(day.name)
    if value is None or not day.complete:
        missing = [] if day.cash is not None else ["without fees"]
        words = " · ".join([f"partial: {day_coverage(day)}", *missing])
        _metric(label, format_pnl(value), words, color="off")
        return
    color = "green" if value > 0 else "red" if value < 0 else "off"
    _metric(label, format_pnl(value), f"account, {day_coverage(day)}", color=color)


def _coverage_tile(totals: LiveTotals, mix: str) -> None:
    live = f"{totals.live_legs:,} of {totals.legs:,} live" if totals.legs else MISSING
    others = [
        f"{number:,} {state.replace('_', ' ')}"
        for state, number in totals.states.items()
        if state != QuoteState.LIVE
    ]
    if totals.expired:
        others.append(f"{totals.expired:,} expired")
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
        help=_HELP.get(label, _HELP[_DAY]),
        border=True,
        height="stretch",
    )
