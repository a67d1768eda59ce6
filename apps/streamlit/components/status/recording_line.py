"""The recording in the streams panel: where it goes, its size, and the last five minutes as a download."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from apps.streamlit.components.downloads import render_download
from apps.streamlit.components.plain_text import in_html
from options_helper.printable import printable
from options_helper.recording import CONTENTS
from options_helper.recording.recorder import RecordingStatus
from options_helper.session.process_recorder import process_recorder


def render_recording(as_of: dt.datetime) -> None:
    """Draw the state of the recording, and the button that saves the last five minutes."""
    recorder = process_recorder()
    if recorder is None:
        return
    if recorder.status is not None:
        st.html(f'<p class="oh-quiet">{in_html(describe_recording(recorder.status))}</p>')
    if recorder.keeps_last_minutes:
        render_download(
            "Save the last 5 minutes",
            recorder.last_minutes,
            file_name=f"{as_of:%Y-%m-%dT%H%M}-last-minutes.ohrec",
            key="live-last-minutes",
            mime="application/octet-stream",
            help=CONTENTS,
        )


def describe_recording(status: RecordingStatus) -> str:
    """Return the state of a recording in a sentence or two."""
    size = f"{status.size / 1e6:,.1f} MB in {printable(str(status.path))}"
    if not status.ended:
        return f"Recording: {size}."
    return f"{status.ended} {size}." if status.size else status.ended
