"""The home page: an introduction, links, and whether keys and a portfolio were found."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from apps.streamlit.components.inputs.credentials import Credentials, find_credentials
from apps.streamlit.components.inputs.portfolio_source import default_portfolio_path
from apps.streamlit.components.layout.disclaimer import render_disclaimer
from apps.streamlit.components.layout.head import DEMO_WORDS
from apps.streamlit.components.layout.page_style import apply_page_style
from apps.streamlit.components.plain_text import in_markdown
from apps.streamlit.entry.first_paint import HOME_TITLE

_PAGES = Path(__file__).resolve().parents[2] / "pages"
_KEYS = "`APCA_API_KEY_ID` and `APCA_API_SECRET_KEY`"
_FOUND, _MISSING = ":material/check_circle:", ":material/radio_button_unchecked:"


def render_home() -> None:
    """Draw the home page."""
    apply_page_style()
    credentials = find_credentials()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(HOME_TITLE, anchor=False, width="content")
        if credentials.demo:
            st.badge(DEMO_WORDS, icon=":material/science:", color="violet")
    st.markdown(
        "Your options portfolio at live prices from Alpaca: what it is worth now, how old each price is, "
        "and every fill of the day. It only reads; it never trades."
    )
    with st.container(border=True):
        st.page_link(
            _PAGES / "12_Live_Portfolio.py", label="**Live Portfolio**", icon=":material/monitoring:"
        )
        st.markdown(
            "Positions and structures with marks, profit and loss, quote ages, fills and the state of the "
            "streams. Nothing connects until you press Start there."
        )
    with st.container(border=True):
        st.markdown("**Found on this machine**")
        _render_keys(credentials)
        _render_portfolio(Path(default_portfolio_path()))
    render_disclaimer()


def _render_keys(credentials: Credentials) -> None:
    """Draw a line that says whether keys were found, naming only their variables."""
    if credentials.demo:
        st.markdown(f"{_FOUND} The demo's own keys, valid only for the simulator on this machine")
    elif credentials.relay:
        st.markdown(f"{_FOUND} The address of NATS in `OH_RELAY`; the relay there has the keys")
    elif credentials.settings is not None:
        st.markdown(f"{_FOUND} {_KEYS}, for the {in_markdown(credentials.account('auto'))} account")
    else:
        st.markdown(f"{_MISSING} {in_markdown(credentials.problem)}")
        st.markdown("Without an account: `options-helper ui --demo`")


def _render_portfolio(path: Path) -> None:
    """Draw a line that says whether the portfolio file was found."""
    if path.is_file():
        st.markdown(f"{_FOUND} Portfolio file **{in_markdown(path.name)}**")
        return
    where = str(path.absolute().parent)
    st.markdown(f"{_MISSING} Portfolio file **{in_markdown(path.name)}** not found in {in_markdown(where)}")
