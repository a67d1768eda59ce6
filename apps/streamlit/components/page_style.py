"""The little CSS that Streamlit's own options do not reach; colours stay the theme's."""

from __future__ import annotations

import streamlit as st

_CSS = """
<style>
  html { font-size: 14px; }
  .stMainBlockContainer { padding: 1.4rem 1.4rem 2rem; }
  .stApp { font-variant-numeric: tabular-nums; }
  .st-key-live-head h1 { font-size: 1.45rem; padding: 0; white-space: nowrap; }
  .st-key-live-status [data-testid="stAlertContainer"] { padding: .55rem .9rem; }
</style>
"""


def apply_page_style() -> None:
    """Set padding, size and tabular figures for a page that is read all day."""
    st.html(_CSS)
