"""Tests for the recording in the streams panel."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("streamlit", reason="the portal needs streamlit")

from streamlit.testing.v1 import AppTest

from apps.streamlit.components import downloads
from apps.streamlit.components.status.recording_line import describe_recording
from options_helper.recording import CONTENTS
from options_helper.recording.recorder import Recorder, RecordingStatus
from options_helper.session import process_recorder

FILE = Path("/records/2026-11-29T0930-options.ohrec")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (None, f"From the next Start, each run is recorded in {FILE.parent}. {CONTENTS}"),
        (RecordingStatus(FILE, 12_340_000, ""), f"Recording: 12.3 MB in {FILE}."),
        (
            RecordingStatus(FILE, 2_000_000, "The recording ended: No space left on device."),
            f"\N{WARNING SIGN} The recording ended: No space left on device. 2.0 MB in {FILE}.",
        ),
        (
            RecordingStatus(FILE, 2_000_000, "", left_out=1),
            f"\N{WARNING SIGN} Recording: 2.0 MB in {FILE}. 1 record was left out.",
        ),
        (
            RecordingStatus(FILE, 0, "No recording can be written."),
            "\N{WARNING SIGN} No recording can be written.",
        ),
    ],
)
def test_the_state_of_a_recording_is_a_sentence(status: RecordingStatus | None, words: str) -> None:
    """The sentence names size, file and why the recording ended; before the start, what it will contain."""
    assert describe_recording(FILE.parent, status) == words
    assert describe_recording(None, None) == ""


def _panel() -> None:
    from apps.streamlit.components.status.recording_line import (
        recording_words,
        render_last_minutes,
        render_recording,
    )
    from options_helper.times import utc_now

    render_recording(recording_words())
    render_last_minutes(utc_now())


def test_the_last_minutes_can_be_saved_once_a_run_began(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The panel has no link before the first run, and one afterwards."""
    recorder = Recorder(folder=tmp_path, ring_bytes=2**20)
    process_recorder.process_recorder.cache_clear()
    monkeypatch.setattr(process_recorder, "make_recorder", lambda _environment: recorder)
    monkeypatch.setattr(downloads, "_served_below", "/")
    page = AppTest.from_function(_panel).run()
    assert not _links(page)
    recorder.begin({})
    recorder.end(10)
    page.run()
    assert len(_links(page)) == 1
    token, key = re.search(r'href="/files/([^/]+)/([^"]+)" download', _links(page)[0]).groups()
    file = downloads.find_file(token, key)
    assert file.label == "Save the last 5 minutes"
    assert file.write().startswith(b"OHREC")
    assert "The recording is complete." in page.get("html")[0].proto.body
    process_recorder.process_recorder.cache_clear()


def _links(page: AppTest) -> list[str]:
    return [html.proto.body for html in page.get("html") if "oh-download" in html.proto.body]


def _sidebar() -> None:
    from apps.streamlit.components.inputs.credentials import Credentials
    from apps.streamlit.components.inputs.sidebar import render_sidebar

    render_sidebar(Credentials())


def test_the_switch_in_the_sidebar_records_from_the_next_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The contents and the folder are named before it is switched on; other tabs show the same state."""
    recorder = Recorder(ring_bytes=2**20)
    process_recorder.process_recorder.cache_clear()
    monkeypatch.setattr(process_recorder, "make_recorder", lambda _environment: recorder)
    monkeypatch.setenv("OH_LOG_FILE", str(tmp_path / "portal.log"))
    page = AppTest.from_function(_sidebar).run()
    assert "A recording contains your positions" in page.caption[-1].value
    assert "recordings" in page.caption[-1].value
    assert not page.toggle(key="record-sessions").value
    page.toggle(key="record-sessions").set_value(True).run()
    assert recorder.folder == tmp_path / "recordings"
    assert AppTest.from_function(_sidebar).run().toggle(key="record-sessions").value
    page.toggle(key="record-sessions").set_value(False).run()
    assert recorder.folder is None
    process_recorder.process_recorder.cache_clear()


def _relayed_sidebar() -> None:
    from apps.streamlit.components.inputs.credentials import Credentials
    from apps.streamlit.components.inputs.sidebar import render_sidebar

    render_sidebar(Credentials(relay=True))


def test_behind_a_relay_the_sidebar_says_what_the_relay_determines() -> None:
    """Behind a relay, the sidebar offers no feed, account or recording, and one sentence says why."""
    page = AppTest.from_function(_relayed_sidebar).run()
    assert not page.exception
    assert not page.selectbox
    assert "Record from the next Start" not in [toggle.label for toggle in page.toggle]
    assert [caption.value for caption in page.caption] == [
        "The relay determines the feeds and the account. A session behind a relay cannot be recorded."
    ]
