"""Everything below the head: the status line, and where each part is. Imported after the title is drawn."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from apps.streamlit.components.alerts import alerts_panel
from apps.streamlit.components.headings import name_region
from apps.streamlit.components.inputs.page_context import PageContext
from apps.streamlit.components.layout.empty_states import (
    find_all_expired,
    find_file_problem,
    find_portfolio_diagnosis,
)
from apps.streamlit.components.layout.parts import describe_parts, describe_shapes
from apps.streamlit.components.positions.totals import render_meanings
from apps.streamlit.components.status.status_line import announce_change, find_diagnosis, render_status
from apps.streamlit.components.view.first_run import leaves_out
from apps.streamlit.components.view.page_view import take_page
from apps.streamlit.components.view.part import Part
from apps.streamlit.components.view.redraw import redraw_if_changed
from options_helper.analysis.status.diagnosis import Level
from options_helper.analysis.tables.quote_counts import grown_older
from options_helper.models import Portfolio

_ALARMS = frozenset({Level.WARNING, Level.ERROR})


def render_status_part(context: PageContext) -> bool:
    """Draw the status line, request the parts that changed, and return whether any is overdue."""
    source, pace, now = context.model.source, context.model.settings.refresh_seconds, context.snapshot.as_of
    page = take_page(context)
    if page is None:
        spoken = render_status(find_portfolio_diagnosis(source))
        return redraw_if_changed(describe_parts(context, None), pace_seconds=pace, now=now, spoken=spoken)
    quotes = grown_older(page.view.quotes, page.view.at.as_of, now)
    diagnosis = find_diagnosis(context, quotes)
    if diagnosis.level not in _ALARMS:
        diagnosis = find_all_expired(source, page.view.totals) or diagnosis
    spoken = render_status(diagnosis, find_file_problem(source, context.zone))
    announce_change(context.snapshot.status, diagnosis)
    raised = alerts_panel.newest_raised(page.monitor)
    shown = describe_parts(context, page)
    shapes = describe_shapes(context, shown)
    return redraw_if_changed(shown, pace_seconds=pace, now=now, shapes=shapes, spoken=spoken, raised=raised)


def lay_out_body(portfolio: Portfolio | None, draw: Callable[[Part], None]) -> None:
    """Put each part into its place; one that shows nothing takes no room."""
    draw(Part.NOTES)
    if portfolio is None:
        return
    tiles, curve = _two_columns("live-summary")
    with tiles:
        name_region("Totals")
        draw(Part.TOTALS)
        draw(Part.RISK)
    with curve:
        name_region("Day")
        draw(Part.DAY)
    wide, narrow = _two_columns("live-columns")
    with wide:
        name_region("Positions")
        draw(Part.TABLE)
        if leaves_out():
            return
        draw(Part.DOWNLOADS)
        if portfolio.positions:
            draw(Part.DETAIL)
            _lay_out_underlyings(draw)
        draw(Part.ACCOUNT)
        render_meanings()
    with narrow:
        for part in (Part.ALERTS, Part.FILLS, Part.STREAMS, Part.LAST_MINUTES):
            draw(part)


def _lay_out_underlyings(draw: Callable[[Part], None]) -> None:
    with st.container(key="live-underlyings", border=True):
        name_region("Profit, loss and risk by underlying")
        bars, curve = st.columns([1, 1.6], gap="medium")
        with bars:
            st.markdown("**P/L Open by underlying**")
            draw(Part.BARS)
        with curve:
            draw(Part.CURVE)
        draw(Part.SUMS)


def _two_columns(key: str) -> list[DeltaGenerator]:
    """Return a wide and a narrow column; the style sheet puts one below the other if they do not fit."""
    with st.container(key=key):
        return st.columns([3.2, 1], gap="small")
