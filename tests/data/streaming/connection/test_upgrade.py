"""The opening handshake against servers that misbehave, over loopback sockets."""

from __future__ import annotations

import contextlib
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

pytest.importorskip("alpaca", reason="needs alpaca-py (pip install -e '.[alpaca]')")

from options_helper.data.settings import AlpacaSettings
from options_helper.data.streaming.alpaca_stream import AlpacaOptionStreamer, AlpacaStockStreamer
from options_helper.data.streaming.alpaca_trading_stream import AlpacaTradingStreamer
from options_helper.data.streaming.connection.observer import ConnectionTimes
from options_helper.errors import StreamError, StreamInterrupted

pytestmark = pytest.mark.integration

KEY_ID, SECRET = "PKMARKEDKEYID0001", "marked-secret-0002"
STREAMERS = (AlpacaStockStreamer, AlpacaOptionStreamer, AlpacaTradingStreamer)
Streamers = type[AlpacaStockStreamer] | type[AlpacaOptionStreamer] | type[AlpacaTradingStreamer]


class Listener:
    """A TCP server that runs `talk` with each connection and counts them."""

    def __init__(self, talk: Callable[[socket.socket], None], host: str = "127.0.0.1") -> None:
        self._talk = talk
        self._server = socket.create_server((host, 0))
        self.address = f"{host}:{self._server.getsockname()[1]}"
        self.connections = 0
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _address = self._server.accept()
            except OSError:
                return
            self.connections += 1
            with connection, contextlib.suppress(OSError):
                self._talk(connection)


@contextlib.contextmanager
def _listening(talk: Callable[[socket.socket], None], host: str = "127.0.0.1") -> Iterator[Listener]:
    listener = Listener(talk, host)
    try:
        yield listener
    finally:
        listener.close()


def _run(kind: Streamers, address: str, times: ConnectionTimes | None = None) -> StreamError:
    settings = AlpacaSettings(KEY_ID, SECRET, trading_url=f"http://{address}", stream_url=f"ws://{address}")
    with pytest.raises(StreamError) as raised:
        kind(settings, times=times).run()
    return raised.value


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("kind", STREAMERS)
def test_no_redirect_is_followed(kind: Streamers, status: int) -> None:
    """The target of a redirect receives no connection, and the error names its host."""
    requests: list[bytes] = []

    def redirect(connection: socket.socket) -> None:
        requests.append(connection.recv(65536))
        target = f"Location: ws://{foreign.address}/steal\r\nContent-Length: 0\r\n\r\n"
        connection.sendall(f"HTTP/1.1 {status} Elsewhere\r\n{target}".encode())
        requests.append(connection.recv(65536))

    with _listening(lambda _connection: None, "127.0.0.2") as foreign, _listening(redirect) as server:
        error = _run(kind, server.address)
    assert type(error) is StreamInterrupted
    assert error.detail == (
        "the server redirects to 127.0.0.2; redirects are not followed and no key was sent"
    )
    assert foreign.connections == 0
    assert not any(key.encode() in request for key in (KEY_ID, SECRET) for request in requests)


@pytest.mark.parametrize(
    "location",
    ["/login", "http://[broken", "ws://![x](http://evil)/", "ws://a b/", f"ws://{'k' * 16}.example/", ""],
)
def test_only_a_host_name_is_repeated(location: str) -> None:
    """A target without a readable host is refused too, and the error contains none of its text."""

    def redirect(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(f"HTTP/1.1 302 Found\r\nLocation: {location}\r\n\r\n".encode())

    with _listening(redirect) as server:
        error = _run(AlpacaStockStreamer, server.address)
    assert error.detail == "the server redirects; redirects are not followed and no key was sent"


def test_an_endless_answer_to_the_upgrade_is_cut_off() -> None:
    """Only a few kilobytes of an endless header are read, and the connection ends before the deadline."""
    sent = 0

    def flood(connection: socket.socket) -> None:
        nonlocal sent
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nX-Endless: ")
        while sent < 100_000_000:
            sent += connection.send(b"a" * 65536)

    with _listening(flood) as server:
        tracemalloc.start()
        error = _run(AlpacaStockStreamer, server.address)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert type(error) is StreamInterrupted
    assert error.detail == "the server's answer to the connection request was too long"
    assert sent < 50_000_000
    assert peak < 50_000_000


def test_a_dripping_answer_to_the_upgrade_ends_at_the_deadline() -> None:
    """A header that grows byte by byte ends at the handshake's deadline."""
    pause, ended = threading.Event(), threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nX-Slow: ")
        while not ended.is_set():
            connection.sendall(b"a")
            pause.wait(0.02)

    with _listening(drip) as server:
        error = _run(AlpacaStockStreamer, server.address, ConnectionTimes(handshake=0.3))
        ended.set()
    assert error.detail == "no answer for 0.3 s while connecting"
