"""Today's fills and orders, and their completeness."""

from __future__ import annotations

import datetime as dt
from functools import partial

import streamlit as st

from apps.streamlit.components.downloads import OfferedFile, offer_file, withdraw_file
from apps.streamlit.components.fills.fill_rows import amount_words, detail_words
from apps.streamlit.components.fills.fills_csv import fills_csv, fills_csv_name
from apps.streamlit.components.fills.list_rows import SHOWN, Row, list_rows, quiet
from apps.streamlit.components.fills.orders_list import orders_html
from apps.streamlit.components.headings import panel_heading
from options_helper.analysis.fills.records import Execution, FillKind
from options_helper.analysis.fills.words import completeness_words, execution_name
from options_helper.analysis.text.figures import MISSING
from options_helper.analysis.text.order_words import event_words
from options_helper.analysis.text.wording import count, format_time
from options_helper.session.views import FillsView

_OFF = "unknown: Fills was switched off at Start"
_BEFORE_START = "Fetched at Start."
_CSV = "live-fills-csv"  # the download's key
_HOW_TO_ASK = "Switch Fills on in the sidebar and press Restart."


def render_fills(view: FillsView, zone: dt.tzinfo) -> None:
    """Draw the fills and the orders of the day."""
    with st.container(key="live-fills", border=True):
        st.html(_title(view, zone))
        fills, orders = st.tabs(["Fills", "Orders"], key="live-fills-tabs")
        with fills:
            st.html(_fill_list(view, zone))
        with orders:
            st.html(orders_html(view.day, zone) if view.known or view.day.orders else quiet(_BEFORE_START))
    if view.day.executions or view.day.events:
        offer_file(_CSV, OfferedFile("Fills as CSV", fills_csv_name(view), partial(fills_csv, view, zone)))
    else:
        withdraw_file(_CSV)


def _title(view: FillsView, zone: dt.tzinfo) -> str:
    words, reason = f"{len(view.day.fills):,}" if view.known or view.day.fills else MISSING, ""
    if view.off:
        words = _OFF
    elif view.known:
        completeness = view.day.completeness
        words += f" · {completeness_words(completeness, zone)}"
        reason = completeness.reason
    head = panel_heading("Fills today", words)
    return head + quiet(reason)


def _fill_list(view: FillsView, zone: dt.tzinfo) -> str:
    shown = _newest(view.day.executions)
    events = [
        Row(
            time=MISSING if one.booked_at is None else format_time(one.booked_at, zone),
            what=one.words,
            amount="",
            details=f"{event_words(one.type)}, not a fill",
            hover=one.symbol,
        )
        for one in view.day.events
    ]
    if not shown and not events:
        return quiet(_HOW_TO_ASK if view.off else "No fills yet today." if view.known else _BEFORE_START)
    older = len(view.day.executions) - len(shown)
    rest = f"{count(older, 'older row')} not listed; the CSV file has them." if older else ""
    return list_rows("Fills", [*events, *(_row(one, view, zone) for one in shown)]) + quiet(rest)


def _newest(executions: tuple[Execution, ...]) -> tuple[Execution, ...]:
    """Return the rows to list, with the legs of the last one."""
    end = SHOWN
    while end < len(executions) and executions[end].kind is FillKind.LEG:
        end += 1
    return executions[:end]


def _row(one: Execution, view: FillsView, zone: dt.tzinfo) -> Row:
    is_leg = one.kind is FillKind.LEG
    return Row(
        time="" if is_leg else format_time(one.at, zone),
        what=execution_name(one),
        amount=amount_words(one),
        details=detail_words(one, view),
        hover=one.symbol,
        classes=" ".join(name for name, wanted in (("oh-leg", is_leg), ("oh-void", one.busted)) if wanted),
    )
