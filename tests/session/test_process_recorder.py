"""Tests for the recorder that the process's environment asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from options_helper.recording.ring import RING_BYTES
from options_helper.session.process_recorder import make_recorder


@pytest.mark.parametrize(
    ("env", "folder", "ring_bytes"),
    [
        ({}, None, RING_BYTES),
        ({"OH_LAST_MINUTES_MB": "2.5"}, None, 2_621_440),
        ({"OH_LAST_MINUTES_MB": "much"}, None, RING_BYTES),
        ({"OH_LAST_MINUTES_MB": "inf"}, None, RING_BYTES),
        ({"OH_RECORD": "/records"}, Path("/records"), RING_BYTES),
        ({"OH_RECORD": "/records", "OH_LAST_MINUTES_MB": "0"}, Path("/records"), 0),
    ],
)
def test_the_environment_chooses_folder_and_memory(
    env: dict[str, str], folder: Path | None, ring_bytes: int
) -> None:
    """The last minutes are kept unless switched off; files are written only into a named folder."""
    recorder = make_recorder(env)
    assert recorder is not None
    assert (recorder.folder, recorder._ring_bytes) == (folder, ring_bytes)


@pytest.mark.parametrize("megabytes", ["0", "-1"])
def test_with_both_switched_off_nothing_is_recorded(megabytes: str) -> None:
    """Without a folder or memory, there is no recorder, so the streams have no taps."""
    assert make_recorder({"OH_LAST_MINUTES_MB": megabytes}) is None
