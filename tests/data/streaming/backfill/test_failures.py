"""A failing part of the background fetch is tried again, and the other parts do not wait for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from options_helper.data.rest.http import Host
from options_helper.data.streaming.backfill.schedule import Part, Schedule
from options_helper.errors import AlpacaRestError
from tests.builders import CALL
from tests.data.streaming.backfill.conftest import BackfillDesk, refused
from tests.fakes import ADJUSTED, SNAPSHOT, FakeClock

if TYPE_CHECKING:
    import pytest


def test_a_key_refused_for_the_account_leaves_market_data_alone(desk: BackfillDesk) -> None:
    """A refused trading host is requested every five minutes, and quotes and Greeks continue."""
    error = refused("/v2/clock", 401)
    desk.rest.failing = dict.fromkeys(
        ["clock", "orders all", "positions", "account", f"contract {ADJUSTED}"], error
    )
    desk.round()
    assert desk.sink.option_quotes
    desk.run_for(299)
    assert (desk.rest.calls["clock"], desk.rest.calls["orders all"], desk.rest.calls["positions"]) == (
        1,
        0,
        0,
    )
    assert desk.rest.calls["options indicative"] == 5
    words = desk.sink.latest_words
    assert words["fills"] == words["market"] == "GET /v2/clock: no. Trying again in 300 s."
    assert words["options"] == words["stocks"] == ""


def test_a_failing_part_is_tried_again_until_it_succeeds(desk: BackfillDesk) -> None:
    """Waits grow to half a minute, a sentence gives the reason and the time, and success removes it."""
    desk.rest.failing["options indicative"] = refused("/v1beta1/options/snapshots", 500)
    desk.round()
    assert desk.sink.latest_words["options"] == "GET /v1beta1/options/snapshots: no. Trying again in 2 s."
    desk.run_for(200)
    calls = desk.rest.calls["options indicative"]
    assert 9 <= calls <= 13
    assert desk.sink.latest_words["options"].endswith("Trying again in 30 s.")
    assert desk.sink.latest_words["stocks"] == ""
    desk.rest.failing.clear()
    desk.run_for(61)
    assert desk.sink.latest_words["options"] == ""
    assert desk.sink.option_quotes


def test_a_wait_for_the_limit_is_reported_while_it_lasts(desk: BackfillDesk) -> None:
    """While a part waits for the limit, a sentence says for how long."""
    desk.round()
    desk.rest.limits["orders all"] = 52.0
    desk.sink.words.clear()
    desk.backfill.request_fills()
    desk.clock.seconds += 1
    desk.round()
    reported = [words for part, words in desk.sink.words if part == "fills"]
    assert reported == ["GET /orders all: too many requests (429). Waiting 52 s.", ""]


def test_requests_held_by_the_limit_are_reported_too() -> None:
    """Executions that wait behind another part on the same host report the same reason."""
    desk = BackfillDesk()
    desk.rest.limits["clock"] = 9.0
    desk.backfill.request_fills()
    desk.round()
    reported = {part: words for part, words in desk.sink.words if "Waiting 9 s" in words}
    assert set(reported) == {"market", "fills"}
    assert desk.sink.latest_words["fills"] == ""


def test_one_hanging_route_does_not_hold_back_executions(desk: BackfillDesk) -> None:
    """A route without an answer delays only itself if its host answers other requests."""
    desk.round()
    desk.rest.failing = {"positions": refused("/v2/positions", None)}
    desk.run_for(61)
    looks = desk.rest.calls["fills"]
    desk.backfill.request_fills()
    desk.run_for(3.1)
    assert desk.rest.calls["fills"] == looks + 2
    assert desk.sink.latest_words["fills"] == ""
    assert "Trying again" in desk.sink.latest_words["positions"]


def test_requested_executions_are_fetched_even_if_the_host_seems_away(desk: BackfillDesk) -> None:
    """A request after an acknowledgement does not wait for another part's backoff."""
    routes = ["clock", "orders all", "positions", "account", f"contract {ADJUSTED}"]
    desk.rest.failing = {route: refused(route, None) for route in routes}
    desk.round()
    desk.run_for(200)
    looks, others = desk.rest.calls["orders all"], desk.rest.calls["positions"]
    assert desk.sink.latest_words["fills"].endswith("Trying again in 30 s.")
    desk.rest.failing = {}
    desk.backfill.request_fills()
    desk.round()
    assert (desk.rest.calls["orders all"], desk.rest.calls["positions"]) == (looks + 1, others)
    assert desk.sink.latest_words["fills"] == ""


def test_a_request_made_as_its_host_seems_away_is_not_held_back() -> None:
    """A request made between one part's failure and the postponement of the other parts is kept."""
    clock, looks = FakeClock(), []

    def away() -> None:
        raise AlpacaRestError("/v2/clock", "no answer")

    market = Part("market", away)
    schedule = Schedule(
        [market, Part("fills", lambda: looks.append(clock.seconds))],
        lambda _name, _words: None,
        monotonic=clock.monotonic,
        is_stopped=lambda: False,
    )
    lock = schedule._lock

    class OvertakenLock:
        """A lock that a request for executions gets first, once the failed part waits for its next try."""

        def __enter__(self) -> None:
            if 0 < market.due < float("inf"):
                schedule._lock = lock
                schedule.ask("fills", 1.0)
            lock.acquire()

        def __exit__(self, *_: object) -> None:
            lock.release()

    schedule._lock = OvertakenLock()  # type: ignore[assignment]
    schedule.step()
    assert schedule._lock is lock
    schedule.step()
    assert looks == [0.0]


def test_an_unforeseen_answer_affects_only_its_own_part(
    desk: BackfillDesk, caplog: pytest.LogCaptureFixture
) -> None:
    """Only the part that got the answer fails and is retried with growing waits; the error is logged once."""
    desk.rest.options = [CALL]  # type: ignore[assignment]
    desk.round()
    words = desk.sink.latest_words
    assert words["options"] == "the answer could not be used (AttributeError). Trying again in 2 s."
    assert {part for part, said in words.items() if said} == {"options"}
    desk.run_for(200)
    assert 9 <= desk.rest.calls["options indicative"] <= 13
    assert caplog.text.count("The background fetch of options raised AttributeError") == 1
    desk.rest.options = {CALL: SNAPSHOT}
    desk.run_for(61)
    assert desk.sink.latest_words["options"] == ""
    assert desk.sink.option_quotes


def test_a_failure_caused_by_stop_is_not_reported(desk: BackfillDesk) -> None:
    """A client that is closed during a part reports no failure."""

    def closed() -> dict[str, Any]:
        desk.backfill.stop()
        raise RuntimeError

    desk.rest.clock = closed  # type: ignore[method-assign]
    desk.backfill.step(Host.TRADING)
    assert desk.sink.words == [("market", "fetching")]


def test_an_unconfirmed_fetch_is_not_called_confirmed(desk: BackfillDesk) -> None:
    """A fetch that fails half-way publishes no history, and the next complete one does."""
    desk.rest.failing["fills"] = refused("/v2/account/activities", 503)
    desk.round()
    assert desk.sink.history == []
    desk.rest.failing.clear()
    desk.run_for(3)
    assert len(desk.sink.history) == 1


def test_known_multipliers_are_not_requested_again() -> None:
    """A failure keeps the multipliers found so far; an unknown contract has none."""
    other, unknown = "CSGP1261218C01000000", "ABC2261218C00010000"
    desk = BackfillDesk(option_contracts=(ADJUSTED, other, unknown))
    desk.rest.failing = {
        f"contract {other}": refused("/v2/options/contracts", 500),
        f"contract {unknown}": refused("/v2/options/contracts", 404),
    }
    desk.round()
    assert "multipliers" not in desk.sink.reference
    del desk.rest.failing[f"contract {other}"]
    desk.run_for(3)
    assert desk.sink.reference["multipliers"] == {ADJUSTED: 150.0, other: 150.0}
    assert desk.rest.calls[f"contract {ADJUSTED}"] == 1


def test_unreadable_quotes_are_logged(desk: BackfillDesk, caplog: pytest.LogCaptureFixture) -> None:
    """The log states how many rows of a snapshot could not be read."""
    desk.rest.options = {CALL: SNAPSHOT, ADJUSTED: 7}
    desk.round()
    assert "Skipped 1 quotes or trades from REST" in caplog.text


def test_an_account_without_a_number_is_not_named(desk: BackfillDesk) -> None:
    """An account row without its number changes nothing."""
    desk.rest.account = dict  # type: ignore[method-assign,assignment]
    desk.round()
    assert "account" not in desk.sink.reference
