"""Which version of a file is there, and which one was read."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import NamedTuple


class FileVersion(NamedTuple):
    """What changes when a file is saved: its time in nanoseconds since 1970, and its size in bytes."""

    saved_ns: int
    size: int

    @property
    def saved_at(self) -> dt.datetime:
        """When the file was saved, in UTC."""
        return dt.datetime.fromtimestamp(self.saved_ns / 1_000_000_000, dt.UTC)


def file_version(path: Path) -> FileVersion | None:
    """The version that is there now, without reading it; None without a file."""
    try:
        return _version(path.stat())
    except (OSError, ValueError):  # ValueError: no file's name holds a NUL
        return None


def read_with_version(path: Path, most: int) -> tuple[bytes, FileVersion]:
    """Up to so many bytes of a file, and the version of that very file, which may be replaced meanwhile.

    Raises:
        OSError, ValueError: It cannot be opened or read.
    """
    with path.open("rb") as stream:
        # Before reading: bytes that are written meanwhile belong to a version that is still to be seen.
        version = _version(os.fstat(stream.fileno()))
        return stream.read(most), version


def _version(status: os.stat_result) -> FileVersion:
    return FileVersion(status.st_mtime_ns, status.st_size)
