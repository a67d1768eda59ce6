"""The little CSS that Streamlit's own options do not reach."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_STYLES = Path(__file__).resolve().parents[2] / "assets" / "page.css"


def apply_page_style() -> None:
    """Set padding, size and tabular figures for a page that is read all day."""
    st.html(_STYLES)
