"""Live Portfolio: what you own, what the market says, and how old that is."""

from __future__ import annotations

import streamlit as st

from apps.streamlit.components.layout.disclaimer import ICON
from apps.streamlit.components.live_portfolio_page import render_live_portfolio, sidebar_state

st.set_page_config(
    page_title="Live Portfolio · Options Helper",
    page_icon=ICON,
    layout="wide",
    initial_sidebar_state=sidebar_state(),
)
render_live_portfolio()
