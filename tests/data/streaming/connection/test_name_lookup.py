"""An unresponsive resolver blocks neither a connection, nor a stop, nor the end of the process."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from options_helper.data.streaming.connection import name_lookup
from options_helper.data.streaming.connection.name_lookup import LookupLoop, look_up

QUESTION = ("stream.example", 443, 0, socket.SOCK_STREAM, 0, 0)
ADDRESSES = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))]


class Resolver:
    """A resolver that answers when it is released, and records its look-ups."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.asked: list[Any] = []
        self.failure: Exception | None = None

    def __call__(self, host: Any, *more: Any) -> Any:
        self.asked.append((host, *more))
        assert self.released.wait(30)
        if self.failure is not None:
            raise self.failure
        return ADDRESSES


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch, wait_until) -> Iterator[Resolver]:
    """Replace the system's resolver; hanging calls are released at the end."""
    resolver = Resolver()
    monkeypatch.setattr(name_lookup.socket, "getaddrinfo", resolver)
    yield resolver
    resolver.released.set()
    wait_until(lambda: not name_lookup._pending)


def _run(coroutine: Any) -> Any:
    with asyncio.Runner(loop_factory=LookupLoop) as runner:
        return runner.run(coroutine)


async def _ask(host: str) -> Any:
    return await asyncio.get_running_loop().getaddrinfo(host, 443, type=socket.SOCK_STREAM)


def test_an_answer_is_passed_on_as_the_resolver_gave_it(resolver: Resolver) -> None:
    """Addresses are exactly the resolver's for the requested name."""
    resolver.released.set()
    assert _run(_ask("stream.example")) == ADDRESSES
    assert resolver.asked == [("stream.example", 443, 0, socket.SOCK_STREAM, 0, 0)]


def test_a_failure_is_passed_on_as_the_resolver_gave_it(resolver: Resolver) -> None:
    """An unknown name raises the socket module's error."""
    resolver.failure = socket.gaierror(socket.EAI_NONAME, "unknown")
    resolver.released.set()
    with pytest.raises(socket.gaierror):
        _run(_ask("nowhere.example"))


def test_a_lookup_is_abandoned_when_nobody_waits(resolver: Resolver) -> None:
    """The loop ends at its own timeout while the resolver hangs; a plain loop would wait for the answer."""

    async def give_up() -> None:
        async with asyncio.timeout(0.05):
            await _ask("stream.example")

    with pytest.raises(TimeoutError):
        _run(give_up())
    assert not resolver.released.is_set()


def test_a_name_is_looked_up_once_at_a_time(resolver: Resolver, wait_until) -> None:
    """A caller that gives up and asks again shares the first look-up and its result."""

    async def give_up() -> None:
        async with asyncio.timeout(0.02):
            await _ask("stream.example")

    for _ in range(3):
        with pytest.raises(TimeoutError):
            _run(give_up())
    assert len(resolver.asked) == 1

    async def released() -> Any:
        waiting = asyncio.ensure_future(_ask("stream.example"))
        await asyncio.sleep(0)
        resolver.released.set()
        return await waiting

    assert _run(released()) == ADDRESSES
    wait_until(lambda: not name_lookup._pending)
    assert _run(_ask("stream.example")) == ADDRESSES
    assert len(resolver.asked) == 2


def test_a_thread_that_could_not_start_blocks_no_name(
    resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If no thread could be started, the next look-up of the same name is still made."""
    resolver.released.set()

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="new thread"):
            look_up(QUESTION)
    assert look_up(QUESTION).result(5) == ADDRESSES


def test_an_unforeseen_failure_is_a_failed_lookup(resolver: Resolver, wait_until) -> None:
    """Any error of the resolver reaches the caller, and the name can be looked up again."""
    resolver.failure = MemoryError()
    resolver.released.set()
    with pytest.raises(OSError, match="MemoryError"):
        look_up(QUESTION).result(5)
    resolver.failure = None
    assert look_up(QUESTION).result(5) == ADDRESSES


HANGING_PROCESS = """
import socket, threading, time
socket.getaddrinfo = lambda *_a, **_k: threading.Event().wait(120)
from options_helper.data.settings import AlpacaSettings
from options_helper.data.streaming.connection.observer import ConnectionTimes
from options_helper.data.streaming.live_manager import LiveStreamConfig, LiveStreamManager
host = "stream.example.org"
settings = AlpacaSettings(
    "k", "s", trading_url=f"http://{host}", data_url=f"http://{host}", stream_url=f"ws://{host}"
)
manager = LiveStreamManager()
manager.start(
    LiveStreamConfig(
        settings=settings, stocks=("AAPL",), option_contracts=("AAPL261218C00250000",),
        times=ConnectionTimes(handshake=0.5), reconnect_base_seconds=0.05,
    )
)
deadline = time.monotonic() + 60
while not all(health.attempts for health in manager.snapshot().health.values()):
    assert time.monotonic() < deadline, manager.snapshot().health
    time.sleep(0.01)
failures = {health.last_failure.text for health in manager.snapshot().health.values()}
began = time.monotonic()
manager.stop()
print(failures, time.monotonic() - began)
"""


@pytest.mark.integration
def test_neither_stop_nor_the_end_of_the_process_waits() -> None:
    """While the resolver hangs, streams time out, Stop takes a second, and the process ends."""
    pytest.importorskip("alpaca", reason="needs alpaca-py (pip install -e '.[alpaca]')")
    began = time.monotonic()
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", HANGING_PROCESS], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    failures, seconds = done.stdout.rsplit(maxsplit=1)
    assert failures == "{'no answer for 0.5 s while connecting'}"
    assert float(seconds) < 5  # 0.9 on an idle machine
    assert time.monotonic() - began < 60  # of the 120 that the resolver hangs
