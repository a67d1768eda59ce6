"""The Live Portfolio page from top to bottom.

One outer fragment contains the others: the status line on its timer, and the parts of the page. The status
line runs at each refresh, and then the parts whose contents have changed (`redraw`). The page's top level
stays cheap: no network, no heavy import before the title.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

import streamlit as st

from apps.streamlit.components.inputs.credentials import Credentials, find_credentials
from apps.streamlit.components.inputs.session import MANAGER_KEY, browser_zone, current_hub
from apps.streamlit.components.inputs.sidebar import PageSettings, default_settings, render_sidebar
from apps.streamlit.components.layout.disclaimer import render_disclaimer
from apps.streamlit.components.layout.head import describe_head, draw_badges, draw_buttons, lay_out_head
from apps.streamlit.components.layout.page_style import apply_page_style
from apps.streamlit.components.view.first_run import begin_run, draw_whole, leaves_out
from apps.streamlit.components.view.part import Part
from apps.streamlit.components.view.place import hold_place
from apps.streamlit.components.view.redraw import forget_table_version, mark_drawn, redraw_changed_parts
from options_helper.session.hub import LiveHub

IDLE_SECONDS = 5.0  # how soon, while nothing runs, a Start in another tab or a saved file is noticed
SHELL = "live-shell"
_FOLDED = "live-sidebar-folded"
# The version of the file that the head is drawn for, and that the parts are laid out for.
_HEADED, _LAID_OUT = "live-headed", "live-laid-out"


def sidebar_state() -> Literal["auto", "collapsed"]:
    """Return "collapsed" once this session has seen streams run, as it is only needed for setup.

    It stays so after Stop: another answer would open the sidebar and move the page.
    """
    if current_hub().is_running():
        st.session_state[_FOLDED] = True
    return "collapsed" if st.session_state.get(_FOLDED) else "auto"


def render_live_portfolio() -> None:
    """Draw the whole page for this browser session."""
    apply_page_style()
    forget_table_version()  # a full run may rebuild the table without its rows
    hub = current_hub()
    credentials = find_credentials()
    begin_run()
    settings, zone = _sidebar(credentials), browser_zone()
    _shell(hub, settings, credentials, zone)
    if not leaves_out():
        render_disclaimer(str(zone))


def _sidebar(credentials: Credentials) -> PageSettings:
    """Draw the sidebar, or only its empty space, and return its settings."""
    if not leaves_out():
        return render_sidebar(credentials)
    st.sidebar.empty()
    return default_settings(credentials)


@st.fragment(key=SHELL)
def _shell(hub: LiveHub, settings: PageSettings, credentials: Credentials, zone: dt.tzinfo) -> None:
    """Draw everything; only the status line repeats, at the configured interval while streams run."""
    live = hub.is_running()
    st.session_state.pop(_LAID_OUT, None)
    pace = settings.refresh_seconds if live else IDLE_SECONDS
    with hold_place():
        st.fragment(key=Part.HEAD)(_head)(hub, settings, credentials, drawn_as_live=live)
    st.session_state[MANAGER_KEY] = hub.manager
    with hold_place():
        st.fragment(run_every=pace)(_status)(hub, settings, credentials, zone, drawn_as_live=live)
    _body()


def _head(hub: LiveHub, settings: PageSettings, credentials: Credentials, *, drawn_as_live: bool) -> None:
    """Draw title, badges and buttons; if streams have started or stopped, redraw everything."""
    if hub.is_running() != drawn_as_live:
        st.rerun()
    badges, buttons = lay_out_head()
    from apps.streamlit.components.inputs.page_context import read_context  # noqa: PLC0415 - pandas, after the title

    context = read_context(hub, settings, credentials)
    draw_buttons(buttons, context)
    draw_badges(badges, context)
    st.session_state[_HEADED] = context.model.source
    # Described again, because a run may have begun since the status line was drawn.
    mark_drawn(Part.HEAD, describe_head(context))


def _status(
    hub: LiveHub, settings: PageSettings, credentials: Credentials, zone: dt.tzinfo, *, drawn_as_live: bool
) -> None:
    """Draw the status line at each refresh.

    An action in another tab, a new file, changed credentials or a new time zone redraws everything.
    """
    from apps.streamlit.components.inputs.page_context import read_context  # noqa: PLC0415 - the same
    from apps.streamlit.components.layout.live_body import render_status_part  # noqa: PLC0415 - after the title
    from apps.streamlit.components.layout.replay_bar import render_replay  # noqa: PLC0415 - the same
    from apps.streamlit.components.status.status_line import render_problem  # noqa: PLC0415 - the same

    render_replay(zone)
    context = read_context(hub, settings, credentials)
    is_current = (find_credentials(), context.zone) == (credentials, zone)
    source, state = context.model.source, st.session_state
    parts_follow = _LAID_OUT not in state  # in this run
    is_same_file = state.get(_HEADED) is source is state.get(_LAID_OUT, source)
    if not is_current or not is_same_file or hub.is_running() != drawn_as_live:
        st.rerun()
    overdue = render_status_part(context)
    render_problem(hub)
    if overdue:
        st.rerun()
    if not parts_follow:
        draw_whole()
        redraw_changed_parts()


def _body() -> None:
    """Draw everything below the status line, each part as a separate fragment."""
    from apps.streamlit.components.layout.live_body import lay_out_body  # noqa: PLC0415 - after the title
    from apps.streamlit.components.view.page_view import taken_page  # noqa: PLC0415 - the same

    source = st.session_state[_LAID_OUT] = taken_page()[0].model.source
    lay_out_body(source.portfolio, _place_part)
    if source.portfolio is None or not source.portfolio.positions:
        draw_whole()  # because no rows will be reported


def _place_part(part: Part) -> None:
    from apps.streamlit.components.layout.parts import draw_part  # noqa: PLC0415 - pandas, after the title

    with hold_place():
        st.fragment(key=part)(draw_part)(part)
