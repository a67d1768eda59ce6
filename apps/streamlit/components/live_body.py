"""Everything below the head: status, totals, tables, fills and streams. Imported after the title is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from apps.streamlit.components.fills_panel import render_fills
from apps.streamlit.components.health_panel import render_health
from apps.streamlit.components.live_view import compute_live_view
from apps.streamlit.components.position_tables import render_tables, render_underlyings
from apps.streamlit.components.status_line import describe_other_tab, render_status
from apps.streamlit.components.totals import render_totals

if TYPE_CHECKING:
    import datetime as dt

    from apps.streamlit.components.page_model import PageModel
    from options_helper.hub import LiveHub
    from options_helper.market import LiveSnapshot


def render_live_body(hub: LiveHub, model: PageModel, snapshot: LiveSnapshot, zone: dt.tzinfo) -> None:
    """One refresh below the head."""
    if model.source.portfolio is None:
        from apps.streamlit.components.empty_states import render_no_portfolio  # noqa: PLC0415

        render_no_portfolio(model.source)
        return
    view = compute_live_view(model.source.portfolio, snapshot, model.settings.stale_after_seconds)
    render_status(hub, model, snapshot, view.quotes, zone)
    note = describe_other_tab(hub, snapshot, zone, not_live=0)
    if note:
        st.caption(note)
    render_totals(view)
    wide, narrow = st.columns([3.2, 1], gap="small")
    with wide:
        render_tables(view)
        render_underlyings(view)
    with narrow:
        render_fills(snapshot, zone)
        render_health(snapshot, zone)
