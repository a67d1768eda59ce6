"""What is said on every page, once, and the icon that goes with it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

ICON = str(Path(__file__).resolve().parents[2] / "assets" / "icon.svg")

DISCLAIMER = (
    "Informational and educational only; not financial advice. Read-only: no orders are sent. "
    "Market data is best-effort and may be late, wrong or missing."
)


def render_disclaimer(zone: str = "") -> None:
    """The disclaimer as a caption, and in which time zone the page's times are."""
    st.caption(f"{DISCLAIMER} Times in {zone}." if zone else DISCLAIMER)
