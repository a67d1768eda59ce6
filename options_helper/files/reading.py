"""Reads the user's files: regular files only, and without blocking on a pipe."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path

from options_helper.errors import MissingFile, UnreadableFile
from options_helper.files.file_version import FileVersion
from options_helper.printable import printable

# Without O_NONBLOCK, opening a named pipe waits for its writer. Windows has neither flag.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
_CHUNK = 1 << 20

STANDARD_INPUT = "-"

_REASONS = {
    errno.EACCES: "permission to read this file is denied; allow it, or choose another file",
    errno.EPERM: "permission to read this file is denied; allow it, or choose another file",
    errno.EISDIR: "this is a directory; choose a file in it",
    errno.ELOOP: "this symbolic link leads back to itself; choose the file itself",
    errno.ENOTDIR: "part of this path is a file, not a directory; correct the path",
}
_KINDS = (
    (stat.S_ISDIR, "a directory; choose a file in it"),
    (stat.S_ISFIFO, "a named pipe, not a regular file; choose a regular file"),
    (stat.S_ISSOCK, "a socket, not a regular file; choose a regular file"),
    (stat.S_ISCHR, "a device, not a regular file; choose a regular file"),
    (stat.S_ISBLK, "a device, not a regular file; choose a regular file"),
)


def read_file(path: Path, *, most_bytes: int) -> tuple[bytes, FileVersion]:
    """Return a regular file's bytes, and the version of the file that they come from.

    Do not hold a lock while calling it, because reading a network file may take a long time.

    Raises:
        MissingFile: There is no such file.
        UnreadableFile: It cannot be read, is not a regular file, or is larger than `most_bytes`.
    """
    _refuse_undecodable_name(path)
    try:
        # Check before opening too, because merely opening a device or a pipe can have an effect.
        _refuse_kind(path, path.stat())
        descriptor = os.open(path, _FLAGS)
        with os.fdopen(descriptor, "rb", buffering=0) as stream:
            # Take the version before reading; bytes written meanwhile belong to the next one.
            status = os.fstat(descriptor)
            _refuse_kind(path, status)
            content = _read(stream.fileno(), most_bytes + 1)
    except FileNotFoundError:
        raise MissingFile(path, f"there is no such file{_looked_in(path)}; name one that exists") from None
    except OSError as error:
        raise UnreadableFile(path, _reason(path, error)) from error
    # Count the bytes read too, because a file may grow, or report no size, as in /proc.
    _refuse_size(path, max(len(content), status.st_size), most_bytes)
    return content, FileVersion.of(status)


def read_standard_input(*, most_bytes: int) -> bytes:
    """Return all bytes of standard input.

    Raises:
        UnreadableFile: It is closed, cannot be read, or is larger than `most_bytes`.
    """
    path = Path(STANDARD_INPUT)
    if sys.stdin is None:  # after a shell's `<&-`
        raise UnreadableFile(path, "standard input is closed; name a file")
    try:
        content = sys.stdin.buffer.read(most_bytes + 1)
    except OSError as error:
        raise UnreadableFile(path, _reason(path, error)) from error
    _refuse_size(path, len(content), most_bytes)
    return content


def _refuse_size(path: Path, size: int, most_bytes: int) -> None:
    if size > most_bytes:
        limit = f"{most_bytes / 1_000_000:g} MB"
        raise UnreadableFile(path, f"the file is {size / 1_000_000:,.1f} MB or larger; the limit is {limit}")


def _refuse_undecodable_name(path: Path) -> None:
    name = str(path)
    if "\0" in name:
        raise UnreadableFile(path, "the path contains a NUL character; correct it")
    try:
        name.encode()
    except UnicodeEncodeError:
        reason = "the path contains bytes that are not UTF-8; rename it, or choose another file"
        raise UnreadableFile(path, reason) from None


def _refuse_kind(path: Path, status: os.stat_result) -> None:
    for is_kind, words in _KINDS:
        if is_kind(status.st_mode):
            raise UnreadableFile(path, f"this is {words}")


def _read(descriptor: int, most_bytes: int) -> bytes:
    parts = []
    left = most_bytes
    while left > 0 and (part := os.read(descriptor, min(left, _CHUNK))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _looked_in(path: Path) -> str:
    try:
        return f" (looked in {printable(str(path.absolute().parent))})"
    except FileNotFoundError:
        return " (and the working directory no longer exists)"


def _reason(path: Path, error: OSError) -> str:
    if error.errno == errno.ENAMETOOLONG:
        return f"the path has {len(str(path)):,} characters, more than this system allows; name a shorter one"
    known = _REASONS.get(error.errno or 0)
    return known or f"the file cannot be read ({error.strerror or type(error).__name__}); choose another one"
