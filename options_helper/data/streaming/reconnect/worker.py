"""One stream's thread: connect, run, back off, give up."""

from __future__ import annotations

import datetime as dt
import logging
import random
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol, Unpack, runtime_checkable

from options_helper.data.streaming.reconnect.meter import StreamMeter
from options_helper.data.streaming.reconnect.policy import (
    BASE_SECONDS,
    CAP_SECONDS,
    choose_base_seconds,
    compute_backoff_seconds,
    has_proven_itself,
    is_final,
)
from options_helper.data.streaming.reconnect.record import HealthChanges, HealthRecord
from options_helper.error_guard import Guard
from options_helper.errors import OptionsHelperError, StreamError, StreamInterrupted
from options_helper.market import StreamFailure, StreamHealth, StreamName, StreamState
from options_helper.recording.journal import Journal
from options_helper.recording.records import Observed
from options_helper.times import utc_now

logger = logging.getLogger(__name__)


class Streamer(Protocol):
    """A stream that a worker runs: a streamer of this package, or a test's."""

    def run(self) -> None:
        """Connect once and block until the connection ends."""

    def stop(self) -> None:
        """Make `run()` return."""


@runtime_checkable
class ChangeableStreamer(Streamer, Protocol):
    """A streamer whose symbols may change while it is connected."""

    def change(self, symbols: Sequence[str], /) -> None:
        """Subscribe to these symbols instead of the previous ones; callable from any thread."""


@dataclass(frozen=True, slots=True)
class WorkerDependencies:
    """The functions and settings that a run passes to a worker.

    Attributes:
        connect: Builds and subscribes a streamer for one connection, with the worker as its observer.
        changed: Called with the records before and after a change of state.
        lost: Called with the stream when some of its messages were lost.
        complaint: Returns a reason to end a mute connection, given the record; None while all is well.
        base_seconds, cap_seconds: The shortest and longest backoff.
        journal: Its clock, and the record of each change.
    """

    connect: Callable[[StreamWorker], Streamer]
    changed: Callable[[StreamHealth, StreamHealth], None]
    lost: Callable[[StreamName], None] = lambda _stream: None
    complaint: Callable[[StreamHealth], StreamError | None] = lambda _health: None
    base_seconds: float = BASE_SECONDS
    cap_seconds: float = CAP_SECONDS
    journal: Journal = field(default_factory=lambda: Journal(utc_now))


class StreamWorker:
    """The owner of one stream's thread and `StreamHealth`, and the observer of its connections."""

    def __init__(
        self, stream: StreamName, dependencies: WorkerDependencies, *, asked: frozenset[str] = frozenset()
    ) -> None:
        self._dependencies = dependencies
        self._journal = dependencies.journal
        self._clock = self._journal.now
        self._record = HealthRecord(StreamHealth(stream, asked=asked), dependencies.changed, self._clock)
        self._stopping = threading.Event()
        self._streamer: Streamer | None = None
        self._failures = 0
        self._meter = StreamMeter()
        self._guard = Guard(logger, "; the stream is abandoned.")
        self._thread = threading.Thread(target=self._run, name=f"options-helper-{stream}", daemon=True)

    @property
    def health(self) -> StreamHealth:
        """The current record."""
        return self._record.health

    @property
    def thread(self) -> threading.Thread:
        """The stream's thread."""
        return self._thread

    def start(self) -> None:
        """Start connecting, in the stream's own thread."""
        self.connecting()
        self._thread.start()

    def connecting(self) -> None:
        """Record that the first attempt begins."""
        self._record.enter(StreamState.CONNECTING, step="connecting")

    def request_stop(self) -> None:
        """Ask the thread to end; block no longer than the streamer's own `stop()`."""
        self._stopping.set()
        self._stop_streamer()

    def change_symbols(self, symbols: Sequence[str]) -> None:
        """Change the requested symbols, without a new connection if the streamer is able to."""
        streamer, health, asked = self._streamer, self.health, frozenset(symbols)
        missing = (health.missing | (asked - health.asked)) & asked  # until they are acknowledged
        self._record.replace(asked=asked, missing=missing, invalid=health.invalid & asked)
        if isinstance(streamer, ChangeableStreamer):
            streamer.change(symbols)

    def mark_stopped(self) -> None:
        """Record the end, once the thread has ended or been abandoned."""
        self._record.enter(StreamState.STOPPED, step="", next_attempt_at=None)

    # The connection's observer ---------------------------------------------------------------

    def step(self, words: str) -> None:
        """Record the step that the handshake has reached."""
        self._record.replace(step=words)

    def subscribed(self, granted: frozenset[str] | None) -> None:
        """Record that the server acknowledged the subscription."""
        missing = self.health.asked - granted if granted is not None else frozenset()
        self._meter.forget_samples()  # the record keeps the last lag, because the new one is still unknown
        with self._event("subscribed", granted=None if granted is None else sorted(granted)):
            now = self._clock()
            self._record.enter(
                StreamState.RUNNING,
                step="",
                missing=missing,
                connected_at=now,
                last_heard_at=now,
                next_attempt_at=None,
            )

    def limited(self, channels: int) -> None:
        """Record that Alpaca granted only this many of the requested channels."""
        with self._event("limited", channels=channels):
            self._record.replace(channels=channels)

    def invalid(self, symbols: frozenset[str]) -> None:
        """Record the symbols that Alpaca rejected; they are left out."""
        with self._event("invalid", symbols=sorted(symbols)):
            self._record.replace(invalid=symbols)

    def heard(self) -> None:
        """Record that something arrived, even a pong."""
        with self._event("heard"):
            self._record.replace(last_heard_at=self._clock())

    def counted(self, *, messages: int, conflated: int, malformed: int, waited: float = 0.0) -> None:
        """Count the messages since the last call; the oldest waited `waited` seconds."""
        rate = self._meter.count(self.health.messages + messages, waited)
        self._count(messages=messages, conflated=conflated, malformed=malformed, rate=rate)

    def relayed(self, seconds: float) -> None:
        """Record the seconds that a batch took from the relay, as their median over the last batches."""
        self._record.replace(relay_seconds=self._meter.relayed(seconds))

    def complaint(self) -> StreamError | None:
        """Return the reason to end a connection that is up but mute, else None."""
        return self._dependencies.complaint(self.health)

    # Events -----------------------------------------------------------------------------------

    def event(self, *, received_at: dt.datetime) -> None:
        """Record a market event or an order update, which proves that the stream is running."""
        self._failures = 0
        if self.health.state in {StreamState.CONNECTING, StreamState.RECONNECTING}:
            self._record.enter(StreamState.RUNNING, step="", connected_at=received_at, next_attempt_at=None)
        self._record.replace(last_event_at=received_at, last_heard_at=received_at)

    def applied(self, *, received_at: dt.datetime, lag: float | None, conflated: int, malformed: int) -> None:
        """Record that the consumer made a batch visible.

        Args:
            received_at: When the batch was handed over.
            lag: Its median delay from event to receipt in seconds, None if unknown.
            conflated: The number of messages superseded within the batch.
            malformed: The number of messages that could not be read.
        """
        since = self.health.connected_at
        if since is not None and received_at < since:  # a relay repeats the day's order updates
            self._count(conflated=conflated, malformed=malformed)
            return
        seconds = (self._journal.clock() - received_at).total_seconds()
        latency_seconds, lag_seconds = self._meter.took(seconds, lag)
        self._count(
            conflated=conflated,
            malformed=malformed,
            latency_seconds=latency_seconds,
            lag_seconds=lag_seconds,
        )

    def completed(self, as_of: dt.datetime) -> None:
        """Record that REST has reported every quote of the stream up to a time."""
        self._record.replace(complete_at=as_of)

    def lost(self) -> None:
        """Record that messages were lost, so that any price may have changed unseen."""
        self._record.replace(lost_at=self._clock())
        self._dependencies.lost(self.health.stream)

    def skipped(self, messages: int) -> None:
        """Count messages that the consumer could not read."""
        self._count(malformed=messages)

    def _count(
        self, *, messages: int = 0, conflated: int = 0, malformed: int = 0, **changes: Unpack[HealthChanges]
    ) -> None:
        self._record.add(messages=messages, conflated=conflated, malformed=malformed, **changes)
        if malformed:
            self.lost()

    # The thread -------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.is_set():
            error = self._live_once()
            if self._stopping.is_set():
                return
            if not self._back_off_after(error):
                return

    def _live_once(self) -> BaseException:
        try:
            self._streamer = self._dependencies.connect(self)
            if self._stopping.is_set():  # asked to stop while the streamer was being built
                self._stop_streamer()
            self._streamer.run()
        except Exception as error:  # noqa: BLE001 - whatever ends a stream must be shown
            return error
        return StreamInterrupted(self.health.stream, "the stream ended without a reason")

    def _stop_streamer(self) -> None:
        streamer = self._streamer
        if streamer is not None:
            # An injected streamer is not our code; its error must not keep the other streams from ending.
            with self._guard.keep_going(f"The stop of the {self.health.stream} stream"):
                streamer.stop()

    def _back_off_after(self, error: BaseException) -> bool:
        """Record why the stream ended, and wait for the next attempt; return False if there is none."""
        text, code = self._describe(error)
        is_proven = has_proven_itself(self.health, now=self._clock())
        seconds = compute_backoff_seconds(
            1 if is_proven else self._failures + 1,
            base_seconds=choose_base_seconds(error, self._dependencies.base_seconds),
            cap_seconds=self._dependencies.cap_seconds,
            draw=random.random(),  # noqa: S311 - jitter, not a secret
        )
        self.failed(text, code, seconds=None if is_final(error) else seconds, is_proven=is_proven)
        if is_final(error) or self._stopping.wait(seconds):
            return False
        self.trying()
        return True

    def failed(self, text: str, code: int | None, *, seconds: float | None, is_proven: bool) -> None:
        """Record why the stream ended, and the seconds until the next attempt; None if there is none."""
        with self._event("failed", text=text, code=code, seconds=seconds, is_proven=is_proven):
            failure = StreamFailure(text, self._clock(), code=code, final=seconds is None)
            if seconds is None:
                self._record.enter(StreamState.ERROR, step="", last_failure=failure, next_attempt_at=None)
                return
            self._failures = 1 if is_proven else self._failures + 1
            self._record.enter(
                StreamState.RECONNECTING,
                step="",
                last_failure=failure,
                attempts=self.health.attempts + 1,
                tries=self._failures,
                connected_at=None,
                next_attempt_at=self._clock() + dt.timedelta(seconds=seconds),
            )

    def trying(self) -> None:
        """Record that the next attempt begins."""
        with self._event("trying"):
            self._record.replace(step="connecting", next_attempt_at=None)

    def _event(self, change: str, **facts: object) -> AbstractContextManager[None]:
        stream = self.health.stream.value
        return self._journal.event(lambda at, elapsed: Observed(at, elapsed, stream, change, facts))

    def _describe(self, error: BaseException) -> tuple[str, int | None]:
        if isinstance(error, OptionsHelperError):
            text = error.detail if isinstance(error, StreamError) else str(error)
        else:
            # An unexpected exception's text may contain anything, even a key, so only its type is shown.
            text = f"an unexpected error in the stream ({type(error).__name__})"
            logger.error("The %s stream had an unexpected %s.", self.health.stream, type(error).__name__)
        code = error.code if isinstance(error, StreamError) else None
        return text, code
