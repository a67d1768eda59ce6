"""The streams' websocket client: it extracts market data frames and leaves everything else to websockets.

The older websockets client, which alpaca-py uses, spends about 4 µs per frame on tasks, futures and queues.
The class made here finds frame boundaries itself (RFC 6455, section 5.2). Until `divert` is called, it hands
the library one data frame per `recv()`, so nothing is in transit between the two when `recv()` returns, and
the switch neither loses nor reorders anything. From then on, whole binary frames go straight to the sink, and
the library only sees pings, pongs and the closing handshake. If anything else arrives (text, a fragmented
message, a frame over the size limit or against the protocol), the library reads the rest of the connection as
if this class did not exist.

The opening handshake is websockets' own with two limits: no redirect is followed, and the HTTP answer is
bounded in size. `ConnectionTimes.handshake` bounds its time.
"""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import Awaitable, Callable, Iterable
from functools import cache
from typing import Protocol

from options_helper.data.redirects import describe_target
from options_helper.recording.taps import ConnectionTap

MAX_FRAME_BYTES = 16 * 1024 * 1024
MAX_UPGRADE_BYTES = 32 * 1024

_HEADER_END = b"\r\n\r\n"
_WHOLE_BINARY = 0x82
_CONTROL, _FINAL = 0x08, 0x80
_TWO_BYTES, _EIGHT_BYTES = 126, 127
_SHORT_HEADER = struct.Struct(">BBH")  # kind, length, and the length if it needs two bytes


class UpgradeRefused(ConnectionError):
    """A response to the upgrade request that is not acceptable.

    Attributes:
        words: The reason, which quotes nothing of the server's text except a host name.
    """

    def __init__(self, words: str) -> None:
        self.words = words
        super().__init__(words)


class StreamSocket(Protocol):
    """A websocket of `stream_protocol()`, as the connections use it."""

    transport: asyncio.WriteTransport | None
    tap: ConnectionTap | None

    def divert(self, sink: Callable[[list[bytearray]], None]) -> None:
        """Pass binary frames to a sink from now on."""

    async def recv(self) -> bytes | str:
        """Return the next message."""
        ...

    async def send(self, message: bytes) -> None:
        """Send a message."""

    async def ping(self) -> Awaitable[float]:
        """Send a ping; the returned awaitable completes with the pong."""
        ...

    async def close(self) -> None:
        """Perform the closing handshake."""


def frame_bounds(buffer: bytearray, at: int = 0) -> tuple[int, int] | None:
    """Return the payload's bounds in the frame that starts at `at`, or None while its header is incomplete.

    The end may lie beyond the buffer. A frame with the mask bit, which no server may set, counts as over the
    limit, so the library refuses it.
    """
    size = len(buffer)
    if size < at + 2:
        return None
    length, begin = buffer[at + 1], at + 2
    if length == _TWO_BYTES:
        begin = at + 4
        if size < begin:
            return None
        length = buffer[at + 2] << 8 | buffer[at + 3]
    elif length == _EIGHT_BYTES:
        begin = at + 10
        if size < begin:
            return None
        length = int.from_bytes(buffer[at + 2 : begin])
    elif length > _EIGHT_BYTES:
        length = MAX_FRAME_BYTES + 1
    return begin, begin + length


def take_frames(buffer: bytearray) -> tuple[list[bytearray], list[bytearray], bool]:
    """Take whole frames off the front of the buffer.

    Returns:
        The payloads of unfragmented binary frames in order; control frames with their headers; and False if
        the next frame, which stays in the buffer, is of another kind or over the limit, else True.
    """
    payloads, at = _take_plain_frames(buffer)
    controls: list[bytearray] = []
    size, goes_on = len(buffer), True
    while bounds := frame_bounds(buffer, at):
        begin, end = bounds
        first = buffer[at]
        if end - begin > MAX_FRAME_BYTES or (first != _WHOLE_BINARY and not first & _CONTROL):
            goes_on = False
            break
        if end > size:
            break
        if first == _WHOLE_BINARY:
            payloads.append(buffer[begin:end])
        else:
            controls.append(buffer[at:end])
        at = end
    del buffer[:at]
    return payloads, controls, goes_on


def _take_plain_frames(buffer: bytearray) -> tuple[list[bytearray], int]:
    """Return the payloads of the usual frames at the front (binary, below 64 kB), and where they end.

    `take_frames` would return the same without this function, in twice the time.
    """
    payloads: list[bytearray] = []
    at, size = 0, len(buffer)
    while at + _SHORT_HEADER.size <= size:
        kind, length, extended = _SHORT_HEADER.unpack_from(buffer, at)
        if kind != _WHOLE_BINARY or length > _TWO_BYTES:
            break
        begin, count = (at + 4, extended) if length == _TWO_BYTES else (at + 2, length)
        if begin + count > size:
            break
        at = begin + count
        payloads.append(buffer[begin:at])
    return payloads, at


class _FramesFirst:
    """The base class of `stream_protocol()` that precedes websockets' own.

    Attributes:
        last_message: The last result of `recv()`; it has a refusal's code, which the SDK discards.
        tap: Receives every message once it is set, which is after the authentication.
    """

    last_message: bytes | str | None = None
    tap: ConnectionTap | None = None

    def __init__(self, *arguments: object, **more: object) -> None:
        super().__init__(*arguments, **more)
        self._buffer = bytearray()
        self._is_upgraded = False  # the HTTP response has been passed on
        self._is_wanted = False  # recv() waits for a message
        self._is_handed_over = False  # the library reads on its own
        self._sink: Callable[[list[bytearray]], None] | None = None

    def divert(self, sink: Callable[[list[bytearray]], None]) -> None:
        """Pass the payloads of binary frames to `sink` from now on, several at a time; it must not raise.

        Call it when no `recv()` is in progress. From then on, `recv()` returns only what the library reads.
        """
        self._sink = sink if self.tap is None else self.tap.before(sink)
        self._advance()

    async def handshake(self, *arguments: object, **more: object) -> None:
        from websockets.legacy.exceptions import RedirectHandshake  # noqa: PLC0415 - comes with alpaca-py

        try:
            await super().handshake(*arguments, **more)  # type: ignore[misc]  # websockets' own
        except RedirectHandshake as redirect:
            # websockets would connect to the target, and the SDK would send the keys there.
            target = describe_target(redirect.uri)
            words = f"the server redirects{target}; redirects are not followed and no key was sent"
            raise UpgradeRefused(words) from None

    async def recv(self) -> bytes | str:
        self._is_wanted = True
        self._advance()
        message: bytes | str = await super().recv()  # type: ignore[misc]  # websockets' own
        self.last_message = message
        if self.tap is not None:
            self.tap.received(message)
        return message

    async def send(self, message: bytes | str | Iterable[bytes]) -> None:
        if self.tap is not None:
            if not isinstance(message, bytes | str):
                message = list(message)  # the SDK's subscription, in fragments
            self.tap.sent(b"".join(message) if isinstance(message, list) else message)
        await super().send(message)  # type: ignore[misc]  # websockets' own

    async def close(self, *arguments: object, **more: object) -> None:
        self._hand_over()
        await super().close(*arguments, **more)  # type: ignore[misc]  # websockets' own

    def data_received(self, data: bytes) -> None:
        if self._is_handed_over:
            self._pass_on(data)
        else:
            self._buffer += data
            self._advance()

    def eof_received(self) -> None:
        self._hand_over()
        super().eof_received()  # type: ignore[misc]  # websockets' own

    def connection_lost(self, error: Exception | None) -> None:
        if error is None:
            self._hand_over()
        super().connection_lost(error)  # type: ignore[misc]  # websockets' own

    def _advance(self) -> None:
        if self._is_handed_over or not (self._is_upgraded or self._pass_http_response()):
            return
        if self._sink is None:
            self._pass_one_message()
            return
        payloads, controls, goes_on = take_frames(self._buffer)
        if payloads:
            self._sink(payloads)
        for frame in controls:
            self._pass_on(frame)
        if not goes_on:
            self._hand_over()

    def _pass_http_response(self) -> bool:
        end = self._buffer.find(_HEADER_END)
        if end < 0:
            if len(self._buffer) > MAX_UPGRADE_BYTES:
                self._refuse_upgrade()
            return False
        self._pass_first(end + len(_HEADER_END))
        self._is_upgraded = True
        return True

    def _refuse_upgrade(self) -> None:
        self._is_handed_over = True
        self._buffer.clear()
        error = UpgradeRefused("the server's answer to the connection request was too long")
        self.reader.set_exception(error)  # type: ignore[attr-defined]  # websockets' own
        self.transport.abort()  # type: ignore[attr-defined]  # websockets' own

    def _pass_one_message(self) -> None:
        """Pass on one message, with the control frames before it, if `recv()` is waiting for it."""
        buffer = self._buffer
        while self._is_wanted and (bounds := frame_bounds(buffer)):
            begin, end = bounds
            if end - begin > MAX_FRAME_BYTES:
                self._hand_over()
                return
            if end > len(buffer):
                return
            self._is_wanted = bool(buffer[0] & _CONTROL) or not buffer[0] & _FINAL
            self._pass_first(end)

    def _hand_over(self) -> None:
        if not self._is_handed_over:
            self._is_handed_over = True
            self._pass_first(len(self._buffer))

    def _pass_first(self, count: int) -> None:
        self._pass_on(self._buffer[:count])
        del self._buffer[:count]

    def _pass_on(self, data: bytes | bytearray) -> None:
        super().data_received(data)  # type: ignore[misc]  # websockets' own


@cache
def stream_protocol() -> type:
    """Return the class for websockets' `create_protocol`, created when the first stream starts."""
    from websockets.legacy.client import WebSocketClientProtocol  # noqa: PLC0415 - comes with alpaca-py

    return type("StreamProtocol", (_FramesFirst, WebSocketClientProtocol), {})


def websocket_params() -> dict[str, object]:
    """Return the SDK's parameters for websockets: our protocol class; keepalive and compression off."""
    # websockets logs every frame at DEBUG, including the authentication with its keys.
    quiet = logging.getLogger("options_helper.websockets")
    quiet.setLevel(logging.WARNING)
    return {
        "create_protocol": stream_protocol(),
        "logger": quiet,
        "ping_interval": None,
        "open_timeout": None,
        "close_timeout": 0.2,
        "max_queue": 1024,
        "max_size": MAX_FRAME_BYTES,
        "compression": None,
    }
