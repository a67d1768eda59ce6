"""How each stream is, one line per stream, and the full table on request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from options_helper.analysis.stream_diagnosis import LABELS, stream_records

if TYPE_CHECKING:
    import datetime as dt

    from options_helper.market import LiveSnapshot


def render_health(snapshot: LiveSnapshot, _zone: dt.tzinfo) -> None:
    """Draw the streams."""
    with st.container(key="live-health", border=True):
        st.markdown("**Streams**")
        for record in stream_records(snapshot):
            st.markdown(f"{LABELS[record.stream]} {record.state}")
