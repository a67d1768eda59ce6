"""Screens for when there is nothing to show yet, each with one next step."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from apps.streamlit.components.inputs.portfolio_source import PortfolioSource
from apps.streamlit.components.plain_text import in_markdown
from options_helper.analysis.status.stream_diagnosis import Diagnosis, Level
from options_helper.analysis.tables.totals import LiveTotals

_EXAMPLE = """{
  "cash": 5000,
  "positions": [
    {
      "id": "aapl-call",
      "symbol": "AAPL",
      "option_type": "call",
      "expiry": "2028-12-15",
      "strike": 250,
      "contracts": 2,
      "cost_basis": 18.40
    }
  ]
}"""


def find_portfolio_diagnosis(source: PortfolioSource) -> Diagnosis:
    """Return the status line of a portfolio that could not be loaded."""
    if not source.exists:
        return Diagnosis(Level.INFO, "No portfolio yet.", "Start is enabled once there is a portfolio file.")
    return Diagnosis(
        Level.ERROR, f"{source.name} cannot be used.", "Start is disabled until the file is corrected."
    )


def find_all_expired(source: PortfolioSource, totals: LiveTotals) -> Diagnosis | None:
    """Return the status line of a portfolio with nothing left to stream, else None."""
    if totals.legs or not totals.expired:
        return None
    step = f"Remove expired positions from {source.name}, or name another file in the sidebar."
    return Diagnosis(Level.INFO, "Everything in this portfolio has expired.", step)


def render_no_portfolio(source: PortfolioSource) -> None:
    """Draw why there is no portfolio, and the next step."""
    if source.exists:
        _render_broken(source)
        return
    with st.container(key="live-screen", border=True):
        st.subheader("Add your portfolio", anchor=False)
        st.markdown(
            f"There is no file **{in_markdown(str(source.path))}** "
            f"(looked for in {in_markdown(str(Path.cwd()))}). "
            "Save one there, or name another file in the sidebar; it appears here automatically. "
            "A minimal file:"
        )
        st.code(_EXAMPLE, language="json")


def _render_broken(source: PortfolioSource) -> None:
    with st.container(key="live-screen", border=True):
        st.subheader(f"Problem in {in_markdown(source.name)}", anchor=False)
        if source.error is not None:
            if source.error.place:
                st.markdown(f"**Where** {in_markdown(source.error.place)}")
            first, *more = source.error.reason.split("\n")
            st.markdown(f"**What** {in_markdown(first)}")
            for line in more:
                st.markdown(in_markdown(line))
        st.markdown("Correct the file and save it. The page reloads it automatically and never writes it.")


def render_empty_portfolio(source: PortfolioSource) -> None:
    """Draw what to add to a portfolio without positions."""
    with st.container(key="live-screen", border=True):
        st.subheader("This portfolio is empty", anchor=False)
        st.markdown(
            f"**{in_markdown(source.name)}** has no positions. Add one and save the file; "
            "it appears here automatically. A position looks like this:"
        )
        st.code(_EXAMPLE, language="json")
