"""The Live Portfolio page from top to bottom.

One outer fragment contains three: the head, the status line on its timer, and the body. Only the status line
runs at each refresh; the other two run if their contents have changed (`redraw`). The page's top level stays
cheap: no network, no heavy import before the title.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

import streamlit as st

from apps.streamlit.components.inputs.credentials import Credentials, find_credentials
from apps.streamlit.components.inputs.session import MANAGER_KEY, browser_zone, current_hub
from apps.streamlit.components.inputs.sidebar import PageSettings, render_sidebar
from apps.streamlit.components.layout.disclaimer import render_disclaimer
from apps.streamlit.components.layout.head import draw_badges, draw_buttons, lay_out_head
from apps.streamlit.components.layout.page_style import apply_page_style
from apps.streamlit.components.view.redraw import forget_table_version
from options_helper.session.hub import LiveHub

IDLE_SECONDS = 5.0  # how soon, while nothing runs, a Start in another tab or a saved file is noticed
SHELL, HEAD, BODY = "live-shell", "live-head", "live-body"
_HEAD_SOURCE = "live-head-source"


def sidebar_state() -> Literal["auto", "collapsed"]:
    """Return "collapsed" while streams run, because the sidebar is only needed for setup."""
    return "collapsed" if current_hub().is_running() else "auto"


def render_live_portfolio() -> None:
    """Draw the whole page for this browser session."""
    apply_page_style()
    forget_table_version()  # a full run may rebuild the table without its rows
    hub = current_hub()
    credentials = find_credentials()
    settings, zone = render_sidebar(credentials), browser_zone()
    _shell(hub, settings, credentials, zone)
    render_disclaimer(str(zone))


@st.fragment(key=SHELL)
def _shell(hub: LiveHub, settings: PageSettings, credentials: Credentials, zone: dt.tzinfo) -> None:
    """Draw the three parts; only the status line repeats, at the configured interval while streams run."""
    live = hub.is_running()
    pace = settings.refresh_seconds if live else IDLE_SECONDS
    st.fragment(key=HEAD)(_head)(hub, settings, credentials, drawn_as_live=live)
    st.session_state[MANAGER_KEY] = hub.manager
    st.fragment(run_every=pace)(_status)(hub, settings, credentials, zone, drawn_as_live=live)
    st.fragment(key=BODY)(_body)(hub, settings, credentials)


def _head(hub: LiveHub, settings: PageSettings, credentials: Credentials, *, drawn_as_live: bool) -> None:
    """Draw title, badges and buttons; if streams have started or stopped, redraw everything."""
    if hub.is_running() != drawn_as_live:
        st.rerun()
    badges, buttons = lay_out_head()
    from apps.streamlit.components.inputs.page_context import read_context  # noqa: PLC0415 - pandas, after the title

    context = read_context(hub, settings, credentials)
    draw_buttons(buttons, context)
    draw_badges(badges, context)
    st.session_state[_HEAD_SOURCE] = context.model.source


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
    overdue = render_status_part(context, parts=(HEAD, BODY))
    render_problem(hub)
    is_headed = st.session_state.get(_HEAD_SOURCE) is context.model.source
    is_current = (find_credentials(), context.zone) == (credentials, zone)
    if overdue or not is_headed or not is_current or hub.is_running() != drawn_as_live:
        st.rerun()


def _body(hub: LiveHub, settings: PageSettings, credentials: Credentials) -> None:
    """Draw everything below the status line."""
    from apps.streamlit.components.inputs.page_context import read_context  # noqa: PLC0415 - the same
    from apps.streamlit.components.layout.live_body import render_live_body  # noqa: PLC0415 - after the title

    render_live_body(read_context(hub, settings, credentials))
