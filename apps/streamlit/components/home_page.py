"""Home: what this is, where to go, and whether what it needs was found."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from apps.streamlit.components.credentials import find_credentials
from apps.streamlit.components.disclaimer import render_disclaimer
from apps.streamlit.components.portfolio_source import default_portfolio_path

_PAGES = Path(__file__).resolve().parents[1] / "pages"


def render_home() -> None:
    """Draw the home page."""
    st.title("Options Helper", anchor=False)
    st.markdown("A read-only live view of your options portfolio, streamed from Alpaca.")
    st.page_link(_PAGES / "12_Live_Portfolio.py", label="Live Portfolio", icon=":material/monitoring:")
    credentials = find_credentials()
    st.markdown("Credentials: " + ("found" if credentials.settings else "not found"))
    path = Path(default_portfolio_path())
    st.markdown(f"Portfolio file {path.name}: " + ("found" if path.is_file() else "not found"))
    render_disclaimer()
