"""The component that redraws the page's large parts only if something on them has changed.

A timed fragment sends all of its elements at each run. The fragment on the timer therefore contains only the
status line and this component: a number that grows with every change. The browser compares it with the last
one, and requests the large parts if it differs; an unchanged refresh costs well under 2 kB and no drawing.

It also guards the timer. Streamlit forgets a page's timers when a full run begins and learns them again as
the run proceeds. A full run that is cut short loses them, and the page would freeze, with old figures under a
status line that calls them live. The browser therefore waits for each beat, and requests a full run if none
comes.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from functools import cache
from typing import Any

import streamlit as st

from options_helper.times import to_microseconds

_SHOWN, _NUMBER, _DRAWN, _WAITING = "redraw-shown", "redraw-number", "redraw-drawn", "redraw-waiting"
_BEAT, _LATE = "redraw-beat", "redraw-late"
_TABLE_VERSION = "redraw-table-version"
_KEY = "live-redraw"
_PATIENCE_SECONDS = 8.0
_PATIENCE_BEATS = 3.0


def redraw_if_changed(
    shown: tuple[object, ...],
    parts: Sequence[str],
    *,
    pace_seconds: float,
    now: dt.datetime,
    spoken: str = "",
    raised: object = None,
) -> bool:
    """Let the browser request the fragments `parts` if their contents have changed.

    Args:
        shown: Everything that the parts show; compared with `==`.
        parts: Keys of the fragments.
        pace_seconds: The usual time between two beats.
        now: The snapshot's time, from which the browser counts ages; this computer's clock may be wrong.
        raised: The newest raised alerts, which `alert_calls.js` announces.
        spoken: The state, which a screen reader speaks when it changes.

    Returns:
        True if the page has fallen behind: the browser waited for a beat in vain, or failed to request its
        parts for too long. The caller then draws everything.
    """
    state = st.session_state
    if state.get(_SHOWN) != shown:
        state[_SHOWN] = shown
        state[_NUMBER] = state.get(_NUMBER, 0) + 1
    state[_BEAT] = state.get(_BEAT, 0) + 1
    patience = max(_PATIENCE_SECONDS, _PATIENCE_BEATS * pace_seconds)
    _component()(
        key=_KEY,
        data={
            "number": state[_NUMBER],
            "beat": state[_BEAT],
            "patience": round(1000 * patience),
            "now": to_microseconds(now) // 1000,
            "spoken": spoken,
            "raised": raised,
        },
        on_changed_change=lambda: _redraw(parts),
        on_late_change=_note_late,
    )
    return bool(state.pop(_LATE, False)) or _is_overdue(patience)


def _is_overdue(patience: float) -> bool:
    """Return whether changed parts have waited too long to be drawn.

    While prices tick, the parts are one change behind at every beat; it is enough that they keep being drawn.
    """
    state, now = st.session_state, time.monotonic()
    drawn = state.get(_DRAWN)
    if drawn == state[_NUMBER]:
        state.pop(_WAITING, None)
        return False
    drawn_before, since = state.get(_WAITING, (drawn, now))
    if drawn != drawn_before:
        since = now
    state[_WAITING] = (drawn, since)
    if now - since <= patience:
        return False
    del state[_WAITING]
    return True


def _note_late() -> None:
    st.session_state[_LATE] = True


def mark_drawn() -> None:
    """Record that the large parts show the newest state; the last of them calls it."""
    st.session_state[_DRAWN] = st.session_state.get(_NUMBER)


def known_table_version() -> int | None:
    """Return the version of the rows that this browser's positions table has, None if it has none."""
    version: int | None = st.session_state.get(_TABLE_VERSION)
    return version


def forget_table_version() -> None:
    """Assume that the browser's positions table has no rows, so that the next message has all of them."""
    st.session_state.pop(_TABLE_VERSION, None)


def _redraw(parts: Sequence[str]) -> None:
    st.session_state[_TABLE_VERSION] = st.session_state[_KEY]["changed"]["table"]
    if st.session_state.get(_DRAWN) != st.session_state.get(_NUMBER):
        st.rerun(list(parts))


@cache
def _component() -> Any:  # noqa: ANN401 - Streamlit gives the mounting command a type of its own
    return st.components.v2.component("options-helper.redraw", html="<span></span>", js="redraw.js")
