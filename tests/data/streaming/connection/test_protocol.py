"""The streams' websocket client: frames that it reads itself, and those left to websockets."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import itertools
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("websockets", reason="needs websockets (pip install -e '.[alpaca]')")

from collections.abc import Callable

from options_helper.data.streaming.connection.protocol import (
    MAX_FRAME_BYTES,
    _FramesFirst,
    frame_bounds,
    stream_protocol,
)

TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 0x1, 0x2, 0x0, 0x8, 0x9, 0xA
UPGRADE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


def _frame(payload: bytes, opcode: int = BINARY, *, final: bool = True) -> bytes:
    first, size = opcode | (0x80 if final else 0), len(payload)
    if size < 126:
        return struct.pack("!BB", first, size) + payload
    if size < 1 << 16:
        return struct.pack("!BBH", first, 126, size) + payload
    return struct.pack("!BBQ", first, 127, size) + payload


class Library:
    """Stands in for websockets' class and records its input."""

    def __init__(self) -> None:
        self.read = bytearray()

    def data_received(self, data: bytes) -> None:
        self.read += data

    def eof_received(self) -> None:
        self.read += b"EOF"

    def connection_lost(self, _error: Exception | None) -> None:
        self.read += b"LOST"


class Protocol(_FramesFirst, Library):
    """The class under test over the stand-in, with a sink that records."""

    def __init__(self) -> None:
        super().__init__()
        self.got: list[bytes] = []

    def start(self) -> Protocol:
        self.data_received(UPGRADE)
        self.read.clear()
        self.divert(lambda payloads: self.got.extend(map(bytes, payloads)))
        return self


def _chunks(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[begin:end] for begin, end in itertools.pairwise(places)]


_small = st.binary(max_size=200)
_binary = st.tuples(st.just(BINARY), _small | st.just(b"x" * 70_000))
_control = st.tuples(st.sampled_from([PING, PONG]), st.binary(max_size=125))


@given(st.lists(_binary | _control, max_size=12), st.lists(st.integers(0, 100_000), max_size=8))
def test_binary_frames_reach_the_sink_whole_and_in_order_however_they_are_cut(frames, cuts) -> None:
    """The sink gets each binary payload once, and the library each control frame, however they are cut."""
    protocol = Protocol().start()
    for chunk in _chunks(b"".join(_frame(payload, opcode) for opcode, payload in frames), cuts):
        protocol.data_received(chunk)
    assert protocol.got == [payload for opcode, payload in frames if opcode == BINARY]
    controls = [_frame(payload, opcode) for opcode, payload in frames if opcode != BINARY]
    assert protocol.read == b"".join(controls)


@given(
    st.lists(_binary, max_size=4),
    st.sampled_from(
        [
            _frame(b"text", TEXT),
            _frame(b"part", final=False),
            _frame(b"rest", CONTINUATION),
            b"\xc2\x01x",  # a reserved bit
            b"\x82\x81maskx",  # masked, which no server may do
            struct.pack("!BBQ", 0x82, 127, MAX_FRAME_BYTES + 1),
        ]
    ),
    st.lists(_binary, max_size=4),
    st.lists(st.integers(0, 1000), max_size=6),
)
def test_from_the_first_unusual_frame_on_the_library_reads_everything(before, unusual, after, cuts) -> None:
    """The first frame that is not whole and binary, and everything after it, goes to the library."""
    protocol = Protocol().start()
    rest = unusual + b"".join(_frame(payload) for _, payload in after)
    for chunk in _chunks(b"".join(_frame(payload) for _, payload in before) + rest, cuts):
        protocol.data_received(chunk)
    assert protocol.got == [payload for _, payload in before]
    assert protocol.read == rest


def test_an_incomplete_frame_waits() -> None:
    """Nothing is returned before a frame's header and payload are complete."""
    for size in (5, 300, 70_000):
        frame = _frame(b"x" * size)
        protocol = Protocol().start()
        protocol.data_received(frame[:1])
        protocol.data_received(frame[1:3])
        protocol.data_received(frame[3:-1])
        assert protocol.got == []
        protocol.data_received(frame[-1:])
        assert protocol.got == [b"x" * size]
    assert frame_bounds(bytearray(b"\x82\x7f\x00")) is None


def test_the_library_handles_the_remaining_bytes_at_the_end() -> None:
    """A cut-off frame is passed to the library before the end of the connection."""
    protocol = Protocol().start()
    protocol.data_received(_frame(b"whole") + _frame(b"half")[:3])
    protocol.eof_received()
    protocol.connection_lost(None)
    assert protocol.read == _frame(b"half")[:3] + b"EOFLOST"
    broken = Protocol().start()
    broken.data_received(b"\x82")
    broken.connection_lost(ConnectionResetError())
    assert broken.read == b"LOST"


class Peer:
    """A server that upgrades and sends prepared bytes, the first of them in one piece with the upgrade."""

    def __init__(self, *parts: bytes) -> None:
        self._parts = parts
        self.heard = bytearray()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = next(line[19:] for line in request.split("\r\n") if line.startswith("Sec-WebSocket-Key: "))
        salted = f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()
        accept = base64.b64encode(hashlib.sha1(salted).digest())  # noqa: S324 - RFC 6455
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n" + b"".join(self._parts)
        )
        while data := await reader.read(1000):
            self.heard += data
        writer.close()


def _with_peer(peer: Peer, talk: Callable[[Any], Any]) -> Any:
    async def run() -> Any:
        from websockets.legacy.client import connect

        server = await asyncio.start_server(peer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        websocket = await connect(
            f"ws://127.0.0.1:{port}",
            create_protocol=stream_protocol(),
            compression=None,
            ping_interval=None,
            close_timeout=0.2,
        )
        try:
            async with asyncio.timeout(10):
                return await talk(websocket)
        finally:
            await websocket.close()
            server.close()

    return asyncio.run(run())


def test_recv_gives_binary_text_and_fragmented_messages_with_a_ping_between() -> None:
    """Before `divert`, `recv` is the library's, message by message, and the ping is answered."""
    peer = Peer(
        _frame(b"one"),
        _frame(b"", PING),
        _frame(b"two", TEXT),
        _frame(b"th", final=False),
        _frame(b"", PONG),
        _frame(b"ree", CONTINUATION),
        _frame(b"four"),
    )

    async def talk(websocket: Any) -> list[Any]:
        got = [await websocket.recv() for _ in range(4)]
        assert websocket.last_message == b"four"
        return got

    assert _with_peer(peer, talk) == [b"one", "two", b"three", b"four"]
    assert peer.heard[0] == 0x80 | PONG


def test_the_switch_loses_and_reorders_nothing() -> None:
    """Frames behind the last one read reach the sink, and later text arrives by `recv`."""
    frames = [str(number).encode() for number in range(50)]
    peer = Peer(*map(_frame, frames), _frame(b"text", TEXT), _frame(b"late"))

    async def talk(websocket: Any) -> list[Any]:
        got: list[Any] = [await websocket.recv(), await websocket.recv()]
        websocket.divert(got.extend)
        return [*got, await websocket.recv(), await websocket.recv()]

    assert _with_peer(peer, talk) == [*frames, "text", b"late"]


def test_a_message_before_a_broken_connection_is_still_read() -> None:
    """A refusal just before the end of the connection is read first."""
    from websockets.exceptions import ConnectionClosed

    peer = Peer(_frame(b"hello"), _frame(b"refused"), _frame(struct.pack("!H", 1000), CLOSE))

    async def talk(websocket: Any) -> list[Any]:
        got = [await websocket.recv()]
        await asyncio.sleep(0)
        got.append(await websocket.recv())
        with pytest.raises(ConnectionClosed):
            await websocket.recv()
        return got

    assert _with_peer(peer, talk) == [b"hello", b"refused"]


def test_a_frame_over_the_limit_is_refused_by_the_library() -> None:
    """The connection is closed with the code for an oversized message, before and after `divert`."""
    from websockets.exceptions import ConnectionClosed

    async def talk(websocket: Any) -> int:
        await websocket.recv()
        with pytest.raises(ConnectionClosed) as raised:
            await websocket.recv()
        assert raised.value.sent is not None
        return raised.value.sent.code

    assert _with_peer(Peer(_frame(b"hello"), struct.pack("!BBQ", 0x82, 127, 1 << 40)), talk) == 1009
