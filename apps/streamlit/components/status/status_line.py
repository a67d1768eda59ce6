"""The line that describes the streams, and the line about a failed button press."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext

import streamlit as st

from apps.streamlit.components.headings import name_region
from apps.streamlit.components.inputs.page_context import PageContext
from apps.streamlit.components.inputs.start_stop import find_problem
from apps.streamlit.components.plain_text import in_markdown
from apps.streamlit.components.status.other_tabs import is_from_another_tab
from options_helper.analysis.status.stream_diagnosis import Diagnosis, Level, QuoteCounts, diagnose
from options_helper.analysis.text.wording import format_near_time
from options_helper.market import StreamState
from options_helper.session.hub import LiveHub
from options_helper.session.last_action import ActionKind

_ICONS = {
    Level.SUCCESS: ":material/check_circle:",
    Level.QUIET: ":material/check_circle:",
    Level.INFO: ":material/info:",
    Level.WARNING: ":material/warning:",
    Level.ERROR: ":material/error:",
}
_FIGURES = re.compile(r"\d[\d,.:]*(?: [smhd]\b)?(?: \d+ [smhd]\b)*")
_LAST_STATUS_KEY, _SPOKEN_KEY = "last-status", "spoken-status"
_ANNOUNCED = frozenset({StreamState.RUNNING, StreamState.RECONNECTING, StreamState.ERROR})


def render_status(diagnosis: Diagnosis, file_problem: Diagnosis | None = None) -> str:
    """Draw the status line, and return the headline that a screen reader speaks."""
    with st.container(key="live-status", gap=None):
        name_region("Status")
        with _tone(diagnosis.level):
            _draw(diagnosis)
        if file_problem is not None:
            _draw(file_problem)
    spoken = choose_spoken(diagnosis.headline, st.session_state.get(_SPOKEN_KEY, ""))
    st.session_state[_SPOKEN_KEY] = spoken
    return spoken


def choose_spoken(headline: str, before: str) -> str:
    """Return the headline, or the one spoken before if they differ only in figures."""
    same = _FIGURES.sub("#", headline) == _FIGURES.sub("#", before)
    return before if same else headline


def render_problem(hub: LiveHub) -> None:
    """Draw the reason why this tab's button press failed while streams were running."""
    problem = find_problem(hub)
    if problem is None or not problem.streams_ran:
        return
    still = "The earlier streams continue. " if hub.is_running() else ""
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
        f"**{in_markdown(diagnosis.headline)}** {in_markdown(diagnosis.detail)}",
        icon=_ICONS[diagnosis.level],
    )


def _tone(level: Level) -> AbstractContextManager[object]:
    """Return a container that removes the colour from a quiet line."""
    return st.container(key="live-status-quiet") if level is Level.QUIET else nullcontext()


def announce_change(status: str, diagnosis: Diagnosis) -> None:
    """Show a toast when live streams are lost or come back, but not after a button press."""
    before = st.session_state.get(_LAST_STATUS_KEY)
    st.session_state[_LAST_STATUS_KEY] = status
    if before == status or before not in _ANNOUNCED or status not in _ANNOUNCED:
        return
    words = "The streams are back." if status == StreamState.RUNNING else diagnosis.headline
    st.toast(in_markdown(words), icon=_ICONS[diagnosis.level])


def find_diagnosis(context: PageContext, quotes: QuoteCounts) -> Diagnosis:
    """Return why this tab's Start failed, else the diagnosis of the streams."""
    problem = find_problem(context.hub)
    credentials = context.model.credentials
    if problem is not None and not problem.streams_ran and problem.credentials == credentials:
        return Diagnosis(Level.ERROR, "Not started.", problem.text)
    if credentials.problem and context.snapshot.started_at is None:
        return Diagnosis(Level.INFO, "Not ready.", credentials.problem)
    action = context.hub.last_action
    stopped = action if action is not None and action.kind is ActionKind.STOPPED else None
    if stopped and is_from_another_tab(context.hub) and not context.snapshot.running:
        at = format_near_time(stopped.at, context.snapshot.as_of, context.zone)
        return Diagnosis(Level.INFO, f"Stopped from another tab, {at}.", "Figures are frozen.")
    return diagnose(
        context.snapshot,
        ready=context.model.ready,
        quotes=quotes,
        stop_reason=stopped.reason if stopped else "",
        next_open=context.hours.next_open,
        zone=context.zone,
    )
