"""The component that redraws each part of the page only if something on it has changed.

A timed fragment sends all of its elements at each run. The fragment on the timer therefore contains only the
status line and this component, and the parts that have changed are drawn directly after it; an unchanged
refresh costs well under 2 kB and no drawing.

Changed parts are drawn in the timer's own run as long as their elements remain the same ones: the browser
starts and ends one run instead of two, which is most of its work, and prices appear earlier. Only in a run
that was requested for a part does the browser remove what the part no longer draws.

The component guards the timer. Streamlit forgets a page's timers when a full run begins and learns them
again as the run proceeds. A full run that is cut short loses them, and the page would freeze, with old
figures under a status line that calls them live. The browser therefore waits for each beat, and requests a
full run if none comes.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from types import MappingProxyType
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAPIException
from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx

from options_helper.replay.process import pace_of_time
from options_helper.times import to_microseconds

_SHOWN, _NUMBERS, _DRAWN, _WAITING = "redraw-shown", "redraw-numbers", "redraw-drawn", "redraw-waiting"
_BEAT, _LATE = "redraw-beat", "redraw-late"
_TABLE_VERSION = "redraw-table-version"
_SHAPES, _DRAWN_SHAPES, _IN_A_ROW = "redraw-shapes", "redraw-drawn-shapes", "redraw-in-a-row"
_KEY = "live-redraw"
_PATIENCE_SECONDS = 8.0
_PATIENCE_BEATS = 3.0
# The browser keeps large messages of a part until a run that was requested for it.
_MOST_IN_A_ROW = 20


def redraw_if_changed(
    shown: Mapping[str, object],
    *,
    pace_seconds: float,
    now: dt.datetime,
    shapes: Mapping[str, object] = MappingProxyType({}),
    spoken: str = "",
    raised: object = None,
) -> bool:
    """Send a beat, and record which parts have changed for `redraw_changed_parts`.

    Args:
        shown: Everything that each part shows, by the key of its fragment; compared with `==`.
        pace_seconds: The usual time between two beats.
        now: The snapshot's time, from which the browser counts ages; this computer's clock may be wrong.
        shapes: For parts that draw the same elements as long as this is equal.
        raised: The newest raised alerts, which `alert_calls.js` announces.
        spoken: The state, which a screen reader speaks when it changes.

    Returns:
        True if the page has fallen behind: the browser waited for a beat in vain, or a changed part was not
        drawn for too long. The caller then draws everything.
    """
    state = st.session_state
    before, numbers = state.get(_SHOWN, {}), state.get(_NUMBERS, {})
    changed = {part for part, content in shown.items() if part not in before or before[part] != content}
    state[_SHOWN] = dict(shown)
    state[_NUMBERS] = {part: numbers.get(part, 0) + (part in changed) for part in shown}
    state[_SHAPES] = dict(shapes)
    state[_BEAT] = state.get(_BEAT, 0) + 1
    patience = max(_PATIENCE_SECONDS, _PATIENCE_BEATS * pace_seconds)
    _component()(
        key=_KEY,
        data={
            "beat": state[_BEAT],
            "patience": round(1000 * patience),
            "now": to_microseconds(now) // 1000,
            "pace": pace_of_time(),
            "spoken": spoken,
            "raised": raised,
        },
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


def mark_drawn(part: str, content: object = None) -> None:
    """Record that a part shows its newest state, or `content` if given; each part calls this last."""
    state = st.session_state
    is_newest = content is None or state.get(_SHOWN, {}).get(part) == content
    state.setdefault(_DRAWN, {})[part] = state.get(_NUMBERS, {}).get(part) if is_newest else None
    state.setdefault(_DRAWN_SHAPES, {})[part] = state.get(_SHAPES, {}).get(part)


def known_table_version() -> int | None:
    """Return the version of the rows last sent to this browser, None until it has confirmed its first ones.

    If a later message is lost, the browser's table notices it at the next one, and reports the rows it has.
    """
    version: int | None = st.session_state.get(_TABLE_VERSION)
    return version


def note_table_version(version: int | None) -> None:
    """Record the version of the rows that the browser has, or was sent since it reported others."""
    st.session_state[_TABLE_VERSION] = version


def forget_table_version() -> None:
    """Assume that the browser's positions table has no rows, so that the next message has all of them."""
    st.session_state.pop(_TABLE_VERSION, None)


def redraw_all() -> None:
    """Draw every part, at the end of a callback that changes more than its widget's part."""
    redraw_parts(st.session_state.get(_NUMBERS, {}))


def redraw_changed_parts() -> None:
    """Draw the parts that do not show their newest state, in this run if possible, else directly after it."""
    behind = list(_behind())
    state = st.session_state
    state[_IN_A_ROW] = (state.get(_IN_A_ROW, 0) + 1) % _MOST_IN_A_ROW
    in_this_run = _draw_in_this_run(behind) if state[_IN_A_ROW] else set()
    redraw_parts([part for part in behind if part not in in_this_run])


def _draw_in_this_run(parts: Iterable[str]) -> set[str]:
    """Draw the parts that keep their elements at the end of this run, and return them."""
    context, state = get_script_run_ctx(), st.session_state
    fragments = context.fragment_ids_this_run if context else None
    if context is None or not fragments:
        return set()
    shapes, drawn = state.get(_SHAPES, {}), state.get(_DRAWN_SHAPES, {})
    chosen = set()
    for part in parts:
        ids = list(_fragments_of([part]))
        keeps = shapes.get(part) is not None and drawn.get(part) == shapes[part]
        if keeps and ids and not set(ids) & set(fragments):
            # After a failure, the part is drawn in its own run.
            drawn.pop(part)
            # The run goes through this list, which is not part of Streamlit's public interface either.
            fragments += ids
            chosen.add(part)
    if chosen:
        context.cached_message_hashes = frozenset()  # as in `redraw_parts`
    return chosen


def redraw_parts(parts: Iterable[str]) -> None:
    """Draw these parts in a run directly after this one, unless the reader has left for another page."""
    context = get_script_run_ctx()
    fragments = list(_fragments_of(parts))
    if context is None or context.script_requests is None or not fragments:
        return
    # `st.rerun` with these keys would replace what else the run was requested for: if a click and a redraw
    # meet in one run, the click's own part would stay as it was. The browser may drop a message that it had
    # cached when it requested this run, and a page that misses one is dead, so all are sent in full.
    context.script_requests.request_rerun(
        RerunData(
            query_string=context.query_string,
            page_script_hash=context.page_script_hash,
            fragment_id_queue=fragments,
            is_auto_rerun=True,
            cached_message_hashes=frozenset(),
            context_info=context.context_info,
        )
    )


def _fragments_of(parts: Iterable[str]) -> Iterator[str]:
    context = get_script_run_ctx()
    for part in parts:
        with suppress(StreamlitAPIException):  # no such fragment any more
            yield from context.fragment_storage.resolve_target(part) if context else ()


@cache
def _component() -> Any:  # noqa: ANN401 - Streamlit gives the mounting command its own type
    return st.components.v2.component("options-helper.redraw", html="<span></span>", js="redraw.js")
