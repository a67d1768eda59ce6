"""Access to a running simulator, from any thread."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from options_helper.simulator.account.ledger import Ledger
from options_helper.simulator.connection import Connection
from options_helper.simulator.faults import Faults
from options_helper.simulator.streams.data_stream import DataConnection
from options_helper.simulator.world import World

Result = TypeVar("Result")

_CALL_TIMEOUT_SECONDS = 60.0  # guards against a hang
_POLL_SECONDS = 0.005


class Controls:
    """The records of a simulator and access to its loop; thread-safe.

    Stream names are "stocks", "options" and "fills".
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def faults(self) -> Faults:
        """The faults that the simulator produces."""
        return self._world.faults

    @property
    def open_connections(self) -> dict[str, int]:
        """The open connections by stream, including unfinished handshakes."""
        return dict(self._world.clients.open)

    @property
    def connections_total(self) -> dict[str, int]:
        """The number of connections ever made, by stream."""
        return {stream: len(times) for stream, times in self._world.clients.times.items()}

    @property
    def connection_times(self) -> dict[str, list[float]]:
        """The time of each connection by stream, in seconds of `time.monotonic`."""
        return {stream: list(times) for stream, times in self._world.clients.times.items()}

    @property
    def methods_seen(self) -> dict[str, int]:
        """The number of requests by HTTP method, including upgrades."""
        return Counter(method for method, _ in self._world.requests)

    @property
    def requests(self) -> list[tuple[str, str]]:
        """Every request received: its method, and its path with the query."""
        return list(self._world.requests)

    @property
    def is_listening(self) -> bool:
        """True if a client listens to order updates."""
        return self.call(lambda: any(getattr(one, "listening", False) for one in self._on("fills")))

    def subscriptions(self, stream: str) -> dict[str, list[str]]:
        """Return the subscriptions of a data stream's clients, by channel."""

        def collect() -> dict[str, list[str]]:
            found: dict[str, list[str]] = {}
            for one in self._on(stream):
                if isinstance(one, DataConnection):
                    for channel, symbols in one.subscriptions.items():
                        found.setdefault(channel, []).extend(symbols)
            return found

        return self.call(collect)

    def ledger(self) -> Ledger:
        """Return all executions and orders so far, with exact figures."""
        return self.call(self._world.desk.ledger)

    @staticmethod
    def wait_for(condition: Callable[[], object], timeout: float = 5.0) -> None:
        """Wait until a condition holds.

        Raises:
            TimeoutError: The condition does not hold within `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{condition} did not hold within {timeout} s")
            time.sleep(_POLL_SECONDS)

    def call(self, function: Callable[[], Result]) -> Result:
        """Run a function on the simulator's loop, or directly if it has stopped, and return the result."""
        if self._loop is None:
            return function()

        async def run() -> Result:
            return function()

        return self._run(run(), _CALL_TIMEOUT_SECONDS)

    def _run(self, coroutine: Coroutine[Any, Any, Result], timeout: float | None) -> Result:
        if self._loop is None:
            coroutine.close()
            raise RuntimeError("the simulator is not running")
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout)

    def _on(self, stream: str) -> list[Connection]:
        return [one for one in self._world.clients.connected if one.stream == stream and one.is_open]
