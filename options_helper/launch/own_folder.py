"""A folder for temporary files that only this user can have created; no shared folder is trusted."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path

_DEMO = "demo-"


def own_folder() -> Path | None:
    """Return this user's folder in the system's temporary folder, created if needed; None if it is not safe.

    A safe folder is a real directory, owned by this user, with no permissions for others.
    """
    uid = os.getuid() if hasattr(os, "getuid") else 0
    try:
        folder = Path(tempfile.gettempdir()) / f"options-helper-{uid}"
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return None
    if not stat.S_ISDIR(status.st_mode):
        return None
    if os.name == "posix" and (status.st_uid != uid or status.st_mode & 0o077):
        return None
    return folder


def make_demo_folder() -> Path:
    """Return a new folder for the demo's portfolio, after removing those that killed launchers left."""
    parent = own_folder()
    if parent is None:
        return Path(tempfile.mkdtemp(prefix="options-helper-demo-"))
    for left in parent.glob(f"{_DEMO}*"):
        owner = left.name.removeprefix(_DEMO).partition("-")[0]
        if owner.isdigit() and not _is_running(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_DEMO}{os.getpid()}-", dir=parent))


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
