"""SDK streams limited to one connection, which ends with a typed reason.

alpaca-py reconnects forever and does not report why (websocket.py and stream.py of 0.44, `_run_forever`).
The classes made here keep its endpoint, headers, authentication and subscription messages, and replace the
rest: `run()` makes one connection, raises `StreamRejected` or `StreamInterrupted` when it ends, returns after
`stop()`, and reports each step to an observer. They declare the SDK's private names that they use.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import TypeVar

from options_helper.data.streaming.connection.failures import explain
from options_helper.data.streaming.connection.name_lookup import LookupLoop
from options_helper.data.streaming.connection.observer import ConnectionObserver, ConnectionTimes
from options_helper.data.streaming.connection.protocol import StreamSocket
from options_helper.errors import StreamError, StreamInterrupted
from options_helper.recording.taps import ConnectionTap

Kind = TypeVar("Kind", bound="OneConnection")
Duty = Coroutine[None, None, None]


class OneConnection:
    """The common base of both kinds of streams; it precedes an SDK stream class among the bases."""

    # The SDK's own.
    _ws: StreamSocket
    _connect: Callable[[], Awaitable[None]]
    _auth: Callable[[], Awaitable[None]]

    _frames_seen = 0
    stream_name: str
    asked: frozenset[str] = frozenset()
    _tap: ConnectionTap | None = None

    def prepare(
        self, *, observer: ConnectionObserver, times: ConnectionTimes, tap: ConnectionTap | None = None
    ) -> None:
        """Set the attributes that the SDK's constructor does not accept."""
        self._observer = observer
        self._times = times
        self._tap = tap
        self._mutex = threading.Lock()
        self._stop_asked = False
        self._main: asyncio.Task[None] | None = None
        self._main_loop: asyncio.AbstractEventLoop | None = None
        self._step = ""
        self._changed = asyncio.Event()  # set after a request for other symbols

    def run(self) -> None:
        """Connect, authenticate, subscribe and receive until the connection ends.

        Raises:
            StreamRejected: The server refuses permanently.
            StreamInterrupted: The connection ended or was never established.
        """
        with asyncio.Runner(loop_factory=LookupLoop) as runner:
            runner.run(self._live())

    def stop(self) -> None:
        """Make `run()` return; callable from any thread at any time, even before `run()`."""
        with self._mutex:
            self._stop_asked = True
            if self._main is not None and self._main_loop is not None:
                self._main_loop.call_soon_threadsafe(self._main.cancel)

    async def _live(self) -> None:
        with self._mutex:
            if self._stop_asked:
                return
            self._main, self._main_loop = asyncio.current_task(), asyncio.get_running_loop()
        failure: StreamError | None = None
        try:
            await self._handshake_then_receive()
        except asyncio.CancelledError:
            if not self._stop_asked:
                raise
        except StreamError as error:
            failure = error
            raise
        finally:
            if self._tap is not None:
                self._tap.ended(failure, self._step, getattr(self._ws, "close_code", None))
            with self._mutex:
                self._main = None
            await self._let_go()

    async def _handshake_then_receive(self) -> None:
        try:
            async with asyncio.timeout(self._times.handshake):
                await self._shake_hands()
        except TimeoutError as error:
            waited = f"{self._times.handshake:g} s"
            raise StreamInterrupted(self.stream_name, f"no answer for {waited} while {self._step}") from error
        except StreamError:
            raise
        except (OSError, ValueError, EOFError, KeyError, TypeError, self._websocket_error()) as error:
            # The SDK raises ValueError and its subclasses for an unexpected answer.
            raise explain(self.stream_name, error, self._last_message()) from error
        await self._receive_and_ping()

    async def _shake_hands(self) -> None:
        self._enter("connecting")
        await self._connect()
        self._observer.heard()
        self._enter("authenticating")
        await self._auth()
        self._observer.heard()
        if self._tap is not None:
            self._tap.opened()
            self._ws.tap = self._tap
        self._enter("waiting for the subscription")
        await self._subscribe_all()

    async def _receive_and_ping(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for duty in self._duties():
                    group.create_task(duty)
        except* (StreamError, OSError, self._websocket_error()) as errors:
            # The server's own message takes precedence over the broken socket that follows it.
            first = min(errors.exceptions, key=lambda error: not isinstance(error, StreamError))
            raise (
                first if isinstance(first, StreamError) else explain(self.stream_name, first, None)
            ) from errors

    def _duties(self) -> Iterable[Duty]:
        return self._receive(), self._keep_alive()

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(self._times.ping_interval)
            complaint = self._observer.complaint()
            if complaint is not None:
                raise complaint
            before = self._frames_seen
            pong = await self._ws.ping()
            try:
                # Until Python 3.12, `wait_for` loses a cancellation that arrives together with the pong.
                async with asyncio.timeout(self._times.ping_timeout):
                    await pong
            except TimeoutError as error:
                if self._frames_seen == before:
                    waited = f"{self._times.ping_timeout:g} s"
                    raise StreamInterrupted(self.stream_name, f"no answer to a ping for {waited}") from error
            self._observer.heard()

    async def _let_go(self) -> None:
        websocket: StreamSocket | None = self._ws
        if websocket is None:
            return
        self._ws = None  # type: ignore[assignment]  # as the SDK leaves it when there is no connection
        with contextlib.suppress(TimeoutError, OSError, self._websocket_error()):
            await asyncio.wait_for(websocket.close(), self._times.close)
        if websocket.transport is not None:
            websocket.transport.abort()

    def _handing(self) -> contextlib.AbstractContextManager[None]:
        """Return the event of handing messages on."""
        return contextlib.nullcontext() if self._tap is None else self._tap.handed()

    def _acknowledge(self, granted: frozenset[str] | None) -> None:
        self._observer.subscribed(granted)
        if self._tap is not None:
            self._tap.acknowledged(granted)

    def _enter(self, step: str) -> None:
        self._step = step
        self._observer.step(step)

    def _last_message(self) -> bytes | str | None:
        last: bytes | str | None = getattr(self._ws, "last_message", None)
        return last

    @staticmethod
    def _websocket_error() -> type[Exception]:
        import websockets  # noqa: PLC0415 - comes with alpaca-py

        return websockets.WebSocketException

    async def _subscribe_all(self) -> None:
        raise NotImplementedError

    async def _receive(self) -> None:
        """Receive binary frames through `divert`, without a loop step, and others through `recv`."""
        self._ws.divert(self._put)
        try:
            while True:
                self._put([await self._ws.recv()])
        finally:
            await self._deliver_rest()

    def _put(self, frames: Sequence[bytes | bytearray | str]) -> None:
        raise NotImplementedError

    async def _deliver_rest(self) -> None:
        raise NotImplementedError


def one_connection(kind: type[Kind], sdk_class: type) -> Callable[..., Kind]:
    """Return a class with the SDK's constructor and messages, limited to one connection."""
    return type(f"One{sdk_class.__name__}", (kind, sdk_class), {})
