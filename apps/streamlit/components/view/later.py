"""The regions that a session's first run leaves out, so that the browser shows the table sooner.

A browser draws all that one run sends at once, and what stands below and beside the table takes it longer
than the table itself. That is drawn when the browser reports its first rows, at once if there is no table, or
at the next refresh if no report comes. Later runs leave nothing out.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from apps.streamlit.components.view.redraw import redraw_parts

_AWAITS_ROWS, _HAS_BEGUN = "later-awaits-rows", "later-has-begun"


class Later(StrEnum):
    """The regions that may follow the table, named as their fragments' keys."""

    SIDEBAR = "live-later-sidebar"
    BELOW = "live-later-below"
    BESIDE = "live-later-beside"
    DISCLAIMER = "live-later-disclaimer"


def begin_page() -> None:
    """Leave out the later regions in the first run of a browser that brings no choices; else draw them.

    A browser always sends its time zone. One that returns after its session has ended also sends what was
    chosen in its widgets, and Streamlit forgets the choices of widgets that a run does not draw.
    """
    state, context = st.session_state, get_script_run_ctx(suppress_warning=True)
    is_new = _HAS_BEGUN not in state and st.context.timezone is not None
    state[_AWAITS_ROWS] = is_new and context is not None and not context.session_state.get_widget_states()
    state[_HAS_BEGUN] = True


def draw_later(region: Later, draw: Callable[[], None]) -> None:
    """Draw a region at this place, or leave it empty until `draw_left_out` if this run leaves it out."""
    st.fragment(key=region)(_draw_unless_left_out)(draw)


def _draw_unless_left_out(draw: Callable[[], None]) -> None:
    if not st.session_state.get(_AWAITS_ROWS):
        draw()


def draw_left_out() -> None:
    """Draw what the first run left out, in a run directly after this one; nothing if it is drawn."""
    if st.session_state.get(_AWAITS_ROWS):
        st.session_state[_AWAITS_ROWS] = False
        redraw_parts(Later)
