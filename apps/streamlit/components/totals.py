"""The totals, four tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from apps.streamlit.components.live_view import LiveView


def render_totals(view: LiveView) -> None:
    """Draw the tiles."""
    with st.container(key="live-totals"):
        st.caption(f"{view.quotes.total} legs")
