"""The button that acknowledges a raised alert."""

from __future__ import annotations

import streamlit as st

from apps.streamlit.components.view.redraw import redraw_all
from options_helper.session.monitor import PortfolioMonitor


def render_acknowledge(monitor: PortfolioMonitor, rule_id: str, *, key: str) -> None:
    """Draw the button of one alert."""
    st.button(
        "Ack",
        key=key,
        help="Acknowledge this alert. It can be raised again once its condition has cleared",
        on_click=_acknowledge,
        args=(monitor, rule_id),
    )


def _acknowledge(monitor: PortfolioMonitor, rule_id: str) -> None:
    monitor.acknowledge(rule_id)
    redraw_all()  # the bar, the panel and the table's title show it
