"""A real nats-server for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.nats_server import NatsServer, Network, running_nats_server


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
