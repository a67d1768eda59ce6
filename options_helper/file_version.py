"""Which version of a file is there, without reading it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FileVersion = tuple[int, int]


def file_version(path: Path) -> FileVersion | None:
    """When the file was last changed (nanoseconds since 1970) and its size in bytes; None without a file."""
    try:
        status = path.stat()
    except (OSError, ValueError):  # ValueError: no file's name holds a NUL
        return None
    return status.st_mtime_ns, status.st_size
