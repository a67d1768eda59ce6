"""The writer of one run: a queue of records, and the thread that keeps them in a file, in memory, or both.

Other threads only append to the queue. The writer's replaces identifiers, encodes, compresses and writes.
Each run has its own writer, so a slow disk that is still busy with one run does not delay the next.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from options_helper.recording.file_format import encode_records, pack_block
from options_helper.recording.identifiers import RecordCleaner
from options_helper.recording.recording_file import RecordingFile
from options_helper.recording.records import Began, Closed, LeftOut, Record
from options_helper.recording.ring import Ring
from options_helper.recording.taps import clock_times

_FLUSH_SECONDS = 1.0  # the most that a killed process loses
_BLOCK_BYTES = 256 * 1024
_MOST_WAITING = 32 * 1024 * 1024
_RECORD_BYTES = 100  # of a record in memory, beyond its messages


class RunWriter:
    """A writer of one run's records, from its beginning to `end`.

    Args:
        began: The first record.
        file: The file, None for none.
        ring: The last minutes, None to keep none.
        cleaner: Replaces identifiers.
        secrets: The keys; a record that contains one is left out.
    """

    def __init__(
        self,
        began: Began,
        file: RecordingFile | None,
        ring: Ring | None,
        cleaner: RecordCleaner,
        secrets: Sequence[bytes],
    ) -> None:
        self.file, self.ring = file, ring
        self._cleaner, self._secrets = cleaner, secrets
        self._lock = threading.Lock()  # held for an append, never while writing
        self._queue: list[tuple[Record, int]] = [(began, 0)]  # with its size
        self._waiting_bytes = 0
        self._refused = 0
        self._keeping = threading.Lock()  # held while blocks are made and kept
        self._wake = threading.Event()
        self._is_ending = False
        self.is_taking = True
        self._thread = threading.Thread(target=self._work, name="options-helper-recorder", daemon=True)
        self._thread.start()

    def put(self, record: Record, size: int) -> None:
        """Take a record with the size of its messages, and return at once."""
        with self._lock:
            if not self.is_taking:
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

    def end(self, timeout: float) -> None:
        """Take nothing more, and wait at most `timeout` seconds until the file is written and closed."""
        self.is_taking, self._is_ending = False, True
        self._wake.set()
        self._thread.join(timeout)

    def last_minutes(self, began: Began, closed: Closed) -> bytes:
        """Return the last minutes as a complete recording; empty if none are kept."""
        self._write_waiting()
        with self._keeping:
            return self.ring.to_file(began, closed) if self.ring else b""

    def _work(self) -> None:
        while not self._is_ending:
            self._wake.wait(_FLUSH_SECONDS)
            self._wake.clear()
            self._write_waiting()
        self._write_waiting()
        with self._keeping:
            if self.file is not None:
                self.file.close(pack_block(encode_records([Closed(*clock_times(), "the run ended")])))

    def _write_waiting(self) -> None:
        with self._keeping:
            with self._lock:
                waiting, self._queue, self._waiting_bytes = self._queue, [], 0
                refused, self._refused = self._refused, 0
            if refused:
                waiting.append((LeftOut(*clock_times(), refused, "the computer was too slow"), 0))
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
        if self.file is not None:
            missing = sum(record.records for record in records if isinstance(record, LeftOut))
            self.file.append(block, missing)
        if self.ring is not None:
            self.ring.append(block, records)
