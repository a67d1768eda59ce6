"""Today's fills and orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    import datetime as dt

    from options_helper.market import LiveSnapshot


def render_fills(snapshot: LiveSnapshot, _zone: dt.tzinfo) -> None:
    """Draw the fills."""
    with st.container(key="live-fills", border=True):
        st.markdown(f"**Fills today** {len(snapshot.fills)}")
