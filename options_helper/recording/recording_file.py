"""One recording on disk, which grows until the run ends, the limit is reached, or the disk refuses."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import os
from pathlib import Path

from options_helper.recording.file_format import HEADER, SUFFIX

COMPLETE = "The recording is complete."
LIMIT_BYTES = 2_000_000_000


class RecordingFile:
    """A new file that only its owner may read; once it is created, no method raises.

    Attributes:
        size: The bytes of the whole blocks written so far.
        ended: A sentence that says why nothing more is written; "" while the file is written.

    Raises:
        OSError: The file cannot be created.
    """

    def __init__(self, folder: Path, at: dt.datetime, *, limit_bytes: int = LIMIT_BYTES) -> None:
        self.path, self._file = _create(folder, at)
        self._limit = limit_bytes
        self.size = 0
        self.ended = ""
        try:
            self.size = os.write(self._file, HEADER)
        except OSError:
            os.close(self._file)
            self.path.unlink(missing_ok=True)
            raise

    def append(self, block: bytes) -> None:
        """Write a block, or end the recording if there is no room for it."""
        if self.ended:
            return
        if self.size + len(block) > self._limit:
            self.end(f"The recording ended at its limit of {self._limit / 1e9:g} GB.")
            return
        try:
            view = memoryview(block)
            while view:
                view = view[os.write(self._file, view) :]
        except OSError as error:
            self._remove_rest()
            self.end(f"The recording ended: {error.strerror or type(error).__name__}.")
        else:
            self.size += len(block)

    def end(self, words: str) -> None:
        """Close the file; may be called any number of times."""
        if not self.ended:
            self.ended = words
            os.close(self._file)

    def _remove_rest(self) -> None:
        """Remove a partly written block; if that fails too, readers stop before it."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, self.size)


def _create(folder: Path, at: dt.datetime) -> tuple[Path, int]:
    """Create a file named after the time, in a folder that is created if needed."""
    with contextlib.suppress(FileExistsError):  # what is no folder is named as such below
        folder.mkdir(mode=0o700, parents=True)
    for number in itertools.count(1):
        path = folder / f"{at:%Y-%m-%dT%H%M}-options{f'-{number}' if number > 1 else ''}{SUFFIX}"
        with contextlib.suppress(FileExistsError):
            return path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
    raise AssertionError  # the numbers do not end
