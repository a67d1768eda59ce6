"""A run's events, one after another, so that a replay repeats them exactly.

An event comes from outside: messages that were handed on, a stream's connection or loss, an answer from REST.
It has one time, which its threads see as the current time until it has taken effect everywhere. A look
happens between two events, so what it sees follows from the events that were recorded before it.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias, TypeVar

from options_helper.recording.records import Looked, Record
from options_helper.times import elapsed_seconds, to_microseconds

Put: TypeAlias = Callable[[Record, int], None]
Seen = TypeVar("Seen")
LOOK_PATIENCE_SECONDS = 0.2


class Journal:
    """The events of one run.

    Args:
        clock: Returns the time.
        put: Takes a record and its size, and returns at once; None if nothing is recorded, which costs
            nothing.
        began: `elapsed` at the start; now if None.

    Attributes:
        clock: The current time, also within an event.
        started_at: The time at its creation; `elapsed` of every event counts from `began`.
    """

    def __init__(
        self, clock: Callable[[], dt.datetime], put: Put | None = None, *, began: int | None = None
    ) -> None:
        self.clock, self._put = clock, put
        self.started_at, self.began = clock(), int(elapsed_seconds() * 1e6) if began is None else began
        self._base = to_microseconds(self.started_at) - self.began
        self._still = threading.Condition()
        self._busy = 0  # events that have not taken effect everywhere
        self._mine = threading.local()

    @property
    def is_recording(self) -> bool:
        """True if events are recorded."""
        return self._put is not None

    def now(self) -> dt.datetime:
        """Return the time of this thread's event, and the current time outside of events."""
        return getattr(self._mine, "now", None) or self.clock()

    def put(self, record: Record, size: int = 0) -> None:
        """Record something that is not a separate event."""
        if self._put is not None:
            self._put(record, size)

    def clock_times(self) -> tuple[int, int]:
        """Return the two times of a record made now: the computer's, and `elapsed`."""
        return time.time_ns() // 1000, to_microseconds(self.now()) - self._base

    def begin(self, make: Callable[[int, int], Record], size: int = 0) -> None:
        """Begin an event, which lasts until `end` or this thread's next event."""
        if self._put is not None:
            self._enter()
            self._mine.now = self.clock()
            self._put(make(*self.clock_times()), size)

    def end(self) -> None:
        """End this thread's event, if there is one."""
        if getattr(self._mine, "now", None) is not None:
            self._mine.now = None
            self.hand_back()

    @contextmanager
    def event(self, make: Callable[[int, int], Record]) -> Iterator[None]:
        """Record an event and let it last; one within another has the other's time."""
        if getattr(self._mine, "now", None) is not None:
            self.put(make(*self.clock_times()))
            yield
            return
        self.begin(make)
        try:
            yield
        finally:
            self.end()

    def hand_over(self) -> None:
        """Let an event continue in another thread, which calls `take_over`; else call `hand_back`."""
        if self._put is not None:
            with self._still:
                self._busy += 1

    def hand_back(self) -> None:
        """End an event that was handed over."""
        if self._put is not None:
            with self._still:
                self._busy -= 1
                self._still.notify_all()

    def take_over(self, now: dt.datetime) -> None:
        """Continue an event from another thread, at that event's time, until `end`."""
        if self._put is not None:
            self._mine.now = now

    @contextmanager
    def beginning(self) -> Iterator[None]:
        """Let the run's start be an event at `started_at`; the recorder itself records it."""
        if self._put is not None:
            self._enter()
            self._mine.now = self.started_at
        try:
            yield
        finally:
            self.end()

    @contextmanager
    def at(self, now: dt.datetime) -> Iterator[None]:
        """Use a time as this thread's current time."""
        self._mine.now = now
        try:
            yield
        finally:
            self._mine.now = None

    def look(self, take: Callable[[], Seen]) -> tuple[Seen, bool]:
        """Return the result of a call, and True if a moment between two events came soon enough for it."""
        if self._put is not None:
            with self._still:
                if self._still.wait_for(lambda: not self._busy, LOOK_PATIENCE_SECONDS):
                    with self.at(self.clock()):
                        self._put(Looked(*self.clock_times()), 0)
                        return take(), True
        return take(), False

    def _enter(self) -> None:
        if getattr(self._mine, "now", None) is None:
            self.hand_over()
