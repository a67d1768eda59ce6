"""The rotating log file, which records every change in a stream's state with its cause."""

from __future__ import annotations

import logging
import os
import stat
import sys
from collections.abc import Mapping
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING

from options_helper.launch.own_folder import own_folder
from options_helper.printable import printable

if TYPE_CHECKING:
    from io import TextIOWrapper

LOG_FILE_VARIABLE = "OH_LOG_FILE"
_NAME = "options-helper.log"
_MAX_BYTES = 1_000_000
_KEPT = 3
# Do not follow a link into another user's file, or wait for a reader of a pipe.
_SAFE_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def log_file_path(env: Mapping[str, str] | None = None) -> Path | None:
    """Return the path of the log: `OH_LOG_FILE`, else `options-helper/` in the XDG state directory.

    Return None if there is no home directory.
    """
    values = os.environ if env is None else env
    if values.get(LOG_FILE_VARIABLE):
        return Path(values[LOG_FILE_VARIABLE])
    state = values.get("XDG_STATE_HOME")
    try:
        return (Path(state) if state else Path.home() / ".local" / "state") / "options-helper" / _NAME
    except RuntimeError:
        return None


def usable_log_path(path: Path | None) -> Path | None:
    """Return the path if a log can be written there, else one in this user's temporary folder, else None."""
    if path is not None and _is_writable(path):
        return path
    folder = own_folder()
    fallback = None if folder is None else folder / _NAME
    return fallback if fallback is not None and _is_writable(fallback) else None


def open_log(path: Path) -> Path | None:
    """Attach a rotating file to the package's logger, once; return the file in use, or None."""
    root = logging.getLogger("options_helper")
    for handler in root.handlers:
        if isinstance(handler, _LogFile):
            return Path(handler.baseFilename)
    usable = usable_log_path(path)
    if usable is None:
        return None
    handler = _LogFile(usable, maxBytes=_MAX_BYTES, backupCount=_KEPT, encoding="utf-8")
    handler.setFormatter(_PrintableFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    return usable


def close_log() -> None:
    """Detach the rotating file from the package's logger."""
    root = logging.getLogger("options_helper")
    for handler in [each for each in root.handlers if isinstance(each, _LogFile)]:
        root.removeHandler(handler)
        handler.close()


class _LogFile(RotatingFileHandler):
    """A log in a regular file, never reached through a link; a full disk only loses records."""

    _has_complained = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, ARG002 - logging's own name
        """Report once that the log cannot be written; each later record tries again.

        By default, logging prints a traceback and the record each time, with whatever a server put into it.
        """
        error = sys.exc_info()[1]
        stream, self.stream = self.stream, None  # it is reopened when needed
        with suppress(OSError, ValueError):
            if stream is not None:
                stream.close()
        if not self._has_complained:
            self._has_complained = True
            reason = error.strerror if isinstance(error, OSError) else type(error).__name__
            with suppress(OSError, ValueError, AttributeError):  # standard error may also be full or closed
                sys.stderr.write(f"The log cannot be written ({reason}); continuing without it.\n")

    def _open(self) -> TextIOWrapper:
        # Path.open accepts no opener.
        return open(self.baseFilename, "a", encoding="utf-8", opener=_open_safely)


class _PrintableFormatter(logging.Formatter):
    """A formatter that writes each record as one printable line, and indents the lines of a traceback."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        return printable(super().formatMessage(record))

    def formatException(self, ei: object) -> str:  # noqa: N802 - logging's own name
        text = super().formatException(ei)  # type: ignore[arg-type] # typeshed's alias is private
        return "\n".join(f"    {printable(line)}" for line in text.split("\n"))


def _open_safely(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | _SAFE_FLAGS, 0o600)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path} is not a regular file")
    return descriptor


def _is_writable(path: Path) -> bool:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(_open_safely(str(path), os.O_WRONLY | os.O_APPEND | os.O_CREAT))
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return False
    return True
