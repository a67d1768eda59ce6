"""Everything below the head: status, totals, tables, fills and streams. Imported after the title is drawn."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from apps.streamlit.components.alerts import alerts_panel
from apps.streamlit.components.charts.pnl_charts import render_pnl_pictures, render_portfolio_curve
from apps.streamlit.components.detail import position_detail
from apps.streamlit.components.fills.fills_panel import render_fills
from apps.streamlit.components.inputs.page_context import PageContext
from apps.streamlit.components.layout.empty_states import (
    find_all_expired,
    find_portfolio_diagnosis,
    render_empty_portfolio,
    render_no_portfolio,
)
from apps.streamlit.components.positions.position_tables import render_positions
from apps.streamlit.components.positions.totals import render_totals
from apps.streamlit.components.positions.underlying_sums import render_underlying_sums
from apps.streamlit.components.status.health_panel import render_health
from apps.streamlit.components.status.notes import render_notes
from apps.streamlit.components.status.status_line import find_diagnosis, render_status, tell_change
from apps.streamlit.components.view.page_view import PageView, describe_view, minute_of, set_view
from apps.streamlit.components.view.quote_counts import grown_older
from apps.streamlit.components.view.redraw import mark_drawn, render_pulse
from options_helper.analysis.status.diagnosis import Level

_ALARMS = frozenset({Level.WARNING, Level.ERROR})


def render_status_part(moment: PageContext, *, parts: Sequence[str]) -> bool:
    """The status line, and the pulse for the other parts; whether these are overdue."""
    source, pace = moment.model.source, moment.model.settings.refresh_seconds
    if source.portfolio is None:
        render_status(find_portfolio_diagnosis(source))
        return render_pulse((id(source), minute_of(moment.snapshot)), parts, pace_seconds=pace)
    scene = set_view(moment, source.portfolio)
    quotes = grown_older(scene.view.quotes, scene.view.at.as_of, moment.snapshot.as_of)
    diagnosis = find_diagnosis(moment, quotes)
    if diagnosis.level not in _ALARMS:
        diagnosis = find_all_expired(source, scene.view.totals) or diagnosis
    render_status(diagnosis)
    tell_change(moment.snapshot.status, diagnosis)
    return render_pulse(describe_view(moment, scene), parts, pace_seconds=pace)


def render_live_body(moment: PageContext) -> None:
    """Everything below the status line."""
    source = moment.model.source
    if source.portfolio is None:
        render_no_portfolio(source)
        mark_drawn()
        return
    scene = set_view(moment, source.portfolio)
    _render_summary(moment, scene)
    wide, narrow = st.columns([3.2, 1], gap="small")
    with wide:
        if source.portfolio.positions:
            _render_positions(moment, scene)
        else:
            render_empty_portfolio(source)
    with narrow:
        render_fills(scene.fills, moment.zone)
        render_health(moment)
        alerts_panel.render(scene.monitor, zone=moment.zone)
    mark_drawn()


def _render_summary(moment: PageContext, scene: PageView) -> None:
    """What else to know, the totals, and the day's curve."""
    render_notes(moment)
    tiles, curve = st.columns([3.2, 1], gap="small")
    with tiles:
        render_totals(scene.view.totals, scene.view.portfolio.cash)
    with curve:
        render_portfolio_curve(scene.day, scene.charted, zone=moment.zone, key="live-curve", height=96)


def _render_positions(moment: PageContext, scene: PageView) -> None:
    """The table, the detail of the selected row, and the pictures by underlying."""
    view, executions = scene.view, scene.fills.book.leaf_fills
    selected = render_positions(view, scene.fills, moment.zone, raised=scene.raised)
    if selected is not None:
        position_detail.render(
            selected,
            portfolio=view.portfolio,
            positions=view.positions,
            structures=view.structures,
            legs=view.legs,
            view=scene.day,
            fills=executions,
            zone=moment.zone,
        )
    with st.container(key="live-underlyings", border=True):
        render_pnl_pictures(scene.day, view.underlyings, scene.charted, zone=moment.zone, key="live-pictures")
        render_underlying_sums(view.underlyings)
