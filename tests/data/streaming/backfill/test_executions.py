"""The fetch of the day's executions and orders: what is complete, and when they are requested again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from options_helper.errors import AlpacaRestError
from tests.builders import NOW, make_fill, make_order
from tests.data.streaming.backfill.conftest import BackfillDesk, refused
from tests.fakes import MIDNIGHT, FakeRest, order_history


def test_a_fetch_confirms_up_to_what_rest_had_settled(desk: BackfillDesk) -> None:
    """Executions and orders are published in full, but the latest seconds are not confirmed."""
    desk.rest.fills = [make_fill(number) for number in range(5)]
    desk.rest.todays_orders = [make_order("o1")]
    desk.round()
    fills, orders, until = desk.sink.history[-1]
    assert [row["activity_id"] for row in fills] == [f"a{number:05}" for number in range(5)]
    assert [row["order_id"] for row in orders] == ["o1"]
    assert until == NOW - dt.timedelta(seconds=2)
    assert ("fills", "fetching today's fills, 4 so far") in desk.sink.words


def test_a_request_fetches_at_once_and_again_when_rest_has_settled(desk: BackfillDesk) -> None:
    """After an acknowledgement, one fetch publishes what is known, and a second one confirms it."""
    desk.round()
    desk.run_for(10)
    desk.backfill.request_fills()
    asked_at = desk.clock.now()
    desk.run_for(5)
    assert desk.rest.calls["fills"] == 3
    assert desk.sink.history[-2][2] < asked_at <= desk.sink.history[-1][2]


def test_simultaneous_requests_are_combined(desk: BackfillDesk) -> None:
    """Not every acknowledgement of a flapping stream causes a fetch; fetches are at least a second apart."""
    desk.round()
    for _ in range(50):
        desk.backfill.request_fills()
    desk.round()
    desk.run_for(0.9)
    assert desk.rest.calls["fills"] == 1
    desk.run_for(0.2)
    assert desk.rest.calls["fills"] == 2


def test_a_request_during_a_fetch_is_not_forgotten(desk: BackfillDesk) -> None:
    """An acknowledgement during a fetch causes another fetch."""
    pages = desk.rest.fill_pages

    def interrupted(after: dt.datetime) -> Iterator[list[Any]]:
        if desk.rest.calls["fills"] == 0:
            desk.backfill.request_fills()
        yield from pages(after)

    desk.rest.fill_pages = interrupted  # type: ignore[method-assign]
    desk.round()
    desk.run_for(1.5)
    assert desk.rest.calls["fills"] == 2


def test_a_later_fetch_requests_only_what_may_be_new(desk: BackfillDesk) -> None:
    """The first fetch begins at midnight in New York, later ones five minutes before the newest execution."""
    desk.rest.fills = [make_fill(number) for number in range(5)]
    desk.round()
    desk.rest.fills = [make_fill(number) for number in range(2, 7)]
    desk.run_for(61)
    assert desk.rest.asked_after == [
        MIDNIGHT,
        dt.datetime.fromisoformat(make_fill(4)["transaction_time"]) - dt.timedelta(minutes=5),
    ]
    assert len(desk.sink.history[-1][0]) == 7


def test_an_unreadable_row_affects_only_itself() -> None:
    """Rows of another kind or day are skipped, and unreadable ones are counted."""
    rest = FakeRest()
    rest.fills = [
        make_fill(0),
        "junk",
        make_fill(1, cum_qty=None),
        make_fill(2, transaction_time="2026-11-19T20:00:00Z"),
    ]
    rest.todays_orders = [make_order("o1"), {"id": None}, 7]
    history = order_history(rest)
    history.update(NOW)
    assert [row["activity_id"] for row in history.fills] == ["a00000"]
    assert [row["order_id"] for row in history.orders] == ["o1"]
    assert history.unreadable.count == 4


def test_orders_from_earlier_days_are_found_too() -> None:
    """Open orders from earlier days, and filled ones that no list contains, are fetched singly if needed."""
    rest = FakeRest()
    before = {"submitted_at": "2026-11-18T15:00:00Z", "updated_at": "2026-11-18T15:00:00Z"}
    rest.open_orders = [make_order("old", **before)]
    rest.fills = [make_fill(0, order_id="gtc"), make_fill(1, order_id="lost"), make_fill(2, order_id="leg")]
    rest.todays_orders = [make_order("spread", legs=[make_order("leg")])]
    rest.single = {"gtc": make_order("gtc", status="filled", **before)}
    history = order_history(rest)
    history.update(NOW)
    assert {row["order_id"] for row in history.orders} == {"old", "gtc", "spread"}
    assert (rest.calls["order gtc"], rest.calls["order lost"], rest.calls["order leg"]) == (1, 1, 0)
    rest.open_orders, rest.single["old"] = [], make_order("old", status="canceled", **before)
    history.update(NOW)
    assert {row["order_id"]: row["status"] for row in history.orders}["old"] == "canceled"
    history.update(NOW)
    assert (rest.calls["order old"], rest.calls["order lost"]) == (1, 1)


def test_a_new_day_begins_with_nothing() -> None:
    """When the New York date changes, yesterday's executions and orders are dropped."""
    rest = FakeRest()
    rest.fills, rest.todays_orders = [make_fill(0)], [make_order("o1")]
    rest.single = {"o1": make_order("o1")}
    history = order_history(rest)
    history.update(NOW)
    rest.fills, rest.todays_orders = [], []
    history.update(NOW + dt.timedelta(days=1))
    assert (history.fills, history.orders) == ([], [])
    assert rest.asked_after == [MIDNIGHT, MIDNIGHT + dt.timedelta(days=1)]


def test_a_fetch_that_spans_midnight_is_not_published(desk: BackfillDesk) -> None:
    """A fetch that spans midnight has the previous day's results, so the next one begins at once."""
    desk.clock.seconds = (MIDNIGHT + dt.timedelta(days=1) - NOW).total_seconds() - 1
    pages = desk.rest.fill_pages

    def slow(after: dt.datetime) -> Iterator[list[Any]]:
        desk.clock.seconds += 2
        desk.rest.fill_pages = pages  # type: ignore[method-assign]
        yield [make_fill(0)]

    desk.rest.fill_pages = slow  # type: ignore[method-assign]
    desk.round()
    assert [fills for fills, _orders, _until in desk.sink.history] == [[]]


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_refusal_of_one_order_does_not_lose_the_others(status: int) -> None:
    """An order that is refused is left out for the day, and the fetch is complete without it."""
    rest = FakeRest()
    rest.fills = [make_fill(0, order_id="odd")]
    rest.todays_orders = [make_order("o1")]
    rest.failing = {"order odd": refused("/v2/orders/odd", status)}
    history = order_history(rest)
    for _ in range(2):
        history.update(NOW)
    assert [row["order_id"] for row in history.orders] == ["o1"]
    assert [row["order_id"] for row in history.fills] == ["odd"]
    assert rest.calls["order odd"] == 1


@pytest.mark.parametrize("status", [408, 401, 403, 429, None])
def test_a_refusal_of_the_account_is_not_mistaken_for_an_odd_order(status: int | None) -> None:
    """If a key or plan is refused, a limit reached or a server slow, the order is requested again later."""
    rest = FakeRest()
    rest.fills = [make_fill(0, order_id="gtc")]
    rest.single = {"gtc": make_order("gtc")}
    rest.failing = {"order gtc": refused("/v2/orders/gtc", status)}
    history = order_history(rest)
    with pytest.raises(AlpacaRestError):
        history.update(NOW)
    rest.failing = {}
    history.update(NOW)
    assert [row["order_id"] for row in history.orders] == ["gtc"]


def test_a_failing_single_order_fails_the_fetch() -> None:
    """An order that cannot be fetched for another reason leaves the fetch unconfirmed."""
    rest = FakeRest()
    rest.fills = [make_fill(0, order_id="gtc")]
    rest.failing = {"order gtc": AlpacaRestError("/v2/orders/gtc", "the server failed (500)", status=500)}
    with pytest.raises(AlpacaRestError, match="500"):
        order_history(rest).update(NOW)
