"""The Live Portfolio page as a story: who looks, what they own, what the market says.

The outer fragment decides how often the inner one runs; the inner one draws everything, so that a press of
a button, an action in another tab and a tick of the clock all lead to the same few lines. The page's top
level stays cheap: no network, no heavy import before the title.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import streamlit as st

from apps.streamlit.components.actions import SHELL
from apps.streamlit.components.credentials import find_credentials
from apps.streamlit.components.disclaimer import render_disclaimer
from apps.streamlit.components.head import Head
from apps.streamlit.components.moment import Moment
from apps.streamlit.components.page_model import build_page_model
from apps.streamlit.components.page_style import apply_page_style
from apps.streamlit.components.session import MANAGER_KEY, browser_zone, current_hub
from apps.streamlit.components.sidebar import render_sidebar

if TYPE_CHECKING:
    from apps.streamlit.components.credentials import Credentials
    from apps.streamlit.components.sidebar import PageSettings
    from options_helper.hub import LiveHub

IDLE_SECONDS = 5.0  # while nothing runs here: how soon a Start in another tab is seen


def sidebar_state() -> Literal["auto", "collapsed"]:
    """The sidebar is for setting up: out of the way once streams run."""
    return "collapsed" if current_hub().is_running() else "auto"


def render_live_portfolio() -> None:
    """Draw the whole page for this browser session."""
    apply_page_style()
    hub = current_hub()
    credentials = find_credentials()
    settings = render_sidebar(credentials)
    _shell(hub, settings, credentials)
    render_disclaimer()


@st.fragment(key=SHELL)
def _shell(hub: LiveHub, settings: PageSettings, credentials: Credentials) -> None:
    """Choose the pace: the settings' while a set of streams runs, a slow one while none does."""
    live = hub.is_running()
    pace = settings.refresh_seconds if live else IDLE_SECONDS
    st.fragment(run_every=pace)(_tick)(hub, settings, credentials, paced_as_live=live)


def _tick(hub: LiveHub, settings: PageSettings, credentials: Credentials, *, paced_as_live: bool) -> None:
    """One refresh: everything on the page, top to bottom."""
    head = Head()
    model = build_page_model(settings, credentials)
    head.draw_buttons(hub, model)
    from apps.streamlit.components.live_body import render_live_body  # noqa: PLC0415 - pandas, after the title
    from apps.streamlit.components.market_hours import find_market_hours  # noqa: PLC0415 - likewise

    st.session_state[MANAGER_KEY] = hub.manager
    snapshot = hub.manager.snapshot()
    zone = browser_zone()
    hours = find_market_hours(snapshot, demo=credentials.demo)
    head.draw_badges(model, snapshot, hours, zone)
    render_live_body(Moment(hub, model, snapshot, hours, zone))
    if hub.is_running() != paced_as_live:
        st.rerun()
