"""Everything below the head: status, totals, tables, fills and streams. Imported after the title is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

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
from apps.streamlit.components.position_tables import render_positions, render_underlyings
from apps.streamlit.components.quote_counts import count_quotes
from apps.streamlit.components.status_line import find_diagnosis, render_status
from apps.streamlit.components.totals import render_totals

if TYPE_CHECKING:
    from apps.streamlit.components.moment import Moment


def render_live_body(moment: Moment) -> None:
    """One refresh below the head."""
    source = moment.model.source
    if source.portfolio is None:
        render_status(find_portfolio_diagnosis(source))
        render_no_portfolio(source)
        return
    view = compute_live_view(source.portfolio, moment.snapshot, moment.model.settings.stale_after_seconds)
    fills = build_fills_view(source.portfolio, moment.snapshot, source.saved_at)
    quotes = count_quotes(view, moment.snapshot)
    render_status(find_diagnosis(moment, quotes))
    render_notes(moment)
    render_totals(view.totals, quotes, source.portfolio.cash)
    wide, narrow = st.columns([3.2, 1], gap="small")
    with wide:
        if source.portfolio.positions:
            render_positions(view, fills, moment.zone)
            render_underlyings(view)
        else:
            render_empty_portfolio(source)
    with narrow:
        render_fills(fills, moment.zone)
        render_health(moment)
