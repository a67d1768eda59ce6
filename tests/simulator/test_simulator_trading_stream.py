"""The trading stream, checked with a plain client against Alpaca's documented protocol."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import msgpack
import pytest

CALL = "AAPL391216C00270000"
AUTHORIZED = {"stream": "authorization", "data": {"action": "authenticate", "status": "authorized"}}
LISTENING = {"stream": "listening", "data": {"streams": ["trade_updates"]}}


def test_authenticate_and_listen(phone) -> None:
    """The right keys are authorized, and listening is acknowledged with the streams granted."""

    async def talk() -> None:
        async with phone.dial("/stream", codec="json") as line:
            assert await line.authenticate() == AUTHORIZED
            assert await line.listen() == LISTENING
            answer = await line.ask({"action": "listen", "data": {"streams": ["weather"]}})
            assert answer == {"stream": "listening", "data": {"streams": []}}

    asyncio.run(talk())


def test_the_newer_spelling_of_authentication(phone) -> None:
    """Key and secret at the top level authenticate as well."""

    async def talk() -> None:
        async with phone.dial("/stream", codec="json") as line:
            assert await line.ask({"action": "auth", "key": "demo", "secret": "demo"}) == AUTHORIZED

    asyncio.run(talk())


def test_a_wrong_key_is_unauthorized(phone) -> None:
    """A wrong secret is answered with "unauthorized" and a close frame."""

    async def talk() -> None:
        async with phone.dial("/stream", codec="json") as line:
            answer = await line.authenticate(secret="wrong")  # noqa: S106
            assert answer["data"]["status"] == "unauthorized"
            assert (await line.hear()).type is aiohttp.WSMsgType.CLOSE

    asyncio.run(talk())


def test_listening_needs_authentication(phone) -> None:
    """Listening before authenticating is unauthorized, and nothing is sent."""

    async def talk() -> None:
        async with phone.dial("/stream", codec="json") as line:
            answer = await line.listen()
            assert answer["data"] == {"action": "listen", "status": "unauthorized"}

    asyncio.run(talk())


def test_a_client_that_does_not_authenticate_is_disconnected(make_phone) -> None:
    """Without authentication, the connection is closed after a while."""

    async def talk() -> None:
        phone = make_phone(auth_timeout_seconds=0.05)
        async with phone.dial("/stream", codec="json") as line:
            assert (await line.hear()).type is aiohttp.WSMsgType.CLOSE

    asyncio.run(talk())


@pytest.mark.parametrize("message", ["nonsense", "[]", "{}", '"action"'])
def test_invalid_messages_are_refused(phone, message) -> None:
    """An unreadable message gets an error, and the connection stays open."""

    async def talk() -> None:
        async with phone.dial("/stream", codec="json") as line:
            await line.socket.send_str(message)
            assert (await line.hear())["stream"] == "error"
            await line.say({"action": "dance"})
            assert await line.authenticate() == AUTHORIZED

    asyncio.run(talk())


def test_a_second_connection_is_refused_before_the_upgrade(phone) -> None:
    """While one trading connection is open, another gets HTTP 429; afterwards, the place is free."""

    async def talk() -> None:
        async with phone.fills():
            with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                async with phone.dial("/stream"):
                    pass
            assert refusal.value.status == 429
        phone.simulator.wait_for(lambda: not phone.simulator.open_connections["fills"])
        async with phone.fills():
            pass

    asyncio.run(talk())


def test_updates_are_json_in_binary_frames(phone) -> None:
    """An order update comes as JSON text inside a binary frame."""

    async def talk() -> None:
        async with phone.fills() as line:
            order_id = phone.simulator.place_order(CALL, "buy", 2, limit_price=9.1)
            for event in ("pending_new", "new"):
                message = await line.socket.receive()
                assert message.type is aiohttp.WSMsgType.BINARY
                update = json.loads(message.data)
                assert update["stream"] == "trade_updates"
                assert update["data"]["event"] == update["data"]["order"]["status"] == event
                assert update["data"]["order"]["id"] == order_id
                assert update["data"]["order"]["limit_price"] == "9.1"

    asyncio.run(talk())


def test_msgpack_on_request(phone) -> None:
    """With the msgpack header both sides speak msgpack."""

    async def talk() -> None:
        async with phone.dial("/stream") as line:
            assert await line.authenticate() == AUTHORIZED
            await line.listen()
            phone.simulator.place_order(CALL)
            message = await line.socket.receive()
            assert msgpack.unpackb(message.data)["data"]["event"] == "pending_new"

    asyncio.run(talk())


def test_unheard_events_are_in_rest(phone) -> None:
    """Events without a connected client are not repeated on the stream, but REST has them."""

    async def talk() -> None:
        phone.simulator.fill_now(CALL, "buy", 3, 9.0)
        async with phone.fills() as line:
            phone.simulator.fill_now(CALL, "sell", 1, 9.5)
            events = [(await line.hear())["data"] for _ in range(3)]
            assert [event["event"] for event in events] == ["pending_new", "new", "fill"]
            assert events[2]["position_qty"] == "2"

    asyncio.run(talk())
    rows = phone.body("/v2/account/activities", direction="asc")
    assert [(row["side"], row["qty"], row["price"]) for row in rows] == [
        ("buy", "3", "9"),
        ("sell", "1", "9.5"),
    ]


def test_fills_start_soon_after_listening(make_phone) -> None:
    """With its timer running and a contract known, the simulator fills an order within two seconds."""

    async def talk() -> None:
        phone = make_phone(order_interval_seconds=0.5, contracts=[CALL])
        async with phone.fills() as line, asyncio.timeout(2.5):
            while (await line.hear())["data"]["event"] != "partial_fill":
                pass

    asyncio.run(talk())


def test_orders_use_subscribed_symbols(make_phone) -> None:
    """Without given contracts, orders are placed for the subscribed ones, unless expired."""

    async def talk() -> None:
        phone = make_phone(order_interval_seconds=0.01)
        async with phone.fills() as line, phone.options(CALL, "AAPL200117C00270000"):
            update = (await line.hear())["data"]
            assert update["order"]["symbol"] == CALL

    asyncio.run(talk())


def test_anything_can_be_sent(phone) -> None:
    """A null update, an unknown event and an unknown status are sent unchanged."""

    async def talk() -> None:
        async with phone.fills() as line:
            phone.simulator.send_update(None)
            assert await line.hear() == {"stream": "trade_updates", "data": None}
            order_id = phone.simulator.place_order(CALL)
            for _ in ("pending_new", "new"):
                await line.hear()
            phone.simulator.send_event(order_id, "moonlighted", status="glowing")
            data = (await line.hear())["data"]
            assert (data["event"], data["order"]["status"]) == ("moonlighted", "glowing")

    asyncio.run(talk())
