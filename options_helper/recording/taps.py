"""The taps that record a run's bytes: a connection's messages, and the answers from a REST host."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from options_helper.errors import StreamError, StreamRejected
from options_helper.recording.journal import Journal
from options_helper.recording.records import (
    Acknowledged,
    Answer,
    Connecting,
    Ended,
    Handed,
    Opened,
    Received,
    Sent,
)
from options_helper.times import elapsed_seconds

_OVERHEAD = 64  # of one message in memory, beyond its bytes
_numbers = itertools.count(1)


def clock_times() -> tuple[int, int]:
    """Return the wall clock and a monotonic clock, both in microseconds."""
    return time.time_ns() // 1000, int(elapsed_seconds() * 1e6)


class ConnectionTap:
    """A tap of one connection's messages after its acceptance, so that no authentication passes it.

    Args:
        journal: Takes the records.
        stream: "stocks", "options" or "fills".
    """

    def __init__(self, journal: Journal, stream: str) -> None:
        self._journal, self._put = journal, journal.put
        self._number = next(_numbers)
        self._put(Connecting(*clock_times(), self._number, stream), 0)

    def opened(self) -> None:
        """Take the acceptance of the keys."""
        self._put(Opened(*clock_times(), self._number), 0)

    def acknowledged(self, granted: frozenset[str] | None) -> None:
        """Take the acknowledgement of the subscription."""
        names = None if granted is None else sorted(granted)
        self._put(Acknowledged(*clock_times(), self._number, names), 0)

    def sent(self, message: bytes | str) -> None:
        """Take a message to Alpaca."""
        is_text = isinstance(message, str)
        self._put(Sent(*clock_times(), self._number, _in_bytes(message), is_text), len(message))

    def received(self, message: bytes | str) -> None:
        """Take a message from Alpaca."""
        is_text = isinstance(message, str)
        self._put(Received(*clock_times(), self._number, [_in_bytes(message)], is_text), len(message))

    def before(self, sink: Callable[[list[bytearray]], None]) -> Callable[[list[bytearray]], None]:
        """Return a sink that records messages on their way to another sink."""

        def take_then_pass(messages: list[bytearray]) -> None:
            size = sum(map(len, messages)) + _OVERHEAD * len(messages)
            # A bytearray is written as bytes are, and nobody changes it.
            self._put(Received(*clock_times(), self._number, messages), size)  # type: ignore[arg-type]
            sink(messages)

        return take_then_pass

    def handed(self) -> AbstractContextManager[None]:
        """Return the event of handing on what was received."""
        return self._journal.event(lambda at, elapsed: Handed(at, elapsed, self._number))

    def ended(self, failure: StreamError | None, step: str, close_code: int | None) -> None:
        """Take the end of the connection; no failure means that it was stopped."""
        outcome = "interrupted"
        if failure is None:
            outcome = "stopped"
        elif isinstance(failure, StreamRejected):
            outcome = "rejected"
        words, code = (failure.detail, failure.code) if failure is not None else ("", None)
        self._put(Ended(*clock_times(), self._number, outcome, step, words, code, close_code), 0)


def _in_bytes(message: bytes | str) -> bytes:
    return message.encode(errors="surrogatepass") if isinstance(message, str) else message


class AnswerTap:
    """A tap of the answers from one REST host; headers never pass it. An answer is an event."""

    def __init__(self, journal: Journal, host: str) -> None:
        self._journal, self._host = journal, host

    def waiting(self) -> None:
        """Let the event end, because the thread waits."""
        self._journal.end()

    def take(
        self,
        path: str,
        query: Mapping[str, object],
        *,
        began: float,
        status: int,
        body: bytes = b"",
        retry_after: float | None = None,
        words: str = "",
    ) -> None:
        """Take one answer, or the reason why there was none; `began` is a time of `elapsed_seconds`."""
        parameters = {name: str(value) for name, value in query.items()}
        sent_at, host = int(began * 1e6), self._host
        self._journal.begin(
            lambda at, elapsed: Answer(
                at, elapsed, sent_at, host, path, parameters, status, body, retry_after, words
            ),
            len(body),
        )
