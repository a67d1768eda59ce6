"""A relay in a thread of the test, and readers of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Self, TypeVar

import nats
from nats.js.api import StorageType
from nats.js.errors import BucketNotFoundError, NotFoundError

from options_helper.analysis.fills.day import build_fill_day
from options_helper.data.settings import load_settings
from options_helper.data.streaming.live_manager import LiveStreamConfig, LiveStreamManager
from options_helper.market import LiveSnapshot
from options_helper.relay import Event, Notice, read_relay
from options_helper.relay.command import serve
from options_helper.relay.lease import LeaseTimes
from options_helper.relay.nats_options import connect_to_nats, load_nats_options
from options_helper.relay.reader import relay_source
from options_helper.relay.wire import LEADER_BUCKET
from options_helper.simulator.server import AlpacaSimulator
from tests.trading import shown_executions, true_executions

CALL, PUT = "AAPL261218C00250000", "AAPL261218P00250000"
OTHER = "MSFT261218C00500000"
# A relay's own durations, because a busy machine would make one with a shorter lease lose it. In a thread of
# the tests, an overdue term must not end the process.
TIMES = LeaseTimes(grace=60.0, poll=0.05)
T = TypeVar("T")
PATIENCE = 40.0  # a relay process takes seconds to import, and waits for the previous one's lease


@dataclass
class RelayThread:
    """A relay that runs in a thread until it is ended."""

    simulator: AlpacaSimulator
    url: str
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start it."""
        self._loop = asyncio.new_event_loop()
        self._task = self._loop.create_task(self._serve())
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    async def _serve(self) -> None:
        await write_lease(self.url)  # else the first relay would wait for an unknown one's lease
        settings, options = load_settings(self.simulator.environment()), load_nats_options(self.url, {})
        await serve(settings, options, self.said.append, TIMES)

    def _run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError), contextlib.closing(self._loop):
            self._loop.run_until_complete(self._task)

    def end(self) -> None:
        """End it as SIGTERM does."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(10)
        assert not self._thread.is_alive()


async def write_lease(url: str, entry: str = "", *, over: bool = False) -> None:
    """Write the entry that names the leading relay, but replace an earlier entry only if `over` is set."""
    client = await connect_to_nats(load_nats_options(url, {}), "a test", retries=False)
    try:
        stream, is_new = client.jetstream(), False
        try:
            store = await stream.key_value(LEADER_BUCKET)
        except BucketNotFoundError:
            is_new = True
            store = await stream.create_key_value(bucket=LEADER_BUCKET, history=1, storage=StorageType.MEMORY)
        if is_new or over:
            await store.put("leader", entry.encode())
    finally:
        await client.close()


def read_lease(url: str) -> str:
    """Return the entry that names the leading relay, "" if none leads."""

    async def read() -> str:
        async with await nats.connect(url) as client:
            store = await client.jetstream().key_value(LEADER_BUCKET)
            return ((await store.get("leader")).value or b"").decode()

    with contextlib.suppress(NotFoundError):
        return asyncio.run(read())
    return ""


@contextlib.contextmanager
def running_relay(simulator: AlpacaSimulator, url: str) -> Iterator[RelayThread]:
    """Run a relay of the simulated account."""
    logging.getLogger("httpx").setLevel(logging.WARNING)
    relay = RelayThread(simulator, url)
    try:
        yield relay
    finally:
        relay.end()


class Program:
    """A program that reads a relay in a thread, and keeps the events."""

    def __init__(self, url: str, *contracts: str) -> None:
        self.events: list[Event] = []
        self._loop = asyncio.new_event_loop()
        self._task = self._loop.create_task(self._read(url, contracts))
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        """Start to read."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and give the symbols back."""
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(10)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        with contextlib.closing(self._loop), contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._task)
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())

    async def _read(self, url: str, contracts: tuple[str, ...]) -> None:
        async with contextlib.aclosing(read_relay(url, contracts=contracts, env={})) as events:
            async for event in events:
                self.events.append(event)

    def of(self, kind: type[T]) -> list[T]:
        """Return the events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def said(self) -> str:
        """Return the newest notice."""
        return ([""] + [notice.words for notice in self.of(Notice)])[-1]


def reader_config(
    *contracts: str, stocks: tuple[str, ...] = ("AAPL",), polled: tuple[str, ...] = ()
) -> LiveStreamConfig:
    """Return a page's configuration, without keys, that tries again soon."""
    return LiveStreamConfig(
        stocks=stocks, option_contracts=contracts, polled_contracts=polled, reconnect_cap_seconds=0.5
    )


@contextlib.contextmanager
def running_reader(url: str, config: LiveStreamConfig) -> Iterator[LiveStreamManager]:
    """Run a page's streams from the relay."""
    with LiveStreamManager(source=relay_source(url, {})) as manager:
        manager.start(config)
        yield manager


def wait_until(
    condition: Callable[[], object], what: str | Callable[[], str], seconds: float = PATIENCE
) -> None:
    """Wait for a condition, or fail with its description, which a function may give at that time."""
    try:
        AlpacaSimulator.wait_for(condition, seconds)
    except TimeoutError:
        words = what if isinstance(what, str) else what()
        raise AssertionError(f"did not happen within {seconds:g} s: {words}") from None


def wait_live(manager: LiveStreamManager) -> LiveSnapshot:
    """Wait until every stream runs, and return the snapshot."""
    wait_until(lambda: manager.wait_until_live(1), lambda: f"live: {manager.snapshot().health}")
    return manager.snapshot()


def bid_price(manager: LiveStreamManager, symbol: str) -> float | None:
    """Return a contract's bid, None before its first quote."""
    quote = manager.snapshot().option_quotes.get(symbol)
    return None if quote is None else quote.bid_price


def executions(snapshot: LiveSnapshot) -> set[tuple[object, object, object]]:
    """Return the executions that the stream reported, as order, quantity and price."""
    return {
        (row.get("order_id"), row.get("fill_qty"), row.get("fill_price"))
        for row in snapshot.fills
        if row.get("event") in {"fill", "partial_fill"}
    }


def wait_for_ledger(simulator: AlpacaSimulator, *managers: LiveStreamManager) -> None:
    """Wait until every reader's fills are complete and equal to the simulator's ledger."""
    for manager in managers:
        wait_until(lambda m=manager: not m.snapshot().fill_gaps, "complete fills", 60)
        wait_until(lambda m=manager: _has_all(m, simulator), "the ledger", 60)


def _has_all(manager: LiveStreamManager, simulator: AlpacaSimulator) -> bool:
    return shown_executions(build_fill_day(manager.snapshot())) == true_executions(simulator)
