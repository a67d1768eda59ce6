"""The widget: the modules in `options_helper/browser`, mounted with Streamlit's components v2.

Figures are sent as arrays, and ages as times: the browser counts the seconds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import streamlit as st

from apps.streamlit.components.positions.table.changes import SentTable
from apps.streamlit.components.positions.table.grouping import Grouping
from apps.streamlit.components.positions.table.reveal import requested_row
from apps.streamlit.components.positions.table.rows import TableRows
from apps.streamlit.components.view.first_run import draw_whole
from apps.streamlit.components.view.redraw import (
    known_table_version,
    note_table_version,
)
from options_helper.times import to_microseconds

_HTML = '<div class="positions-table"></div>'


@cache
def _component() -> Any:  # noqa: ANN401 - Streamlit gives the mounting command its own type
    # Mounted in the page's own DOM instead of a shadow root, so that the browser's search, assistive tools
    # and tests find the text.
    return st.components.v2.component(
        "options-helper.positions_table",  # as declared in pyproject.toml, with the folder of its files
        html=_HTML,
        css="positions_table.css",
        js="positions_table.js",
        isolate_styles=False,
    )


def chosen_grouping(key: str) -> Grouping:
    """Return the grouping that this session's browser has chosen for the table with this key."""
    return Grouping.of(st.session_state.get(key, {}).get("grouping"))


def chosen_row(key: str) -> str | None:
    """Return the id that the browser of this session has selected in the table with this key."""
    chosen: str | None = st.session_state.get(key, {}).get("selected")
    return chosen


def _nothing() -> None:
    """Do nothing; Streamlit keeps a state value only if it has a callback."""


def chosen_columns(key: str) -> frozenset[str]:
    """Return the optional columns that the browser of this session shows in the table with this key."""
    return frozenset(st.session_state.get(f"{key}-columns", ()))


def render(
    table: TableRows,
    grouping: Grouping,
    columns: frozenset[str],
    *,
    key: str,
    raised: int,
    stopped: bool,
    now: dt.datetime,
    on_select: Callable[[], None] = _nothing,
) -> None:
    """Draw the positions table.

    The keyed containers `live-positions`, `live-structures` and `live-legs` nest around it, because one
    table shows all three.

    Args:
        table: The result of `build_table_rows`, its shown rows in the groups of `grouping`.
        grouping: The result of `chosen_grouping`.
        columns: The result of `chosen_columns`; the rows have no figures for other optional columns.
        key: The widget's key; the browser keeps columns, sort, open rows and selection under it.
        raised: The number of raised alerts that are not acknowledged; the title of a hidden tab shows it.
        stopped: True if Stop has frozen the figures, so that the rows show times instead of ages.
        now: The snapshot's time, from which the browser counts ages; this computer's clock may be wrong.
        on_select: Called when another row is selected, or none.
    """
    sent = sent_table(key)
    known = known_table_version()
    if known is not None:
        draw_whole()
    data = sent.message(
        table,
        known,
        now_ms=to_microseconds(now) // 1000,
        storage=key,
        raised=raised,
        stopped=stopped,
        reveal=requested_row(),
        grouping=grouping,
        columns=sorted(columns),
    )
    if known is not None:
        note_table_version(sent.version)
    with (
        st.container(key="live-positions"),
        st.container(key="live-structures"),
        st.container(key="live-legs"),
    ):
        _component()(
            key=key,
            data=data,
            on_selected_change=on_select,
            on_grouping_change=_nothing,
            on_columns_change=partial(_note_columns, key),
            on_rows_change=partial(_note_rows, key),
        )


def _note_columns(key: str) -> None:
    st.session_state[f"{key}-columns"] = st.session_state[key]["columns"]


def _note_rows(key: str) -> None:
    note_table_version(st.session_state[key]["rows"]["version"])


def sent_table(key: str) -> SentTable:
    """Return what this session was sent of the table with this key."""
    sent: SentTable = st.session_state.setdefault(f"{key}-sent", SentTable())
    return sent
