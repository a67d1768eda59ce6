"""Two processes and a real nats-server: one leads, and never two at once."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("nats", reason="the relay needs nats-py (pip install -e '.[relay]')")

import nats

from options_helper.relay.leadership import Leadership
from options_helper.relay.lease import LeaseTimes
from tests.nats_server import NatsServer, Network, running_nats_server
from tests.relay.candidate import TIMES

pytestmark = pytest.mark.integration

CANDIDATE = Path(__file__).with_name("candidate.py")
ROOT = CANDIDATE.parents[2]
# A guard against hanging on a busy machine.
WITHIN_SECONDS = 30.0


class Broker:
    """A server that allows one connection, and records who was connected and who sent."""

    def __init__(self) -> None:
        self.connected: list[str] = []
        self.most = 0
        self.began: dict[str, float] = {}
        self.heard: dict[str, float] = {}
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read the names until the connection ends."""
        name = (await reader.readline()).decode().strip()
        self.connected.append(name)
        self.began[name] = self.heard[name] = time.monotonic()
        self.most = max(self.most, len(self.connected))
        with contextlib.suppress(OSError):
            while await reader.readline():
                self.heard[name] = time.monotonic()
        self.connected.remove(name)
        writer.close()

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for a condition."""
        deadline = time.monotonic() + WITHIN_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"{what}: {self.connected}"
            await asyncio.sleep(0.005)

    async def leads(self, name: str) -> None:
        """Wait until a process is connected, alone."""
        await self.until(lambda: self.connected == [name], f"{name} leads")


@contextlib.asynccontextmanager
async def a_broker() -> AsyncIterator[Broker]:
    """Yield a listening broker."""
    broker = Broker()
    server = await asyncio.start_server(broker.serve, "127.0.0.1", 0)
    broker.port = server.sockets[0].getsockname()[1]
    try:
        yield broker
    finally:
        server.close()


@contextlib.asynccontextmanager
async def candidate(broker: Broker, url: str, name: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Yield a process that stands by."""
    words = [sys.executable, str(CANDIDATE), url, str(broker.port), name]
    process = await asyncio.create_subprocess_exec(*words, cwd=ROOT, env={"PYTHONPATH": str(ROOT)})
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


Process = asyncio.subprocess.Process
Scene = Callable[[Broker, Process, Process], Coroutine[None, None, None]]


def play(first_url: str, second_url: str, scene: Scene) -> Broker:
    """Let "a" lead and "b" stand by, then run the story; return what the broker recorded."""

    async def run() -> Broker:
        async with a_broker() as broker, candidate(broker, first_url, "a") as first:
            await broker.leads("a")
            async with candidate(broker, second_url, "b") as second:
                await scene(broker, first, second)
        return broker

    return asyncio.run(run())


def test_a_killed_leader_is_succeeded(nats_server: NatsServer) -> None:
    """After SIGKILL, the standby leads, but not before the first lease can have ended."""

    async def scene(broker: Broker, first: Process, _: object) -> None:
        first.kill()
        await broker.leads("b")

    broker = play(nats_server.url, nats_server.url, scene)
    assert broker.most == 1
    assert broker.began["b"] - broker.heard["a"] > TIMES.lease - TIMES.margin


def test_a_stopped_leader_hands_over_at_once(nats_server: NatsServer) -> None:
    """After SIGTERM, the standby leads at once, three times in a row."""

    async def run() -> Broker:
        async with a_broker() as broker, contextlib.AsyncExitStack() as stack:
            names = [f"r{number}" for number in range(4)]
            process = await stack.enter_async_context(candidate(broker, nats_server.url, names[0]))
            for name, successor in itertools.pairwise(names):
                await broker.leads(name)
                standby = await stack.enter_async_context(candidate(broker, nats_server.url, successor))
                process.terminate()
                await broker.leads(successor)
                process = standby
        return broker

    assert asyncio.run(run()).most == 1


def test_a_cut_off_leader_ends_its_connection_first(nats_server: NatsServer, network: Network) -> None:
    """A leader that cannot reach NATS disconnects before its successor connects, and then stands by."""

    async def scene(broker: Broker, *_: object) -> None:
        network.cut()
        await broker.until(lambda: not broker.connected, "the cut-off leader ends its connection")
        await broker.leads("b")
        network.mend()
        before = broker.heard["a"]
        await asyncio.sleep(TIMES.lease + TIMES.poll)
        assert broker.connected == ["b"]
        assert broker.heard["a"] == before

    assert play(network.url, nats_server.url, scene).most == 1


def test_a_paused_leader_does_nothing_once_it_resumes(nats_server: NatsServer) -> None:
    """After SIGSTOP a successor leads; after SIGCONT the first one sends nothing and disconnects."""

    async def scene(broker: Broker, first: Process, _: object) -> None:
        first.send_signal(signal.SIGSTOP)
        # The system keeps the connection of a paused process open.
        await broker.until(lambda: "b" in broker.connected, "b leads")
        silent_since = broker.heard["a"]
        first.send_signal(signal.SIGCONT)
        await broker.leads("b")
        assert broker.heard["a"] == silent_since
        assert first.returncode is None

    play(nats_server.url, nats_server.url, scene)


def test_leadership_outlives_the_server(nats_server: NatsServer) -> None:
    """NATS restarts without its memory; one process leads afterwards, and never two."""

    async def scene(broker: Broker, *_: object) -> None:
        await asyncio.to_thread(nats_server.kill)
        await asyncio.to_thread(nats_server.start)
        await asyncio.sleep(TIMES.lease)
        await broker.until(lambda: bool(broker.connected), "somebody leads")

    assert play(nats_server.url, nats_server.url, scene).most == 1


def test_work_that_does_not_end_ends_the_process(nats_server: NatsServer) -> None:
    """If a term blocks the event loop beyond the lease, the fence ends the process from its thread."""
    import nats

    ended: list[float] = []

    async def run() -> float:
        client = await nats.connect(nats_server.url)
        leadership = Leadership(
            client.jetstream(), "oh_relay", times=TIMES, overdue=lambda: ended.append(time.monotonic())
        )

        async def term() -> None:
            began = time.monotonic()
            while not ended and time.monotonic() < began + WITHIN_SECONDS:
                time.sleep(0.01)  # noqa: ASYNC251 - the fault under test

        before = time.monotonic()
        await leadership.run(term)
        await client.close()
        return before

    before = asyncio.run(run())
    assert len(ended) == 1
    assert ended[0] - before < TIMES.lease * 2 + TIMES.lease


class DeafStore:
    """A bucket that answers one request although it was cancelled, as nats-py may.

    This is the first renewal of a leader, or the first look of a relay that stands by for another one.
    """

    def __init__(self, *, other_leads: bool) -> None:
        self.revision, self._other_leads = 1, other_leads
        self.is_asked, self.is_cancelled = asyncio.Event(), False

    async def get(self, _key: str) -> SimpleNamespace:
        """Return the entry."""
        if self._other_leads:
            await self._wait_for_cancellation()
        return SimpleNamespace(value=b"another" if self._other_leads else b"", revision=self.revision)

    async def update(self, _key: str, _value: bytes, last: int) -> int:
        """Accept a claim at once, and the first renewal only once it is cancelled."""
        assert last == self.revision
        self.revision += 1
        if self.revision > 2:
            await self._wait_for_cancellation()
        return self.revision

    async def _wait_for_cancellation(self) -> None:
        if self.is_cancelled:
            return
        self.is_asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.is_cancelled = True


@pytest.mark.parametrize("other_leads", [False, True])
def test_a_lost_cancellation_ends_a_relay_too(*, other_leads: bool) -> None:
    """A relay that is stopped during a request ends and holds no lease, whether it leads or stands by."""

    async def run() -> None:
        store = DeafStore(other_leads=other_leads)

        async def key_value(_bucket: str) -> DeafStore:
            return store

        jetstream: Any = SimpleNamespace(key_value=key_value)
        leadership = Leadership(jetstream, "oh_relay", times=LeaseTimes(renew=0.5))
        running = asyncio.ensure_future(leadership.run(asyncio.Event().wait))
        await store.is_asked.wait()
        running.cancel()
        done, _ = await asyncio.wait({running}, timeout=5)
        assert done
        assert store.is_cancelled
        assert not leadership.holds

    asyncio.run(run())


def test_a_standby_says_that_the_lease_is_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Without memory for the lease, a relay says once why it only stands by."""
    configuration = tmp_path / "full.conf"
    configuration.write_text('jetstream { store_dir: "", max_memory_store: 20 }')

    async def scene(server: NatsServer) -> None:
        async with await nats.connect(server.url) as client:
            leadership = Leadership(client.jetstream(), "oh_relay", times=TIMES)
            async with asyncio.timeout(30):
                while not leadership._refusal:  # the server counts the first entry after it is written
                    await leadership._write()
            assert not await leadership._write()

    with running_nats_server(tmp_path / "nats", configuration=configuration) as server:
        asyncio.run(scene(server))
    lines = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert lines == ["JetStream refuses the lease (insufficient resources); see the log of nats-server."]
