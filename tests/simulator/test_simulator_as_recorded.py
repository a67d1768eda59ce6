"""The simulator's bodies have the fields of Alpaca's recorded or documented ones, and no others."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from options_helper.simulator.account.orders import LegRequest
from tests.simulator.alpaca_fields import BRACKET, BRACKET_LEG, find_fault, one_of, rows_of

CALL, PUT = "AAPL391216C00270000", "AAPL391216P00270000"
REALITY = Path(__file__).parent.parent / "reality"
AS_RECORDED = BRACKET | {
    "time_in_force": one_of("gtc"),
    "legs": rows_of(BRACKET_LEG | {"time_in_force": one_of("gtc")}),
}
# Documented by Alpaca, but in none of the bodies: the intent and the key of a parent in its OpenAPI examples.
DOCUMENTED = {
    "order": {"position_intent"},
    "contract": {"deliverables.asset_id", "deliverables.settlement_type", "deliverables.settlement_method"}
    | {"deliverables.delayed_settlement"},
    "activity_other": {"group_id"},
}


def fields(value: Any, prefix: str = "") -> set[str]:
    """Return the names of a body's fields, including those of inner objects and lists."""
    if isinstance(value, list):
        return set().union(*(fields(one, prefix) for one in value))
    if not isinstance(value, dict):
        return set()
    inner = (fields(one, f"{prefix}{name}.") for name, one in value.items())
    return {f"{prefix}{name}" for name in value}.union(*inner)


def recorded(kind: str) -> set[str]:
    """Return the fields of every body of a kind."""
    bodies = [json.loads(path.read_text(encoding="utf-8")) for path in REALITY.glob("*.json")]
    return fields([one["body"] for one in bodies if one["kind"] == kind]) | DOCUMENTED.get(kind, set())


def test_rows_have_no_fields_that_alpaca_lacks(phone) -> None:
    """Every field of a REST row has been sent or documented by Alpaca."""
    simulator = phone.simulator
    simulator.fill_now(CALL, "sell", 1, 9.0)
    simulator.fill(simulator.place_multileg_order([LegRequest(CALL, "buy"), LegRequest(PUT, "sell")]))
    simulator.settle("OPASN", PUT)
    orders = phone.body("/v2/orders", status="all", nested="true")
    assert fields(orders) <= recorded("order")
    assert fields(phone.body("/v2/account/activities", activity_types="FILL")) <= recorded("activity")
    events = phone.body("/v2/account/activities", activity_types="OPASN,OPTRD")
    assert fields(events) <= recorded("activity_other")
    contract = phone.body(f"/v2/options/contracts/{CALL}", show_deliverables="true")
    assert fields(contract) <= recorded("contract")
    assert fields(phone.body("/v2/clock")) <= recorded("clock")
    assert fields(phone.body("/v2/calendar")) <= recorded("calendar")


def test_an_open_bracket_is_hidden_as_reported(phone) -> None:
    """Once its entry has filled, nested rows omit its legs, and flat rows list only the working leg."""
    simulator = phone.simulator
    order_id = simulator.place_bracket("SPY", qty=11, limit_price=700, stop_price=640)
    simulator.fill(order_id, prices=660)
    assert phone.body("/v2/orders", nested="true") == []
    [working] = phone.body("/v2/orders")
    assert (working["type"], working["status"], working["legs"]) == ("limit", "new", None)
    [entry] = phone.body("/v2/orders", status="all", nested="true")
    assert entry == phone.body(f"/v2/orders/{order_id}", nested="true")
    assert find_fault(entry, AS_RECORDED) == ""
    assert fields(entry) <= recorded("order") | {"legs.position_intent"}


def test_a_multileg_fill_is_as_documented(phone) -> None:
    """Each leg has its own execution, and the parent has none; its side is "buy" or ""."""
    simulator = phone.simulator

    async def talk() -> Any:
        async with phone.fills() as line:
            order = simulator.place_multileg_order([LegRequest(CALL, "buy"), LegRequest(PUT, "sell")], 2)
            await line.hear()
            await line.hear()
            simulator.fill(order, 1, [9.0, 4.0])
            return await line.hear()

    data = asyncio.run(talk())["data"]
    assert "execution_id" not in data
    assert [(leg["symbol"], leg["price"], leg["qty"]) for leg in data["legs"]] == [
        (CALL, "9", "1"),
        (PUT, "4", "1"),
    ]
    assert data["position_qtys"] == {CALL: "1", PUT: "-1"}
    assert data["order"]["side"] == "buy"
    assert fields({"stream": "trade_updates", "data": data}) <= recorded("trade_update") | {
        "data.order.position_intent",
        "data.order.legs.position_intent",
        "data.position_qtys",
        f"data.position_qtys.{CALL}",
        f"data.position_qtys.{PUT}",
    }
    [parent] = phone.body("/v2/orders", status="all", nested="true")
    assert parent["side"] == ""
    rows = phone.body("/v2/account/activities")
    assert {row["order_id"] for row in rows} == {leg["order_id"] for leg in data["legs"]}
    assert {row["side"] for row in rows} == {"buy", "sell_short"}


@pytest.mark.parametrize(
    ("kind", "symbol", "side", "rows"),
    [
        ("OPASN", PUT, "sell", {("OPASN", PUT, "1"), ("OPTRD", "AAPL", "100")}),
        ("OPASN", CALL, "sell", {("OPASN", CALL, "1"), ("OPTRD", "AAPL", "-100")}),
        ("OPEXC", CALL, "buy", {("OPEXC", CALL, "-1"), ("OPTRD", "AAPL", "100")}),
        ("OPEXC", PUT, "buy", {("OPEXC", PUT, "-1"), ("OPTRD", "AAPL", "-100")}),
        ("OPEXP", CALL, "buy", {("OPEXP", CALL, "-1")}),
        ("OPEXP", CALL, "sell", {("OPEXP", CALL, "1")}),
    ],
)
def test_settlements_are_activities(phone, kind, symbol, side, rows) -> None:
    """A settlement ends the contract, and the contract and its shares have the same group id."""
    phone.simulator.fill_now(symbol, side, 1, 9.0)
    phone.simulator.settle(kind, symbol)
    found = phone.body("/v2/account/activities", category="non_trade_activity")
    assert {(row["activity_type"], row["symbol"], row["qty"]) for row in found} == rows
    assert len({row.get("group_id") for row in found}) == 1
    assert symbol not in {row["symbol"] for row in phone.body("/v2/positions")}


def test_trades_are_corrected_and_cancelled(phone) -> None:
    """Subscribers to trades receive corrections and cancellations, and REST reflects them."""

    async def talk() -> list[Any]:
        async with phone.stocks("AAPL") as line:
            phone.simulator.push_trade("AAPL", 270.0, 100)
            phone.simulator.correct_trade("AAPL", 271.0)
            phone.simulator.cancel_trade("AAPL")
            return [one for _ in range(3) for one in await line.hear()]

    trade, correction, cancel = asyncio.run(talk())
    assert [trade["T"], correction["T"], cancel["T"]] == ["t", "c", "x"]
    assert (correction["oi"], correction["op"], correction["cp"]) == (trade["i"], 270.0, 271.0)
    assert (cancel["i"], cancel["p"]) == (correction["ci"], 271.0)
    assert fields(correction) <= recorded("stock_frame")


def test_contracts_that_expire_today_have_five_zeros(make_phone) -> None:
    """On its last day, a contract has five zeros for Greeks and no volatility."""
    phone = make_phone()
    today = phone.body("/v2/clock")["timestamp"][2:10].replace("-", "")
    symbol = f"AAPL{today}C00270000"
    row = phone.body("/v1beta1/options/snapshots", symbols=symbol)["snapshots"][symbol]
    assert set(row["greeks"].values()) == {0}
    assert "impliedVolatility" not in row


def test_the_trading_stream_says_why_it_closes(phone) -> None:
    """An error frame comes before the close, in Alpaca's form."""

    async def talk() -> tuple[Any, Any]:
        async with phone.fills() as line:
            phone.simulator.send_last_words("internal server error")
            return await line.hear(), (await line.hear()).data

    message, code = asyncio.run(talk())
    assert message == {"action": "error", "data": {"error_message": "internal server error"}}
    assert code == 1011


def test_a_bust_has_a_negative_quantity(phone) -> None:
    """A bust's quantity is negative."""

    async def talk() -> Any:
        async with phone.fills() as line:
            execution = phone.simulator.fill(phone.simulator.place_order(CALL, "buy", 2), 2, 9.0)
            for _ in ("pending_new", "new", "fill"):
                await line.hear()
            phone.simulator.bust(execution)
            return await line.hear()

    assert asyncio.run(talk())["data"]["qty"] == "-2"
