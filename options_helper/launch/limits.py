"""The system's limits on this process, which its child processes inherit."""

from __future__ import annotations

import os
from contextlib import suppress

_ENOUGH_FILES = 8192
_FEW_FILES = 1024


def forbid_core_dumps() -> None:
    """Keep the keys in this process's memory from being written to disk by a crash."""
    if os.name != "posix":
        return
    import resource  # noqa: PLC0415 - POSIX only

    # Linux ignores a limit of 0 if dumps go to a program; a limit of 1 works in both cases.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
        return
    with suppress(OSError, ValueError):  # the hard limit is 0 already
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def raise_open_files_limit() -> str:
    """Raise the soft limit on open files; return a sentence if it stays low, else "".

    Every visit to the page opens a few files, and some systems allow only 256 by default.
    """
    if os.name != "posix":
        return ""
    import resource  # noqa: PLC0415 - POSIX only

    soft, hard = (_bounded(each) for each in resource.getrlimit(resource.RLIMIT_NOFILE))
    if soft < hard:
        with suppress(OSError, ValueError):  # macOS may allow less than it reports
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
            soft = hard
    if soft >= _FEW_FILES:
        return ""
    return (
        f"This system allows only {soft} open files; after many quick reloads the page may stay blank. "
        f"Allow {_FEW_FILES} or more (`ulimit -n`)."
    )


def _bounded(limit: int) -> int:
    """Return the limit, capped at the number that is needed; a negative limit means unlimited."""
    return _ENOUGH_FILES if limit < 0 else min(limit, _ENOUGH_FILES)
