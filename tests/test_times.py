"""Time: UTC, New York dates, microseconds."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_helper.times import (
    SteadyClock,
    StepWatch,
    elapsed_seconds,
    from_microseconds,
    new_york_date,
    plausible,
    start_of_day,
    to_microseconds,
    utc_now,
)

moments = st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2100, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001


def test_the_clock_is_aware_utc() -> None:
    """The default of every injected clock is the current time in UTC."""
    assert utc_now().utcoffset() == dt.timedelta(0)
    assert abs(utc_now() - dt.datetime.now(dt.UTC)) < dt.timedelta(seconds=5)


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (dt.datetime(2026, 11, 21, 4, 59, tzinfo=dt.UTC), dt.date(2026, 11, 20)),
        (dt.datetime(2026, 11, 21, 5, 0, tzinfo=dt.UTC), dt.date(2026, 11, 21)),
        (dt.datetime(2026, 7, 21, 4, 0, tzinfo=dt.UTC), dt.date(2026, 7, 21)),
    ],
)
def test_a_trading_date_is_new_yorks(at: dt.datetime, day: dt.date) -> None:
    """The date changes at midnight in New York, in winter and summer."""
    assert new_york_date(at) == day


@pytest.mark.parametrize(("day", "hour"), [(dt.date(2026, 11, 21), 5), (dt.date(2026, 7, 21), 4)])
def test_a_trading_date_begins_at_midnight_in_new_york(day: dt.date, hour: int) -> None:
    """New York's midnight is at 05:00 UTC in winter and at 04:00 in summer."""
    begins = start_of_day(day)
    assert begins == dt.datetime(day.year, day.month, day.day, hour, tzinfo=dt.UTC)
    assert begins.utcoffset() == dt.timedelta(0)
    assert new_york_date(begins - dt.timedelta(microseconds=1)) == day - dt.timedelta(days=1)


@given(st.none() | moments)
def test_microseconds_convert_back_to_the_time(at: dt.datetime | None) -> None:
    """A time survives as whole microseconds, and a missing time as zero."""
    assert from_microseconds(to_microseconds(at)) == at


def test_a_clock_that_is_set_is_noticed_once_and_sleep_is_not() -> None:
    """Only a change in the difference between the time of day and the elapsed time counts."""
    time = {"wall": 0.0, "elapsed": 0.0}
    start = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
    watch = StepWatch(lambda: start + dt.timedelta(seconds=time["wall"]), lambda: time["elapsed"])

    def look(wall: float, elapsed: float) -> float:
        time["wall"] += wall
        time["elapsed"] += elapsed
        return watch()

    assert look(5, 5) == 0
    assert look(28_800, 28_800) == 0, "the laptop slept"
    assert look(3_601, 1) == 3_600
    assert look(1, 1) == 0
    assert look(-3_599, 1) == -3_600
    assert look(1.4, 1) == 0, "a drift is not a step"


def test_a_steady_clock_does_not_move_when_the_computers_clock_is_set() -> None:
    """A steady clock counts elapsed time, including sleep, and knows its difference from the computer's."""
    time = {"wall": 0.0, "elapsed": 0.0}
    start = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
    clock = SteadyClock(lambda: start + dt.timedelta(seconds=time["wall"]), lambda: time["elapsed"])

    def look(wall: float, elapsed: float) -> tuple[float, float]:
        time["wall"] += wall
        time["elapsed"] += elapsed
        return (clock() - start).total_seconds(), clock.seconds_ahead()

    assert look(28_800.4, 28_800) == (28_800, 0), "the laptop slept"
    assert look(6_001, 1)[0] == 28_801
    assert look(1, 1) == (28_802, pytest.approx(-6_000.4))
    assert look(-8_399, 1) == (28_803, pytest.approx(2_399.6))


def test_elapsed_seconds_only_grow() -> None:
    """A later call never returns fewer seconds."""
    assert elapsed_seconds() <= elapsed_seconds()


@pytest.mark.parametrize(
    "text", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "1970-01-01T00:00:00Z"]
)
def test_an_implausible_time_is_none(text: str) -> None:
    """A time that may not exist in another zone is None; every plausible time exists in all of them."""
    assert plausible(dt.datetime.fromisoformat(text)) is None
    assert plausible(dt.datetime.fromisoformat("2026-11-20T10:00:00-05:00")) == dt.datetime(
        2026, 11, 20, 15, tzinfo=dt.UTC
    )
