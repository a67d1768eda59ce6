"""The rate and latency of messages over the last seconds, not over the day."""

from __future__ import annotations

import pytest

from options_helper.data.streaming.reconnect.meter import StreamMeter
from tests.fakes import FakeClock


def test_the_rate_covers_the_last_seconds() -> None:
    """The rate counts the messages of the last five seconds."""
    clock = FakeClock(100.0)
    meter, total, rate = StreamMeter(clock.monotonic), 0, 0.0
    for _ in range(10):
        clock.seconds += 1
        total += 50
        rate = meter.count(total, 0.0)
    assert rate == pytest.approx(50.0)
    for _ in range(10):
        clock.seconds += 1
        rate = meter.count(total, 0.0)
    assert rate == 0.0


def test_a_silence_does_not_lower_the_rate_that_follows() -> None:
    """After ten silent minutes, the rate covers only the seconds since the silence."""
    clock = FakeClock(100.0)
    meter = StreamMeter(clock.monotonic)
    meter.count(1, 0.0)
    clock.seconds += 600
    rates = []
    for number in range(1, 21):
        clock.seconds += 0.25
        rates.append(meter.count(1 + 1000 * number, 0.0))
    assert rates[-1] == pytest.approx(4000.0)


def test_latency_and_lag_are_those_of_a_typical_batch() -> None:
    """Latency and lag are medians, and the oldest message's wait is included."""
    meter = StreamMeter()
    meter.count(1, 0.02)
    assert [meter.took(1.0, lag) for lag in (0.1, 0.5, 0.2)][-1] == (pytest.approx(1.02), 0.2)
    assert meter.took(50.0, None) == (pytest.approx(1.02), 0.2)


def test_a_late_minute_is_not_remembered() -> None:
    """Samples older than 60 s do not count."""
    clock = FakeClock(100.0)
    meter = StreamMeter(clock.monotonic)
    for _ in range(10):
        meter.took(40.0, 40.0)
    clock.seconds += 60
    assert meter.took(0.1, 0.1) == (40.0, 40.0)
    clock.seconds += 1
    assert meter.took(0.3, 0.3) == (pytest.approx(0.2), pytest.approx(0.2))


def test_the_newest_lag_stays_until_there_is_another() -> None:
    """A late stream without newer quotes stays late."""
    clock = FakeClock(100.0)
    meter = StreamMeter(clock.monotonic)
    meter.took(1.0, 0.1)
    meter.took(1.0, 40.0)
    clock.seconds += 600
    assert meter.took(2.0, None) == (2.0, 40.0)


def test_a_new_connection_starts_over() -> None:
    """The lag and latency of an earlier connection do not count."""
    meter = StreamMeter(FakeClock(100.0).monotonic)
    for _ in range(10):
        meter.took(40.0, 40.0)
    meter.forget_samples()
    assert meter.took(0.1, None) == (pytest.approx(0.1), None)
    assert meter.took(0.1, 0.2) == (pytest.approx(0.1), 0.2)


def test_there_is_no_lag_before_the_first_message() -> None:
    """A clock set back gives no negative latency, and a batch without times no lag."""
    assert StreamMeter().took(-9.0, None) == (0.0, None)
