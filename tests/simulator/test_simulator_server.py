"""The simulator as a server: start and stop, bursts, and control by hand."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
import subprocess
import sys
import time

import aiohttp
import pytest

from options_helper.simulator.account.orders import LegRequest
from options_helper.simulator.server import AlpacaSimulator
from tests.simulator.any_stream import (
    CALL,
)

pytestmark = pytest.mark.integration


def test_start_and_stop() -> None:
    """A second start or stop does nothing, and the server starts again on its port."""
    simulator = AlpacaSimulator(tick_seconds=0, order_interval_seconds=0)
    simulator.stop()
    assert simulator.ledger().orders == ()
    simulator.start()
    port = simulator.port
    simulator.start()
    with pytest.raises(OSError, match="ddress already in use"):
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


def test_stopping_disconnects_everybody(phone) -> None:
    """Whatever hangs, Stop ends within a second and leaves no connection."""
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
    """Waiting for a condition that never holds raises."""
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
def test_a_burst_sends_exactly_the_reported_number(phone, per_frame) -> None:
    """Every quote of a burst arrives, and each symbol's last one is as reported."""
    symbols = [f"AAPL391216C{n * 1000:08d}" for n in range(1, 26)]

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
    """A burst at a rate takes the time that follows from the rate."""

    async def talk() -> None:
        async with phone.stocks("AAPL"):
            result = await asyncio.to_thread(
                phone.simulator.burst, "stocks", 300, rate=2000.0, symbols=["AAPL"]
            )
            assert result.sent == 300
            assert 0.1 < result.seconds < 5

    asyncio.run(talk())


def test_a_burst_needs_a_listener(phone) -> None:
    """Without a connection or a symbol, a burst raises."""
    with pytest.raises(RuntimeError, match="nobody is connected"):
        phone.simulator.burst("options", 1)

    async def talk() -> None:
        async with phone.dial("/v1beta1/opra"):
            phone.simulator.wait_for(lambda: phone.simulator.open_connections["options"])
            with pytest.raises(RuntimeError, match="nobody has subscribed"):
                phone.simulator.burst("options", 1)

    asyncio.run(talk())


def test_driving_an_order_by_hand(phone) -> None:
    """Orders are placed, filled at given or market prices, and found in the ledger."""
    simulator = phone.simulator
    legs = [LegRequest(CALL, "buy"), LegRequest("AAPL391216P00270000", "sell", intent="sell_to_open")]
    parent = simulator.place_multileg_order(legs, 1, limit_price=0.5)
    simulator.fill(parent, prices=[2.0, 1.5])
    simulator.fill_now("AAPL200117C00270000")
    simulator.push_status("AAPL")
    simulator.pin_price("AAPL", 300)
    ledger = simulator.ledger()
    assert [str(one.price) for one in ledger.executions[:2]] == ["2.00", "1.50"]
    assert len(ledger.orders) == 4


def test_as_a_process_of_its_own() -> None:
    """Run as a module, the simulator prints the environment that points to it, and ends on Ctrl-C."""
    command = [sys.executable, "-m", "options_helper.simulator", "--seed", "3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        assert process.stdout is not None
        lines = dict(process.stdout.readline().strip().split("=", 1) for _ in range(5))
        port = int(lines["APCA_API_DATA_URL"].rsplit(":", 1)[1])
        socket.create_connection(("127.0.0.1", port)).close()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


def test_a_client_that_never_reads_is_disconnected(phone, monkeypatch) -> None:
    """A client with too much unread data is disconnected."""
    monkeypatch.setattr("options_helper.simulator.connection.BUFFER_LIMIT_BYTES", 1000)

    async def talk() -> None:
        async with phone.stocks("AAPL"):
            phone.simulator.send_raw("stocks", bytes(50_000_000))
        phone.simulator.wait_for(lambda: not phone.simulator.open_connections["stocks"])

    asyncio.run(talk())


def test_the_server_pings_its_clients(phone) -> None:
    """Clients are pinged from time to time."""

    async def talk() -> None:
        async with phone.dial("/v2/iex", autoping=False) as line:
            await line.hear()
            phone.simulator.ping()
            assert (await line.socket.receive(timeout=5)).type is aiohttp.WSMsgType.PING

    asyncio.run(talk())


def test_a_connection_made_during_the_stop_is_ended_too() -> None:
    """A client that connects while the server stops leaves no open socket."""
    for _ in range(5):
        with AlpacaSimulator(tick_seconds=0, order_interval_seconds=0) as simulator:
            client = socket.create_connection(("127.0.0.1", simulator.port), timeout=10)
        with client, contextlib.suppress(ConnectionResetError):
            assert client.recv(1) == b""
    gc.collect()  # an open socket would complain now, and a warning is an error
