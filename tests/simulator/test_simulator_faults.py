"""The simulator refuses, hangs and falls silent on command, each stream by itself, and behaves again."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from options_helper.simulator.faults import Faults
from tests.simulator.any_stream import (
    ALL,
    CALL,
    DATA,
    PATHS,
    SHORT_SECONDS,
    codec,
    is_silent,
    log_in,
    make_event,
    subscribe,
)


@pytest.mark.parametrize("stream", ALL)
@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_an_http_status_in_place_of_the_upgrade(phone, stream, status) -> None:
    """The upgrade of one stream gets this status until the fault is cleared."""
    phone.simulator.faults.set(stream, http_status=status)

    async def talk() -> None:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            async with phone.dial(PATHS[stream]):
                pass
        assert refusal.value.status == status
        phone.simulator.faults.clear(stream)
        async with phone.dial(PATHS[stream], codec=codec(stream)) as line:
            assert await log_in(line, stream)

    asyncio.run(talk())


@pytest.mark.parametrize("stream", ALL)
def test_a_refused_key(phone, stream) -> None:
    """The right key is refused on one stream, and still accepted on the others."""
    phone.simulator.faults.set(stream, refuse_key=True)

    async def talk() -> None:
        for name in ALL:
            async with phone.dial(PATHS[name], codec=codec(name)) as line:
                answer = str(await log_in(line, name))
                assert ("402" in answer or "unauthorized" in answer) == (name == stream)

    asyncio.run(talk())


@pytest.mark.parametrize("stream", DATA)
@pytest.mark.parametrize("code", [406, 409, 411, 500])
def test_an_error_while_logging_in(phone, stream, code) -> None:
    """Any error code can be the answer to the authentication."""
    phone.simulator.faults.set(stream, auth_error=code)

    async def talk() -> None:
        async with phone.dial(PATHS[stream]) as line:
            assert (await log_in(line, stream))[0]["code"] == code

    asyncio.run(talk())


@pytest.mark.parametrize("stream", DATA)
@pytest.mark.parametrize("code", [405, 410])
def test_an_error_while_subscribing(phone, stream, code) -> None:
    """Any error code can be the answer to a subscription, and nothing is subscribed."""
    phone.simulator.faults.set(stream, subscribe_error=code)

    async def talk() -> None:
        async with phone.dial(PATHS[stream]) as line:
            await log_in(line, stream)
            assert (await subscribe(line, stream))[0]["code"] == code
            assert not any(phone.simulator.subscriptions(stream).values())

    asyncio.run(talk())


@pytest.mark.parametrize("stream", ALL)
def test_another_program_holds_the_connection(phone, stream) -> None:
    """While a stream is held, its place is taken: 406, or HTTP 429 on the trading stream."""
    phone.simulator.faults.set(stream, held=True)

    async def talk() -> int:
        async with phone.dial(PATHS[stream], codec=codec(stream)) as line:
            return (await log_in(line, stream))[0]["code"]

    if stream == "fills":
        with pytest.raises(aiohttp.WSServerHandshakeError, match="429"):
            asyncio.run(talk())
    else:
        assert asyncio.run(talk()) == 406


@pytest.mark.parametrize("stream", ALL)
def test_accepting_without_ever_answering(phone, stream) -> None:
    """The upgrade is never answered, and the connection counts as open until the client leaves."""
    phone.simulator.faults.set(stream, hang_on_connect=True)

    async def talk() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(SHORT_SECONDS), phone.dial(PATHS[stream]):
                pass

    asyncio.run(talk())
    phone.simulator.wait_for(lambda: not any(phone.simulator.open_connections.values()))
    assert phone.simulator.connections_total[stream] == 1
    assert len(phone.simulator.connection_times[stream]) == 1


@pytest.mark.parametrize("stream", ALL)
@pytest.mark.parametrize(
    ("fault", "step"),
    [("silent_on_connect", 0), ("silent_after_auth", 1), ("no_subscription_ack", 2)],
)
def test_falling_silent(phone, stream, fault, step) -> None:
    """The server stops answering at a step of the handshake."""
    phone.simulator.faults.set(stream, **{fault: True})

    async def talk() -> None:
        async with phone.dial(PATHS[stream], codec=codec(stream)) as line:
            if step == 0 and stream != "fills":
                assert await is_silent(line)
                return
            if step == 2:
                assert await log_in(line, stream)
                request = {"action": "listen", "data": {"streams": ["trade_updates"]}}
                await line.say(request if stream == "fills" else {"action": "subscribe", "quotes": ["AAPL"]})
            elif stream == "fills":
                await line.say({"action": "authenticate", "data": {"key_id": "demo", "secret_key": "demo"}})
            else:
                await line.hear()
                await line.say({"action": "auth", "key": "demo", "secret": "demo"})
            assert await is_silent(line)

    asyncio.run(talk())


def test_a_subscription_granted_in_part(phone) -> None:
    """Only named symbols or a number of them are granted, and fills may be left out."""
    symbols = [f"AAPL271217C{n * 1000:08d}" for n in range(1, 6)]

    async def ask() -> list[str]:
        async with phone.dial("/v1beta1/opra") as line:
            await log_in(line, "options")
            [answer] = await line.subscribe(quotes=symbols)
            return answer["quotes"]

    async def talk() -> None:
        faults = phone.simulator.faults
        faults.set("options", grant_only=frozenset(symbols[3:]))
        assert await ask() == symbols[3:]
        faults.clear("options")
        faults.set("options", grant_at_most=2)
        phone.simulator.wait_for(lambda: not phone.simulator.open_connections["options"])
        assert await ask() == symbols[:2]
        faults.set("fills", grant_only=frozenset())
        async with phone.dial("/stream", codec="json") as line:
            await line.authenticate()
            assert (await line.listen())["data"] == {"streams": []}
            phone.simulator.place_order(CALL)
            assert await is_silent(line)

    asyncio.run(talk())


@pytest.mark.parametrize("stream", ALL)
def test_a_mute_stream_still_answers_pings(phone, stream) -> None:
    """A mute stream sends no data but answers pings, and speaks again when the fault is cleared."""

    async def talk() -> None:
        async with phone.dial(PATHS[stream], codec=codec(stream), autoping=False) as line:
            await log_in(line, stream)
            await subscribe(line, stream)
            phone.simulator.faults.set(stream, mute=True)
            make_event(phone.simulator, stream)
            await line.socket.ping()
            assert (await line.socket.receive(timeout=5)).type is aiohttp.WSMsgType.PONG
            phone.simulator.faults.clear(stream)
            make_event(phone.simulator, stream)
            assert (await line.socket.receive(timeout=5)).type is aiohttp.WSMsgType.BINARY

    asyncio.run(talk())


@pytest.mark.parametrize("stream", ALL)
def test_a_vanished_peer(phone, stream) -> None:
    """A vanished peer sends nothing, not even a pong, until it comes back."""

    async def talk() -> None:
        async with phone.dial(PATHS[stream], codec=codec(stream), autoping=False) as line:
            await log_in(line, stream)
            await subscribe(line, stream)
            phone.simulator.faults.set(stream, vanished=True)
            make_event(phone.simulator, stream)
            await line.socket.ping()
            assert await is_silent(line)
            phone.simulator.faults.clear()
            assert (await line.socket.receive(timeout=5)).type is aiohttp.WSMsgType.PONG

    asyncio.run(talk())


@pytest.mark.parametrize("stream", ALL)
def test_a_close_frame_has_the_code_of_the_drop(phone, stream) -> None:
    """A connection that is dropped with a close frame ends with code 1001, even before its first message."""
    phone.simulator.faults.set(stream, drops=1, drop_at="connect", drop_how="close")

    async def talk() -> None:
        async with phone.dial(PATHS[stream], codec=codec(stream)) as line:
            while not line.socket.closed:
                await line.hear()
            assert line.socket.close_code == 1001

    asyncio.run(talk())


def test_unknown_faults_are_errors() -> None:
    """An unknown fault or stream raises where it is set."""
    faults = Faults()
    with pytest.raises(ValueError, match="no such fault: rudeness"):
        faults.set("options", rudeness=True)
    with pytest.raises(KeyError):
        faults.set("bonds", mute=True)
