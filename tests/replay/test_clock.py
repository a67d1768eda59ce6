"""Tests for the recording's clock."""

from __future__ import annotations

import datetime as dt

from options_helper.replay.clock import ReplayClock

SECOND = 1_000_000
AT = int(dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC).timestamp()) * SECOND


def test_the_clock_runs_at_its_speed_stands_still_and_ends() -> None:
    """The clock starts on request, runs at its speed, stops, steps, and never passes the last record."""
    real = [0.0]
    clock = ReplayClock(AT, 50 * SECOND, 150 * SECOND, speed=2.0, monotonic=lambda: real[0])
    real[0] = 7.0
    assert (clock.elapsed, clock.is_running) == (50 * SECOND, False)
    clock.set_running(running=True)
    real[0] = 10.0
    assert clock.elapsed == 56 * SECOND
    assert clock.wall() == dt.datetime(2026, 11, 20, 15, 0, 6, tzinfo=dt.UTC)
    clock.set_running(running=False)
    real[0] = 100.0
    assert (clock.elapsed_seconds(), clock.is_running) == (56.0, False)
    clock.skip(10.0)
    clock.set_speed(0.5)
    clock.set_running(running=True)
    real[0] = 104.0
    assert clock.elapsed == 68 * SECOND
    assert clock.pace == 0.5
    real[0] = 10_000.0
    assert (clock.elapsed, clock.is_at_end, clock.is_running) == (150 * SECOND, True, False)
    assert clock.pace == 0
    clock.end_at(140 * SECOND)
    assert (clock.elapsed, clock.is_at_end) == (140 * SECOND, True)
    assert clock.span[1] == dt.datetime(2026, 11, 20, 15, 1, 30, tzinfo=dt.UTC)
    clock.end_at(0)
    assert clock.wall() == clock.span[0] == clock.span[1]


def test_a_held_clock_waits() -> None:
    """A held clock waits until it may run on, and then makes up for at most one second of real time."""
    real = [0.0]
    clock = ReplayClock(AT, 0, 100 * SECOND, monotonic=lambda: real[0])
    clock.set_running(running=True)
    clock.hold_at(5 * SECOND)
    real[0] = 30.0
    assert (clock.elapsed, clock.is_running) == (5 * SECOND, True)
    clock.hold_at(float("inf"))
    real[0] = 31.0
    assert clock.elapsed == 7 * SECOND
    clock.hold_at(1 * SECOND)
    real[0] = 40.0
    assert clock.elapsed == 7 * SECOND
    clock.skip(-100.0)
    assert clock.elapsed == 0


def test_many_records_do_not_slow_the_clock_down() -> None:
    """A clock that is held at one record after another still keeps its speed."""
    real = [0.0]
    clock = ReplayClock(AT, 0, 1000 * SECOND, speed=100.0, monotonic=lambda: real[0])
    clock.hold_at(0)
    clock.set_running(running=True)
    due = 0
    for step in range(1, 51):
        real[0] = step * 0.02  # as often as the manager looks
        while due <= clock.elapsed:
            due += SECOND // 30
            clock.hold_at(due)
    assert 99 * SECOND <= clock.elapsed <= 100 * SECOND
    clock.set_running(running=False)
    place = clock.elapsed
    real[0] = 60.0
    assert clock.elapsed == place
