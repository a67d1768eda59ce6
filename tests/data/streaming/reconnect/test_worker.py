"""The worker of one stream: its thread and its record."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from options_helper.data.streaming.reconnect import worker as worker_module
from options_helper.data.streaming.reconnect.worker import StreamWorker, WorkerDependencies
from options_helper.errors import MissingDependency, StreamInterrupted, StreamRejected
from options_helper.market import StreamHealth, StreamName, StreamState
from options_helper.recording.journal import Journal
from tests.fakes import FakeStreamer

NOW = dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC)
ASKED = frozenset({"C1", "C2"})


class Bench:
    """A worker, a clock that is moved by hand, every streamer it made and every change to its record."""

    def __init__(
        self,
        *,
        base_seconds: float = 0.001,
        cap_seconds: float = 1.0,
        complaint: StreamInterrupted | None = None,
    ) -> None:
        self.now = NOW
        self.made: list[FakeStreamer] = []
        self.changes: list[tuple[StreamHealth, StreamHealth]] = []
        self.connect_error: Exception | None = None
        dependencies = WorkerDependencies(
            connect=self._connect,
            changed=lambda before, after: self.changes.append((before, after)),
            complaint=lambda _health: complaint,
            base_seconds=base_seconds,
            cap_seconds=cap_seconds,
            journal=Journal(lambda: self.now),
        )
        self.worker = StreamWorker(StreamName.OPTIONS, dependencies, asked=ASKED)

    def _connect(self, worker: StreamWorker) -> FakeStreamer:
        assert worker is self.worker
        if self.connect_error is not None:
            raise self.connect_error
        self.made.append(FakeStreamer())
        return self.made[-1]

    @property
    def health(self) -> StreamHealth:
        return self.worker.health

    @property
    def states(self) -> list[str]:
        return [after.state for _before, after in self.changes]

    def pass_seconds(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)


@pytest.fixture
def bench():
    """A bench whose thread is ended after the test."""
    bench = Bench()
    yield bench
    _end(bench)


def _end(bench: Bench) -> None:
    bench.worker.request_stop()
    if bench.worker.thread.ident is not None:
        bench.worker.thread.join(20)


def _start(bench: Bench, wait_until: Any) -> FakeStreamer:
    bench.worker.start()
    wait_until(lambda: bench.made and bench.made[-1].running.is_set())
    return bench.made[-1]


def _fail(bench: Bench, wait_until: Any, error: Exception | None = None) -> FakeStreamer:
    """End the running connection and wait for the next one."""
    made = len(bench.made)
    bench.made[-1].end(error or StreamInterrupted("options", "the connection was reset"))
    wait_until(lambda: len(bench.made) > made and bench.made[-1].running.is_set())
    return bench.made[-1]


def test_a_new_worker_has_not_started() -> None:
    """Before Start, the record has the requested symbols and nothing else."""
    assert Bench().health == StreamHealth(StreamName.OPTIONS, asked=ASKED)


def test_a_thread_is_connecting_until_the_server_acknowledges(bench, wait_until) -> None:
    """Until the acknowledgement, the record says what the stream is waiting for."""
    _start(bench, wait_until)
    bench.worker.step("authenticating")
    assert (bench.health.state, bench.health.step) == (StreamState.CONNECTING, "authenticating")
    bench.pass_seconds(3)
    bench.worker.subscribed(ASKED)
    assert (bench.health.state, bench.health.step) == (StreamState.RUNNING, "")
    assert bench.health.since == bench.health.connected_at == bench.health.last_heard_at == bench.now
    assert bench.health.last_event_at is None


@pytest.mark.parametrize(
    ("granted", "missing"),
    [(frozenset({"C1"}), {"C2"}), (ASKED | {"other"}, set()), (frozenset(), ASKED), (None, set())],
)
def test_requested_symbols_that_are_not_granted_are_missing(granted, missing) -> None:
    """Acknowledged symbols are compared with the requested ones; a server that lists none grants all."""
    bench = Bench()
    bench.worker.subscribed(granted)
    assert bench.health.missing == missing


def test_a_state_begins_once(bench) -> None:
    """A second acknowledgement does not change the time since which the stream has been running."""
    bench.worker.subscribed(ASKED)
    bench.pass_seconds(5)
    bench.worker.subscribed(frozenset())
    assert bench.health.since == NOW
    assert bench.health.missing == ASKED


def test_an_event_means_running_whatever_was_acknowledged(bench, wait_until) -> None:
    """A stream that delivers is running, and its event time is the time of receipt."""
    _start(bench, wait_until)
    at = NOW + dt.timedelta(seconds=2)
    bench.worker.event(received_at=at)
    health = bench.health
    assert health.state is StreamState.RUNNING
    assert health.connected_at == health.last_event_at == health.last_heard_at == at
    later = at + dt.timedelta(seconds=1)
    bench.worker.event(received_at=later)
    assert (bench.health.connected_at, bench.health.last_event_at) == (at, later)


def test_a_pong_counts_as_heard_but_not_as_an_event(bench) -> None:
    """A pong keeps a stream alive without making its data newer."""
    bench.pass_seconds(7)
    bench.worker.heard()
    assert bench.health.last_heard_at == bench.now
    assert bench.health.last_event_at is None


def test_an_interruption_is_recorded_and_tried_again(bench, wait_until) -> None:
    """The record has the reason, the attempt and the time of the next one."""
    _start(bench, wait_until)
    bench.worker.subscribed(ASKED)
    _fail(bench, wait_until, StreamInterrupted("options", "the connection was reset", code=1006))
    failure = bench.health.last_failure
    assert failure is not None
    assert (failure.text, failure.code, failure.final, failure.at) == (
        "the connection was reset",
        1006,
        False,
        NOW,
    )
    waiting = next(after for _before, after in bench.changes if after.state is StreamState.RECONNECTING)
    assert waiting.attempts == 1
    assert waiting.connected_at is None
    assert waiting.next_attempt_at is not None
    assert waiting.next_attempt_at > NOW
    wait_until(lambda: bench.health.next_attempt_at is None)
    assert bench.health.step == "connecting"


def test_a_failure_is_kept_after_recovery(bench, wait_until) -> None:
    """After recovery, the record still has the failure."""
    _start(bench, wait_until)
    _fail(bench, wait_until)
    bench.worker.subscribed(ASKED)
    assert bench.health.state is StreamState.RUNNING
    assert bench.health.last_failure is not None
    assert bench.health.attempts == 1


def test_a_rejection_is_final(bench, wait_until) -> None:
    """A refused key ends the stream and its thread after one attempt."""
    streamer = _start(bench, wait_until)
    streamer.end(StreamRejected("options", "Alpaca refused the key", code=402))
    bench.worker.thread.join(20)
    assert bench.health.state is StreamState.ERROR
    assert bench.health.last_failure is not None
    assert (bench.health.last_failure.code, bench.health.last_failure.final) == (402, True)
    assert not bench.health.alive
    assert len(bench.made) == 1


def test_a_missing_package_is_final_and_in_words(bench) -> None:
    """A failure that only the user can fix is not retried, and its sentence is shown unchanged."""
    bench.connect_error = MissingDependency("alpaca-py", "alpaca")
    bench.worker.start()
    bench.worker.thread.join(20)
    assert bench.health.state is StreamState.ERROR
    assert bench.health.last_failure is not None
    assert bench.health.last_failure.text == str(bench.connect_error)


def test_a_foreign_exception_shows_only_its_type(bench, wait_until, caplog) -> None:
    """Neither the text nor an attribute of a foreign exception reaches the record or the log."""

    class Foreign(Exception):
        code = "APCA-API-SECRET-KEY"

    _start(bench, wait_until)
    with caplog.at_level(logging.DEBUG):
        _fail(bench, wait_until, Foreign("APCA-API-SECRET-KEY: s3cret"))
    failure = bench.health.last_failure
    assert failure is not None
    assert failure.text == "an unexpected error in the stream (Foreign)"
    assert failure.code is None
    assert not failure.final
    assert "SECRET" not in caplog.text


def test_a_stream_that_ends_without_a_reason_is_tried_again(bench, wait_until) -> None:
    """A `run()` that simply returns is retried."""
    _start(bench, wait_until)
    bench.made[-1].end()
    wait_until(lambda: len(bench.made) == 2)
    assert bench.health.last_failure is not None
    assert bench.health.last_failure.text == "the stream ended without a reason"


@pytest.fixture
def waits(monkeypatch) -> list[int]:
    """The number of failures that each backoff was computed from; the waits themselves are short."""
    counts: list[int] = []

    def compute(failures: int, **_more: Any) -> float:
        counts.append(failures)
        return 0.001

    monkeypatch.setattr(worker_module, "compute_backoff_seconds", compute)
    return counts


def test_failures_add_up_until_the_first_real_event(bench, wait_until, waits) -> None:
    """An acknowledgement alone does not reset the backoff; an event does."""
    _start(bench, wait_until)
    _fail(bench, wait_until)
    bench.worker.subscribed(ASKED)
    _fail(bench, wait_until)
    _fail(bench, wait_until)
    bench.worker.event(received_at=bench.now)
    _fail(bench, wait_until)
    assert waits == [1, 2, 3, 1]
    assert [
        after.tries for _before, after in bench.changes if after.state is StreamState.RECONNECTING
    ] == waits
    assert (bench.health.tries, bench.health.attempts) == (1, 4)


def test_a_minute_of_silent_life_resets_the_backoff_too(bench, wait_until, waits) -> None:
    """A stream that is silent by nature resets the backoff by staying up."""
    _start(bench, wait_until)
    _fail(bench, wait_until)
    bench.worker.subscribed(None)
    bench.pass_seconds(59)
    _fail(bench, wait_until)
    bench.worker.subscribed(None)
    bench.pass_seconds(60)
    _fail(bench, wait_until)
    assert waits == [1, 2, 1]


@pytest.mark.parametrize(
    ("base", "code", "least", "most"), [(100.0, None, 75, 100), (20.0, 429, 15, 25), (0.5, 429, 3.75, 6.25)]
)
def test_the_configured_backoff_is_used(
    wait_until, base: float, code: int | None, least: float, most: float
) -> None:
    """The next attempt follows after the base with jitter; after HTTP 429, the base is at least 5 s."""
    bench = Bench(base_seconds=base, cap_seconds=100.0)
    _start(bench, wait_until)
    bench.made[-1].end(StreamInterrupted("options", "reset", code=code))
    wait_until(lambda: bench.health.state is StreamState.RECONNECTING)
    assert bench.health.next_attempt_at is not None
    assert least <= (bench.health.next_attempt_at - NOW).total_seconds() <= most
    _end(bench)
    assert len(bench.made) == 1


def test_stop_ends_a_running_stream_and_starts_no_other(bench, wait_until) -> None:
    """Stopping ends the connection, the thread and the retries."""
    streamer = _start(bench, wait_until)
    bench.worker.request_stop()
    bench.worker.thread.join(20)
    bench.worker.mark_stopped()
    assert streamer.stops == 1
    assert len(bench.made) == 1
    assert bench.health.state is StreamState.STOPPED
    assert StreamState.RECONNECTING not in bench.states


def test_stop_before_start_runs_nothing(bench) -> None:
    """A worker stopped before its thread begins makes no connection."""
    bench.worker.request_stop()
    bench.worker.start()
    bench.worker.thread.join(20)
    assert bench.made == []


def test_stop_while_the_streamer_is_being_built_stops_it() -> None:
    """A stop between the decision to connect and the connection is not lost."""
    bench = Bench()
    connect = bench._connect

    def connect_then_stop(worker: StreamWorker) -> FakeStreamer:
        streamer = connect(worker)
        worker.request_stop()  # the worker does not hold the streamer yet
        return streamer

    dependencies = WorkerDependencies(connect=connect_then_stop, changed=lambda *_records: None)
    bench.worker = StreamWorker(StreamName.OPTIONS, dependencies)
    bench.worker.start()
    bench.worker.thread.join(20)
    assert not bench.worker.thread.is_alive()
    assert bench.made[0].stops == 1


def test_a_late_message_from_an_ended_connection_does_not_revive_it(bench) -> None:
    """After the end was recorded, neither an acknowledgement nor an event restarts the stream."""
    bench.worker.request_stop()
    bench.worker.mark_stopped()
    bench.worker.subscribed(ASKED)
    bench.worker.event(received_at=bench.now)
    assert bench.health.state is StreamState.STOPPED


def test_counts_add_up(bench) -> None:
    """Received, superseded and malformed messages are totals since Start."""
    bench.worker.counted(messages=10, conflated=4, malformed=1)
    bench.worker.counted(messages=5, conflated=1, malformed=0)
    bench.worker.applied(received_at=NOW, lag=None, conflated=2, malformed=3)
    health = bench.health
    assert (health.messages, health.conflated, health.malformed) == (15, 7, 4)


class OvertakenLock:
    """A lock that another thread acquires first, once."""

    def __init__(self, overtake: Callable[[], None]) -> None:
        self._lock = threading.Lock()
        self._overtake: Callable[[], None] | None = overtake

    def __enter__(self) -> None:
        overtake, self._overtake = self._overtake, None
        if overtake is not None:
            overtake()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def test_simultaneous_counts_of_stream_and_consumer_add_up(bench) -> None:
    """Whichever thread is faster, no count is lost."""
    worker = bench.worker
    counted = partial(worker.counted, messages=10, conflated=4, malformed=1)
    applied = partial(worker.applied, received_at=NOW, lag=None, conflated=2, malformed=3)
    skipped = partial(worker.skipped, 5)
    for overtaken, overtaking in ((counted, applied), (applied, counted), (counted, skipped)):
        worker._record._lock = OvertakenLock(overtaking)
        overtaken()
    health = bench.health
    assert (health.messages, health.conflated, health.malformed) == (30, 16, 14)


def test_a_message_that_the_consumer_cannot_use_counts_as_malformed_once(bench) -> None:
    """If the consumer raises, the batch was already counted on arrival, and its wait still counts."""
    bench.worker.counted(messages=3, conflated=0, malformed=0, waited=0.5)
    bench.worker.skipped(3)
    assert (bench.health.messages, bench.health.malformed) == (3, 3)
    bench.worker.applied(received_at=NOW, lag=None, conflated=0, malformed=0)
    assert bench.health.latency_seconds == 0.5


def test_latency_and_lag_are_medians(bench) -> None:
    """Latency counts from a batch's oldest message to its visibility; lag is relative to the vendor."""
    bench.worker.applied(received_at=NOW, lag=None, conflated=0, malformed=0)
    assert (bench.health.latency_seconds, bench.health.lag_seconds) == (0.0, None)
    bench.worker.counted(messages=1, conflated=0, malformed=0, waited=0.02)
    for lag in (0.1, 0.5, 0.2):
        bench.worker.applied(received_at=NOW - dt.timedelta(seconds=1), lag=lag, conflated=0, malformed=0)
    assert bench.health.latency_seconds == pytest.approx(1.02)
    assert bench.health.lag_seconds == 0.2


def test_an_acknowledgement_resets_lag_and_latency(bench) -> None:
    """The earlier connection's figures stay until the new one's first batch."""
    for _ in range(5):
        bench.worker.applied(received_at=NOW - dt.timedelta(seconds=9), lag=40.0, conflated=0, malformed=0)
    assert (bench.health.lag_seconds, bench.health.latency_seconds) == (40.0, 9.0)
    bench.worker.subscribed(ASKED)
    assert bench.health.lag_seconds == 40.0
    bench.worker.applied(received_at=NOW, lag=0.1, conflated=0, malformed=0)
    assert (bench.health.lag_seconds, bench.health.latency_seconds) == (0.1, 0.0)


def test_messages_before_a_connection_do_not_affect_its_latency(bench) -> None:
    """Order updates that a relay repeats to a new page do not count as hours late."""
    bench.worker.subscribed(ASKED)
    bench.worker.applied(received_at=NOW - dt.timedelta(hours=2), lag=None, conflated=1, malformed=0)
    assert (bench.health.latency_seconds, bench.health.conflated) == (None, 1)


def test_a_clock_that_went_back_gives_no_negative_latency(bench) -> None:
    """A batch cannot be visible before it arrived."""
    bench.worker.applied(received_at=NOW + dt.timedelta(seconds=9), lag=None, conflated=0, malformed=0)
    assert bench.health.latency_seconds == 0.0


def test_the_complaint_comes_from_the_run(bench) -> None:
    """The connection asks its observer whether to end, and receives the run's answer."""
    reason = StreamInterrupted("options", "connected, but nothing came")
    assert Bench(complaint=reason).worker.complaint() is reason
    assert bench.worker.complaint() is None
    plain = StreamWorker(
        StreamName.FILLS,
        WorkerDependencies(connect=FakeStreamer, changed=lambda *_records: None),  # type: ignore[arg-type]
    )
    assert plain.complaint() is None


def test_every_change_of_state_is_reported_with_the_record_before(bench, wait_until) -> None:
    """The listener receives each record together with its predecessor."""
    _start(bench, wait_until)
    bench.worker.subscribed(ASKED)
    bench.worker.request_stop()
    bench.worker.thread.join(20)
    bench.worker.mark_stopped()
    assert bench.states == ["connecting", "running", "stopped"]
    assert [before.state for before, _after in bench.changes] == ["not_started", "connecting", "running"]
