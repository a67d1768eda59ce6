"""The Account panel: the differences with their causes, the money line by line, a corrected file to copy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import streamlit as st

from apps.streamlit.components.account.account_view import AccountView, write_corrected_file
from apps.streamlit.components.headings import panel_heading
from apps.streamlit.components.plain_text import in_html
from options_helper.analysis.account.compare import AccountComparison
from options_helper.analysis.account.day_result import AccountDay
from options_helper.analysis.account.equity import exact
from options_helper.analysis.account.panel_words import (
    bridge_lines,
    cents,
    closed_lines,
    day_words,
    difference_cells,
    note_line,
    summary,
)
from options_helper.analysis.text.figures import MISSING
from options_helper.analysis.text.wording import TODAY, format_time
from options_helper.files.account_portfolio import ExistingFile
from options_helper.market import BrokerAccount, LiveSnapshot

_HEADINGS = ("Contract or stock", "File", "Broker", "Result", "Why")
_CLOSED = ("Contract or stock", "Closed", "Realized, average cost")
_CODE_HEIGHT = 320  # pixels
_CORRECTED = "The file with the account's quantities, ready to copy"
OPENED_ACCOUNT = _KEYS = ("live-account-closed", "live-account-bridge", "live-account-corrected")


def account_note(account: AccountView, file_name: str) -> str:
    """Return a one-line note if the file and the account differ, else ""."""
    return "" if account.compared is None else note_line(account.compared, file_name)


def render_account(
    account: AccountView, file: ExistingFile, live: LiveSnapshot, zone: dt.tzinfo, *, now: dt.datetime
) -> None:
    """Draw the panel; only its heading while the account is unknown."""
    with st.container(key="live-account", border=True):
        compared = account.compared
        words = (
            "not read yet"
            if compared is None
            else f"{summary(compared)}, {_as_of(compared.as_of, zone, now)}"
        )
        st.html(panel_heading("Account", words))
        if compared is None:
            return
        if compared.differences or compared.unsure:
            st.html(differences_html(compared, account.history_since))
        if account.money is not None:
            st.html(money_html(account.money, account.day, zone, now))
        st.html(f'<p class="oh-more">{in_html(day_words(account.day))}</p>')
        if account.closed and account.day is not None:
            opened = st.expander(f"Closed {account.day.name}", key=_KEYS[0], on_change="rerun")
            if opened.open:
                headings = (*_CLOSED, f"Result {account.day.name}")
                opened.html(_table(headings, closed_lines(account.closed), "oh-account oh-closed"))
        if account.has_bridge:
            words = "Portfolio value minus equity, explained"
            opened = st.expander(words, key=_KEYS[1], on_change="rerun")
            if opened.open:
                opened.html(bridge_html(account))
        if compared.differences:
            opened = st.expander(_CORRECTED, key=_KEYS[2], on_change="rerun")
            if opened.open:
                opened.caption(
                    "Nothing is written. `options-helper portfolio --merge` prints the same file, with new "
                    "legs grouped by all orders, not only by recent ones."
                )
                opened.code(write_corrected_file(file, live), language="json", height=_CODE_HEIGHT)


def differences_html(compared: AccountComparison, history_since: dt.date | None) -> str:
    """Return the differences as an HTML table."""
    rows = [difference_cells(row, history_since) for row in (*compared.differences, *compared.unsure)]
    return _table(_HEADINGS, rows, "oh-account")


def money_html(money: BrokerAccount, day: AccountDay | None, zone: dt.tzinfo, now: dt.datetime) -> str:
    """Return the broker's figures in one line, with their time."""
    # On a day without a session, `last_equity` may already be the equity at the end of the last session.
    since = "since the last close" if day is not None and day.name != TODAY else TODAY
    change = None
    if money.equity is not None and money.last_equity is not None:
        change = cents(exact(money.equity) - exact(money.last_equity), signed=True)
    figures = [
        ("Equity", _amount(money.equity)),
        (since, change or MISSING),
        ("Cash", _amount(money.cash)),
        ("Buying power", _amount(money.buying_power)),
        ("Options buying power", _amount(money.options_buying_power)),
    ]
    words = " · ".join(f"{label} {value}" for label, value in figures)
    return f'<p class="oh-more">{in_html(words)} · {in_html(_as_of(money.as_of, zone, now))}</p>'


def bridge_html(account: AccountView) -> str:
    """Return the portfolio's value, the equity and the parts of their difference as an HTML table, or ""."""
    bridge = account.bridge
    return "" if bridge is None else _table((), bridge_lines(bridge), "oh-account oh-bridge")


def _cells(cells: Sequence[str]) -> str:
    return "".join(f"<td>{in_html(cell)}</td>" for cell in cells)


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]], names: str) -> str:
    head = "".join(f'<th scope="col">{in_html(each)}</th>' for each in headings)
    body = "".join(f'<tr><th scope="row">{in_html(first)}</th>{_cells(cells)}</tr>' for first, *cells in rows)
    top = f"<thead><tr>{head}</tr></thead>" if headings else ""
    return f'<table class="{names}">{top}<tbody>{body}</tbody></table>'


def _amount(value: float | None) -> str:
    return MISSING if value is None else cents(exact(value))


def _as_of(at: dt.datetime, zone: dt.tzinfo, now: dt.datetime) -> str:
    return f"as of {format_time(at, zone, now)}"
