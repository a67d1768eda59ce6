"""What the reader should know beside the status: other tabs, positions that are not live, foreign hosts."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from apps.streamlit.components.inputs.page_context import PageContext
from apps.streamlit.components.status.other_tabs import describe_other_tab
from apps.streamlit.components.status.status_line import escape_markdown
from options_helper.analysis.status.clock import describe_clock
from options_helper.analysis.text.wording import join_words
from options_helper.data.streaming.subscriptions import positions_not_subscribed

_NAMED = 5


def render_notes(moment: PageContext) -> None:
    """Draw the notes, one line each; nothing where there are none."""
    notes = list(_notes(moment))
    if notes:
        with st.container(key="live-notes", gap=None):
            for note in notes:
                st.markdown(f":material/arrow_right: {escape_markdown(note)}")


def _notes(moment: PageContext) -> Iterator[str]:
    foreign = moment.model.credentials.settings.foreign_hosts if moment.model.credentials.settings else ()
    if foreign:
        yield f"Not Alpaca's own hosts: {', '.join(foreign)}. Your keys go there at Start."
    clock = describe_clock(moment.snapshot) if moment.snapshot.running else ""
    if clock:
        yield clock
    absent, changed = _not_subscribed(moment), _changed(moment)
    other = describe_other_tab(moment, len(absent))
    if other and absent:
        yield other
    if absent:
        be = "is" if len(absent) == 1 else "are"
        yield f"{_listed(absent)} {be} not subscribed. Press Restart to stream this portfolio."
    if changed:
        yield f"The running streams have other settings ({join_words(changed)}). Press Restart to use yours."
    if not absent and moment.model.plan is not None:
        yield from moment.model.plan.warnings


def _changed(moment: PageContext) -> list[str]:
    """Which of this tab's settings differ from those of the running set, in words."""
    run, settings = moment.hub.run, moment.model.settings
    if run is None or not moment.hub.is_running():
        return []
    config, credentials = run.config, moment.model.credentials
    account = credentials.account(settings.account)
    # Of settings that cannot be used no account is known, and Restart would not take them.
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


def _not_subscribed(moment: PageContext) -> list[str]:
    """Ids of this tab's positions that it would stream, and the running set does not ask for."""
    run, plan, portfolio = moment.hub.run, moment.model.plan, moment.model.source.portfolio
    if run is None or plan is None or portfolio is None or not moment.hub.is_running():
        return []
    asked = frozenset((*run.config.stocks, *run.config.option_contracts))
    absent = frozenset((*plan.stocks, *plan.option_contracts)) - asked
    if not absent:
        return []
    missing = positions_not_subscribed(portfolio, asked)
    return [name for name, symbols in missing.items() if absent.intersection(symbols)]


def _listed(names: list[str]) -> str:
    if len(names) <= _NAMED:
        return join_words(names)
    return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"
