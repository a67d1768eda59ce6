"""The disclaimer and the icon of every page."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from apps.streamlit.components.plain_text import in_markdown

ICON = str(Path(__file__).resolve().parents[2] / "assets" / "icon.svg")

DISCLAIMER = (
    "Informational and educational only; not financial advice. Read-only: no orders are sent. "
    "Market data is best-effort and may be late, wrong or missing."
)


def render_disclaimer(zone: str = "") -> None:
    """Draw the disclaimer and the time zone of the page's times."""
    st.caption(f"{DISCLAIMER} Times in {in_markdown(zone)}." if zone else DISCLAIMER)
