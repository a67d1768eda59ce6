"""The process's one recorder, as its environment asks for it."""

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
    """Return the process's recorder, None if nothing is to be recorded."""
    return make_recorder(os.environ)


def make_recorder(env: Mapping[str, str]) -> Recorder | None:
    """Return a recorder of the environment's folder and memory; None if it names no folder and no memory."""
    folder = env.get(FOLDER_VARIABLE, "")
    try:
        ring_bytes = int(float(env.get(RING_VARIABLE) or RING_BYTES // _MEGABYTE) * _MEGABYTE)
    except (ValueError, OverflowError):
        ring_bytes = RING_BYTES
    if not folder and ring_bytes <= 0:
        return None
    return Recorder(folder=Path(folder) if folder else None, ring_bytes=max(0, ring_bytes))
