"""The rotating log file: every change of a stream's state with its cause, to be read without a browser."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Mapping
from logging.handlers import RotatingFileHandler
from pathlib import Path

LOG_FILE_VARIABLE = "OH_LOG_FILE"
_NAME = "options-helper.log"
_MAX_BYTES = 1_000_000
_KEPT = 3


def log_file_path(env: Mapping[str, str] | None = None) -> Path:
    """Where the log goes: `OH_LOG_FILE`, else `options-helper/` in the XDG state directory."""
    values = os.environ if env is None else env
    if values.get(LOG_FILE_VARIABLE):
        return Path(values[LOG_FILE_VARIABLE])
    state = values.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "options-helper" / _NAME


def open_log(path: Path) -> Path:
    """Send the package's log to a rotating file, once; returns the file in use.

    Where the place cannot be written, the system's directory for temporary files takes it.
    """
    root = logging.getLogger("options_helper")
    for handler in root.handlers:
        if isinstance(handler, RotatingFileHandler):
            return Path(handler.baseFilename)
    handler = _open_handler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    return Path(handler.baseFilename)


def close_log() -> None:
    """Take the rotating file off the package's logger again."""
    root = logging.getLogger("options_helper")
    for handler in [each for each in root.handlers if isinstance(each, RotatingFileHandler)]:
        root.removeHandler(handler)
        handler.close()


def usable_log_path(path: Path) -> Path:
    """The place asked for if it can be written, else one in the directory for temporary files."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8"):
            return path
    except OSError:
        # The user's id keeps two people on one machine apart.
        name = f"options-helper-{os.getuid() if hasattr(os, 'getuid') else 'log'}.log"
        return Path(tempfile.gettempdir()) / name


def _open_handler(path: Path) -> RotatingFileHandler:
    usable = usable_log_path(path)
    return RotatingFileHandler(usable, maxBytes=_MAX_BYTES, backupCount=_KEPT, encoding="utf-8")
