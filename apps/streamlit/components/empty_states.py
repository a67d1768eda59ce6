"""Friendly screens where there is nothing to show yet, each with one next step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from apps.streamlit.components.portfolio_source import PortfolioSource


def render_no_portfolio(source: PortfolioSource) -> None:
    """Say why there is no portfolio, and what to do about it."""
    with st.container(key="live-status"):
        st.error(str(source.error))
