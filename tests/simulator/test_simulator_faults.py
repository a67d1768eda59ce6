"""The simulator misbehaves on command, on the wire, each stream by itself, and behaves again afterwards."""

from __future__ import annotations

import asyncio
import math
import socket
import time

import aiohttp
import msgpack
import pytest

from options_helper.simulator.faults import Faults
from options_helper.simulator.malformed import malformed_payloads
from options_helper.simulator.orders import LegRequest
from options_helper.simulator.server import AlpacaSimulator

CALL = "AAPL271217C00270000"
PATHS = {"stocks": "/v2/iex", "options": "/v1beta1/opra", "fills": "/stream"}
DATA = ["stocks", "options"]
ALL = [*DATA, "fills"]
SHORT = 0.1


async def log_in(line, stream):
    """Authenticate on any stream, and say what came back."""
    if stream == "fills":
        return await line.authenticate()
    await line.hear()
    return await line.log_in()


async def subscribe(line, stream):
    """Subscribe on any stream, and say what came back."""
    if stream == "fills":
        return await line.listen()
    return await line.subscribe(quotes=[CALL if stream == "options" else "AAPL"])


async def is_silent(line) -> bool:
    """Whether nothing comes for a while."""
    try:
        await line.socket.receive(timeout=SHORT)
    except TimeoutError:
        return True
    return False


def codec(stream: str) -> str:
    """How a stream is spoken to."""
    return "json" if stream == "fills" else "msgpack"


@pytest.mark.parametrize("stream", ALL)
@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_an_http_status_in_place_of_the_upgrade(phone, stream, status) -> None:
    """The upgrade of one stream is answered with a status; clearing it heals."""
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
def test_another_program_holds_the_place(phone, stream) -> None:
    """While a stream is held its place is taken: 406, or HTTP 429 on the trading stream."""
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
    """TCP is accepted, the upgrade never answered; the connection counts as open until the client leaves."""
    phone.simulator.faults.set(stream, hang_on_connect=True)

    async def talk() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(SHORT), phone.dial(PATHS[stream]):
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
    """The server falls silent at a step of the handshake, after answering those before it."""
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
    """Only the symbols named, or only so many, are granted; on fills the stream itself can be left out."""
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
def test_mute_but_alive(phone, stream) -> None:
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


def make_event(simulator: AlpacaSimulator, stream: str) -> None:
    """Something that a client of the stream is told of."""
    if stream == "fills":
        simulator.place_order(CALL)
    else:
        simulator.push_quote(CALL if stream == "options" else "AAPL", 1.0, 1.1)


@pytest.mark.parametrize("stream", ALL)
@pytest.mark.parametrize("how", ["reset", "fin", "close"])
def test_dropping_a_connection(phone, stream, how) -> None:
    """A reset is an RST, "fin" an end without a close frame, "close" a close frame with its code."""

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
    """The next connections are dropped at a step of the handshake, as many as asked; then it is stable."""
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
    """With a delay every answer and every message comes that much later."""
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


def test_nobody_listens_any_more(phone) -> None:
    """When it stops accepting, new connections are refused and present ones go on; then it accepts again."""

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
    """An error can come at any time, with or without the connection being cut after it."""

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
    """Each kind of malformed frame reaches the client unchanged, text as text and bytes as bytes."""

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


def test_malformed_kinds_are_what_they_say() -> None:
    """Truncated msgpack does not decode, NaN is NaN, null fields are null, good ones surround the bad one."""
    payloads = malformed_payloads("options", CALL)
    with pytest.raises(ValueError, match="incomplete"):
        msgpack.unpackb(payloads["truncated"])
    assert math.isnan(msgpack.unpackb(payloads["nan"])[0]["bp"])
    assert msgpack.unpackb(payloads["null fields"])[0]["bp"] is None
    assert [type(one["bp"]) for one in msgpack.unpackb(payloads["among good"])] == [float, str, float]
    assert malformed_payloads("stocks", "AAPL").keys() == payloads.keys()


def test_unknown_faults_are_errors() -> None:
    """A fault or a stream that does not exist is an error where it is set."""
    faults = Faults()
    with pytest.raises(ValueError, match="no such fault: rudeness"):
        faults.set("options", rudeness=True)
    with pytest.raises(KeyError):
        faults.set("bonds", mute=True)


def test_start_and_stop() -> None:
    """Starting twice is starting once, stopping twice as well; it starts again on its port."""
    simulator = AlpacaSimulator(tick_seconds=0, order_interval_seconds=0)
    simulator.stop()
    assert simulator.ledger().orders == ()
    simulator.start()
    port = simulator.port
    simulator.start()
    with pytest.raises(OSError, match="address already in use"):
        AlpacaSimulator(port=port).start()
    simulator.stop()
    simulator.stop()
    with pytest.raises(RuntimeError, match="not running"):
        simulator.resume_accepting()
    simulator.start()
    assert simulator.port == port
    simulator.fill_now(CALL)
    simulator.stop()
    assert len(simulator.ledger().executions) == 1


def test_stopping_cuts_everybody(phone) -> None:
    """Stop ends within a second whatever hangs, and leaves no connection."""
    simulator = phone.simulator
    simulator.faults.set("options", hang_on_connect=True)
    simulator.faults.set("stocks", silent_on_connect=True)

    async def talk() -> float:
        async with phone.fills() as line, phone.dial("/v2/iex"):
            hanging = asyncio.create_task(_dial(phone))
            await asyncio.to_thread(simulator.wait_for, lambda: simulator.open_connections["options"])
            started = time.monotonic()
            await asyncio.to_thread(simulator.stop)
            took = time.monotonic() - started
            assert isinstance(await line.hear(), aiohttp.WSMessage)
            with pytest.raises(aiohttp.ClientError):
                await hanging
            return took

    assert asyncio.run(talk()) < 1
    assert not any(simulator.open_connections.values())


async def _dial(phone) -> None:
    async with phone.dial("/v1beta1/opra"):
        pass


def test_waiting_gives_up() -> None:
    """Waiting for a condition that never holds ends with an error."""
    AlpacaSimulator.wait_for(lambda: True)
    with pytest.raises(TimeoutError):
        AlpacaSimulator.wait_for(lambda: False, 0.01)


def test_the_environment_points_here(phone) -> None:
    """The environment names the keys and this server's three URLs."""
    url = f"127.0.0.1:{phone.simulator.port}"
    assert phone.simulator.environment() == {
        "APCA_API_KEY_ID": "demo",
        "APCA_API_SECRET_KEY": "demo",
        "APCA_API_BASE_URL": f"http://{url}",
        "APCA_API_DATA_URL": f"http://{url}",
        "APCA_API_STREAM_URL": f"ws://{url}",
    }


@pytest.mark.parametrize("per_frame", [1, 10, 7])
def test_a_burst_sends_exactly_what_it_says(phone, per_frame) -> None:
    """Every quote of a burst arrives, and the last of each symbol is the one it names."""
    symbols = [f"AAPL271217C{n * 1000:08d}" for n in range(1, 26)]

    async def talk() -> None:
        async with phone.options(*symbols) as line:
            burst = asyncio.create_task(
                asyncio.to_thread(phone.simulator.burst, "options", 5003, per_frame=per_frame)
            )
            seen, last = 0, {}
            while seen < 5003:
                messages = await line.hear()
                assert len(messages) <= per_frame
                seen += len(messages)
                last |= {message["S"]: (message["bp"], message["ap"]) for message in messages}
            result = await burst
            assert (result.sent, result.last) == (seen, last)

    asyncio.run(talk())


def test_a_burst_at_a_rate(phone) -> None:
    """A burst at a rate takes as long as the rate says."""

    async def talk() -> None:
        async with phone.stocks("AAPL"):
            result = await asyncio.to_thread(
                phone.simulator.burst, "stocks", 300, rate=2000.0, symbols=["AAPL"]
            )
            assert result.sent == 300
            assert 0.1 < result.seconds < 5

    asyncio.run(talk())


def test_a_burst_needs_a_listener(phone) -> None:
    """Without a connection or a symbol there is nothing to send to."""
    with pytest.raises(RuntimeError, match="nobody is connected"):
        phone.simulator.burst("options", 1)

    async def talk() -> None:
        async with phone.dial("/v1beta1/opra"):
            phone.simulator.wait_for(lambda: phone.simulator.open_connections["options"])
            with pytest.raises(RuntimeError, match="nobody has subscribed"):
                phone.simulator.burst("options", 1)

    asyncio.run(talk())


def test_driving_an_order_by_hand(phone) -> None:
    """Orders are placed, filled at given or market prices, and read back from the ledger."""
    simulator = phone.simulator
    legs = [LegRequest(CALL, "buy"), LegRequest("AAPL271217P00270000", "sell", intent="sell_to_open")]
    parent = simulator.place_multileg_order(legs, 1, limit_price=0.5)
    simulator.fill(parent, prices=[2.0, 1.5])
    simulator.fill_now("AAPL200117C00270000")
    simulator.push_status("AAPL")
    simulator.pin_price("AAPL", 300)
    ledger = simulator.ledger()
    assert [str(one.price) for one in ledger.executions[:2]] == ["2.00", "1.50"]
    assert len(ledger.orders) == 4
