"""Today's fills and orders: where they are complete, and where not yet."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from options_helper.analysis.figures import MINUS
from options_helper.analysis.fill_book import FillKind
from options_helper.analysis.fill_completeness import completeness
from options_helper.analysis.fill_tables import executions_frame
from options_helper.analysis.fill_words import event_words, net_words, plain, price_words
from options_helper.analysis.wording import format_time

if TYPE_CHECKING:
    import datetime as dt

    from apps.streamlit.components.fills_view import FillsView
    from options_helper.analysis.fill_book import Execution, FillBook, OrderStory

TIMES = "\N{MULTIPLICATION SIGN}"
_SHOWN = 200


def render_fills(view: FillsView, zone: dt.tzinfo) -> None:
    """Draw the fills and the orders of the day."""
    with st.container(key="live-fills", border=True):
        st.html(_title(view, zone))
        fills, orders = st.tabs(["Fills", "Orders"], key="live-fills-tabs")
        with fills:
            st.html(_fill_list(view, zone))
        with orders:
            st.html(_order_list(view.book, zone))
        if view.book.executions:
            st.download_button(
                "Fills as CSV",
                data=fills_csv(view.book, zone),
                file_name=f"fills-{view.book.day.isoformat()}.csv",
                mime="text/csv",
                icon=":material/download:",
                type="tertiary",
                key="live-fills-csv",
                on_click="ignore",
            )


def _title(view: FillsView, zone: dt.tzinfo) -> str:
    words = str(len(view.book.fills))
    if view.known:
        words += f" · {completeness(view.book).sentence(zone)}"
    return f'<p class="oh-panel-title"><strong>Fills today</strong> <span>{escape(words)}</span></p>'


def _fill_list(view: FillsView, zone: dt.tzinfo) -> str:
    shown = view.book.executions[:_SHOWN]
    if not shown:
        return '<p class="oh-quiet">No fills yet today.</p>'
    rows = "".join(_fill_row(one, view, zone) for one in shown)
    return f'<ol class="oh-rows" tabindex="0" aria-label="Fills">{rows}</ol>'


def _fill_row(one: Execution, view: FillsView, zone: dt.tzinfo) -> str:
    classes = " ".join(
        name for name, wanted in (("oh-leg", one.kind is FillKind.LEG), ("oh-void", one.busted)) if wanted
    )
    time = "" if one.kind is FillKind.LEG else format_time(one.at, zone)
    quantity = plain(one.quantity)
    amount = (
        f"{TIMES}{quantity} {one.price_words}"
        if one.kind is FillKind.PARENT
        else f"{_signed(one)} @ {one.price_words}"
    )
    return _row(classes, time, one.words, amount, _fill_details(one, view), one.symbol)


def _signed(one: Execution) -> str:
    """The quantity with the sign of the side: what it did to the position."""
    side = one.side or ""
    sign = "+" if side.startswith("buy") else MINUS if side.startswith("sell") else ""
    return f"{sign}{plain(one.quantity)}"


def _fill_details(one: Execution, view: FillsView) -> str:
    parts = [one.side_words if one.side or one.intent else ""]
    if one.kind is not FillKind.LEG:
        parts.append(f"{plain(one.filled)} of {plain(one.total)}" if one.total is not None else "")
        parts.append(f"avg {_average_words(one)}" if one.average_price is not None else "")
    if one.position_after is not None:
        parts.append(f"now {plain(one.position_after).replace('-', MINUS)}")
    parts.append(one.note)
    parts.append("not in the portfolio file" if one.key in view.not_in_file else "")
    return " · ".join(part for part in parts if part)


def _average_words(one: Execution) -> str:
    return (net_words if one.kind is FillKind.PARENT else price_words)(one.average_price)


def _order_list(book: FillBook, zone: dt.tzinfo) -> str:
    if not book.orders:
        return '<p class="oh-quiet">No orders yet today.</p>'
    rows = "".join(_order_row(one, zone) for one in book.orders[:_SHOWN])
    return f'<ol class="oh-rows" tabindex="0" aria-label="Orders">{rows}</ol>'


def _order_row(one: OrderStory, zone: dt.tzinfo) -> str:
    terms = [
        one.side_words if one.side or one.intent else "",
        plain(one.quantity),
        one.type or "",
        one.limit_words if one.limit_price is not None else "",
    ]
    details = [
        " ".join(term for term in terms if term),
        f"{plain(one.filled)} filled" if one.filled else "",
        one.timeline,
        one.reject_reason,
    ]
    text = " · ".join(part for part in details if part)
    return _row("", format_time(one.changed_at, zone), one.words, event_words(one.status), text, one.symbol)


def _row(classes: str, time: str, what: str, amount: str, details: str, hover: str) -> str:
    return (
        f'<li class="{classes}"><span class="oh-time">{escape(time)}</span>'
        f'<span class="oh-what" title="{escape(hover or what)}">{escape(what)}</span>'
        f'<span class="oh-amount">{escape(amount)}</span>'
        f'<span class="oh-details">{escape(details)}</span></li>'
    )


def fills_csv(book: FillBook, zone: dt.tzinfo) -> str:
    """Every execution of the book, times in the reader's zone, and no cell that a spreadsheet would run."""
    frame = executions_frame(book)
    frame["time"] = [at.astimezone(zone).isoformat(timespec="milliseconds") for at in frame["time"]]
    for name in ("contract", "symbol", "note"):
        frame[name] = [f"'{text}" if text[:1] in {"=", "+", "-", "@"} else text for text in frame[name]]
    return frame.to_csv(index=False)
