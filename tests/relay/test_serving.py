"""A relay before it leads, and the answers that it gives."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("nats", reason="the relay needs nats-py (pip install -e '.[relay]')")

from options_helper.data.streaming.run.config import LiveStreamConfig
from options_helper.data.streaming.run.live_run import RunParts
from options_helper.recording.journal import Journal
from options_helper.relay.relay import Relay
from options_helper.relay.wire import Ask, encode
from options_helper.times import SteadyClock


class Bus:
    """A connection to NATS that only notes the subjects to which a relay publishes."""

    is_connected = True

    def __init__(self) -> None:
        self.subjects: list[str] = []

    def jetstream(self) -> None:
        """Offer no JetStream."""

    async def publish(self, subject: str, _message: bytes) -> None:
        """Note a subject."""
        self.subjects.append(subject)


@pytest.mark.parametrize(
    ("reply", "is_answered"),
    [
        ("_INBOX.abc.1", True),
        ("", False),
        ("oh.orders.updates", False),
        ("oh.market.options", False),
        ("oh.state", False),
        ("$KV.oh_relay.leader", False),
        ("$JS.API.STREAM.PURGE.oh_orders", False),
    ],
)
def test_answers_go_to_inboxes_alone(reply: str, *, is_answered: bool) -> None:
    """A reader cannot have the relay, which may publish everywhere, write to any other subject."""

    async def run() -> set[str]:
        bus: Any = Bus()
        parts = RunParts(builders={}, build_backfill=None, journal=Journal(SteadyClock()))
        relay = Relay(bus, LiveStreamConfig(stream_fills=False), parts, limit=10)
        message: Any = SimpleNamespace(data=encode(Ask("reader", ends=True)), reply=reply)
        await relay._answer(message)
        await relay._send_state(message)
        return set(bus.subjects)

    assert asyncio.run(run()) == ({reply} if is_answered else set())


IMPORTS = """
import asyncio, sys
from types import SimpleNamespace
from options_helper.relay import command

async def nothing(*_):
    pass

async def stand_by(_term):
    print({"httpx", "alpaca.data.live", "alpaca.trading.stream"} - set(sys.modules))

async def connect(*_, **_more):
    return SimpleNamespace(close=nothing, jetstream=lambda: SimpleNamespace(account_info=nothing))

command.connect_to_nats = connect
command.Leadership = lambda *_, **_more: SimpleNamespace(run=stand_by)
options = SimpleNamespace(shown="nats://host:4222")
asyncio.run(command.serve(None, options, lambda _words: None))
"""


def test_imports_end_before_a_relay_leads() -> None:
    """A standby has imported everything, because an import of seconds could outlast the lease."""
    pytest.importorskip("alpaca", reason="needs alpaca-py (pip install -e '.[alpaca]')")
    found = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", IMPORTS], capture_output=True, text=True, timeout=120, check=True
    )
    assert found.stdout == "set()\n"
