"""One recording on disk; it grows until the run or the file ends, at the limit, or if the disk refuses."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import os
from pathlib import Path

from options_helper.recording.file_format import HEADER, SUFFIX

COMPLETE = "The recording is complete."
_INCOMPLETE = "The recording is not complete"  # and how much is missing
_REMOVED = "The recording ended: its file was moved or removed."
LIMIT_BYTES = 2_000_000_000


class RecordingFile:
    """A new file that only its owner may read; once it is created, no method raises.

    Attributes:
        size: The bytes of the whole blocks written so far; 0 if the file is not there any more.
        left_out: The number of records that are missing so far.
        ended: A sentence that says why nothing more is written; "" while the file is written.

    Raises:
        OSError: The file cannot be created.
    """

    def __init__(self, folder: Path, at: dt.datetime, *, limit_bytes: int = LIMIT_BYTES) -> None:
        self.path, self._file = _create(folder, at)
        self._limit = limit_bytes
        self.size = self.left_out = 0
        self.ended = ""
        try:
            self.size = os.write(self._file, HEADER)
        except OSError:
            os.close(self._file)
            self.path.unlink(missing_ok=True)
            raise

    def append(self, block: bytes, left_out: int = 0) -> None:
        """Write a block, or end the recording if there is no room for it or the file is gone.

        Args:
            block: The block.
            left_out: The number of records that are missing in it.
        """
        if self.ended:
            return
        if self.size + len(block) > self._limit:
            self._end(f"The recording ended at its limit of {self._limit / 1e9:g} GB.")
            return
        try:
            if not self._is_in_place():
                self.size = 0
                self._end(_REMOVED)
                return
            view = memoryview(block)
            while view:
                view = view[os.write(self._file, view) :]
        except OSError as error:
            self._remove_rest()
            self._end(f"The recording ended: {error.strerror or type(error).__name__}.")
        else:
            self.size += len(block)
            self.left_out += left_out

    def close(self, block: bytes) -> None:
        """Write the last block, and close the file unless the recording has ended already."""
        self.append(block)
        self._end(f"{_INCOMPLETE}: {counted(self.left_out)} left out." if self.left_out else COMPLETE)

    def _end(self, words: str) -> None:
        if not self.ended:
            self.ended = words
            os.close(self._file)

    def _is_in_place(self) -> bool:
        """Return whether the file's name still leads to it; what is written elsewhere helps nobody."""
        try:
            return os.path.samestat(self.path.stat(), os.fstat(self._file))
        except FileNotFoundError:
            return False

    def _remove_rest(self) -> None:
        """Remove a partly written block; if that fails too, readers stop before it."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, self.size)


def counted(records: int) -> str:
    """Return "1 record was" or "2 records were"."""
    return f"{records:,} record was" if records == 1 else f"{records:,} records were"


def _create(folder: Path, at: dt.datetime) -> tuple[Path, int]:
    """Create a file named after the time, in a folder that is created if needed."""
    with contextlib.suppress(FileExistsError):  # a file in the folder's place is reported below
        folder.mkdir(mode=0o700, parents=True)
    for number in itertools.count(1):
        path = folder / f"{at:%Y-%m-%dT%H%M}-options{f'-{number}' if number > 1 else ''}{SUFFIX}"
        with contextlib.suppress(FileExistsError):
            return path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
    raise AssertionError  # the numbers do not end
