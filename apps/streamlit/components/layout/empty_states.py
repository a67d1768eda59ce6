"""The screens without positions, each with one next step."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import streamlit as st

from apps.streamlit.components.downloads import OfferedFile, render_download
from apps.streamlit.components.inputs.page_context import PageContext
from apps.streamlit.components.inputs.page_model import PageModel
from apps.streamlit.components.inputs.portfolio_source import PortfolioSource
from apps.streamlit.components.inputs.start_stop import show_account
from apps.streamlit.components.plain_text import in_markdown
from options_helper.analysis.status.stream_diagnosis import Diagnosis, Level
from options_helper.analysis.tables.totals import LiveTotals
from options_helper.analysis.text.wording import capital, format_time
from options_helper.session.hub import LiveHub

_CODE_HEIGHT = 320  # pixels
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
        return Diagnosis(Level.INFO, "No portfolio yet.", "Add a portfolio file, or show your account.")
    return Diagnosis(
        Level.ERROR, f"{source.name} cannot be used.", "Start is disabled until the file is corrected."
    )


def find_file_problem(source: PortfolioSource, zone: dt.tzinfo) -> Diagnosis | None:
    """Return why the figures are from an earlier version of the file, or None if they are not."""
    error, saved_at = source.error, source.saved_at
    if error is None or saved_at is None:
        return None
    reason = ": ".join(part for part in (error.place, error.reason.split("\n")[0].rstrip(".")) if part)
    version = f"The figures are from the version saved {format_time(saved_at, zone)}."
    return Diagnosis(Level.ERROR, f"{source.name} cannot be used.", f"{capital(reason)}. {version}")


def find_all_expired(source: PortfolioSource, totals: LiveTotals) -> Diagnosis | None:
    """Return the status line of a portfolio with nothing left to stream, else None."""
    if totals.legs or not totals.expired:
        return None
    step = f"Remove expired positions from {source.name}, or name another file in the sidebar."
    return Diagnosis(Level.INFO, "Everything in this portfolio has expired.", step)


def render_no_portfolio(context: PageContext) -> None:
    """Draw the reason why there is no portfolio, and the next steps."""
    source = context.model.source
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
        st.markdown("Or start from your broker's account, which is only read.")
        _account_button("Show my account", context)


def render_account_portfolio(context: PageContext) -> None:
    """Draw a note that the account stands in for a missing file, with its text to copy or download."""
    source = context.model.source
    if source.account is None:
        return
    text = source.account.text
    with st.container(key="live-account-file", border=True):
        read_at = format_time(source.account.read_at, context.zone)
        st.markdown(
            f"There is no file **{in_markdown(str(source.path))}**. This is your account as it was read at "
            f"{in_markdown(read_at)}; save the text below as that file to name, group and "
            "annotate its positions."
        )
        for sentence in source.account.left_out:
            st.markdown(in_markdown(sentence))
        with st.expander("Your account as a portfolio file"):
            st.code(text, language="json", height=_CODE_HEIGHT)
        with st.container(horizontal=True, gap="small"):
            render_download(
                "live-account-download",
                OfferedFile(
                    "Download portfolio.json",
                    "portfolio.json",
                    lambda: text,
                    "application/json",
                ),
            )
            _account_button("Read the account again", context)


def _account_button(label: str, context: PageContext) -> None:
    st.button(
        label,
        key="live-show-account",
        disabled=context.model.credentials.settings is None,
        on_click=_show_account,
        args=(context.hub, context.model),
    )


def _show_account(hub: LiveHub, model: PageModel) -> None:
    show_account(hub, model)
    st.rerun()  # another portfolio, or a reason above the page why there is none


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
    """Draw the hint for a portfolio without positions."""
    with st.container(key="live-screen", border=True):
        if source.account is not None:
            st.subheader("This account holds no positions", anchor=False)
            return
        st.subheader("This portfolio is empty", anchor=False)
        st.markdown(
            f"**{in_markdown(source.name)}** has no positions. Add one and save the file; "
            "it appears here automatically. A position looks like this:"
        )
        st.code(_EXAMPLE, language="json")
