"""The simulator ends and cuts connections and sends raw frames on command."""

from __future__ import annotations

import asyncio
import math
import socket
import time

import aiohttp
import msgpack
import pytest

from options_helper.simulator.streams.malformed import malformed_payloads
from tests.simulator.any_stream import (
    ALL,
    CALL,
    PATHS,
    codec,
    log_in,
    make_event,
    subscribe,
)


@pytest.mark.parametrize("stream", ALL)
@pytest.mark.parametrize("how", ["reset", "fin", "close"])
def test_dropping_a_connection(phone, stream, how) -> None:
    """A "reset" sends RST, "fin" ends without a close frame, and "close" sends one with its code."""

    async def talk() -> None:
        async with phone.dial(PATHS[stream], codec=codec(stream)) as line:
            await log_in(line, stream)
            assert phone.simulator.drop(stream, how, code=4321) == 1
            message = await line.socket.receive(timeout=5)
            if how == "close":
                assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 4321)
            else:
                assert message.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
                assert line.socket.close_code == 1006
        phone.simulator.wait_for(lambda: not phone.simulator.open_connections[stream])
        assert phone.simulator.drop(stream) == 0

    asyncio.run(talk())


def test_a_reset_is_a_reset(phone) -> None:
    """On the bare socket, a reset gives ECONNRESET, while "fin" gives an ordinary end of file."""
    for how in ("reset", "fin"):
        with socket.create_connection(("127.0.0.1", phone.simulator.port)) as raw:
            raw.sendall(
                b"GET /v2/iex HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
            )
            greeting = b""
            while b"connected" not in greeting:
                greeting += raw.recv(4096)
            phone.simulator.drop("stocks", how)
            if how == "reset":
                with pytest.raises(ConnectionResetError):
                    raw.recv(4096)
            else:
                assert raw.recv(4096) == b""


@pytest.mark.parametrize("stream", ALL)
@pytest.mark.parametrize("moment", ["connect", "auth", "subscribe"])
def test_a_flapping_server(phone, stream, moment) -> None:
    """The next connections are dropped at a step of the handshake, for the given number."""
    phone.simulator.faults.set(stream, drops=2, drop_at=moment, drop_how="fin")

    async def attempt() -> bool:
        async with phone.dial(PATHS[stream], codec=codec(stream)) as line:
            try:
                await log_in(line, stream)
                answer = await subscribe(line, stream)
                make_event(phone.simulator, stream)
                event = await line.hear()
            except (aiohttp.ClientError, ConnectionError):
                return False
            return not isinstance(answer, aiohttp.WSMessage) and not isinstance(event, aiohttp.WSMessage)

    async def talk() -> None:
        results = []
        for _ in range(3):
            results.append(await attempt())
            phone.simulator.wait_for(lambda: not phone.simulator.open_connections[stream])
        assert results == [False, False, True]

    asyncio.run(talk())
    assert phone.simulator.connections_total[stream] == 3


def test_a_slow_stream(phone) -> None:
    """With a delay, every answer and message comes that much later."""
    phone.simulator.faults.set("options", delay_seconds=0.05)

    async def talk() -> None:
        async with phone.dial("/v1beta1/opra") as line:
            started = time.monotonic()
            await log_in(line, "options")
            await subscribe(line, "options")
            phone.simulator.push_quote(CALL, 1.0, 1.1)
            assert (await line.hear())[0]["S"] == CALL
            assert time.monotonic() - started >= 0.2

    asyncio.run(talk())


def test_an_abandoned_port_refuses_connections(phone) -> None:
    """New connections are refused and open ones continue, until it accepts again."""

    async def talk() -> None:
        async with phone.stocks("AAPL") as line:
            phone.simulator.stop_accepting()
            phone.simulator.stop_accepting()
            with pytest.raises(aiohttp.ClientConnectorError):
                async with phone.dial("/v1beta1/opra"):
                    pass
            make_event(phone.simulator, "stocks")
            assert (await line.hear())[0]["S"] == "AAPL"
            phone.simulator.resume_accepting()
            async with phone.options(CALL):
                pass

    asyncio.run(talk())


@pytest.mark.parametrize("code", [407, 500])
def test_errors_while_running(phone, code) -> None:
    """An error can be sent at any time, with or without ending the connection."""

    async def talk() -> None:
        async with phone.stocks("AAPL") as line:
            phone.simulator.send_error("stocks", code)
            assert (await line.hear())[0]["code"] == code
            phone.simulator.send_error("stocks", code, drop="close")
            assert (await line.hear())[0]["code"] == code
            assert (await line.hear()).type is aiohttp.WSMsgType.CLOSE

    asyncio.run(talk())


@pytest.mark.parametrize("stream", ALL)
def test_malformed_frames_are_sent_as_they_are(phone, stream) -> None:
    """Each kind of malformed frame arrives unchanged, text as text and bytes as bytes."""

    async def talk() -> None:
        async with phone.dial(PATHS[stream], codec=codec(stream)) as line:
            await log_in(line, stream)
            for kind, payload in malformed_payloads(stream, CALL).items():
                phone.simulator.send_malformed(stream, kind, CALL)
                message = await line.socket.receive(timeout=5)
                text = isinstance(payload, str)
                assert message.type is (aiohttp.WSMsgType.TEXT if text else aiohttp.WSMsgType.BINARY)
                assert len(message.data) == len(payload)

    asyncio.run(talk())


def test_malformed_kinds_match_their_names() -> None:
    """Truncated msgpack does not decode, NaN is NaN, null fields are null, and so on."""
    payloads = malformed_payloads("options", CALL)
    with pytest.raises(ValueError, match="incomplete"):
        msgpack.unpackb(payloads["truncated"])
    assert math.isnan(msgpack.unpackb(payloads["nan"])[0]["bp"])
    assert msgpack.unpackb(payloads["null fields"])[0]["bp"] is None
    assert [type(one["bp"]) for one in msgpack.unpackb(payloads["among good"])] == [float, str, float]
    assert malformed_payloads("stocks", "AAPL").keys() == payloads.keys()
