"""The one line that says how the streams are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from apps.streamlit.components.actions import start_problem
from apps.streamlit.components.session import session_id
from options_helper.analysis.stream_diagnosis import Diagnosis, Level, diagnose
from options_helper.analysis.wording import format_minute
from options_helper.hub import ActionKind
from options_helper.market import StreamState

if TYPE_CHECKING:
    import datetime as dt

    from apps.streamlit.components.page_model import PageModel
    from options_helper.analysis.stream_diagnosis import QuoteCounts
    from options_helper.hub import LiveHub
    from options_helper.market import LiveSnapshot

_ICONS = {
    Level.SUCCESS: ":material/check_circle:",
    Level.INFO: ":material/info:",
    Level.WARNING: ":material/warning:",
    Level.ERROR: ":material/error:",
}


def render_status(
    hub: LiveHub, model: PageModel, snapshot: LiveSnapshot, quotes: QuoteCounts | None, zone: dt.tzinfo
) -> Diagnosis:
    """Draw the status and return it."""
    diagnosis = _diagnosis(hub, model, snapshot, quotes, zone)
    draw = {
        Level.SUCCESS: st.success,
        Level.INFO: st.info,
        Level.WARNING: st.warning,
        Level.ERROR: st.error,
    }[diagnosis.level]
    with st.container(key="live-status"):
        draw(f"**{escape(diagnosis.headline)}** {escape(diagnosis.detail)}", icon=_ICONS[diagnosis.level])
    return diagnosis


def _diagnosis(
    hub: LiveHub, model: PageModel, snapshot: LiveSnapshot, quotes: QuoteCounts | None, zone: dt.tzinfo
) -> Diagnosis:
    problem = start_problem()
    if problem and not hub.is_running():
        return Diagnosis(Level.ERROR, "Not started.", problem)
    action = hub.last_action
    stop_reason = action.reason if action is not None and action.kind is ActionKind.STOPPED else ""
    return diagnose(snapshot, ready=model.ready, quotes=quotes, stop_reason=stop_reason, zone=zone)


def describe_other_tab(hub: LiveHub, snapshot: LiveSnapshot, zone: dt.tzinfo, not_live: int) -> str:
    """What another tab did to the streams, or ""; `not_live` counts this tab's positions without a stream."""
    action = hub.last_action
    if action is None or action.session_id is None or action.is_from(session_id()):
        return ""
    at = format_minute(action.at, zone)
    if action.kind is ActionKind.STOPPED:
        return f"Stopped from another tab, {at}." if snapshot.status == StreamState.STOPPED else ""
    text = f"{action.kind} from another tab {at} with {action.portfolio_name}"
    if not_live:
        return f"{text}; {not_live} of your positions {'is' if not_live == 1 else 'are'} not live."
    return f"{text}."


def escape(text: str) -> str:
    """Text as it is, where Streamlit would read Markdown."""
    for sign in "\\`*_[]$<~":
        text = text.replace(sign, f"\\{sign}")
    return text.replace(":material", "\\:material")
