"""One SDK stream = one connection that ends with a typed reason.

alpaca-py reconnects for ever and tells nobody why (websocket.py and stream.py of 0.44, `_run_forever`). The
classes made here keep its endpoint, headers, authentication and subscription messages, and replace what it
does around them: `run()` lives for one connection, raises `StreamRejected` or `StreamInterrupted` when it
ends, returns when `stop()` was called, and tells an observer each step on the way. This is the only file
that touches the SDK's private names: `_connect`, `_auth`, `_send_subscribe_msg`, `_subscribe_trade_updates`,
`_ws`, `_handlers`, `_websocket_params`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec

from options_helper.data.streaming.frames import FrameDecoder, MarketBatch
from options_helper.data.streaming.name_lookup import LookupLoop
from options_helper.data.streaming.stream_failures import explain, rejection_of_frame
from options_helper.errors import StreamError, StreamInterrupted, StreamRejected

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence

    from options_helper.data.streaming.connection_observer import ConnectionObserver, ConnectionTimes

logger = logging.getLogger(__name__)

# In one flush: about 50,000 a second, 80 kB in the socket.
_BURST_MESSAGES = 1000


class _OneConnection:
    """The part that both kinds of streams share; stands before an SDK stream class in the bases."""

    _ws: Any
    _frames_seen = 0
    stream_name: str
    asked: frozenset[str] = frozenset()

    def prepare(self, *, observer: ConnectionObserver, times: ConnectionTimes) -> None:
        """Give the connection what the SDK's constructor does not know."""
        self._observer = observer
        self._times = times
        self._mutex = threading.Lock()
        self._stop_asked = False
        self._main: asyncio.Task[None] | None = None
        self._main_loop: asyncio.AbstractEventLoop | None = None
        self._step = ""

    def run(self) -> None:
        """Connect, authenticate, subscribe and receive until the connection ends.

        Raises:
            StreamRejected: The server refuses for good.
            StreamInterrupted: The connection ended or never came about.
        """
        with asyncio.Runner(loop_factory=LookupLoop) as runner:
            runner.run(self._live())

    def stop(self) -> None:
        """End `run()`, from any thread, at any moment, also before it began."""
        with self._mutex:
            self._stop_asked = True
            if self._main is not None and self._main_loop is not None:
                self._main_loop.call_soon_threadsafe(self._main.cancel)

    async def _live(self) -> None:
        with self._mutex:
            if self._stop_asked:
                return
            self._main, self._main_loop = asyncio.current_task(), asyncio.get_running_loop()
        try:
            await self._handshake_then_receive()
        except asyncio.CancelledError:
            if not self._stop_asked:
                raise
        finally:
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
            # ValueError and its kin are the SDK's own words for an answer that it did not expect.
            raise explain(self.stream_name, error, self._last_message()) from error
        await self._receive_and_ping()

    async def _shake_hands(self) -> None:
        self._enter("connecting")
        await self._connect()  # type: ignore[attr-defined]
        self._observer.heard()
        self._enter("authenticating")
        await self._auth()  # type: ignore[attr-defined]
        self._observer.heard()
        self._enter("waiting for the subscription")
        await self._subscribe_all()

    async def _receive_and_ping(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for duty in self._duties():
                    group.create_task(duty)
        except* (StreamError, OSError, self._websocket_error()) as errors:
            # The server's own word counts before the broken socket that follows it.
            first = min(errors.exceptions, key=lambda error: not isinstance(error, StreamError))
            raise (
                first if isinstance(first, StreamError) else explain(self.stream_name, first, None)
            ) from errors

    def _duties(self) -> Iterable[Coroutine[Any, Any, None]]:
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
                await asyncio.wait_for(pong, self._times.ping_timeout)
            except TimeoutError as error:
                if self._frames_seen == before:
                    waited = f"{self._times.ping_timeout:g} s"
                    raise StreamInterrupted(self.stream_name, f"no answer to a ping for {waited}") from error
            self._observer.heard()

    async def _let_go(self) -> None:
        websocket, self._ws = self._ws, None
        if websocket is None:
            return
        with contextlib.suppress(TimeoutError, OSError, self._websocket_error()):
            await asyncio.wait_for(websocket.close(), self._times.close)
        if websocket.transport is not None:
            websocket.transport.abort()

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
        raise NotImplementedError


class DataConnection(_OneConnection):
    """A market data stream that decodes whole frames and keeps the newest row per symbol."""

    deliver: Callable[[MarketBatch], Awaitable[None]]
    deliver_statuses: Callable[[list[dict[str, Any]]], Awaitable[None]] | None = None

    def _duties(self) -> Iterable[Coroutine[Any, Any, None]]:
        return *super()._duties(), self._flush_regularly()

    async def _subscribe_all(self) -> None:
        await self._send_subscribe_msg()  # type: ignore[attr-defined]
        self._decoder = FrameDecoder()
        self._controls: list[dict[str, Any]] = []
        self._arrived = asyncio.Event()
        while not self._decoder.acknowledged:
            self._take_in([await self._ws.recv()])
            await self._take_controls()
        if self.deliver_statuses is not None:
            # A request of its own: where a plan has no statuses, quotes and trades are granted already.
            request = {"action": "subscribe", "statuses": sorted(self.asked)}
            await self._ws.send(msgspec.msgpack.encode(request))

    async def _receive(self) -> None:
        """Binary frames come by the diversion; what websockets reads itself, by `recv`."""
        self._ws.divert(self._take_in)
        try:
            while True:
                self._take_in([await self._ws.recv()])
        finally:
            await self._flush()

    def _take_in(self, frames: Sequence[bytes | bytearray | str]) -> None:
        self._frames_seen += len(frames)
        take = self._decoder.take
        for frame in frames:
            self._controls += take(frame)
        self._arrived.set()

    async def _take_controls(self) -> None:
        controls, self._controls = self._controls, []
        statuses = [control for control in controls if control["T"] == "s"]
        if statuses and self.deliver_statuses is not None:
            await self.deliver_statuses(statuses)
        for control in controls:
            if control["T"] == "subscription" and not self._decoder.acknowledged:
                self._decoder.acknowledged = True
                self._observer.subscribed(frozenset(control.get("quotes") or ()))
            elif control["T"] == "error":
                self._take_error(control)

    def _take_error(self, frame: dict[str, Any]) -> None:
        error = rejection_of_frame(self.stream_name, frame, asked=len(self.asked))
        if isinstance(error, StreamRejected) and self._decoder.acknowledged and self.deliver_statuses:
            # After the acknowledgement only the request for statuses can be refused.
            logger.info("The %s stream does not tell trading halts: %s.", self.stream_name, error)
            return
        raise error

    async def _flush_regularly(self) -> None:
        """What comes after a silence is shown at once; from then on one batch per `times.flush`."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            if await self._flush() >= _BURST_MESSAGES:
                await asyncio.sleep(self._times.flush)
            else:
                # Not the loop's sleep: each frame would wake this thread, and every time it asked for the
                # interpreter's lock it would stop the page. Messages gather in the socket instead. Stop and
                # pings, all else that this loop has to do, can wait as long.
                asleep_since = time.monotonic()
                time.sleep(self._times.flush)  # noqa: ASYNC251
                await self._read_gathered(asleep_since)

    async def _read_gathered(self, since: float) -> None:
        """Take in what came meanwhile; nobody knows when, so it counts as waiting since the beginning."""
        self._decoder.waiting_since = since
        for _ in range(2):  # a turn in which the loop reads its sockets, and the one after it
            await asyncio.sleep(0)
        self._decoder.waiting_since = None

    async def _flush(self) -> int:
        """Deliver what came since the last flush; how many messages that was."""
        batch = self._decoder.flush()
        if batch is not None:
            self._observer.counted(
                messages=batch.messages,
                conflated=batch.conflated,
                malformed=batch.malformed,
                waited=time.monotonic() - batch.began,
            )
            if batch.quotes or batch.trades:
                await self.deliver(batch)
        await self._take_controls()
        return batch.messages if batch is not None else 0


class TradingConnection(_OneConnection):
    """The stream of order updates: raw JSON, each one handed over at once."""

    deliver: Callable[[dict[str, Any]], Awaitable[None]]

    def _duties(self) -> Iterable[Coroutine[Any, Any, None]]:
        return *super()._duties(), self._hand_on()

    async def _subscribe_all(self) -> None:
        await self._subscribe_trade_updates()  # type: ignore[attr-defined]
        self._frames: deque[bytes | bytearray | str] = deque()
        self._arrived = asyncio.Event()
        while not await self._take_in(await self._ws.recv()):
            pass

    async def _receive(self) -> None:
        """Binary frames come by the diversion, without a step of the loop; text by `recv`."""
        self._ws.divert(self._put)
        try:
            while True:
                self._put([await self._ws.recv()])
        finally:
            await self._take_all()

    def _put(self, frames: Sequence[bytes | bytearray | str]) -> None:
        self._frames.extend(frames)
        self._arrived.set()

    async def _hand_on(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            await self._take_all()

    async def _take_all(self) -> None:
        while self._frames:
            await self._take_in(self._frames.popleft())

    async def _take_in(self, frame: bytes | bytearray | str) -> bool:
        """Take one frame in; whether it was the acknowledgement."""
        self._frames_seen += 1
        try:
            message = json.loads(frame)
            stream = message["stream"]
            offered = stream != "listening" or "trade_updates" in message["data"]["streams"]
        except (ValueError, TypeError, KeyError, RecursionError):
            self._observer.counted(messages=0, conflated=0, malformed=1)
            return False
        if stream == "listening":
            if not offered:
                raise StreamInterrupted(self.stream_name, "the server does not offer order updates")
            self._observer.subscribed(None)
            return True
        if stream == "trade_updates":
            self._observer.counted(messages=1, conflated=0, malformed=0)
            await self.deliver(message)
        return False


def one_connection(kind: type[_OneConnection], sdk_class: type) -> type[Any]:
    """A class that has the SDK's constructor and messages, and the life of one connection."""
    return type(f"One{sdk_class.__name__}", (kind, sdk_class), {})
