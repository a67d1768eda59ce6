"""Readers whose network, clock or version differs from the relay's; one relay serves them all."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

pytest.importorskip("nats", reason="the relay needs nats-py (pip install -e '.[relay]')")
pytest.importorskip("alpaca", reason="needs alpaca-py (pip install -e '.[alpaca]')")
pytest.importorskip("aiohttp", reason="the simulator needs aiohttp (pip install -e '.[dev]')")

import nats

from options_helper.data.streaming.live_manager import LiveStreamManager
from options_helper.market import StreamName
from options_helper.relay import relay as relay_module
from options_helper.relay import requests as requests_module
from options_helper.relay.reader import channel as channel_module
from options_helper.relay.reader import relay_source
from options_helper.relay.reader.channel import Channel
from options_helper.relay.wire import SCHEMA, STORED_SUBJECT, Message, SchemaMismatch, encode
from options_helper.simulator.server import AlpacaSimulator
from options_helper.times import utc_now
from tests.nats_server import NatsServer, Network, running_nats_server
from tests.relay.relayed import (
    PATIENCE,
    bid_price,
    reader_config,
    running_reader,
    running_relay,
    wait_for_ledger,
    wait_live,
    wait_until,
)

pytestmark = pytest.mark.slow

CONTRACTS = tuple(f"AAPL261218C00{strike}000" for strike in range(200, 300))
CONTRACT = CONTRACTS[0]


@dataclass(frozen=True)
class Served:
    """An account whose market moves only when a test says so, its relay's server, and one reader."""

    simulator: AlpacaSimulator
    server: NatsServer
    reader: LiveStreamManager


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Yield an account that a relay publishes; the server drops clients that have read nothing for 2 s."""
    with (
        running_nats_server(tmp_path_factory.mktemp("nats"), 'write_deadline: "2s"\n') as server,
        AlpacaSimulator(contracts=CONTRACTS, tick_seconds=0, order_interval_seconds=0) as simulator,
        running_relay(simulator, server.url),
        running_reader(server.url, reader_config(*CONTRACTS)) as reader,
    ):
        wait_live(reader)
        yield Served(simulator, server, reader)


class SlowChannel(Channel):
    """A channel that keeps its reader's connection waiting while the gate is closed."""

    gate = threading.Event()

    def put(self, message: bytes) -> None:
        """Pass on a message once the gate is open."""
        self.gate.wait(PATIENCE)
        super().put(message)


async def _fill_sockets(server: NatsServer) -> None:
    """Send every reader what it ignores, until the server drops one that does not read."""
    client = await nats.connect(server.url)
    async with asyncio.timeout(PATIENCE):
        while "Slow Consumer" not in server.log:
            await client.publish(f"{STORED_SUBJECT}.nothing", bytes(64 * 1024))
            await client.flush()
    await client.close()


def test_only_the_slow_reader_loses_messages(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that does not read its socket is dropped, says so and catches up; no other notices."""
    simulator, server, quick = served.simulator, served.server, served.reader
    before = quick.snapshot().health
    SlowChannel.gate.set()
    with Network(server.port, buffer=4096) as network, monkeypatch.context() as patched:
        patched.setattr(channel_module, "Channel", SlowChannel)
        with running_reader(network.url, reader_config(*CONTRACTS)) as slow:
            wait_live(slow)
            SlowChannel.gate.clear()
            simulator.tick()
            asyncio.run(_fill_sockets(server))
            simulator.fill_now(CONTRACT, price=3.25)
            simulator.push_quote(CONTRACT, 7.0, 7.5)
            SlowChannel.gate.set()
            wait_until(lambda: bid_price(slow, CONTRACT) == 7.0, "the missed quote")
            wait_for_ledger(simulator, quick, slow)
            for stream in (StreamName.STOCKS, StreamName.OPTIONS):
                record = slow.snapshot().health[stream]
                assert record.last_failure is not None
                assert "did not read" in record.last_failure.words, record
    for stream, record in quick.snapshot().health.items():
        assert (record.attempts, record.lost_at) == (before[stream].attempts, before[stream].lost_at), record


def said(reader: LiveStreamManager, stream: StreamName) -> str:
    """Return the reason why a stream delivers nothing."""
    return reader.snapshot().errors_by_stream.get(stream, "")


@pytest.mark.parametrize("ahead", [-90.0, 90.0])
def test_a_readers_clock_may_be_wrong(served: Served, ahead: float) -> None:
    """Ages, lag and gaps follow Alpaca's clock, and the error of the reader's clock is known."""
    simulator = served.simulator

    def clock() -> dt.datetime:
        return utc_now() + dt.timedelta(seconds=ahead)

    with LiveStreamManager(clock=clock, source=relay_source(served.server.url, {})) as reader:
        reader.start(reader_config(CONTRACT))
        wait_live(reader)
        simulator.fill_now(CONTRACT, price=3.25)
        simulator.push_quote(CONTRACT, 8.0, 8.5)
        wait_until(lambda: bid_price(reader, CONTRACT) == 8.0, "the quote")
        wait_for_ledger(simulator, reader)
        wait_until(lambda: reader.snapshot().health["options"].lag_seconds is not None, "the lag")
        live = reader.snapshot()
    offset = live.clock_offset_seconds
    assert offset is not None
    assert abs(offset - ahead) < 2.0
    quote, health = live.option_quotes[CONTRACT], live.health[StreamName.OPTIONS]
    assert abs((live.as_of - utc_now()).total_seconds()) < 10.0
    for at in (quote.timestamp, quote.received_at, health.complete_at, health.last_event_at):
        assert at is not None
        assert abs((live.as_of - at).total_seconds()) < 30.0, at
    assert health.lag_seconds is not None
    assert health.relay_seconds is not None
    assert abs(health.lag_seconds) < 2.0
    assert abs(health.relay_seconds) < 2.0


@pytest.mark.parametrize(("step", "words"), [(1, "newer"), (-1, "older")])
def test_another_version_is_reported(
    served: Served, monkeypatch: pytest.MonkeyPatch, step: int, words: str
) -> None:
    """The reader receives nothing, and the reason says which side must be updated."""

    def encode_otherwise(message: Message) -> bytes:
        return bytes((SCHEMA + step, *encode(message)[1:]))

    def refuse(_data: bytes) -> Message:
        raise SchemaMismatch(SCHEMA - step)

    with running_reader(served.server.url, reader_config(CONTRACT)) as reader:
        wait_live(reader)
        with monkeypatch.context() as other:
            other.setattr(relay_module, "encode", encode_otherwise)
            other.setattr(requests_module, "decode", refuse)
            for stream in StreamName:
                wait_until(lambda s=stream: f"the relay is {words} than" in said(reader, s), "words")
        wait_live(reader)
