"""Faults between the simulator and the readers: each is reported, and the fills stay complete."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest

pytest.importorskip("nats", reason="the relay needs nats-py (pip install -e '.[relay]')")
pytest.importorskip("alpaca", reason="needs alpaca-py (pip install -e '.[alpaca]')")
pytest.importorskip("aiohttp", reason="the simulator needs aiohttp (pip install -e '.[dev]')")

import nats
from nats.js.errors import APIError

from options_helper.market import StreamState
from options_helper.relay import Execution
from options_helper.simulator.server import AlpacaSimulator
from tests.nats_server import NatsServer, Network, running_nats_server
from tests.relay.relay_process import RelayProcess
from tests.relay.relayed import (
    CALL,
    PUT,
    Program,
    bid_price,
    reader_config,
    running_reader,
    running_relay,
    wait_for_ledger,
    wait_live,
    wait_until,
)
from tests.trading import Trader, true_executions

pytestmark = pytest.mark.slow


def test_a_killed_relay_and_a_killed_server_lose_no_fill(
    simulator: AlpacaSimulator, nats_server: NatsServer, tmp_path: Path
) -> None:
    """While orders fill, first a relay and then NATS is killed, and both readers equal the ledger."""
    with ExitStack() as stack:
        relay = RelayProcess(simulator, nats_server.url, tmp_path / "relay.log")
        stack.callback(relay.kill)
        config = reader_config(CALL, PUT)
        first = stack.enter_context(running_reader(nats_server.url, config))
        second = stack.enter_context(running_reader(nats_server.url, config))
        wait_live(first)
        trader = Trader(simulator, pause=0.02, ticks=True)
        stack.callback(trader.end)
        wait_until(lambda: len(first.snapshot().fills) > 10, "order updates")
        relay.kill()
        for manager in (first, second):
            wait_until(
                lambda m=manager: m.snapshot().health["fills"].state is StreamState.RECONNECTING, "words"
            )
        stack.callback(RelayProcess(simulator, nats_server.url, tmp_path / "next.log").kill)
        wait_live(first)
        nats_server.kill()
        nats_server.start()
        wait_live(second)
        trader.end()
        wait_live(first)
        wait_for_ledger(simulator, first, second)
        assert len(true_executions(simulator)) > 10


def test_a_partition_affects_only_its_reader(
    simulator: AlpacaSimulator, nats_server: NatsServer, network: Network
) -> None:
    """The reader that is cut off says so, the other does not notice, and both equal the ledger."""
    config = reader_config(CALL, PUT)
    with (
        running_relay(simulator, nats_server.url),
        running_reader(nats_server.url, config) as whole,
        running_reader(network.url, config) as cut_off,
    ):
        wait_live(whole)
        wait_live(cut_off)
        network.cut()
        wait_until(lambda: cut_off.snapshot().health["fills"].state is StreamState.RECONNECTING, "words")
        simulator.fill_now(CALL, price=3.25)
        simulator.push_quote(PUT, 1.0, 1.5)
        assert cut_off.snapshot().fill_gaps
        wait_until(lambda: bid_price(whole, PUT) == 1.0, "the quote")
        assert whole.snapshot().health["options"].attempts <= 1
        network.mend()
        wait_live(cut_off)
        wait_until(lambda: bid_price(cut_off, PUT) == 1.0, "the missed quote")
        wait_for_ledger(simulator, whole, cut_off)


async def _fill_disk(url: str) -> None:
    client = await nats.connect(url)
    jetstream = client.jetstream()
    await jetstream.add_stream(name="FILLER", subjects=["filler"])
    with contextlib.suppress(APIError):
        while True:
            await jetstream.publish("filler", bytes(8 * 1024))
    await client.close()


async def _free_disk(url: str) -> None:
    client = await nats.connect(url)
    await client.jetstream().delete_stream("FILLER")
    await client.close()


def test_a_full_disk_is_reported_and_loses_no_fill(simulator: AlpacaSimulator, tmp_path: Path) -> None:
    """While JetStream refuses order updates, fills are incomplete; later, all arrive."""
    with (
        running_nats_server(tmp_path / "nats", disk="256KB") as server,
        running_relay(simulator, server.url),
        running_reader(server.url, reader_config(CALL)) as manager,
    ):
        wait_live(manager)
        asyncio.run(_fill_disk(server.url))
        for _ in range(6):
            simulator.fill_now(CALL, price=3.25)
        words = "order updates that it cannot store: JetStream refused them"
        wait_until(lambda: words in manager.snapshot().errors_by_stream.get("fills", ""), words)
        assert manager.snapshot().fill_gaps
        simulator.push_quote(CALL, 6.0, 6.5)
        wait_until(lambda: bid_price(manager, CALL) == 6.0, "the quote")
        asyncio.run(_free_disk(server.url))
        wait_live(manager)
        wait_for_ledger(simulator, manager)


def test_fills_are_complete_after_jetstream_lost_its_files(
    simulator: AlpacaSimulator, nats_server: NatsServer
) -> None:
    """A page and a program started after the loss have the executions of the lost stream."""
    config = reader_config(CALL)
    with running_relay(simulator, nats_server.url), running_reader(nats_server.url, config) as old:
        wait_live(old)
        simulator.fill_now(CALL, price=3.25)
        wait_for_ledger(simulator, old)
        nats_server.kill()
        shutil.rmtree(nats_server.folder / "jetstream")
        nats_server.start()
        wait_live(old)
        simulator.fill_now(CALL, price=3.5)
        with running_reader(nats_server.url, config) as new, Program(nats_server.url) as program:
            wait_for_ledger(simulator, old, new)
            wait_until(lambda: len(program.of(Execution)) == len(true_executions(simulator)), "executions")


def test_twenty_readers_share_one_connection(
    simulator: AlpacaSimulator, nats_server: NatsServer, tmp_path: Path
) -> None:
    """Twenty readers see the same quote and the same fills, over one connection per stream at Alpaca."""
    with ExitStack() as stack:
        # A process of its own: in this one, twenty readers could keep it from renewing its lease in time.
        stack.callback(RelayProcess(simulator, nats_server.url, tmp_path / "relay.log").kill)
        config = reader_config(CALL)
        readers = [stack.enter_context(running_reader(nats_server.url, config)) for _ in range(20)]
        for reader in readers:
            wait_live(reader)
        simulator.push_quote(CALL, 6.0, 6.5)
        simulator.fill_now(CALL, price=6.25)
        for reader in readers:
            wait_until(lambda r=reader: bid_price(r, CALL) == 6.0, "the quote")
        wait_for_ledger(simulator, *readers)
        assert simulator.connections_total == {"stocks": 1, "options": 1, "fills": 1}
