"""Yesterday's bracket with a filled entry is among the open orders, as one order."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from options_helper.analysis.fills.day import FillDayBuilder
from options_helper.data.rest.client import AlpacaRest
from options_helper.data.settings import AlpacaSettings
from tests.fakes import order_history

NOW = dt.datetime(2026, 11, 24, 16, 0, tzinfo=dt.UTC)
SUBMITTED = "2026-11-23T15:00:01.105Z"
RECORDED = json.loads((Path(__file__).parents[2] / "reality" / "rest_order_bracket.json").read_text())["body"]


class Broker:
    """Lists orders as Alpaca does: the nested list of open orders lacks the legs of a filled entry."""

    def __init__(self) -> None:
        times = {"created_at": SUBMITTED, "submitted_at": SUBMITTED, "updated_at": SUBMITTED}
        legs = [leg | times for leg in RECORDED["legs"]]
        self.bracket: dict[str, Any] = RECORDED | times | {"legs": legs}
        self.others: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.open = True

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer the routes of orders and activities."""
        path, query = request.url.path, dict(request.url.params)
        self.paths.append(f"{path}?{query.get('status', '')}&{query.get('nested', '')}")
        if path.startswith("/v2/orders/"):
            return httpx.Response(200, json=self.bracket)
        if path != "/v2/orders" or query.get("after", "") > "2026-11-24":
            return httpx.Response(200, json=[])
        if query["status"] == "open" and query["nested"] == "true":
            return httpx.Response(200, json=[])
        if query["status"] == "open":
            flat = [leg for leg in self.bracket["legs"] if leg["status"] == "new"] if self.open else []
            return httpx.Response(200, json=flat)
        near = query["after"] < SUBMITTED < query["until"] and query["symbols"] == "SPY"
        return httpx.Response(200, json=[*self.others, self.bracket] if near else [])


@pytest.fixture
def broker() -> Broker:
    """A broker with the bracket."""
    return Broker()


@pytest.fixture
def rest(broker: Broker) -> AlpacaRest:
    """The client of this broker."""
    settings = AlpacaSettings("k", "s", trading_url="https://paper-api.alpaca.markets")
    return AlpacaRest(settings, transport=httpx.MockTransport(broker.answer))


def test_yesterdays_bracket_is_one_open_order(broker: Broker, rest: AlpacaRest) -> None:
    """Alpaca lists the leg without its parent, which is searched for once and then fetched by its id."""
    for _ in range(2):
        assert [order["id"] for order in rest.orders(status="open")] == [RECORDED["id"]]  # type: ignore[index]
    assert broker.paths == [
        "/v2/orders?open&true",
        "/v2/orders?open&false",
        "/v2/orders?all&true",
        "/v2/orders?open&true",
        "/v2/orders?open&false",
        f"/v2/orders/{RECORDED['id']}?&true",
    ]


def test_an_open_bracket_is_listed_with_both_legs_and_no_fill(broker: Broker, rest: AlpacaRest) -> None:
    """The order appears once, with both legs; yesterday's entry is not a fill of today."""
    history = order_history(rest)
    history.update(NOW)
    day = FillDayBuilder().build([], history.fills, history.orders, day=NOW.date())
    (order,) = day.orders
    assert [(leg.side, leg.status) for leg in order.legs] == [("sell", "new"), ("sell", "held")]
    assert [leg.limit_price or leg.stop_price for leg in order.legs] == [830.43, 744.48]
    assert day.executions == ()


def test_the_end_of_a_brackets_legs_is_noticed_too(broker: Broker, rest: AlpacaRest) -> None:
    """Once no leg is open, the bracket is fetched by its id one last time."""
    history = order_history(rest)
    history.update(NOW)
    broker.open = False
    for leg in broker.bracket["legs"]:
        leg["status"] = "canceled"
    for _ in range(2):
        broker.paths.clear()
        history.update(NOW + dt.timedelta(minutes=1))
        (order,) = history.orders
        assert {leg["status"] for leg in order["legs"]} == {"canceled"}
    assert not any(path.startswith("/v2/orders/") for path in broker.paths)


def test_a_leg_without_a_parent_is_shown_itself(broker: Broker, rest: AlpacaRest) -> None:
    """A leg without a known parent is shown as a separate order."""
    broker.bracket["submitted_at"] = broker.bracket["legs"][0]["submitted_at"] = "2020-01-02T15:00:00Z"
    (order,) = rest.orders(status="open")
    assert order["id"] == RECORDED["legs"][0]["id"]  # type: ignore[index]
