"""Redraws the page's large parts only when something on them has changed.

A timed fragment sends all of its elements at each run. So the fragment on the timer holds the status line and
this pulse alone: a number that grows with every change. The browser compares it with the last one, and asks
for the large parts when it differs; an unchanged refresh costs well under 2 kB and no drawing.
"""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHOWN, _NUMBER, _DRAWN, _OVERDUE = "pulse-shown", "pulse-number", "pulse-drawn", "pulse-overdue"
_PATIENCE_SECONDS = 8.0
_SCRIPT = """
const seen = new WeakMap();
export default function ({ data, setTriggerValue, parentElement }) {
  const before = seen.get(parentElement);
  seen.set(parentElement, data.number);
  if (before !== undefined && before !== data.number) setTriggerValue("changed", data.number);
}
"""


def render_pulse(shown: tuple[object, ...], parts: Sequence[str]) -> bool:
    """Let the browser ask for the fragments `parts` if what they show is not what it was.

    Args:
        shown: Everything that the parts show; compared with `==`.
        parts: Keys of the fragments.

    Returns:
        Whether the browser should have asked long ago, and did not; the caller then draws everything.
    """
    state = st.session_state
    if state.get(_SHOWN) != shown:
        state[_SHOWN] = shown
        state[_NUMBER] = state.get(_NUMBER, 0) + 1
    with st.container(key="live-pulse"):
        _component()(
            key="pulse",
            data={"number": state[_NUMBER]},
            on_changed_change=lambda: _redraw(parts),
        )
    if state.get(_DRAWN) == state[_NUMBER]:
        state.pop(_OVERDUE, None)
        return False
    since: float = state.setdefault(_OVERDUE, time.monotonic())
    overdue = time.monotonic() - since > _PATIENCE_SECONDS
    if overdue:
        state.pop(_OVERDUE)
    return overdue


def mark_drawn() -> None:
    """Note that the large parts show the newest state; called by the last of them."""
    st.session_state[_DRAWN] = st.session_state.get(_NUMBER)


def _redraw(parts: Sequence[str]) -> None:
    if st.session_state.get(_DRAWN) != st.session_state.get(_NUMBER):
        st.rerun(list(parts))


@cache
def _component() -> Any:  # noqa: ANN401 - Streamlit gives the mounting command a type of its own
    return st.components.v2.component("options_helper_pulse", html="<span></span>", js=_SCRIPT)
