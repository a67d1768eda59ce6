"""The headings of the page's regions."""

from __future__ import annotations

import streamlit as st

from apps.streamlit.components.plain_text import in_html


def panel_heading(name: str, words: str) -> str:
    """Return the heading of a panel as HTML: its name, and words of any origin beside it."""
    return f'<h2 class="oh-panel-title"><strong>{name}</strong> <span>{in_html(words)}</span></h2>'


def name_region(name: str) -> None:
    """Draw a heading that only a screen reader finds, for a region that shows none."""
    st.html(f'<h2 class="oh-hidden">{name}</h2>')
