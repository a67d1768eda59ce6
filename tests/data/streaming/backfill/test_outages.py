"""The background fetch during an outage, after the computer's clock is set, and in its own thread."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import pytest

from options_helper.data.rest.http import Host
from options_helper.data.streaming.backfill.schedule import Part, Schedule
from options_helper.errors import AlpacaRestError
from tests.builders import NOW, make_fill
from tests.data.streaming.backfill.conftest import BackfillDesk, refused
from tests.fakes import ADJUSTED


@pytest.mark.parametrize("minutes", [6, 9])
def test_after_minutes_without_rest_executions_are_complete_within_a_minute(
    desk: BackfillDesk, minutes: int
) -> None:
    """After minutes without any answer, all parts succeed within a minute."""
    desk.round()
    routes = ["clock", "orders all", "positions", "account", "options indicative", "stocks iex", "indices"]
    desk.rest.failing = {route: refused(route, None) for route in routes}
    desk.run_for(minutes * 60)
    confirmed = len(desk.sink.history)
    assert "Trying again" in desk.sink.latest_words["fills"]
    desk.rest.failing = {}
    desk.rest.fills = [make_fill(0)]
    end = desk.clock.now()
    desk.run_for(60)
    assert set(desk.sink.latest_words.values()) == {""}
    assert len(desk.sink.history) > confirmed
    assert desk.sink.history[-1][2] >= end, "everything up to the end of the outage is confirmed"
    assert [row["activity_id"] for row in desk.sink.history[-1][0]] == ["a00000"]


@pytest.mark.parametrize("seconds", [3600.0, -2.0])
def test_alpacas_clock_is_requested_again_when_this_one_is_set(desk: BackfillDesk, seconds: float) -> None:
    """If the computer's clock is set, Alpaca's clock is requested at once."""
    desk.round()
    desk.run_for(60)
    assert desk.rest.calls["clock"] == 1
    desk.clock.stepped = seconds
    desk.round()
    assert desk.rest.calls["clock"] == 2
    desk.run_for(60)
    assert desk.rest.calls["clock"] == 2


def test_a_clock_that_is_set_again_and_again_is_measured_each_time(desk: BackfillDesk) -> None:
    """Each change to the clock is noticed at once, and the last offset counts."""
    answer = desk.rest.clock

    def exact() -> dict[str, Any]:
        return {**answer(), "timestamp": (NOW + dt.timedelta(seconds=desk.clock.seconds)).isoformat()}

    desk.rest.clock = exact  # type: ignore[method-assign]
    desk.round()
    ahead = 0.0
    steps = (90.0, -3_600.0, 7_200.0, -2_400.0, 86_400.0, -86_400.0, -1_290.0)
    for number, step in enumerate(steps, 2):
        ahead += step
        desk.clock.stepped = step
        desk.clock.ahead = ahead
        desk.run_for(20)
        assert desk.rest.calls["clock"] == number
        assert desk.sink.clock_offsets[-1] == pytest.approx(ahead)
    assert ahead == 0, "in the end it is right again"
    desk.run_for(60)
    assert desk.rest.calls["clock"] == len(steps) + 1


def test_a_hanging_trading_host_does_not_hold_back_quotes(
    desk: BackfillDesk, wait_until: Callable[..., None]
) -> None:
    """While one host's thread hangs, the other host's parts are fetched."""
    leave = threading.Event()

    def hanging() -> dict[str, Any]:
        leave.wait(10)
        raise AlpacaRestError("/v2/clock", "stopped")

    desk.rest.clock = hanging  # type: ignore[method-assign]
    desk.backfill.start()
    wait_until(lambda: desk.sink.option_quotes and desk.sink.stock_quotes)
    assert desk.rest.calls["orders all"] == 0
    desk.backfill.stop()
    leave.set()
    desk.backfill.join(5)


def test_the_thread_fetches_and_ends_on_stop(desk: BackfillDesk, wait_until: Callable[..., None]) -> None:
    """The thread fetches a first round and then sleeps; Stop ends it at once and closes the client."""
    desk.backfill.start()
    wait_until(lambda: desk.rest.calls[f"contract {ADJUSTED}"])
    desk.clock.seconds += 5
    desk.backfill.request_fills()
    wait_until(lambda: desk.rest.calls["fills"] == 2)
    desk.backfill.stop()
    desk.backfill.stop()
    desk.backfill.join(5)
    assert desk.rest.stopped
    assert desk.rest.closed


def test_stop_before_start_is_legal(desk: BackfillDesk) -> None:
    """A backfill that was never started closes its client when joined."""
    desk.backfill.stop()
    desk.backfill.join(1)
    assert desk.rest.closed


def test_a_request_that_stop_interrupts_is_not_reported(
    desk: BackfillDesk, wait_until: Callable[..., None]
) -> None:
    """A request that Stop interrupts is not reported as a failure."""
    entered, leave = threading.Event(), threading.Event()

    def hanging() -> dict[str, Any]:
        entered.set()
        leave.wait(5)
        raise AlpacaRestError("/v2/clock", "stopped")

    desk.rest.clock = hanging  # type: ignore[method-assign]
    desk.rest.stop = leave.set  # type: ignore[method-assign]
    desk.backfill.start()
    wait_until(entered.is_set)
    desk.backfill.stop()
    desk.backfill.join(5)
    assert {words for _part, words in desk.sink.words} <= {"fetching", ""}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_unexpected_end_is_reported(desk: BackfillDesk) -> None:
    """If the thread dies of a defect, every part says so."""

    def broken(_host: Host) -> float:
        raise RuntimeError

    desk.backfill.step = broken  # type: ignore[method-assign]
    desk.backfill.start()
    desk.backfill.join(5)
    assert all("ended unexpectedly" in words for words in desk.sink.latest_words.values())
    assert desk.rest.closed


def test_a_schedule_with_nothing_left_sleeps() -> None:
    """A part that is never due again is not run."""
    schedule = Schedule(
        [Part("once", lambda: None)],
        lambda _name, _words: None,
        monotonic=lambda: 0.0,
        is_stopped=lambda: False,
    )
    assert schedule.step() == 0.0
    assert schedule.step() == float("inf")
    assert schedule.has_succeeded("once")
