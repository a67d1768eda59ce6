"""The version of a file, which changes when the file is saved."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import NamedTuple, Self


class FileVersion(NamedTuple):
    """The time a file was saved, in nanoseconds since 1970, and its size in bytes."""

    saved_ns: int
    size: int

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        """Return the version that this stat result describes."""
        return cls(status.st_mtime_ns, status.st_size)

    @property
    def saved_at(self) -> dt.datetime:
        """The time the file was saved, in UTC."""
        return dt.datetime.fromtimestamp(self.saved_ns / 1_000_000_000, dt.UTC)


def file_version(path: Path) -> FileVersion | None:
    """Return the file's current version without reading it, or None if there is no file."""
    try:
        return FileVersion.of(path.stat())
    except (OSError, ValueError):  # ValueError: the name contains a NUL
        return None
