"""A folder for temporary files that only this user can have prepared; no shared folder is trusted."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path

_DEMO = "demo-"


def own_folder() -> Path | None:
    """Return this user's folder in the system's temporary one, created if needed; None if it is not safe.

    It is a real directory owned by this user, with no permissions for anybody else.
    """
    uid = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"options-helper-{uid}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return None
    if not stat.S_ISDIR(status.st_mode):
        return None
    if os.name == "posix" and (status.st_uid != uid or status.st_mode & 0o077):
        return None
    return folder


def claim_port(host: str, port: int) -> int | None:
    """Return a descriptor that claims a port among this user's launchers until it is closed, or None.

    A second passes between finding a free port and listening on it, during which another launcher may look.
    """
    import fcntl  # noqa: PLC0415 - POSIX only; the caller asks on POSIX only

    folder = own_folder()
    if folder is None:
        return os.open(os.devnull, os.O_RDONLY)  # nothing to claim it with, so the bind decides
    name = f"port-{host.replace(':', '_').replace('/', '_')}-{port}"
    descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def make_demo_folder() -> Path:
    """Return a new folder for the demo's portfolio, after removing those of killed launchers."""
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
