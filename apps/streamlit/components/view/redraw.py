"""The component that redraws each part of the page only if something on it has changed.

A timed fragment sends all of its elements at each run. The fragment on the timer therefore contains only the
status line and this component: a number that grows with every change. The browser compares it with the last
one, and requests the changed parts if it differs; an unchanged refresh costs well under 2 kB and no drawing.

It also guards the timer. Streamlit forgets a page's timers when a full run begins and learns them again as
the run proceeds. A full run that is cut short loses them, and the page would freeze, with old figures under a
status line that calls them live. The browser therefore waits for each beat, and requests a full run if none
comes.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAPIException

from options_helper.times import to_microseconds

_SHOWN, _NUMBERS, _DRAWN, _WAITING = "redraw-shown", "redraw-numbers", "redraw-drawn", "redraw-waiting"
_BEAT, _LATE = "redraw-beat", "redraw-late"
_TABLE_VERSION = "redraw-table-version"
_KEY = "live-redraw"
_PATIENCE_SECONDS = 8.0
_PATIENCE_BEATS = 3.0


def redraw_if_changed(
    shown: Mapping[str, object],
    *,
    pace_seconds: float,
    now: dt.datetime,
    spoken: str = "",
    raised: object = None,
) -> bool:
    """Let the browser request the parts whose contents have changed.

    Args:
        shown: Everything that each part shows, by the key of its fragment; compared with `==`.
        pace_seconds: The usual time between two beats.
        now: The snapshot's time, from which the browser counts ages; this computer's clock may be wrong.
        raised: The newest raised alerts, which `alert_calls.js` announces.
        spoken: The state, which a screen reader speaks when it changes.

    Returns:
        True if the page has fallen behind: the browser waited for a beat in vain, or failed to request its
        parts for too long. The caller then draws everything.
    """
    state = st.session_state
    before, numbers = state.get(_SHOWN, {}), state.get(_NUMBERS, {})
    changed = {part for part, content in shown.items() if part not in before or before[part] != content}
    state[_SHOWN] = dict(shown)
    state[_NUMBERS] = {part: numbers.get(part, 0) + (part in changed) for part in shown}
    state[_BEAT] = state.get(_BEAT, 0) + 1
    patience = max(_PATIENCE_SECONDS, _PATIENCE_BEATS * pace_seconds)
    _component()(
        key=_KEY,
        data={
            "number": sum(state[_NUMBERS].values()),
            "beat": state[_BEAT],
            "patience": round(1000 * patience),
            "now": to_microseconds(now) // 1000,
            "spoken": spoken,
            "raised": raised,
        },
        on_changed_change=_redraw,
        on_late_change=_note_late,
    )
    return bool(state.pop(_LATE, False)) or _is_overdue(patience)


def _behind() -> dict[str, int | None]:
    """Return the parts that do not show their newest state, and what each was last drawn as."""
    drawn = st.session_state.get(_DRAWN, {})
    numbers = st.session_state.get(_NUMBERS, {})
    return {part: drawn.get(part) for part, number in numbers.items() if drawn.get(part) != number}


def _is_overdue(patience: float) -> bool:
    """Return whether a changed part has waited too long to be drawn.

    While prices tick, parts are one change behind at every beat; it is enough that they keep being drawn.
    """
    state, now = st.session_state, time.monotonic()
    waiting = state.get(_WAITING, {})
    state[_WAITING] = {
        part: waiting[part] if part in waiting and waiting[part][0] == drawn else (drawn, now)
        for part, drawn in _behind().items()
    }
    if all(now - since <= patience for _, since in state[_WAITING].values()):
        return False
    del state[_WAITING]
    return True


def _note_late() -> None:
    st.session_state[_LATE] = True


def mark_drawn(part: str) -> None:
    """Record that a part shows its newest state; it calls this last."""
    st.session_state.setdefault(_DRAWN, {})[part] = st.session_state.get(_NUMBERS, {}).get(part)


def known_table_version() -> int | None:
    """Return the version of the rows that this browser's positions table has, None if it has none."""
    version: int | None = st.session_state.get(_TABLE_VERSION)
    return version


def forget_table_version() -> None:
    """Assume that the browser's positions table has no rows, so that the next message has all of them."""
    st.session_state.pop(_TABLE_VERSION, None)


def redraw_all() -> None:
    """Draw every part now: the end of a callback that changes more than the part of its own widget."""
    redraw_parts(list(st.session_state.get(_NUMBERS, {})))


def redraw_parts(parts: list[str]) -> None:
    """Draw these parts now, from a callback, unless the reader has left for another page meanwhile."""
    if parts:
        with suppress(StreamlitAPIException):  # no such fragments any more
            st.rerun(parts)


def _redraw() -> None:
    st.session_state[_TABLE_VERSION] = st.session_state[_KEY]["changed"]["table"]
    redraw_parts(list(_behind()))


@cache
def _component() -> Any:  # noqa: ANN401 - Streamlit gives the mounting command a type of its own
    return st.components.v2.component("options-helper.redraw", html="<span></span>", js="redraw.js")
