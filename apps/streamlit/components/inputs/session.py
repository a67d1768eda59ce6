"""The browser session: its lease on the process's one set of streams, and its time zone."""

from __future__ import annotations

import datetime as dt
import os
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from options_helper.launch.launcher import KEEP_ALIVE_VARIABLE
from options_helper.launch.log_file import LOG_FILE_VARIABLE, open_log
from options_helper.session.hub import GRACE_SECONDS, LiveHub, get_hub
from options_helper.times import NEW_YORK

MANAGER_KEY = "live_stream_manager"


def session_is_active(session_id: str) -> bool:
    """Return whether a browser is connected to this session now.

    `Runtime.is_active_session` answers from any thread but is not in Streamlit's public API reference. If it
    is missing, a session counts as active, so that nothing is stopped by mistake.
    """
    from streamlit import runtime  # noqa: PLC0415 - absent in a bare run

    try:
        return bool(runtime.get_instance().is_active_session(session_id))
    except (AttributeError, RuntimeError):
        return True


def session_id() -> str:
    """Return this browser session's id; a fixed word without a browser."""
    context = get_script_run_ctx(suppress_warning=True)
    return context.session_id if context is not None else "no browser"


def open_portal() -> None:
    """Open the log and this session's lease; every page run calls this first."""
    if LOG_FILE_VARIABLE in os.environ:
        from pathlib import Path  # noqa: PLC0415 - only under the launcher

        open_log(Path(os.environ[LOG_FILE_VARIABLE]))
    current_hub()


def current_hub() -> LiveHub:
    """Return the process's hub, after renewing this session's lease."""
    hub = get_hub(is_active=session_is_active, grace_seconds=_grace_seconds())
    if get_script_run_ctx(suppress_warning=True) is not None:
        hub.attach(session_id())
        _guard(session_id())
    return hub


def _grace_seconds() -> float:
    try:
        return max(0.0, float(os.environ.get(KEEP_ALIVE_VARIABLE, GRACE_SECONDS)))
    except ValueError:
        return GRACE_SECONDS


def _detach(guarded: str) -> None:
    get_hub().detach(guarded)


@st.cache_resource(scope="session", on_release=_detach, show_spinner=False)
def _guard(guarded: str) -> str:
    """Return a guard that Streamlit releases, on the server's event loop, when the browser disconnects."""
    return guarded


def browser_zone() -> dt.tzinfo:
    """Return the browser's time zone, or New York if it reports none."""
    try:
        name = st.context.timezone
        return ZoneInfo(name) if name else NEW_YORK
    except (ZoneInfoNotFoundError, ValueError):
        return NEW_YORK
