"""The record of one stream, written by both its own thread and the consumer's."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TypedDict, Unpack

from options_helper.market import StreamFailure, StreamHealth, StreamState


class HealthChanges(TypedDict, total=False):
    """Fields of `StreamHealth` that change."""

    asked: frozenset[str]
    attempts: int
    channels: int | None
    complete_at: dt.datetime | None
    connected_at: dt.datetime | None
    invalid: frozenset[str]
    lag_seconds: float | None
    last_event_at: dt.datetime | None
    last_failure: StreamFailure | None
    last_heard_at: dt.datetime | None
    latency_seconds: float | None
    lost_at: dt.datetime | None
    missing: frozenset[str]
    next_attempt_at: dt.datetime | None
    rate: float
    relay_seconds: float | None
    step: str
    tries: int


class HealthRecord:
    """The `StreamHealth` of one stream, replaced as a whole under a lock.

    Args:
        health: The initial record.
        changed: Called with the records before and after a change of state.
        clock: Returns the time at which a state begins.
    """

    def __init__(
        self,
        health: StreamHealth,
        changed: Callable[[StreamHealth, StreamHealth], None],
        clock: Callable[[], dt.datetime],
    ) -> None:
        self.health = health
        self._changed = changed
        self._clock = clock
        self._lock = threading.Lock()

    def enter(self, state: StreamState, **changes: Unpack[HealthChanges]) -> None:
        """Enter a state; a stopped stream stays stopped."""
        with self._lock:
            before = self.health
            if before.state is StreamState.STOPPED:  # a late event of an ended connection changes nothing
                return
            since = before.since if before.state is state else self._clock()
            self.health = after = replace(before, state=state, since=since, **changes)
        self._changed(before, after)

    def replace(self, **changes: Unpack[HealthChanges]) -> None:
        """Replace fields within the same state."""
        with self._lock:
            self.health = replace(self.health, **changes)

    def add(
        self, *, messages: int = 0, conflated: int = 0, malformed: int = 0, **changes: Unpack[HealthChanges]
    ) -> None:
        """Add to the totals, and replace fields."""
        with self._lock:
            health = self.health
            self.health = replace(
                health,
                messages=health.messages + messages,
                conflated=health.conflated + conflated,
                malformed=health.malformed + malformed,
                **changes,
            )
