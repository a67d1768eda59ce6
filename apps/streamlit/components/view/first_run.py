"""A session's first run, which leaves out the parts beside and below the table.

A browser draws everything that one run sends together, and the other parts take longer than the table.
Without them, the table's rows appear sooner. A second run draws the whole page when the browser reports the
rows, immediately if there is no table, or at the next refresh if no report comes. Later runs leave nothing
out.
"""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

_LEAVES_OUT = "first-run-leaves-out"


def begin_run() -> None:
    """Leave parts out only in a session's first run, and only if the browser sends no widget choices.

    A browser always sends its time zone; a missing one means that no browser asked (a test). A browser that
    returns after its session has ended sends its widgets' choices, which Streamlit would forget if the run
    did not draw those widgets.
    """
    state, context = st.session_state, get_script_run_ctx(suppress_warning=True)
    is_first = _LEAVES_OUT not in state and st.context.timezone is not None
    state[_LEAVES_OUT] = is_first and context is not None and not context.session_state.get_widget_states()


def leaves_out() -> bool:
    """Return whether the page still lacks the parts that the first run leaves out."""
    return bool(st.session_state.get(_LEAVES_OUT))


def draw_whole() -> None:
    """Draw the whole page, unless the last run already did."""
    if leaves_out():
        st.rerun()
