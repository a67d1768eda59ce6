"""The last five minutes in memory, and the earlier context that a replay of them needs."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from options_helper.recording.file_format import HEADER, encode_records, pack_block
from options_helper.recording.records import (
    Acknowledged,
    Answer,
    Began,
    Connecting,
    Digest,
    Ended,
    Fetching,
    Handed,
    LeftOut,
    Looked,
    Observed,
    Opened,
    PortfolioText,
    Received,
    Record,
    Sent,
    Started,
    Stopped,
    Watching,
)

RING_BYTES = 64 * 1024 * 1024
RING_MICROSECONDS = 5 * 60 * 1_000_000
_CONTEXT_SHARE = 8  # of the memory, one part in eight
_RECORD_BYTES = 500  # of a decoded record in memory, beyond its bytes
_FOLLOWS_TIME = frozenset({"after", "until", "start", "end"})  # parameters that differ each time
_PASSING = (Received, Sent, Handed, Fetching, Looked, Digest)  # nothing later needs them


def request_key(path: str, query: Mapping[str, str]) -> tuple[str, ...]:
    """Return what a request has in common with its later repetitions."""
    return (path, *(f"{name}={query[name]}" for name in sorted(query) if name not in _FOLLOWS_TIME))


class Context:
    """The newest settings, portfolio, connections and answers before the ring's first block.

    Answers are the largest part; above the limit, the least recent ones are dropped.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._facts: dict[str, Record] = {}
        self._connections: dict[int, list[Record]] = {}
        self._answers: OrderedDict[tuple[str, ...], Answer] = OrderedDict()
        self._answer_bytes = 0

    def take(self, record: Record) -> None:
        """Keep a record in place of the one that it replaces."""
        match record:
            case Observed() if record.change != "heard":
                self._facts[f"{record.stream} {record.change}"] = record
            case Watching():
                self._facts["watching"] = record
            case Started() | Stopped():
                self._facts["run"] = record
            case PortfolioText():
                self._facts["portfolio"] = record
            case LeftOut():
                self._facts["left out"] = record
            case Connecting():
                self._connections[record.connection] = [record]
            case Opened() | Acknowledged():
                self._connections.setdefault(record.connection, []).append(record)
            case Ended():
                self._connections.pop(record.connection, None)
            case Answer():
                self._take_answer(record)

    def records(self) -> list[Record]:
        """Return all kept records, oldest first."""
        connections = [record for records in self._connections.values() for record in records]
        found = [*self._facts.values(), *connections, *self._answers.values()]
        return sorted(found, key=lambda record: record.elapsed)

    def _take_answer(self, answer: Answer) -> None:
        key = (answer.host, *request_key(answer.path, answer.query))
        superseded = self._answers.pop(key, None)
        self._answers[key] = answer
        self._answer_bytes += _weight(answer) - (_weight(superseded) if superseded else 0)
        while self._answer_bytes > self._most_bytes:
            _, dropped = self._answers.popitem(last=False)
            self._answer_bytes -= _weight(dropped)


def _weight(record: Record) -> int:
    """Return about how much memory a decoded record takes."""
    match record:
        case Answer():
            return _RECORD_BYTES + len(record.body)
        case PortfolioText():
            return _RECORD_BYTES + len(record.text)
        case Watching():
            return _RECORD_BYTES + len(record.portfolio) + len(record.alerts)
    return _RECORD_BYTES


class _Kept(NamedTuple):
    block: bytes
    size: int
    oldest: int
    newest: int
    notable: Sequence[Record]


class Ring:
    """Whole blocks of the last minutes, within a limit of memory; used under its owner's lock."""

    def __init__(self, most_bytes: int = RING_BYTES) -> None:
        self._context = Context(most_bytes // _CONTEXT_SHARE)
        self._most_bytes = most_bytes - most_bytes // _CONTEXT_SHARE
        self._kept: deque[_Kept] = deque()
        self.size = 0

    def append(self, block: bytes, records: Sequence[Record]) -> None:
        """Keep a block and drop those that are too old or too many."""
        notable = [record for record in records if not isinstance(record, _PASSING)]
        newest = records[-1].elapsed
        size = len(block) + sum(map(_weight, notable))
        self._kept.append(_Kept(block, size, records[0].elapsed, newest, notable))
        self.size += size
        while self._kept and (
            self.size > self._most_bytes or self._kept[0].newest < newest - RING_MICROSECONDS
        ):
            oldest = self._kept.popleft()
            self.size -= oldest.size
            for record in oldest.notable:
                self._context.take(record)

    def to_file(self, began: Began, closed: Record) -> bytes:
        """Return a complete recording: its beginning, the context, the ring's blocks, and its end."""
        if self._kept:
            began.since = self._kept[0].oldest
        context = pack_block(encode_records([began, *self._context.records()]))
        blocks = (kept.block for kept in self._kept)
        return b"".join((HEADER, context, *blocks, pack_block(encode_records([closed]))))
