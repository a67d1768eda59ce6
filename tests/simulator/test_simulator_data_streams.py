"""The stock and the option stream, checked with a plain client against Alpaca's documented protocol."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from options_helper.simulator.world import Plan

CALL = "AAPL391216C00270000"
PUT = "AAPL391216P00270000"
CONNECTED = [{"T": "success", "msg": "connected"}]
AUTHENTICATED = [{"T": "success", "msg": "authenticated"}]
STREAMS = ["/v2/iex", "/v1beta1/indicative"]


def codes(messages: Any) -> list[int]:
    """The error codes of a frame."""
    return [message["code"] for message in messages if message["T"] == "error"]


@pytest.mark.parametrize("path", [*STREAMS, "/v2/sip", "/v1beta1/opra", "/v2/test"])
def test_connect_and_log_in(phone, path) -> None:
    """Every data stream sends a greeting, and answers the right keys with "authenticated"."""

    async def talk() -> None:
        async with phone.dial(path) as line:
            assert await line.hear() == CONNECTED
            assert await line.log_in() == AUTHENTICATED

    asyncio.run(talk())


@pytest.mark.parametrize("path", STREAMS)
def test_keys_in_headers_log_in(phone, path) -> None:
    """Keys sent as headers authenticate without a message; a second authentication is refused with 403."""

    async def talk() -> None:
        keys = {"APCA-API-KEY-ID": "demo", "APCA-API-SECRET-KEY": "demo"}
        async with phone.dial(path, headers=keys) as line:
            assert await line.hear() == CONNECTED
            assert await line.hear() == AUTHENTICATED
            assert codes(await line.log_in()) == [403]

    asyncio.run(talk())


@pytest.mark.parametrize("path", STREAMS)
def test_a_wrong_key_is_refused_and_disconnected(phone, path) -> None:
    """A wrong secret is answered with 402 and a close frame."""

    async def talk() -> None:
        async with phone.dial(path) as line:
            await line.hear()
            assert codes(await line.log_in(secret="wrong")) == [402]  # noqa: S106
            assert (await line.hear()).type is aiohttp.WSMsgType.CLOSE

    asyncio.run(talk())


def test_any_key_is_accepted_on_request(make_phone) -> None:
    """A simulator that accepts any key still refuses an empty one."""

    async def talk() -> None:
        phone = make_phone(any_key=True)
        async with phone.dial("/v2/iex") as line:
            await line.hear()
            assert await line.log_in("whatever", "else") == AUTHENTICATED
        async with phone.dial("/v2/iex") as line:
            await line.hear()
            assert codes(await line.log_in("", "")) == [402]

    asyncio.run(talk())


def test_a_client_that_does_not_log_in_is_disconnected(make_phone) -> None:
    """Without authentication, the connection ends with 404 after a while."""

    async def talk() -> None:
        phone = make_phone(auth_timeout_seconds=0.05)
        async with phone.dial("/v2/iex") as line:
            await line.hear()
            assert codes(await line.hear()) == [404]

    asyncio.run(talk())


def test_a_feed_outside_the_plan_is_refused(make_phone) -> None:
    """A feed that the plan lacks is refused with 409 while logging in."""

    async def talk() -> None:
        phone = make_phone(plan=Plan(feeds=frozenset({"iex", "indicative"})))
        for path in ("/v2/sip", "/v1beta1/opra"):
            async with phone.dial(path) as line:
                await line.hear()
                assert codes(await line.log_in()) == [409]

    asyncio.run(talk())


def test_each_stream_allows_one_connection(phone) -> None:
    """A second connection to a stream is refused with 406; afterwards, the place is free."""

    async def talk() -> None:
        async with phone.options(CALL):
            async with phone.dial("/v1beta1/opra") as second:
                await second.hear()
                assert codes(await second.log_in()) == [406]
            async with phone.dial("/v2/iex") as other:
                await other.hear()
                assert await other.log_in() == AUTHENTICATED
        phone.simulator.wait_for(lambda: not phone.simulator.open_connections["options"])
        async with phone.dial("/v1beta1/opra") as third:
            await third.hear()
            assert await third.log_in() == AUTHENTICATED

    asyncio.run(talk())


def test_the_acknowledgement_lists_everything(phone) -> None:
    """Each acknowledgement has the whole current list, and unsubscribing removes from it."""

    async def talk() -> None:
        async with phone.dial("/v1beta1/indicative") as line:
            await line.hear()
            await line.log_in()
            assert await line.subscribe(quotes=[CALL]) == [
                {"T": "subscription", "trades": [], "quotes": [CALL]}
            ]
            assert await line.subscribe(quotes=[PUT], trades=[PUT]) == [
                {"T": "subscription", "trades": [PUT], "quotes": [CALL, PUT]}
            ]
            answer = await line.ask({"action": "unsubscribe", "quotes": [CALL, PUT], "trades": [CALL]})
            assert answer == [{"T": "subscription", "trades": [PUT], "quotes": []}]
            assert phone.simulator.subscriptions("options") == {"trades": [PUT], "quotes": []}

    asyncio.run(talk())


def test_a_subscription_to_stock_trades_includes_corrections(phone) -> None:
    """A subscription to stock trades is acknowledged with corrections and cancel errors."""

    async def talk() -> None:
        async with phone.dial("/v2/iex", codec="json") as line:
            await line.hear()
            await line.log_in()
            [answer] = await line.subscribe(trades=["BRK.B"])
            assert answer["trades"] == answer["corrections"] == answer["cancelErrors"] == ["BRK.B"]
            assert answer["quotes"] == answer["statuses"] == []

    asyncio.run(talk())


@pytest.mark.parametrize(
    ("path", "message", "code"),
    [
        ("/v2/iex", {"action": "subscribe", "quotes": "AAPL"}, 400),
        ("/v2/iex", {"action": "subscribe", "quotes": [1]}, 400),
        ("/v2/iex", {"action": "subscribe"}, 400),
        ("/v2/iex", {"action": "dance"}, 400),
        ("/v2/iex", {"no": "action"}, 400),
        ("/v2/iex", ["action"], 400),
        ("/v2/iex", {"action": "subscribe", "greeks": ["AAPL"]}, 410),
        ("/v1beta1/opra", {"action": "subscribe", "bars": [CALL]}, 410),
        ("/v1beta1/opra", {"action": "subscribe", "quotes": ["*"]}, 413),
        ("/v1beta1/opra", {"action": "subscribe", "quotes": ["BRK.B391216C00500000"]}, 400),
    ],
)
def test_invalid_requests_are_refused(phone, path, message, code) -> None:
    """An invalid request gets its own error code, and the connection stays open."""

    async def talk() -> None:
        async with phone.dial(path) as line:
            await line.hear()
            await line.log_in()
            assert codes(await line.ask(message)) == [code]
            [answer] = await line.subscribe(trades=[])
            assert answer["T"] == "subscription"

    asyncio.run(talk())


def test_invalid_messages_are_refused(phone) -> None:
    """Invalid msgpack gets 400, and so does text on a msgpack stock stream."""

    async def talk() -> None:
        async with phone.dial("/v2/iex") as line:
            await line.hear()
            await line.socket.send_bytes(b"\xc1")
            assert codes(await line.hear()) == [400]
            await line.socket.send_str("{}")
            assert codes(await line.hear()) == [400]

    asyncio.run(talk())


def test_the_option_stream_is_msgpack_only(phone) -> None:
    """Text on the option stream is answered with 412, in msgpack."""

    async def talk() -> None:
        async with phone.dial("/v1beta1/opra") as line:
            await line.hear()
            await line.socket.send_str('{"action":"auth"}')
            assert codes(await line.hear()) == [412]

    asyncio.run(talk())


def test_a_subscription_needs_a_login(phone) -> None:
    """Subscribing before logging in is answered with 401."""

    async def talk() -> None:
        async with phone.dial("/v2/iex") as line:
            await line.hear()
            assert codes(await line.subscribe(quotes=["AAPL"])) == [401]

    asyncio.run(talk())


@pytest.mark.parametrize(
    ("path", "limit", "symbols"),
    [
        ("/v2/iex", 30, [f"S{chr(65 + n % 26)}{chr(65 + n // 26)}" for n in range(31)]),
        ("/v1beta1/indicative", 200, [f"AAPL391216C{n * 1000:08d}" for n in range(1, 202)]),
        ("/v1beta1/opra", 1000, [f"AAPL391216C{n * 1000:08d}" for n in range(1, 1002)]),
    ],
)
def test_over_the_limit_nothing_changes(phone, path, limit, symbols) -> None:
    """One symbol over the plan's limit gets 405, and the earlier subscriptions stay."""

    async def talk() -> None:
        async with phone.dial(path) as line:
            await line.hear()
            await line.log_in()
            [answer] = await line.subscribe(quotes=symbols[:1])
            assert codes(await line.subscribe(quotes=symbols)) == [405]
            assert await line.subscribe(trades=[]) == [answer]
            [answer] = await line.subscribe(quotes=symbols[:limit])
            assert answer["quotes"] == symbols[:limit]

    asyncio.run(talk())


def test_stocks_can_be_counted_by_channel(make_phone) -> None:
    """A plan may count a stock once per channel."""

    async def talk() -> None:
        phone = make_phone(plan=Plan(stock_symbols={"iex": 3}, count_stock_channels=True))
        async with phone.dial("/v2/iex") as line:
            await line.hear()
            await line.log_in()
            assert codes(await line.subscribe(quotes=["A", "B"], trades=["A", "B"])) == [405]

    asyncio.run(talk())


def test_only_subscribed_symbols_arrive(phone) -> None:
    """A quote goes only to clients that subscribed to its symbol and channel."""

    async def talk() -> None:
        simulator = phone.simulator
        async with phone.dial("/v1beta1/opra") as line:
            await line.hear()
            await line.log_in()
            await line.subscribe(quotes=[CALL])
            simulator.push_quote(PUT, 1.0, 1.1)
            simulator.push_trade(CALL, 1.0)
            simulator.push_quote(CALL, 2.0, 2.1)
            [message] = await line.hear()
            assert (message["T"], message["S"], message["bp"], message["ap"]) == ("q", CALL, 2.0, 2.1)

    asyncio.run(talk())


def test_a_star_subscribes_to_every_stock(phone) -> None:
    """A star in a stock channel stands for every symbol."""

    async def talk() -> None:
        async with phone.stocks("*", codec="json") as line:
            phone.simulator.push_trade("ZZZ", 5.0, 100)
            [message] = await line.hear()
            assert (message["T"], message["S"]) == ("t", "ZZZ")

    asyncio.run(talk())


def test_ticks_arrive_by_themselves(make_phone) -> None:
    """With a timer, quotes of a subscribed stock arrive in batches."""

    async def talk() -> None:
        phone = make_phone(tick_seconds=0.01)
        async with phone.stocks("AAPL", "MSFT", "BRK.B") as line:
            seen: set[str] = set()
            while seen != {"AAPL", "MSFT", "BRK.B"}:
                messages = await line.hear()
                seen |= {message["S"] for message in messages}

    asyncio.run(talk())


def test_msgpack_and_json_say_the_same(phone) -> None:
    """A quote has the same values in both codecs; its time is an extension or text."""

    async def talk() -> None:
        async with phone.stocks("AAPL") as line:
            phone.simulator.push_quote("AAPL", 270.0, 270.02)
            [packed] = await line.hear()
        phone.simulator.wait_for(lambda: not phone.simulator.open_connections["stocks"])
        async with phone.stocks("AAPL", codec="json") as line:
            phone.simulator.push_quote("AAPL", 270.0, 270.02)
            [text] = await line.hear()
        assert {**packed, "t": None} == {**text, "t": None}
        assert packed["t"].nanoseconds % 1000 or packed["t"].seconds
        assert text["t"].endswith("Z")
        assert len(text["t"]) == len("2026-11-22T12:37:30.212885123Z")

    asyncio.run(talk())
