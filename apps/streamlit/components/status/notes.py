"""Notes under the status line: the account, other tabs, positions that are not live, unusual hosts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import streamlit as st

from apps.streamlit.components.inputs.page_context import PageContext
from apps.streamlit.components.plain_text import in_html
from apps.streamlit.components.status.other_tabs import describe_other_tab
from options_helper.analysis.status.clock import describe_clock
from options_helper.analysis.text.wording import count, join_words
from options_helper.data.streaming.subscriptions import positions_not_subscribed

_NAMED = 5
_SHOWN = 2  # the others are collapsed, so that they do not push the totals out of sight


def list_notes(context: PageContext) -> list[str]:
    """Return the notes, one line each."""
    return list(_notes(context))


def render_notes(notes: Sequence[str], of_account: str = "") -> None:
    """Draw the account's note and the first others, and the rest below a line that expands."""
    if not notes and not of_account:
        return
    with st.container(key="live-note-row", gap=None):
        if of_account:
            with st.container(key="live-account-note"):
                st.html(_list(of_account))
        if notes:
            with st.container(key="live-notes"):
                st.html(notes_html(notes))


def notes_html(notes: Sequence[str]) -> str:
    """Return the first notes as a list, and the others, unless there is only one, in a collapsed list."""
    if len(notes) <= _SHOWN + 1:
        return _list(*notes)
    more = count(len(notes) - _SHOWN, "more note")
    return f"{_list(*notes[:_SHOWN])}<details><summary>{more}</summary>{_list(*notes[_SHOWN:])}</details>"


def _list(*notes: str) -> str:
    return f'<ul class="oh-notes">{"".join(f"<li>{in_html(note)}</li>" for note in notes)}</ul>'


def _notes(context: PageContext) -> Iterator[str]:
    settings = context.model.credentials.settings
    if settings and settings.foreign_hosts:
        yield f"Not Alpaca's own hosts: {', '.join(settings.foreign_hosts)}. Start sends your keys there."
    if settings and settings.unencrypted_hosts:
        yield f"No encryption to {', '.join(settings.unencrypted_hosts)}: others can read your keys."
    clock = describe_clock(context.snapshot) if context.snapshot.running else ""
    if clock:
        yield clock
    absent, changed = _not_subscribed(context), _changed(context)
    other = describe_other_tab(context, len(absent))
    if other and absent:
        yield other
    if absent:
        be = "is" if len(absent) == 1 else "are"
        yield f"{_listed(absent)} {be} not subscribed. Press Restart to stream this portfolio."
    if changed:
        yield f"The running streams have other settings ({join_words(changed)}). Press Restart to use yours."
    if not absent and context.model.plan is not None:
        yield from context.model.plan.warnings


def _changed(context: PageContext) -> list[str]:
    """Return the names of this tab's settings that differ from the running streams'."""
    run, settings = context.hub.run, context.model.settings
    if run is None or not context.hub.is_running():
        return []
    config, credentials = run.config, context.model.credentials
    account = credentials.account(settings.account)
    # Invalid settings name no account, and Restart would refuse them.
    runs_on = config.settings.account if config.settings and credentials.settings else account
    pairs = {
        "stocks": (config.stream_stocks, settings.stream_stocks),
        "options": (config.stream_options, settings.stream_options),
        "fills": (config.stream_fills, settings.stream_fills),
        "stock feed": (config.stock_feed, settings.stock_feed),
        "options feed": (config.options_feed, settings.options_feed),
        "account": (runs_on, account),
    }
    return [name for name, (running, wanted) in pairs.items() if running != wanted]


def _not_subscribed(context: PageContext) -> list[str]:
    """Return the ids of this tab's positions that the running streams do not cover."""
    run, plan, portfolio = context.hub.run, context.model.plan, context.model.source.portfolio
    if run is None or plan is None or portfolio is None or not context.hub.is_running():
        return []
    config = run.config
    asked = frozenset((*config.stocks, *config.option_contracts, *config.polled_contracts))
    absent = frozenset((*plan.stocks, *plan.option_contracts, *plan.polled_contracts)) - asked
    if not absent:
        return []
    missing = positions_not_subscribed(portfolio, asked)
    return [name for name, symbols in missing.items() if absent.intersection(symbols)]


def _listed(names: list[str]) -> str:
    if len(names) <= _NAMED:
        return join_words(names)
    return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED:,} more"
