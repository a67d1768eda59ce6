"""The CSS that Streamlit's own options do not cover."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from apps.streamlit.components.charts.palette import palette_css

_STYLES = Path(__file__).resolve().parents[2] / "assets" / "page.css"


def apply_page_style() -> None:
    """Apply the page's style sheet and the colours of the charts."""
    st.html(_STYLES)
    st.html(f"<style>{palette_css()}</style>")
