"""The one line that says how the streams are, and the notes beneath it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import streamlit as st

from apps.streamlit.components.inputs.actions import find_problem
from apps.streamlit.components.inputs.page_context import PageContext
from apps.streamlit.components.status.other_tabs import is_from_another_tab
from options_helper.analysis.status.stream_diagnosis import Diagnosis, Level, QuoteCounts, diagnose
from options_helper.analysis.text.wording import format_moment
from options_helper.market import StreamState
from options_helper.session.actions import ActionKind
from options_helper.session.hub import LiveHub

_ICONS = {
    Level.SUCCESS: ":material/check_circle:",
    Level.QUIET: ":material/check_circle:",
    Level.INFO: ":material/info:",
    Level.WARNING: ":material/warning:",
    Level.ERROR: ":material/error:",
}
_TOLD_KEY = "told-status"
_TOLD = frozenset({StreamState.RUNNING, StreamState.RECONNECTING, StreamState.ERROR})
_SPECIAL = "\\`*_{}[]()<>#+|~$:"


def render_status(diagnosis: Diagnosis) -> None:
    """Draw the one line."""
    with st.container(key="live-status"), _tone(diagnosis.level):
        _draw(diagnosis)


def render_problem(hub: LiveHub) -> None:
    """Below the line, why this tab's button failed while streams ran; it says nothing of how these are."""
    problem = find_problem(hub)
    if problem is None or not problem.streams_ran:
        return
    still = "The earlier streams go on. " if hub.is_running() else ""
    with st.container(key="live-problem"):
        _draw(Diagnosis(Level.ERROR, problem.headline, still + problem.text))


def _draw(diagnosis: Diagnosis) -> None:
    draw = {
        Level.SUCCESS: st.success,
        Level.QUIET: st.info,
        Level.INFO: st.info,
        Level.WARNING: st.warning,
        Level.ERROR: st.error,
    }[diagnosis.level]
    draw(
        f"**{escape_markdown(diagnosis.headline)}** {escape_markdown(diagnosis.detail)}",
        icon=_ICONS[diagnosis.level],
    )


def _tone(level: Level) -> AbstractContextManager[object]:
    """What is quiet is drawn as information without its colour."""
    return st.container(key="live-status-quiet") if level is Level.QUIET else nullcontext()


def tell_change(status: str, diagnosis: Diagnosis) -> None:
    """A toast when streams that were live are lost, and when they are back; none for a press of a button."""
    before = st.session_state.get(_TOLD_KEY)
    st.session_state[_TOLD_KEY] = status
    if before == status or before not in _TOLD or status not in _TOLD:
        return
    words = "The streams are back." if status == StreamState.RUNNING else diagnosis.headline
    st.toast(escape_markdown(words), icon=_ICONS[diagnosis.level])


def find_diagnosis(moment: PageContext, quotes: QuoteCounts) -> Diagnosis:
    """This tab's diagnosis: why its Start started nothing, else how the streams are."""
    problem = find_problem(moment.hub)
    if problem is not None and not problem.streams_ran:
        return Diagnosis(Level.ERROR, "Not started.", problem.text)
    credentials = moment.model.credentials
    if credentials.settings is None and moment.snapshot.started_at is None:
        return Diagnosis(Level.INFO, "Not ready.", credentials.problem)
    action = moment.hub.last_action
    stopped = action if action is not None and action.kind is ActionKind.STOPPED else None
    if stopped and is_from_another_tab(moment.hub) and not moment.snapshot.running:
        at = format_moment(stopped.at, moment.snapshot.as_of, moment.zone)
        return Diagnosis(Level.INFO, f"Stopped from another tab, {at}.", "Figures are frozen.")
    return diagnose(
        moment.snapshot,
        ready=moment.model.ready,
        quotes=quotes,
        stop_reason=stopped.reason if stopped else "",
        next_open=moment.hours.next_open,
        zone=moment.zone,
    )


def escape_markdown(text: str) -> str:
    """Text as it is, where Streamlit would read Markdown."""
    return "".join(f"\\{sign}" if sign in _SPECIAL else sign for sign in text)
