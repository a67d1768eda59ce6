"""A bracket order on the trading stream: the official SDK reads it, and its fills are complete."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

import pytest

pytest.importorskip("alpaca", reason="needs alpaca-py (pip install -e '.[alpaca]')")

from alpaca.trading.models import TradeUpdate

from options_helper.analysis.fills.day import FillDayBuilder
from options_helper.data.settings import load_settings
from options_helper.data.streaming.live_manager import LiveStreamConfig, LiveStreamManager
from tests.simulator.alpaca_fields import BRACKET, BRACKET_LEG, SINGLE_FILL, UPDATE, find_fault, row_of

pytestmark = pytest.mark.integration

JsonObject = dict[str, Any]


def order_row(**changes: Any) -> JsonObject:
    """A stock order with every field of Alpaca's schema."""
    now = dt.datetime.now(dt.UTC).isoformat()
    empty = ("filled_at", "expired_at", "canceled_at", "failed_at", "replaced_at", "replaced_by", "replaces")
    unused = ("notional", "filled_avg_price", "limit_price", "stop_price", "legs", "hwm")
    return {
        **dict.fromkeys((*empty, *unused, "trail_percent", "trail_price")),
        **dict.fromkeys(("created_at", "updated_at", "submitted_at"), now),
        "id": str(uuid4()),
        "client_order_id": str(uuid4()),
        "asset_id": str(uuid4()),
        "symbol": "MSFT",
        "asset_class": "us_equity",
        "qty": "10",
        "filled_qty": "0",
        "order_class": "bracket",
        "order_type": "limit",
        "type": "limit",
        "side": "sell",
        "position_intent": "sell_to_close",
        "time_in_force": "day",
        "status": "held",
        "extended_hours": False,
    } | changes


def update(event: str, order: JsonObject, **more: str) -> JsonObject:
    """One update of the trading stream."""
    return {"event": event, "timestamp": dt.datetime.now(dt.UTC).isoformat(), **more, "order": order}


def fill(order: JsonObject, price: str, position: str) -> JsonObject:
    """The whole order filled at once."""
    done = order | {"status": "filled", "filled_qty": order["qty"], "filled_avg_price": price}
    more = {"execution_id": str(uuid4()), "price": price, "qty": order["qty"], "position_qty": position}
    return update("fill", done, **more)


@pytest.fixture
def story() -> list[JsonObject]:
    """Bought at 400, sold at the profit's limit, the stop cancelled."""
    profit = order_row(limit_price="420")
    stop = order_row(type="stop", order_type="stop", stop_price="390")
    entry = order_row(
        side="buy",
        position_intent="buy_to_open",
        status="new",
        limit_price="400.5",
        legs=[profit, stop],
    )
    return [
        update("new", entry),
        fill(entry, "400", "10"),
        update("new", profit | {"status": "new"}),
        fill(profit, "420.25", "0"),
        update("canceled", stop | {"status": "canceled"}),
    ]


def test_a_bracket_follows_alpacas_sequence(story: list[JsonObject]) -> None:
    """Each update has Alpaca's fields and no others, and the SDK's model reads it."""
    for message in story:
        order = BRACKET if message["order"]["legs"] else BRACKET_LEG
        kind = SINGLE_FILL if message["event"] == "fill" else UPDATE
        assert find_fault(message, kind | {"order": row_of(order)}) == ""
    entry = TradeUpdate(**story[1]).order
    assert [leg.type.value for leg in entry.legs] == ["limit", "stop"]


def test_the_fills_of_a_bracket_are_complete(phone: Any, wait_until: Any, story: list[JsonObject]) -> None:
    """Through the SDK, a bracket gives one order with two legs, and each leg's fill arrives once."""
    simulator = phone.simulator
    settings = load_settings(simulator.environment())
    manager = LiveStreamManager()
    manager.start(LiveStreamConfig(settings=settings, backfill=False))
    try:
        wait_until(lambda: simulator.is_listening)
        for message in story:
            simulator.send_update(message)
        wait_until(lambda: len(manager.snapshot().fills) == len(story))
        rows = manager.snapshot().fills
    finally:
        manager.stop()
    assert [(leg["type"], leg["limit_price"], leg["stop_price"]) for leg in rows[-1]["legs"]] == [
        ("limit", 420.0, None),
        ("stop", None, 390.0),
    ]
    fill_day = FillDayBuilder().build(rows)
    assert [(one.symbol, one.side, one.quantity, one.price) for one in fill_day.executions] == [
        ("MSFT", "sell", 10.0, 420.25),
        ("MSFT", "buy", 10.0, 400.0),
    ]
    (order,) = fill_day.orders
    assert [(leg.side, leg.status) for leg in order.legs] == [("sell", "filled"), ("sell", "canceled")]
