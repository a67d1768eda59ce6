"""One websocket connection of a client, which sends without waiting and can end in every way."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterable
from typing import Literal

from aiohttp import web

from options_helper.simulator.faults import Faults, StreamFaults
from options_helper.simulator.wire import Message, frame

DropHow = Literal["reset", "fin", "close"]

# A client that is this far behind is disconnected; Alpaca's own buffer is large as well.
BUFFER_LIMIT_BYTES = 64 * 1024 * 1024
_LINGER_NOT = struct.pack("ii", 1, 0)


class Connection:
    """A client's connection to one stream; used only on the simulator's loop.

    Frames are written straight to the transport, so that nothing waits for a slow client, and a frame that
    was built once can be sent a million times.
    """

    def __init__(self, stream: str, request: web.Request, faults: Faults) -> None:
        self.stream = stream
        self.socket = web.WebSocketResponse(compress=False, max_msg_size=16 * 1024 * 1024, timeout=1.0)
        self._request = request
        self._faults = faults
        self._transport: asyncio.Transport | None = None
        self._vanished = False
        self._closing: asyncio.Task[bool] | None = None

    @property
    def faults(self) -> StreamFaults:
        """The current faults of its stream."""
        return self._faults.of(self.stream)

    @property
    def symbols(self) -> set[str]:
        """The market symbols that the client has subscribed to."""
        return set()

    def deliver_market(self, messages: Iterable[Message]) -> None:
        """Send market messages; only data streams carry them."""

    def deliver_update(self, update: object) -> None:
        """Send an order update; only the trading stream carries it."""

    async def serve(self) -> None:
        """Serve the client until the connection ends."""
        raise NotImplementedError

    async def open(self) -> None:
        """Respond to the upgrade."""
        await self.socket.prepare(self._request)
        transport = self._request.transport
        self._transport = transport if isinstance(transport, asyncio.Transport) else None

    @property
    def backlog_bytes(self) -> int:
        """The number of bytes that the client has not received yet."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    @property
    def is_open(self) -> bool:
        """True while data can still be sent."""
        return (
            self._transport is not None
            and self._closing is None
            and not self._transport.is_closing()
            and not self.socket.closed
        )

    def send(self, payload: bytes, *, text: bool = False) -> None:
        """Send one message, late if the stream has a delay, not at all if it has vanished."""
        if delay := self.faults.delay_seconds:
            asyncio.get_running_loop().call_later(delay, self.write, frame(payload, text=text))
        else:
            self.write(frame(payload, text=text))

    def write(self, frames: bytes) -> None:
        """Send whole frames unchanged."""
        if self._transport is None or self._vanished or not self.is_open:
            return
        self._transport.write(frames)
        if self.backlog_bytes > BUFFER_LIMIT_BYTES:
            self.drop("reset")

    def apply_faults(self) -> None:
        """Pause or resume the transport as the current faults require."""
        vanished = self.faults.vanished
        if self._transport is None or vanished == self._vanished or self._transport.is_closing():
            return
        self._vanished = vanished
        if vanished:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def drop(self, how: str = "reset", *, code: int = 1001) -> None:
        """End the connection now.

        Args:
            how: "reset" (RST), "fin" (close without a close frame) or "close" (send a close frame).
            code: The code of the close frame.
        """
        if self._transport is None:
            return
        if how == "close":
            self._closing = self._closing or asyncio.ensure_future(self.socket.close(code=code))
        elif how == "fin":
            self._transport.close()
        else:
            self._transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT
            )
            self._transport.abort()

    async def finish_close(self) -> None:
        """Wait for the close that `drop` began; otherwise aiohttp may send its own code, 1000, first."""
        if self._closing is not None:
            await self._closing
