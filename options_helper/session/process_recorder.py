"""The process's only recorder, as configured in its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from options_helper.recording import FOLDER_VARIABLE, RING_VARIABLE
from options_helper.recording.recorder import Recorder
from options_helper.recording.ring import RING_BYTES

_MEGABYTE = 2**20


@cache
def process_recorder() -> Recorder | None:
    """Return the process's recorder, or None if recording is off."""
    return make_recorder(os.environ)


def make_recorder(env: Mapping[str, str]) -> Recorder | None:
    """Return a recorder with the environment's folder and memory; None if both are off."""
    folder = env.get(FOLDER_VARIABLE, "")
    try:
        ring_bytes = int(float(env.get(RING_VARIABLE) or RING_BYTES // _MEGABYTE) * _MEGABYTE)
    except (ValueError, OverflowError):
        ring_bytes = RING_BYTES
    if not folder and ring_bytes <= 0:
        return None
    return Recorder(folder=Path(folder) if folder else None, ring_bytes=max(0, ring_bytes))
