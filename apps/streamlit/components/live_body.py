"""Everything below the head: status, totals, tables, fills and streams. Imported after the title is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from apps.streamlit.components import alerts_panel, position_detail
from apps.streamlit.components.empty_states import (
    find_portfolio_diagnosis,
    render_empty_portfolio,
    render_no_portfolio,
)
from apps.streamlit.components.fills_panel import render_fills
from apps.streamlit.components.fills_view import build_fills_view
from apps.streamlit.components.health_panel import render_health
from apps.streamlit.components.live_view import compute_live_view
from apps.streamlit.components.notes import render_notes
from apps.streamlit.components.paced import paced_view
from apps.streamlit.components.pnl_charts import render_pnl_pictures, render_portfolio_curve
from apps.streamlit.components.position_tables import render_positions
from apps.streamlit.components.quote_counts import count_quotes
from apps.streamlit.components.status_line import find_diagnosis, render_status
from apps.streamlit.components.totals import render_totals
from options_helper.monitor import monitor_for, reload_rules

if TYPE_CHECKING:
    from apps.streamlit.components.fills_view import FillsView
    from apps.streamlit.components.live_view import LiveView
    from apps.streamlit.components.moment import Moment
    from options_helper.models import Portfolio
    from options_helper.monitor import MonitorView, PortfolioMonitor


def render_live_body(moment: Moment) -> None:
    """One refresh below the head."""
    source = moment.model.source
    if source.portfolio is None:
        render_status(find_portfolio_diagnosis(source))
        render_no_portfolio(source)
        return
    view = compute_live_view(source.portfolio, moment.snapshot, moment.model.settings.stale_after_seconds)
    fills = build_fills_view(source.portfolio, moment.snapshot, source.saved_at)
    monitor = _find_monitor(moment, source.portfolio)
    day = paced_view(monitor, moment.snapshot.as_of)
    _render_summary(moment, view, fills, day)
    wide, narrow = st.columns([3.2, 1], gap="small")
    with wide:
        if source.portfolio.positions:
            _render_positions(moment, view, fills, day)
        else:
            render_empty_portfolio(source)
    with narrow:
        render_fills(fills, moment.zone)
        render_health(moment)
        alerts_panel.render(monitor, zone=moment.zone)


def _find_monitor(moment: Moment, portfolio: Portfolio) -> PortfolioMonitor:
    """The monitor of this file, looking at its present version."""
    path = moment.model.source.path
    monitor = monitor_for(
        path,
        portfolio,
        moment.hub.manager.snapshot,
        stale_after_seconds=moment.model.settings.stale_after_seconds,
    )
    if monitor.portfolio is not portfolio and monitor.portfolio != portfolio:
        monitor.use(portfolio)
        reload_rules(path)
    return monitor


def _render_summary(moment: Moment, view: LiveView, fills: FillsView, day: MonitorView) -> None:
    """The status, what else to know, the totals, and the day's curve."""
    quotes = count_quotes(view, moment.snapshot)
    render_status(find_diagnosis(moment, quotes))
    render_notes(moment)
    tiles, curve = st.columns([3.2, 1], gap="small")
    with tiles:
        render_totals(view.totals, quotes, view.portfolio.cash)
    with curve:
        render_portfolio_curve(day, fills.book.leaf_fills, zone=moment.zone, key="live-curve", height=96)


def _render_positions(moment: Moment, view: LiveView, fills: FillsView, day: MonitorView) -> None:
    """The table, the detail of the selected row, and the pictures by underlying."""
    selected = render_positions(view, fills, moment.zone)
    if selected is not None:
        position_detail.render(
            selected,
            portfolio=view.portfolio,
            positions=view.positions,
            structures=view.structures,
            legs=view.legs,
            view=day,
            fills=fills.book.leaf_fills,
            zone=moment.zone,
        )
    with st.container(key="live-underlyings", border=True):
        render_pnl_pictures(
            day, view.underlyings, fills.book.leaf_fills, zone=moment.zone, key="live-pictures"
        )
