"""The server's side of a websocket over a blocking socket: handshake, frames, pings, close (RFC 6455)."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any

import msgpack

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_LISTS = ("/v2/positions", "/v2/orders", "/v2/account/activities", "/v2/calendar")
_ACCOUNT = b'{"id": "benchmark"}'  # a relay leads only once it knows its account
TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA


def encode_frame(payload: bytes, opcode: int = BINARY) -> bytes:
    """Return one unfragmented frame, unmasked as a server sends it."""
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", 0x80 | opcode, size) + payload
    if size < 1 << 16:
        return struct.pack("!BBH", 0x80 | opcode, 126, size) + payload
    return struct.pack("!BBQ", 0x80 | opcode, 127, size) + payload


class Connection:
    """One accepted websocket; any thread may send, one thread reads `requests`."""

    def __init__(self, sock: socket.socket, path: str, rest: bytes) -> None:
        self.path = path
        self._socket = sock
        self._rest = rest
        self._sending = threading.Lock()

    def send_frames(self, frames: bytes) -> None:
        """Send whole frames, as encoded by `encode_frame`."""
        with self._sending:
            self._socket.sendall(frames)

    def send_msgpack(self, message: object) -> None:
        """Send a message as msgpack in a binary frame."""
        self.send_frames(encode_frame(msgpack.packb(message)))

    def send_json(self, message: object) -> None:
        """Send a message as JSON in a binary frame, as Alpaca's paper trading stream does."""
        self.send_frames(encode_frame(json.dumps(message).encode()))

    def requests(self) -> Iterator[dict[str, Any]]:
        """Yield the client's requests until it closes the connection, and answer its pings."""
        message = b""
        while True:
            final, opcode, payload = self._read_frame()
            if opcode == CLOSE:
                self.send_frames(encode_frame(payload, CLOSE))
                self._socket.close()
                return
            if opcode == PING:
                self.send_frames(encode_frame(payload, PONG))
            elif opcode != PONG:
                message += payload
                if final:
                    yield _decode(message)
                    message = b""

    def _read_frame(self) -> tuple[bool, int, bytes]:
        head, size = struct.unpack("!BB", self._read(2))
        size &= 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", self._read(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self._read(8))
        mask = self._read(4)
        masked = self._read(size)
        return bool(head & 0x80), head & 0x0F, bytes(byte ^ mask[i % 4] for i, byte in enumerate(masked))

    def _read(self, size: int) -> bytes:
        while len(self._rest) < size:
            received = self._socket.recv(65536)
            if not received:
                raise ConnectionError
            self._rest += received
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


def accept_websocket(sock: socket.socket) -> Connection | None:
    """Return the connection after its handshake; answer a plain HTTP request as for an empty account."""
    data = b""
    while b"\r\n\r\n" not in data:
        received = sock.recv(65536)
        if not received:
            return None
        data += received
    head, _, rest = data.partition(b"\r\n\r\n")
    request, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    key = headers.get("sec-websocket-key")
    if key is None:
        path = request.split(" ")[1].partition("?")[0]
        body = _ACCOUNT if path == "/v2/account" else b"[]" if path in _LISTS else b"{}"
        sock.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(body), body)
        )
        sock.close()
        return None
    accept = base64.b64encode(hashlib.sha1(key.encode() + _MAGIC).digest())  # noqa: S324 - RFC 6455
    sock.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )
    return Connection(sock, request.split(" ")[1], rest)


def _decode(message: bytes) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(message) if message[:1] == b"{" else msgpack.unpackb(message)
    return decoded
