"""Friendly screens where there is nothing to show yet, each with one next step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from apps.streamlit.components.inputs.portfolio_source import PortfolioSource
from apps.streamlit.components.status.status_line import escape_markdown
from options_helper.analysis.status.stream_diagnosis import Diagnosis, Level

if TYPE_CHECKING:
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
    """The status line of a portfolio that could not be loaded."""
    if not source.exists:
        return Diagnosis(Level.INFO, "No portfolio yet.", "Start waits for a portfolio file.")
    return Diagnosis(Level.ERROR, f"{source.name} cannot be used.", "Start waits until it is corrected.")


def find_all_expired(source: PortfolioSource, totals: LiveTotals) -> Diagnosis | None:
    """The status line of a portfolio in which nothing is left to stream, else None."""
    if totals.legs or not totals.expired:
        return None
    step = f"Remove what is over from {source.name}, or name another file in the sidebar."
    return Diagnosis(Level.INFO, "Everything in this portfolio has expired.", step)


def render_no_portfolio(source: PortfolioSource) -> None:
    """Say why there is no portfolio, and the one thing to do about it."""
    if source.exists:
        _render_broken(source)
        return
    with st.container(key="live-screen", border=True):
        st.subheader("Tell the page what you own", anchor=False)
        st.markdown(
            f"There is no file **{escape_markdown(str(source.path))}** "
            f"(looked for in {escape_markdown(str(Path.cwd()))}). "
            "Save one there, or name another file in the sidebar: it appears here by itself. "
            "The smallest one that works:"
        )
        st.code(_EXAMPLE, language="json")


def _render_broken(source: PortfolioSource) -> None:
    with st.container(key="live-screen", border=True):
        st.subheader(f"To correct in {escape_markdown(source.name)}", anchor=False)
        if source.error is not None:
            where = f"**Where** {escape_markdown(source.error.place)}" if source.error.place else ""
            what = "  \n".join(escape_markdown(line) for line in source.error.reason.split("\n"))
            st.markdown(f"{where}\n\n**What** {what}")
        st.markdown("Correct the file and save it. It is read again by itself; the page never writes it.")


def render_empty_portfolio(source: PortfolioSource) -> None:
    """A portfolio without positions: what to add."""
    with st.container(key="live-screen", border=True):
        st.subheader("This portfolio is empty", anchor=False)
        st.markdown(
            f"**{escape_markdown(source.name)}** holds no positions. Add one and save the file; "
            "it appears here by itself. A position looks like this:"
        )
        st.code(_EXAMPLE, language="json")
