"""A real nats-server, a simulated Alpaca and a relay between them, for each test that asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.nats_server import NatsServer, Network, running_nats_server

if TYPE_CHECKING:
    from options_helper.simulator.server import AlpacaSimulator
    from tests.relay.relayed import RelayThread


@pytest.fixture
def nats_server(tmp_path: Path) -> Iterator[NatsServer]:
    """Yield a nats-server with JetStream, which the test may kill, pause and start again."""
    pytest.importorskip("nats", reason="the relay needs nats-py (pip install -e '.[relay]')")
    with running_nats_server(tmp_path / "nats") as server:
        yield server


@pytest.fixture
def network(nats_server: NatsServer) -> Iterator[Network]:
    """Yield a network to the nats-server that the test may cut and mend."""
    with Network(nats_server.port) as network:
        yield network


@pytest.fixture
def simulator() -> Iterator[AlpacaSimulator]:
    """Yield a simulator whose market moves only when the test says so."""
    from options_helper.simulator.server import AlpacaSimulator
    from options_helper.simulator.world import Plan
    from tests.relay.relayed import CALL, OTHER, PUT

    plan = Plan(trading_requests_per_minute=100_000)
    with AlpacaSimulator(
        contracts=(CALL, PUT, OTHER), tick_seconds=0, order_interval_seconds=0, plan=plan
    ) as simulator:
        yield simulator


@pytest.fixture
def relay(simulator: AlpacaSimulator, nats_server: NatsServer) -> Iterator[RelayThread]:
    """Yield a relay of the simulated account."""
    from tests.relay.relayed import running_relay

    with running_relay(simulator, nats_server.url) as relay:
        yield relay
