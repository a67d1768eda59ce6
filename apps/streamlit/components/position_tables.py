"""Positions, structures, legs and underlyings as plain tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from apps.streamlit.components.live_view import LiveView


def render_tables(view: LiveView) -> None:
    """Draw positions, structures and legs."""
    for name, frame in (("positions", view.positions), ("structures", view.structures), ("legs", view.legs)):
        with st.container(key=f"live-{name}"):
            st.dataframe(frame, hide_index=True, key=f"table-{name}")


def render_underlyings(_view: LiveView) -> None:
    """Draw the underlyings."""
    st.container(key="live-underlyings")
