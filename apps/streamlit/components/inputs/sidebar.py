"""The sidebar: the portfolio file, the streams, the feeds, the refresh and the age limit."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from apps.streamlit.components.inputs.credentials import Credentials
from apps.streamlit.components.inputs.portfolio_source import default_portfolio_path, forget_portfolios
from apps.streamlit.components.plain_text import in_markdown
from options_helper.analysis.valuation.quote_state import STALE_AFTER_SECONDS
from options_helper.data.settings import (
    INDICATIVE_QUOTE_LIMIT,
    OPTIONS_FEEDS,
    STOCK_FEEDS,
)
from options_helper.launch.log_file import LOG_FILE_VARIABLE
from options_helper.printable import printable
from options_helper.recording import CONTENTS, FOLDER_VARIABLE
from options_helper.session.process_recorder import process_recorder

REFRESH_SECONDS, LEAST_REFRESH_SECONDS = 2.0, 0.25
MAX_OPTION_CONTRACTS = 250
ACCOUNTS = ("auto", "paper", "live")
_RECORD_KEY = "record-sessions"
_RELAY_WORDS = "The relay determines the feeds and the account. A session behind a relay cannot be recorded."
_FEED_NAMES = {
    "iex": "IEX",
    "sip": "SIP",
    "delayed_sip": "Delayed SIP",
    "boats": "Boats",
    "overnight": "Overnight",
    "indicative": "Indicative",
    "opra": "OPRA",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSettings:
    """The sidebar's settings."""

    portfolio_path: Path
    stream_stocks: bool = True
    stream_options: bool = True
    stream_fills: bool = True
    stock_feed: str = STOCK_FEEDS[0]
    options_feed: str = OPTIONS_FEEDS[0]
    account: str = ACCOUNTS[0]
    refresh_seconds: float = REFRESH_SECONDS
    stale_after_seconds: float = STALE_AFTER_SECONDS
    max_option_contracts: int = MAX_OPTION_CONTRACTS

    @property
    def contract_limit(self) -> int:
        """The largest number of contracts to stream; the indicative feed's plan allows 200."""
        if self.options_feed == OPTIONS_FEEDS[0]:
            return min(self.max_option_contracts, INDICATIVE_QUOTE_LIMIT)
        return self.max_option_contracts


def feed_name(feed: str) -> str:
    """Return a feed's usual name."""
    return _FEED_NAMES.get(feed, feed)


def default_settings(credentials: Credentials) -> PageSettings:
    """Return what the sidebar is set to before the reader changes anything."""
    path = _portfolio_path(default_portfolio_path())
    if credentials.relay:
        return PageSettings(portfolio_path=path)
    return PageSettings(
        portfolio_path=path, stock_feed=credentials.stock_feed, options_feed=credentials.options_feed
    )


def render_sidebar(credentials: Credentials) -> PageSettings:
    """Draw the sidebar and return its settings."""
    with st.sidebar:
        path = st.text_input(
            "Portfolio file",
            value=default_portfolio_path(),
            key="portfolio-path",
            persist_state="session",
            help="A JSON file on this machine. It is read again whenever it changes, and never written.",
        )
        st.button("Reload", key="reload", icon=":material/refresh:", on_click=forget_portfolios)
        settings = PageSettings(
            portfolio_path=_portfolio_path((path or "").strip() or default_portfolio_path()),
            stream_stocks=_stream("stocks"),
            stream_options=_stream("options"),
            stream_fills=_stream("fills"),
            **({} if credentials.relay else _source(credentials)),
            refresh_seconds=_refresh(),
            stale_after_seconds=_number("Stale after (s)", int(STALE_AFTER_SECONDS), 3600, _STALE_HELP),
            max_option_contracts=_number("Max option contracts", MAX_OPTION_CONTRACTS, 1000, _MOST_HELP),
        )
        if credentials.relay:
            st.caption(_RELAY_WORDS)
        elif settings.contract_limit < settings.max_option_contracts:
            st.caption(
                f"The indicative stream carries at most {INDICATIVE_QUOTE_LIMIT} contracts, "
                "the free plan's limit. The others are polled."
            )
        if not credentials.relay:
            _render_recording()
    return settings


def _render_recording() -> None:
    """Draw the switch that records each run from the next Start; nothing without a recorder."""
    recorder = process_recorder()
    if recorder is None:
        return
    folder = recorder.folder or _recordings_folder()
    st.session_state[_RECORD_KEY] = recorder.folder is not None  # it is the same in every tab
    st.caption(in_markdown(f"{CONTENTS} It is kept in {printable(str(folder))}."))
    st.toggle("Record from the next Start", key=_RECORD_KEY, on_change=_switch_recording)


def _switch_recording() -> None:
    recorder = process_recorder()
    if recorder is not None:
        recorder.folder = _recordings_folder() if st.session_state[_RECORD_KEY] else None


def _recordings_folder() -> Path:
    """Return the folder that the environment names, or one beside the log."""
    log = os.environ.get(LOG_FILE_VARIABLE)
    beside = Path(log).parent if log else Path.cwd()
    return Path(os.environ.get(FOLDER_VARIABLE) or beside / "recordings")


def _portfolio_path(written: str) -> Path:
    try:
        return Path(written).expanduser()
    except RuntimeError:  # no such home directory; reported with the file
        return Path(written)


_STOCK_HELP = (
    "IEX: one exchange, free. SIP: all US exchanges, needs Alpaca's paid plan. Delayed SIP: 15 minutes late, "
    "so never live. Boats and Overnight: trading from 20:00 to 04:00 New York time."
)
_OPTIONS_HELP = (
    "Indicative: free, prices derived by Alpaca, trades 15 minutes late. "
    "OPRA: the consolidated market, needs Alpaca's paid plan."
)


_REFRESH_HELP = "How often the figures are redrawn."
_STALE_HELP = "The age at which a quote becomes quiet or stale."
_MOST_HELP = "The largest number of contracts to stream. Positions beyond it are polled, each as a whole."


def _stream(name: str) -> bool:
    return st.toggle(name.capitalize(), value=True, key=f"stream-{name}", persist_state="session")


def _source(credentials: Credentials) -> dict[str, str]:
    return {
        "stock_feed": _feed("Stock feed", STOCK_FEEDS, credentials.stock_feed, _STOCK_HELP),
        "options_feed": _feed("Options feed", OPTIONS_FEEDS, credentials.options_feed, _OPTIONS_HELP),
        "account": _account(credentials),
    }


def _feed(label: str, feeds: tuple[str, ...], default: str, explanation: str) -> str:
    chosen = st.selectbox(
        label,
        feeds,
        index=feeds.index(default),
        format_func=feed_name,
        key=label.lower().replace(" ", "-"),
        persist_state="session",
        help=explanation,
    )
    return chosen or default


def _account(credentials: Credentials) -> str:
    chosen = st.segmented_control(
        "Account",
        ACCOUNTS,
        default=ACCOUNTS[0],
        required=True,
        format_func=str.capitalize,
        key="account",
        persist_state="session",
        disabled=not credentials.can_override_account,
        help="Auto: from the URL or the key. Paper and Live choose between Alpaca's two trading hosts; "
        "disabled if the URL names another host.",
    )
    return chosen if chosen and credentials.can_override_account else ACCOUNTS[0]


def _refresh() -> float:
    chosen = st.number_input(
        "Refresh (s)",
        min_value=LEAST_REFRESH_SECONDS,
        max_value=60.0,
        value=REFRESH_SECONDS,
        step=LEAST_REFRESH_SECONDS,
        format="%g",
        key="refresh",
        persist_state="session",
        help=_REFRESH_HELP,
    )
    return chosen or REFRESH_SECONDS


def _number(label: str, value: int, most: int, explanation: str) -> int:
    chosen = st.number_input(
        label,
        min_value=1,
        max_value=most,
        value=value,
        step=1,
        key=label.split(" (", maxsplit=1)[0].lower().replace(" ", "-"),
        persist_state="session",
        help=explanation,
    )
    return chosen or value
