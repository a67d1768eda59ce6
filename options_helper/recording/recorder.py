"""The recorder of a process: takes records from the taps and keeps them in a file, in memory, or both.

The taps' threads only append to a queue. The recorder's own thread, which exists during a run, replaces
identifiers, encodes, compresses and writes.
"""

from __future__ import annotations

import datetime as dt
import platform
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Protocol, TypeVar

from options_helper.recording.file_format import encode_records, pack_block
from options_helper.recording.identifiers import RecordCleaner
from options_helper.recording.journal import Journal
from options_helper.recording.recording_file import COMPLETE, LIMIT_BYTES, RecordingFile
from options_helper.recording.records import (
    Began,
    Closed,
    Digest,
    LeftOut,
    PortfolioText,
    Record,
    Started,
    Stopped,
    Watching,
)
from options_helper.recording.ring import Ring
from options_helper.recording.taps import moment
from options_helper.times import to_microseconds, utc_now

Seen = TypeVar("Seen")

_FLUSH_SECONDS = 1.0  # the most that a killed process loses
_BLOCK_BYTES = 256 * 1024
_MOST_WAITING = 32 * 1024 * 1024
_RECORD_BYTES = 100  # of a record in memory, beyond its messages
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
    """

    path: Path
    size: int
    ended: str


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
        self._lock = threading.Lock()  # held for an append, never while writing
        self._queue: list[tuple[Record, int]] = []  # with its size
        self._waiting_bytes = 0
        self._refused = 0
        self._wake = threading.Event()
        self._keeping = threading.Lock()  # held while blocks are made and kept
        self._cleaner = RecordCleaner()
        self._secrets: tuple[bytes, ...] = ()
        self._portfolio: tuple[bytes, int] | None = None
        self._thread: threading.Thread | None = None
        self._is_taking = self._is_ending = self._may_look = False
        self._file: RecordingFile | None = None
        self._ring: Ring | None = None
        self._problem = ""
        self.journal = Journal(utc_now, self._put)
        self._watcher: object = None
        self._watched: tuple[object, ...] = ()

    def new_journal(self, clock: Callable[[], dt.datetime]) -> Journal:
        """Return the journal of the next run, whose events `begin` begins to record."""
        self.journal = Journal(clock, self._put)
        return self.journal

    def begin(self, config: Mapping[str, object], secrets: Sequence[str] = ()) -> None:
        """Begin a file and a ring; if the file cannot be created, the run continues without one.

        Args:
            config: The settings of the run, without keys.
            secrets: The keys, as a second safeguard: a record that contains one is left out.
        """
        self._secrets = tuple(secret.encode() for secret in secrets if len(secret) >= _SHORTEST_KEY)
        with self._keeping:
            self._file = self._open_file()
            self._ring = Ring(self._ring_bytes) if self._ring_bytes else None
        with self._lock:
            self._queue, self._waiting_bytes, self._refused = [(_begin_record(), 0)], 0, 0
            self._is_taking = True
        started_at, began = to_microseconds(self.journal.started_at), self.journal.began
        self._put(Started(moment()[0], began, dict(config), started_at), 0)
        self._watcher, self._watched, self._may_look = None, (), True
        if self._portfolio is not None:
            self._put(PortfolioText(*moment(), *self._portfolio), len(self._portfolio[0]))
        self._is_ending = False
        self._thread = threading.Thread(target=self._work, name="options-helper-recorder", daemon=True)
        self._thread.start()

    def end(self, timeout: float = 1.0) -> None:
        """Write the waiting records, close the file, and keep the ring; do nothing without a run."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._put(Stopped(*moment()), 0)
        self._is_taking, self._is_ending = False, True
        self._wake.set()
        thread.join(timeout)

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
            record = watched.record(*moment())
            self._put(record, len(record.portfolio) + len(record.alerts))
        return self.journal.look(take)

    def note_digest(self, digest: Callable[[], Mapping[str, str]], alerts: object) -> None:
        """Record what the last look saw, and the alerts after it."""
        self._watched = (*self._watched[:-1], alerts)
        self._put(Digest(*moment(), dict(digest())), 0)

    def note_portfolio(self, text: bytes, saved_at: dt.datetime | None = None) -> None:
        """Record the portfolio file's text if it differs from the last one."""
        if self._portfolio is None or text != self._portfolio[0]:
            self._portfolio = text, to_microseconds(saved_at)
            if self._is_taking:
                self._put(PortfolioText(*moment(), *self._portfolio), len(text))

    @property
    def status(self) -> RecordingStatus | None:
        """The state of this or the last run's file, or None without a folder for files."""
        file = self._file
        if file is not None:
            return RecordingStatus(file.path, file.size, file.ended)
        return RecordingStatus(self.folder, 0, self._problem) if self.folder and self._problem else None

    @property
    def keeps_last_minutes(self) -> bool:
        """True if `last_minutes` has something to return."""
        return self._ring is not None

    def last_minutes(self) -> bytes:
        """Return the last five minutes as a complete recording; empty if none are kept."""
        self._write_waiting()
        with self._keeping:
            return self._ring.to_file(_begin_record(), _closed("saved from memory")) if self._ring else b""

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
        with self._lock:
            if not self._is_taking:
                return
            size += _RECORD_BYTES
            if self._waiting_bytes + size > _MOST_WAITING:
                self._refused += 1
                return
            self._queue.append((record, size))
            self._waiting_bytes += size
            is_enough = self._waiting_bytes >= _BLOCK_BYTES
        if is_enough and not self._wake.is_set():
            self._wake.set()

    def _work(self) -> None:
        while not self._is_ending:
            self._wake.wait(_FLUSH_SECONDS)
            self._wake.clear()
            self._write_waiting()
        self._write_waiting()
        with self._keeping:
            if self._file is not None:
                self._file.append(pack_block(encode_records([_closed("the run ended")])))
                self._file.end(COMPLETE)

    def _write_waiting(self) -> None:
        with self._keeping:
            with self._lock:
                waiting, self._queue, self._waiting_bytes = self._queue, [], 0
                refused, self._refused = self._refused, 0
            if refused:
                waiting.append((LeftOut(*moment(), refused, "the computer was too slow"), 0))
            records: list[Record] = []
            total = 0
            for record, size in waiting:
                records.append(self._cleaner.clean(record))
                total += size
                if total >= _BLOCK_BYTES:
                    self._keep(records)
                    records, total = [], 0
            if records:
                self._keep(records)

    def _keep(self, records: list[Record]) -> None:
        content = encode_records(records)
        unwanted = (*self._secrets, *self._cleaner.accounts)
        if any(text in content for text in unwanted):
            records = [
                LeftOut(record.at, record.elapsed, 1, "it contained a key or an account number")
                if any(text in encode_records([record]) for text in unwanted)
                else record
                for record in records
            ]
            content = encode_records(records)
        block = pack_block(content)
        if self._file is not None:
            self._file.append(block)
        if self._ring is not None:
            self._ring.append(block, records)


def _begin_record() -> Began:
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return Began(*moment(), versions)


def _closed(words: str) -> Closed:
    return Closed(*moment(), words)
