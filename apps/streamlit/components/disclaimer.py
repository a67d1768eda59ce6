"""What is said on every page, once, and the icon that goes with it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

ICON = str(Path(__file__).resolve().parents[1] / "assets" / "icon.svg")

DISCLAIMER = (
    "Informational and educational only; not financial advice. Read-only: no orders are sent. "
    "Market data is best-effort and may be late, wrong or missing."
)


def render_disclaimer() -> None:
    """The disclaimer as a caption."""
    st.caption(DISCLAIMER)
