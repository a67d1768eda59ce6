"""Every frame and REST row of the simulator against `alpaca_fields`.

A field that Alpaca does not send is forbidden, and so is a type it does not use: the simulator must not agree
with the client merely because both were written here.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from typing import Any

import pytest

from options_helper.simulator.account.orders import LegRequest
from options_helper.simulator.account.portfolio import demo_portfolio
from options_helper.simulator.market.mid_session import MidSession
from tests.simulator.alpaca_fields import (
    ACCOUNT,
    ACTIVITY,
    CALENDAR_DAY,
    CLOCK,
    CONTRACT,
    DELIVERABLE,
    ERROR,
    FLAT_PARENT,
    LEG,
    MULTILEG_FILL,
    OPTION_ACK,
    OPTION_QUOTE,
    OPTION_SNAPSHOT,
    OPTION_TRADE,
    ORDER,
    PARENT,
    PAST,
    POSITION,
    SINGLE_FILL,
    STATUS,
    STOCK_ACK,
    STOCK_QUOTE,
    STOCK_SNAPSHOT,
    STOCK_TRADE,
    STREAM_PARENT,
    SUCCESS,
    UPDATE,
    Fields,
    by_symbol,
    find_fault,
    moment,
    one_of,
    packed_time,
    price,
    row_of,
    rows_of,
    text,
)

CALL, PUT = "AAPL391216C00270000", "AAPL391216P00270000"
CONTRACTS = [CALL, PUT, "BRKB391216C00500000"]


def test_the_check_itself_can_fail() -> None:
    """An additional field, a missing field and a wrong type are each found."""
    good = {"x": "A", "p": 1.0, "s": 1, "c": "I"}
    assert find_fault(good, OPTION_TRADE) == ""
    assert find_fault(good | {"i": 1}, OPTION_TRADE)
    assert find_fault(good | {"s": True}, OPTION_TRADE)
    assert find_fault(good | {"c": ["I"]}, OPTION_TRADE)
    assert find_fault({"x": "A"}, OPTION_TRADE)
    assert not rows_of(DELIVERABLE)([{"type": "equity"}])


def assert_rows(rows: list[dict[str, Any]], fields: Fields) -> None:
    """Every row is as the list says, and there is at least one."""
    assert rows
    for row in rows:
        assert find_fault(row, fields) == "", row


@pytest.mark.parametrize("codec", ["msgpack", "json"])
def test_stock_messages(phone, codec) -> None:
    """Every message of the stock stream, in both codecs, has Alpaca's fields and no others."""
    head = {"S": text, "t": packed_time if codec == "msgpack" else moment}

    async def talk() -> None:
        async with phone.dial("/v2/iex", codec=codec) as line:
            assert_rows(await line.hear(), SUCCESS)
            assert_rows(await line.subscribe(), ERROR)
            assert_rows(await line.log_in(), SUCCESS)
            assert_rows(await line.subscribe(quotes=["*"], trades=["*"], statuses=["*"]), STOCK_ACK)
            seen = set()
            phone.simulator.push_status("AAPL")
            phone.simulator.push_trade("AAPL", 270.0, 100)
            phone.simulator.push_quote("AAPL", 270.0, 270.01)
            fields = {"s": STATUS, "t": STOCK_TRADE, "q": STOCK_QUOTE}
            while seen != {"s", "t", "q"}:
                for message in await line.hear():
                    kind = message.pop("T")
                    assert_rows([message], head | fields[kind])
                    seen.add(kind)

    asyncio.run(talk())


@pytest.mark.date_sensitive
def test_stock_messages_of_the_market(phone) -> None:
    """The seeded market's own messages for stocks have Alpaca's fields and no others."""

    async def talk() -> None:
        async with phone.stocks("AAPL", "BRK.B") as line:
            phone.simulator.tick(60)
            fields = {"t": STOCK_TRADE, "q": STOCK_QUOTE}
            seen = set()
            while seen != {"t", "q"}:
                for message in await line.hear():
                    kind = message.pop("T")
                    assert_rows([message], fields[kind] | {"S": text, "t": packed_time})
                    seen.add(kind)

    asyncio.run(talk())


def test_option_messages(phone) -> None:
    """Every message of the option stream has Alpaca's fields and no others."""

    async def talk() -> None:
        async with phone.dial("/v1beta1/opra") as line:
            assert_rows(await line.hear(), SUCCESS)
            assert_rows(await line.log_in(), SUCCESS)
            assert_rows(await line.subscribe(quotes=["*"]), ERROR)
            assert_rows(await line.subscribe(quotes=CONTRACTS, trades=CONTRACTS), OPTION_ACK)
            phone.simulator.tick(200)
            fields = {"t": OPTION_TRADE, "q": OPTION_QUOTE}
            seen = set()
            while seen != {"t", "q"}:
                for message in await line.hear():
                    kind = message.pop("T")
                    assert_rows([message], fields[kind] | {"S": one_of(*CONTRACTS), "t": packed_time})
                    seen.add(kind)
            phone.simulator.burst("options", 30, per_frame=10)
            burst: list[Any] = []
            while len(burst) != 10:
                burst = await line.hear()
            assert_rows(burst, OPTION_QUOTE | {"T": text, "S": text, "t": packed_time})

    asyncio.run(talk())


def test_order_updates(phone) -> None:
    """Every order update, of single and multi-leg orders, has Alpaca's fields and no others."""
    simulator = phone.simulator

    async def hear(line: Any, fields: Fields, order: Fields) -> None:
        message = json.loads(json.dumps(await line.hear()))
        assert set(message) == {"stream", "data"}
        assert_rows([message["data"]], fields | {"order": row_of(order)})

    async def talk() -> None:
        async with phone.fills() as line:
            order_id = simulator.place_order(CALL, "buy", 3, limit_price=9.0)
            await hear(line, UPDATE, ORDER)
            await hear(line, UPDATE, ORDER)
            execution_id = simulator.fill(order_id, 1, 9.0)
            await hear(line, SINGLE_FILL, ORDER)
            simulator.correct(execution_id, 8.9)
            await hear(line, PAST, ORDER)
            simulator.bust(execution_id)
            await hear(line, PAST, ORDER)
            successor = simulator.replace_order(order_id, qty=2, limit_price=9.1)
            await hear(line, UPDATE, ORDER)
            await hear(line, UPDATE, ORDER)
            simulator.close_order(successor, reason="CORPORATE_ACTION")
            await hear(line, UPDATE, ORDER)
            for status in ("rejected", "expired"):
                simulator.close_order(simulator.place_order("BRK.B", "sell", 1), status)
                for _ in ("pending_new", "new", status):
                    await hear(line, UPDATE, ORDER)
            legs = [LegRequest(CALL, "buy"), LegRequest(PUT, "sell", ratio=2)]
            parent = simulator.place_multileg_order(legs, 2, limit_price=-1.0)
            await hear(line, UPDATE, STREAM_PARENT)
            await hear(line, UPDATE, STREAM_PARENT)
            simulator.fill(parent, 1)
            await hear(line, MULTILEG_FILL, STREAM_PARENT)
            simulator.fill(parent)
            await hear(line, MULTILEG_FILL, STREAM_PARENT)

    asyncio.run(talk())
    assert_rows(phone.body("/v2/account/activities"), ACTIVITY)
    nested = phone.body("/v2/orders", status="all", nested="true")
    assert_rows([row for row in nested if row["symbol"]], ORDER)
    assert_rows([row for row in nested if not row["symbol"]], PARENT)
    flat = phone.body("/v2/orders", status="all")
    assert_rows([row for row in flat if not row["symbol"]], FLAT_PARENT)
    assert_rows([row for row in flat if row["symbol"] and row["order_class"] == "mleg"], LEG)


@pytest.mark.date_sensitive
def test_account_rows(make_phone) -> None:
    """Account and positions have Alpaca's fields and no others."""
    today = MidSession.today(dt.datetime.now(dt.UTC))
    phone = make_phone(portfolio=demo_portfolio(today))
    assert_rows([phone.body("/v2/account")], ACCOUNT)
    assert_rows(phone.body("/v2/positions"), POSITION)


@pytest.mark.date_sensitive
def test_clock_and_calendar_rows(phone) -> None:
    """Clock and calendar have Alpaca's fields and no others."""
    assert_rows([phone.body("/v2/clock")], CLOCK)
    assert_rows(phone.body("/v2/calendar"), CALENDAR_DAY)


@pytest.mark.date_sensitive
def test_contract_rows(phone) -> None:
    """Contracts have Alpaca's fields and no others."""
    for symbol in (CALL, "CSGP1391216P00001000", "SPXW391216C06000000", "AAPL200117C00100000"):
        assert_rows([phone.body(f"/v2/options/contracts/{symbol}", show_deliverables="true")], CONTRACT)


@pytest.mark.date_sensitive
def test_market_data_rows(phone) -> None:
    """Snapshots and index values have Alpaca's fields and no others."""
    symbols = ",".join(CONTRACTS)
    snapshots = phone.body("/v1beta1/options/snapshots", symbols=symbols, feed="indicative")
    assert_rows([snapshots], {"snapshots": by_symbol(OPTION_SNAPSHOT), "next_page_token": one_of(None)})
    assert_rows(list(phone.body("/v2/stocks/snapshots", symbols="AAPL,BRK.B").values()), STOCK_SNAPSHOT)
    values = phone.body("/v1beta1/indices/latest/values", symbols="SPX,VIX,AAPL")
    assert set(values["values"]) == {"SPX", "VIX"}
    assert_rows([values], {"values": by_symbol({"t": moment, "v": price})})
