"""An Alpaca on this machine: three streams and the read-only REST routes, in its own thread."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from types import TracebackType
from typing import Self

from aiohttp import web

from options_helper.simulator.controls.market import MarketControls
from options_helper.simulator.controls.orders import OrderControls
from options_helper.simulator.controls.streams import StreamControls
from options_helper.simulator.rest.routes import build_application
from options_helper.simulator.wire import JsonObject
from options_helper.simulator.world import Keys, Plan, World

HOST = "127.0.0.1"
_START_TIMEOUT_SECONDS = 10.0
_STOP_TIMEOUT_SECONDS = 5.0
_PING_EVERY_SECONDS = 20.0
_STEPS_TO_ACCEPT = 3  # steps of the loop until the server knows a connection that was just accepted


class AlpacaSimulator(StreamControls, MarketControls, OrderControls):
    """A server on loopback that speaks Alpaca's protocol, with a seeded market in mid-session.

    Args:
        seed: Determines the market, the orders and the identifiers.
        key_id, secret_key: The only keys accepted, unless `any_key` is set.
        plan: Feeds and limits of the simulated subscription.
        tick_seconds: The time between the market's steps; 0 leaves them to `tick`.
        order_interval_seconds: The time between steps of the order scripts; 0 leaves orders to the caller.
        portfolio: The account's holdings from before today, as the values of a portfolio file.
        differs: Make trades that are missing in the portfolio, and assign a short put after a while.
        contracts: The contracts to trade; by default the portfolio's, else the subscribed ones.
        port: The port to listen on; 0 for any free one.
        auth_timeout_seconds: The time within which a client must authenticate.
    """

    def __init__(  # noqa: PLR0913 - settings with defaults
        self,
        *,
        seed: int = 7,
        key_id: str = "demo",
        secret_key: str = "demo",  # noqa: S107 - opens nothing but this simulator
        any_key: bool = False,
        plan: Plan | None = None,
        tick_seconds: float = 0.25,
        order_interval_seconds: float = 0.5,
        contracts: Iterable[str] = (),
        portfolio: JsonObject | None = None,
        differs: bool = False,
        port: int = 0,
        auth_timeout_seconds: float = 10.0,
    ) -> None:
        keys, plan = Keys(key_id=key_id, secret_key=secret_key, any_key=any_key), plan or Plan()
        world = World(
            seed=seed, keys=keys, plan=plan, contracts=contracts, portfolio=portfolio, differs=differs
        )
        world.auth_timeout_seconds = auth_timeout_seconds
        super().__init__(world)
        self._tick_seconds, self._order_interval_seconds = tick_seconds, order_interval_seconds
        self._port = port
        self._thread: threading.Thread | None = None
        self._runner: web.AppRunner | None = None
        self._listener: socket.socket | None = None
        self._site: web.SockSite | None = None
        self._ended: asyncio.Event | None = None

    @property
    def port(self) -> int:
        """The port on which the simulator listens, once started."""
        return self._port

    @property
    def url(self) -> str:
        """The URL of both REST hosts."""
        return f"http://{HOST}:{self._port}"

    @property
    def stream_url(self) -> str:
        """The URL of the data streams' host; the trading stream is `/stream` on the host of `url`."""
        return f"ws://{HOST}:{self._port}"

    def environment(self) -> dict[str, str]:
        """Return the environment variables that point a client here."""
        return {
            "APCA_API_KEY_ID": self._world.keys.key_id,
            "APCA_API_SECRET_KEY": self._world.keys.secret_key,
            "APCA_API_BASE_URL": self.url,
            "APCA_API_DATA_URL": self.url,
            "APCA_API_STREAM_URL": self.stream_url,
        }

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start listening; return once connections are accepted.

        Raises:
            OSError: The port is taken.
        """
        if self._thread is not None:
            return
        started: Future[None] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(started)), name="options-helper-simulator", daemon=True
        )
        self._thread.start()
        error = started.exception(_START_TIMEOUT_SECONDS)
        if error is not None:
            self._thread.join()
            self._thread = None
            raise error

    def stop(self) -> None:
        """Cut every connection and end the thread; may be called at any time, and repeatedly."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        if self._loop is not None and self._ended is not None:
            self._loop.call_soon_threadsafe(self._ended.set)
        thread.join(_STOP_TIMEOUT_SECONDS)
        self._loop = None

    def stop_accepting(self) -> None:
        """Close the listening socket; new connections are refused, open ones continue."""
        self._run(self._stop_listening(), _STOP_TIMEOUT_SECONDS)

    def resume_accepting(self) -> None:
        """Listen again on the same port."""
        self._run(self._listen(), _START_TIMEOUT_SECONDS)

    async def _listen(self) -> None:
        if self._site is None and self._runner is not None:
            self._listener = socket.create_server((HOST, self._port))
            self._port = self._listener.getsockname()[1]
            self._site = web.SockSite(self._runner, self._listener)
            await self._site.start()

    async def _stop_listening(self) -> None:
        site, self._site = self._site, None
        if site is None or self._listener is None:
            return
        # Python 3.11 loses a connection accepted in the same loop step in which the server closes.
        asyncio.get_running_loop().remove_reader(self._listener)
        for _ in range(_STEPS_TO_ACCEPT):
            await asyncio.sleep(0)
        await site.stop()

    async def _serve(self, started: Future[None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._world.bind(self._loop)
        self._ended = asyncio.Event()
        self._runner = web.AppRunner(
            build_application(self._world), handler_cancellation=True, access_log=None, shutdown_timeout=0.1
        )
        await self._runner.setup()
        timers = [asyncio.create_task(self._every(*one)) for one in self._timers()]
        try:
            await self._listen()
            started.set_result(None)
            await self._ended.wait()
        except OSError as error:  # the port is taken
            started.set_exception(error)
        finally:
            for timer in timers:
                timer.cancel()
            await self._stop_listening()
            self._world.released.set()
            for connection in list(self._world.clients.connected):
                connection.drop("reset")
            await self._runner.cleanup()

    def _timers(self) -> list[tuple[float, Callable[[], None]]]:
        return [
            (self._tick_seconds, self._world.tick),
            (self._order_interval_seconds, self._world.step_orders),
            (_PING_EVERY_SECONDS, self._world.ping),
        ]

    async def _every(self, seconds: float, function: Callable[[], None]) -> None:
        while seconds > 0:
            await asyncio.sleep(seconds)
            function()
