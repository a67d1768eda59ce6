"""A session's first run, which leaves out what stands beside and below the table.

A browser draws all that one run sends at once, and the rest takes it longer than the table. So the table's
rows appear sooner, and the page is drawn whole as soon as the browser reports them; at once if there is no
table, or at the next refresh if no report comes. Later runs leave nothing out.
"""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

_LEAVES_OUT = "first-run-leaves-out"


def begin_run() -> None:
    """Leave out parts of the page in the first run for a browser that brings no choices, and in no other.

    A browser always sends its time zone. One that returns after its session has ended also sends what was
    chosen in its widgets, and Streamlit forgets the choices of widgets that a run does not draw.
    """
    state, context = st.session_state, get_script_run_ctx(suppress_warning=True)
    is_first = _LEAVES_OUT not in state and st.context.timezone is not None
    state[_LEAVES_OUT] = is_first and context is not None and not context.session_state.get_widget_states()


def leaves_out() -> bool:
    """Return whether the page lacks what this session's first run leaves out."""
    return bool(st.session_state.get(_LEAVES_OUT))


def draw_whole() -> None:
    """Draw the page again, as a whole; nothing if the last run left nothing out."""
    if leaves_out():
        st.rerun()
