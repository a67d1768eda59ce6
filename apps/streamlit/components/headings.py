"""The headings of the page's regions."""

from __future__ import annotations

import streamlit as st

from apps.streamlit.components.plain_text import in_html


def panel_heading(name: str, words: str) -> str:
    """Return a panel's heading as HTML: its name, and beside it `words`, which are escaped."""
    return f'<h2 class="oh-panel-title"><strong>{name}</strong> <span>{in_html(words)}</span></h2>'


def name_region(name: str) -> None:
    """Draw a heading for screen readers only, for a region without a visible one."""
    st.html(f'<h2 class="oh-hidden">{name}</h2>')
