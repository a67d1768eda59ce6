"""Relays are killed, paused and hand over while orders fill: no fill is lost, and one relay is at Alpaca."""

from __future__ import annotations

import itertools
import signal
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

pytest.importorskip("nats", reason="the relay needs nats-py (pip install -e '.[relay]')")
pytest.importorskip("alpaca", reason="the relay's streams need alpaca-py")

from options_helper.simulator.server import AlpacaSimulator
from options_helper.simulator.world import Plan
from tests.nats_server import NatsServer, Network
from tests.relay.relay_process import RelayProcess
from tests.relay.relayed import (
    CALL,
    PUT,
    read_lease,
    reader_config,
    running_reader,
    wait_for_ledger,
    wait_live,
    wait_until,
)
from tests.trading import Trader

pytestmark = pytest.mark.integration

CHANGES = 10


class Open(Counter[str]):
    """The simulator's open connections by stream, with the most there ever were."""

    most: Counter[str]

    def __setitem__(self, stream: str, count: int) -> None:
        """Record the count."""
        super().__setitem__(stream, count)
        self.most[stream] = max(self.most[stream], count)


def count_connections(simulator: AlpacaSimulator) -> Open:
    """Return the count of a simulator's open connections from now on."""
    count = Open()
    count.most = Counter()
    simulator._world.clients.open = count
    return count


def test_leadership_changes_ten_times(nats_server: NatsServer, tmp_path: Path) -> None:
    """While relays are killed and hand over, the fills equal the ledger and connections never overlap."""
    plan, url = Plan(trading_requests_per_minute=100_000), nats_server.url
    simulator = AlpacaSimulator(contracts=(CALL, PUT), tick_seconds=0, order_interval_seconds=0, plan=plan)
    with simulator, ExitStack() as stack:
        count = count_connections(simulator)
        relays: list[RelayProcess] = []
        names = itertools.count()

        def start() -> None:
            relays.append(RelayProcess(simulator, url, tmp_path / f"relay-{next(names)}.log"))
            stack.callback(relays[-1].kill)
            wait_until(lambda one=relays[-1]: one.count("Standing by"), "a relay")

        def leader() -> RelayProcess:
            """Return the leading relay; on a busy machine, another may take over without being asked."""
            found: list[RelayProcess] = []

            def look() -> bool:
                lease = read_lease(url)
                found[:] = [one for one in relays if one.is_named_in(lease)]
                return bool(found)

            wait_until(look, "a leader")
            return found[0]

        start()
        leader()
        start()
        reader = stack.enter_context(running_reader(url, reader_config(CALL, PUT)))
        wait_live(reader)
        trader = Trader(simulator, pause=0.02, ticks=True)
        stack.callback(trader.end)
        for number in range(CHANGES):
            is_killed, before, former = number % 4 == 0, simulator.connections_total["fills"], leader()
            (former.kill if is_killed else former.hand_over)()
            if is_killed:
                relays.remove(former)
                start()
            wait_until(lambda n=before: simulator.connections_total["fills"] > n, f"change {number + 1}")
            wait_until(lambda: simulator.is_listening, "its order stream")
            seen = len(reader.snapshot().fills)
            wait_until(lambda n=seen: len(reader.snapshot().fills) > n, f"fills after change {number + 1}")
        trader.end()
        wait_live(reader)
        wait_for_ledger(simulator, reader)
        assert max(count.most.values()) == 1, count.most
        assert simulator.connections_total["fills"] >= CHANGES + 1


def test_a_paused_relay_sends_nothing_once_it_resumes(nats_server: NatsServer, tmp_path: Path) -> None:
    """A stopped relay leaves Alpaca to its successor, and readers receive from only one relay."""
    url = nats_server.url
    with (
        AlpacaSimulator(contracts=(CALL, PUT), tick_seconds=0, order_interval_seconds=0) as simulator,
        ExitStack() as stack,
    ):
        leader = RelayProcess(simulator, url, tmp_path / "leader.log")
        stack.callback(leader.kill)
        wait_until(lambda: leader.count("This relay leads:"), "a leader")
        standby = RelayProcess(simulator, url, tmp_path / "standby.log")
        stack.callback(standby.kill)
        reader = stack.enter_context(running_reader(url, reader_config(CALL, PUT)))
        wait_live(reader)
        leader.signal(signal.SIGSTOP)
        wait_until(lambda: standby.count("This relay leads:"), "a successor")
        # The system keeps the connections of a paused process open, so the successor is refused.
        wait_until(lambda: "406" in reader.snapshot().errors_by_stream.get("options", ""), "the refusal")
        leader.signal(signal.SIGCONT)
        wait_live(reader)
        simulator.fill_now(CALL, price=3.25)
        simulator.push_quote(PUT, 1.0, 1.5)
        wait_until(lambda: reader.snapshot().option_quotes[PUT].bid_price == 1.0, "the quote")
        wait_for_ledger(simulator, reader)
        assert simulator.open_connections == {"stocks": 1, "options": 1, "fills": 1}


def test_a_cut_off_leader_leaves_alpaca_first(
    nats_server: NatsServer, network: Network, tmp_path: Path
) -> None:
    """A leader without NATS disconnects before its successor connects, and may lead again later."""
    plan = Plan(trading_requests_per_minute=100_000)
    simulator = AlpacaSimulator(contracts=(CALL, PUT), tick_seconds=0, order_interval_seconds=0, plan=plan)
    with simulator, ExitStack() as stack:
        count = count_connections(simulator)
        first = RelayProcess(simulator, network.url, tmp_path / "first.log")
        stack.callback(first.kill)
        wait_until(lambda: first.count("This relay leads:"), "a leader")
        second = RelayProcess(simulator, nats_server.url, tmp_path / "second.log")
        stack.callback(second.kill)
        reader = stack.enter_context(running_reader(nats_server.url, reader_config(CALL, PUT)))
        wait_live(reader)
        trader = Trader(simulator, pause=0.02, ticks=True)
        stack.callback(trader.end)
        network.cut()
        wait_until(lambda: min(simulator.connections_total.values()) > 1, "a successor")
        network.mend()
        wait_live(reader)
        second.kill()
        wait_until(lambda: first.count("This relay leads:") > 1, "the first one again")
        wait_until(lambda: simulator.is_listening, "its order stream")
        trader.end()
        wait_live(reader)
        wait_for_ledger(simulator, reader)
        assert max(count.most.values()) == 1, count.most
