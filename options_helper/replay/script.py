"""A recording, sorted by who asks for it: connections by stream, answers by request, and portfolio files."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from options_helper.errors import OptionsHelperError
from options_helper.recording.records import (
    Acknowledged,
    Answer,
    Began,
    Connecting,
    Ended,
    Opened,
    PortfolioText,
    Received,
    Record,
    Sent,
    Started,
)

Request: TypeAlias = tuple[str, ...]
# They follow the time of the request, which is not the same in a replay.
_FOLLOWS_TIME = frozenset({"after", "until", "start", "end"})


@dataclass(slots=True)
class RecordedConnection:
    """One connection: when it began, what went and came in order, and how it ended."""

    connecting: Connecting
    opened: Opened | None = None
    granted: Acknowledged | None = None
    messages: list[Sent | Received] = field(default_factory=list)
    ended: Ended | None = None

    def is_over(self, elapsed: int) -> bool:
        """Return whether the connection had ended by a time; one that was stopped lasts to the end."""
        return self.ended is not None and self.ended.outcome != "stopped" and self.ended.elapsed <= elapsed


class Script:
    """Everything that a replay needs; times are the recording's `elapsed`, in microseconds.

    Attributes:
        begins, begins_at: Where a replay begins, as `elapsed` and as `at`.
        last: The last record.

    Raises:
        OptionsHelperError: Nothing was recorded.
    """

    def __init__(self, records: Iterable[Record]) -> None:
        self.config: Mapping[str, object] = {}
        self.portfolios: list[PortfolioText] = []
        self._by_number: dict[int, RecordedConnection] = {}
        self._streams: defaultdict[str, list[RecordedConnection]] = defaultdict(list)
        self._answers: defaultdict[Request, list[Answer]] = defaultdict(list)
        first: Record | None = None
        since = 0
        for record in records:
            if isinstance(record, Began):
                since = record.since
            else:
                first, self.last = first or record, record
                self._take(record)
        if first is None:
            raise OptionsHelperError("The recording is empty; there is nothing to replay.")
        # A file saved from memory begins with older records, which say how things stood.
        self.begins = max(first.elapsed, since)
        self.begins_at = first.at + self.begins - first.elapsed
        for answers in self._answers.values():
            answers.sort(key=lambda answer: answer.elapsed)

    def connection(self, stream: str, elapsed: int) -> RecordedConnection | None:
        """Return a stream's connection at a time, or else its next one."""
        return next((each for each in self._streams[stream] if not each.is_over(elapsed)), None)

    @property
    def streams(self) -> frozenset[str]:
        """The streams that connected at all."""
        return frozenset(self._streams)

    def next_opening(self, stream: str, elapsed: int, after: int) -> float:
        """Return when a stream is next accepted, infinity if never again.

        Args:
            stream: "stocks", "options" or "fills".
            elapsed: A time; what was over by then does not count.
            after: The number of the connection that is already played, 0 for none.
        """
        waiting = (
            each.opened.elapsed
            for each in self._streams[stream]
            if each.opened is not None and each.connecting.connection > after and not each.is_over(elapsed)
        )
        return next(waiting, math.inf)

    def answer(self, path: str, query: Mapping[str, str], elapsed: int) -> Answer | None:
        """Return the newest answer to a request by a time, or else the first one."""
        answers = self._answers.get(_request(path, query))
        if not answers:
            return None
        count = bisect_right(answers, elapsed, key=lambda answer: answer.elapsed)
        return answers[max(0, count - 1)]

    def _take(self, record: Record) -> None:
        match record:
            case Started():
                self.config = record.config
            case PortfolioText():
                self.portfolios.append(record)
            case Connecting():
                made = self._by_number[record.connection] = RecordedConnection(record)
                self._streams[record.stream].append(made)
            case Answer():
                self._answers[_request(record.path, record.query)].append(record)
            case Opened() | Acknowledged() | Sent() | Received() | Ended():
                self._take_of_connection(self._by_number.get(record.connection), record)

    @staticmethod
    def _take_of_connection(
        connection: RecordedConnection | None, record: Opened | Acknowledged | Sent | Received | Ended
    ) -> None:
        if connection is None:
            return
        match record:
            case Opened():
                connection.opened = record
            case Acknowledged():
                connection.granted = record
            case Sent() | Received():
                connection.messages.append(record)
            case Ended():
                connection.ended = record


def _request(path: str, query: Mapping[str, str]) -> Request:
    return (path, *(f"{name}={query[name]}" for name in sorted(query) if name not in _FOLLOWS_TIME))
