"""Results computed in background threads, so that a page never waits for them.

Each place on a page asks its own questions under its own key. A question is asked again whenever the data
that it is about, its source, is renewed. A running computation goes on with the source with which it began,
because otherwise none would ever end while prices move; another question ends it at its next check.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from options_helper.error_guard import Guard

logger = logging.getLogger(__name__)

Check = Callable[[], None]
# Computes a value, given a check to call often and the key's last value, which may save work.
Compute = Callable[[Check, Any], object]


class Unwanted(BaseException):
    """Raised by the check of a computation whose result nobody waits for any more; no guard catches it."""


class Answer(NamedTuple):
    """The newest result of a question.

    Attributes:
        value: The result; None if its computation failed.
        source: The data from which it was computed.
        failure: The kind of the failure, else "".
    """

    value: Any
    source: object
    failure: str = ""


class _Request(NamedTuple):
    question: object
    source: object
    compute: Compute


@dataclass(slots=True, eq=False)
class _Place:
    """The answer and the request of one key; `seconds` is the duration of the last computation."""

    question: object = None
    answer: Answer | None = None
    last: object = None
    wanted: _Request | None = None
    has_thread: bool = False
    is_dropped: bool = False
    seconds: float = 0.0
    rested_at: float = 0.0
    guard: Guard = field(default_factory=lambda: Guard(logger, "; the page says so.", with_traceback=True))


class Background:
    """The newest answers by key, each computed in its key's own thread; thread-safe.

    Args:
        monotonic: Returns monotonic seconds.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._changed = threading.Condition()
        self._places: dict[str, _Place] = {}
        self._finished = 0
        self._monotonic = monotonic

    @property
    def finished(self) -> int:
        """The number of answers so far; it changes when there is something new to draw."""
        return self._finished

    def ask(
        self, key: str, question: object, source: object, compute: Compute, *, patience_seconds: float
    ) -> Answer | None:
        """Return the newest answer to a question, which may be from an earlier source; None before the first.

        A failed computation is not repeated for other sources, only after `drop`. The call waits at most
        `patience_seconds`, and only if the question is new or its last answer took less time than that.
        """
        with self._changed:
            place = self._places.setdefault(key, _Place())
            if place.question != question:
                place.question, place.answer, place.wanted = question, None, None
            if _is_current(place, source):
                return place.answer
            place.wanted = _Request(question, source, compute)
            self._ensure_thread(place)
            self._changed.notify_all()
            if place.answer is None or place.seconds < patience_seconds:
                self._changed.wait_for(lambda: _is_current(place, source), patience_seconds)
            return place.answer

    def drop(self, key: str) -> None:
        """Forget a key; its running computation ends soon, and nobody gets its result."""
        with self._changed:
            place = self._places.pop(key, None)
            if place is not None:
                place.is_dropped = True
                self._changed.notify_all()

    def _ensure_thread(self, place: _Place) -> None:
        if not place.has_thread:
            thread = threading.Thread(
                target=self._work, args=(place,), name="options-helper-background", daemon=True
            )
            thread.start()
            place.has_thread = True

    def _work(self, place: _Place) -> None:
        """Compute what is wanted under a key until nothing is."""
        while (request := self._take(place)) is not None:
            began, values, failures = self._monotonic(), [], list[str]()

            def check(request: _Request = request) -> None:
                if place.is_dropped or place.question != request.question:
                    raise Unwanted

            try:
                with place.guard.keep_going("A computation in the background", failures.append):
                    values.append(request.compute(check, place.last))
            except Unwanted:
                continue
            self._keep(place, request, values, failures, self._monotonic() - began)

    def _take(self, place: _Place) -> _Request | None:
        """Return the next request, after a rest if it only renews an answer; None if there is none."""
        with self._changed:
            while not place.is_dropped and place.wanted is not None:
                rest = place.rested_at - self._monotonic() if place.answer is not None else 0.0
                if rest <= 0:
                    request, place.wanted = place.wanted, None
                    return request
                self._changed.wait(rest)
            place.has_thread = False
            return None

    def _keep(
        self, place: _Place, request: _Request, values: list[object], failures: list[str], seconds: float
    ) -> None:
        with self._changed:
            if place.is_dropped or place.question != request.question:
                return
            if failures:
                place.answer, place.wanted = Answer(None, request.source, failures[0]), None
            else:
                place.last = values[0]
                place.answer = Answer(values[0], request.source)
                if place.wanted is not None and place.wanted.source is request.source:
                    place.wanted = None
            place.seconds = seconds
            # Renewing an answer takes at most half of the time, so that the rest of the page has the other.
            place.rested_at = self._monotonic() + seconds
            self._finished += 1
            self._changed.notify_all()


def _is_current(place: _Place, source: object) -> bool:
    answer = place.answer
    return answer is not None and (answer.source is source or bool(answer.failure))
