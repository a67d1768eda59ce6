"""The recording in the streams panel: its file and size, and the last five minutes as a download."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import streamlit as st

from apps.streamlit.components.downloads import OfferedFile, render_download
from apps.streamlit.components.plain_text import in_html
from options_helper.printable import printable
from options_helper.recording import CONTENTS
from options_helper.recording.recorder import RecordingStatus
from options_helper.recording.recording_file import COMPLETE, counted
from options_helper.session.process_recorder import process_recorder

_WARNING = "\N{WARNING SIGN}"


def recording_words() -> str:
    """Return the state of the recording, "" without one."""
    recorder = process_recorder()
    return "" if recorder is None else describe_recording(recorder.folder, recorder.status)


def render_recording(words: str) -> None:
    """Draw the state of the recording."""
    if words:
        tone = "oh-warning" if words.startswith(_WARNING) else "oh-quiet"
        st.html(f'<p class="{tone}">{in_html(words)}</p>')


def has_last_minutes() -> bool:
    """Return whether the last five minutes can be saved."""
    recorder = process_recorder()
    return recorder is not None and recorder.keeps_last_minutes


def render_last_minutes(as_of: dt.datetime) -> None:
    """Draw the link that saves the last five minutes, if there are any."""
    recorder = process_recorder()
    if recorder is not None and recorder.keeps_last_minutes:
        render_download(
            "live-last-minutes",
            OfferedFile(
                "Save the last 5 minutes",
                f"{as_of:%Y-%m-%d}-last-minutes.ohrec",
                recorder.last_minutes,
                "application/octet-stream",
                hint=CONTENTS,
            ),
        )


def describe_recording(folder: Path | None, status: RecordingStatus | None) -> str:
    """Return the state of a recording in sentences, and before the first one its future contents."""
    if status is None:
        return (
            f"From the next Start, each run is recorded in {printable(str(folder))}. {CONTENTS}"
            if folder
            else ""
        )
    size = f"{status.size / 1e6:,.1f} MB in {printable(str(status.path))}"
    if not status.ended and status.left_out:
        return f"{_WARNING} Recording: {size}. {counted(status.left_out)} left out."
    if not status.ended:
        return f"Recording: {size}."
    if status.ended == COMPLETE:
        return f"{COMPLETE} {size}."
    return f"{_WARNING} {status.ended}" + (f" {size}." if status.size else "")
