"""The recorder of a process: passes a run's records to the run's writer, and knows what a look depends on."""

from __future__ import annotations

import datetime as dt
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Protocol, TypeVar

from options_helper.recording.identifiers import RecordCleaner
from options_helper.recording.journal import Journal
from options_helper.recording.recording_file import LIMIT_BYTES, RecordingFile
from options_helper.recording.records import (
    Began,
    Closed,
    Digest,
    PortfolioText,
    Record,
    Started,
    Stopped,
    Watching,
)
from options_helper.recording.ring import Ring
from options_helper.recording.taps import clock_times
from options_helper.recording.writer import RunWriter
from options_helper.times import to_microseconds, utc_now

Seen = TypeVar("Seen")

_SHORTEST_KEY = 12  # shorter ones, such as the demo's, are words that may occur anywhere
_PACKAGES = ("options-helper", "alpaca-py", "msgspec", "websockets")


class Watched(Protocol):
    """The inputs of a look other than the run."""

    def objects(self) -> tuple[object, ...]:
        """Return the portfolio, the threshold and, as the last one, the alerts."""
        ...

    def record(self, at: int, elapsed: int) -> Watching:
        """Return all of these inputs as a record."""
        ...


@dataclass(frozen=True, slots=True)
class RecordingStatus:
    """The state of the file.

    Attributes:
        ended: A sentence that says why nothing more is written; "" while the file is written.
        left_out: The number of records that are missing so far.
    """

    path: Path
    size: int
    ended: str
    left_out: int = 0


class Recorder:
    """A recorder of runs: one file per run, and the last five minutes in memory.

    Args:
        folder: The folder for the files; None for no files.
        ring_bytes: The memory for the last five minutes; 0 for none.
        limit_bytes: The largest size of a file.
    """

    def __init__(
        self, *, folder: Path | None = None, ring_bytes: int = 0, limit_bytes: int = LIMIT_BYTES
    ) -> None:
        self.folder, self._ring_bytes, self._limit = folder, ring_bytes, limit_bytes
        self._cleaner = RecordCleaner()
        self._writer: RunWriter | None = None  # of this or the last run
        self._portfolio: tuple[bytes, int] | None = None
        self._may_look = False
        self._problem = ""
        self.journal = Journal(utc_now, self._put)
        self._watcher: object = None
        self._watched: tuple[object, ...] = ()

    def new_journal(self, clock: Callable[[], dt.datetime]) -> Journal:
        """Return the journal of the next run; `begin` starts recording its events."""
        self.journal = Journal(clock, self._put)
        return self.journal

    def begin(self, config: Mapping[str, object], secrets: Sequence[str] = ()) -> None:
        """Begin a file and a ring; if the file cannot be created, the run continues without one.

        Args:
            config: The settings of the run, without keys.
            secrets: The keys, as a second safeguard: a record that contains one is left out.
        """
        unwanted = tuple(secret.encode() for secret in secrets if len(secret) >= _SHORTEST_KEY)
        ring = Ring(self._ring_bytes) if self._ring_bytes else None
        self._writer = RunWriter(_begin_record(), self._open_file(), ring, self._cleaner, unwanted)
        started_at, began = to_microseconds(self.journal.started_at), self.journal.began
        self._put(Started(clock_times()[0], began, dict(config), started_at), 0)
        self._watcher, self._watched, self._may_look = None, (), True
        if self._portfolio is not None:
            self._put(PortfolioText(*clock_times(), *self._portfolio), len(self._portfolio[0]))

    def end(self, timeout: float = 1.0) -> None:
        """Write the waiting records, close the file, and keep the ring; do nothing without a run."""
        if self._is_taking and self._writer is not None:
            self._put(Stopped(*clock_times()), 0)
            self._writer.end(timeout)

    def stop_looking(self) -> None:
        """Record no further looks, because the run is being stopped."""
        self._may_look = False

    def look(self, watcher: object, watched: Watched, take: Callable[[], Seen]) -> tuple[Seen, bool]:
        """Return the result of a call, and True if it is recorded as a look between two events.

        Args:
            watcher: Only the first one in a run is recorded.
            watched: The portfolio, the threshold and the alerts; recorded if one is another object.
            take: Called once.
        """
        if not (self._may_look and self._is_taking) or (self._watcher or watcher) is not watcher:
            return take(), False
        self._watcher = watcher
        known, objects = self._watched, watched.objects()
        if len(known) != len(objects) or any(a is not b for a, b in zip(known, objects, strict=True)):
            self._watched = objects
            record = watched.record(*clock_times())
            self._put(record, len(record.portfolio) + len(record.alerts))
        return self.journal.look(take)

    def note_digest(self, digest: Callable[[], Mapping[str, str]], alerts: object) -> None:
        """Record what the last look saw, and the alerts after it."""
        self._watched = (*self._watched[:-1], alerts)
        self._put(Digest(*clock_times(), dict(digest())), 0)

    def note_portfolio(self, text: bytes, saved_at: dt.datetime | None = None) -> None:
        """Record the portfolio file's text if it differs from the last one."""
        if self._portfolio is None or text != self._portfolio[0]:
            self._portfolio = text, to_microseconds(saved_at)
            if self._is_taking:
                self._put(PortfolioText(*clock_times(), *self._portfolio), len(text))

    @property
    def status(self) -> RecordingStatus | None:
        """The state of this or the last run's file, or None without a folder for files."""
        file = self._writer.file if self._writer is not None else None
        if file is not None:
            return RecordingStatus(file.path, file.size, file.ended, file.left_out)
        return RecordingStatus(self.folder, 0, self._problem) if self.folder and self._problem else None

    @property
    def keeps_last_minutes(self) -> bool:
        """True if `last_minutes` has something to return."""
        return self._writer is not None and self._writer.ring is not None

    def last_minutes(self) -> bytes:
        """Return the last five minutes as a complete recording; empty if none are kept."""
        if self._writer is None:
            return b""
        return self._writer.last_minutes(_begin_record(), Closed(*clock_times(), "saved from memory"))

    @property
    def _is_taking(self) -> bool:
        return self._writer is not None and self._writer.is_taking

    def _open_file(self) -> RecordingFile | None:
        self._problem = ""
        if self.folder is None:
            return None
        try:
            now = dt.datetime.now().astimezone()
            return RecordingFile(self.folder, now, limit_bytes=self._limit)
        except OSError as error:
            self._problem = f"No recording can be written: {error.strerror or type(error).__name__}."
            return None

    def _put(self, record: Record, size: int) -> None:
        if self._writer is not None:
            self._writer.put(record, size)


def _begin_record() -> Began:
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return Began(*clock_times(), versions)
