"""HTTP exchanges are limited in time and size, over real sockets."""

from __future__ import annotations

import gzip
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import httpx
import pytest

from options_helper.data.rest.bounded import LARGEST_ANSWER, BoundedTransport
from options_helper.data.rest.client import AlpacaRest
from options_helper.data.settings import AlpacaSettings
from options_helper.errors import AlpacaRestError

pytestmark = pytest.mark.integration  # its servers are real

Talk = Callable[[socket.socket, threading.Event], None]
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@contextmanager
def serving(talk: Talk, seconds: float = 20.0) -> Iterator[AlpacaRest]:
    """Return a client of a server that handles each connection with `talk`."""
    over = threading.Event()

    def serve(server: socket.socket) -> None:
        while not over.is_set():
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.recv(10_000)
                talk(connection, over)

    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        settings = AlpacaSettings("PKTEST", "SECRETTEST", trading_url=url, data_url=url)
        rest = AlpacaRest(settings, exchange_seconds=seconds, pause=lambda _: False)
        thread = threading.Thread(target=serve, args=(server,), name="options-helper-test-server")
        thread.start()
        try:
            yield rest
        finally:
            over.set()
            rest.close()
            server.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def drip(text: bytes) -> Talk:
    """Send a beginning, then a byte now and then, each well within the time limit of a single read."""

    def talk(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(text)
        while not over.wait(0.05):
            connection.sendall(b" ")

    return talk


@pytest.mark.parametrize(
    "beginning",
    [
        b"HTTP/1.1 200 OK\r\nX-Endless: ",
        OK + b"Content-Length: 100000\r\n\r\n{",
        OK + b"\r\n{}",  # without a length it would seem complete once the connection is shut
    ],
    ids=["header", "body", "body without a length"],
)
def test_a_dripping_answer_ends_with_the_exchange(beginning: bytes) -> None:
    """Bytes that keep arriving do not extend the exchange, which fails in words and is not repeated."""
    with serving(drip(beginning), seconds=0.5) as rest:
        began = time.monotonic()
        with pytest.raises(AlpacaRestError, match=r"the answer was not complete within 0\.5 s") as caught:
            rest.account()
        assert caught.value.status is None
        assert time.monotonic() - began < 10


def test_a_dripping_host_does_not_disturb_the_next_exchange() -> None:
    """After an exchange is cut off, the same client uses a new connection."""
    answers = [drip(OK + b"Content-Length: 100000\r\n\r\n{"), answer(b"{}")]

    def talk(connection: socket.socket, over: threading.Event) -> None:
        answers.pop(0)(connection, over)

    with serving(talk, seconds=0.5) as rest:
        with pytest.raises(AlpacaRestError):
            rest.account()
        # The server leaves its first connection as soon as that one is shut.
        assert rest.clock() == {}


def answer(body: bytes, header: bytes = b"") -> Talk:
    """Send one whole answer."""

    def talk(connection: socket.socket, _over: threading.Event) -> None:
        length = b"Content-Length: %d\r\nConnection: close\r\n" % len(body)
        connection.sendall(OK + header + length + b"\r\n" + body)

    return talk


def test_a_gzip_bomb_is_refused_before_it_is_in_memory() -> None:
    """300 kB that decode to 300 MB take no more memory than the limit, and raise an error."""
    bomb = gzip.compress(bytes(300 * 2**20))
    with serving(answer(bomb, b"Content-Encoding: gzip\r\n")) as rest:
        tracemalloc.start()
        try:
            with pytest.raises(AlpacaRestError, match="larger than 16 MB") as caught:
                rest.account()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert caught.value.status == 200
        assert peak < 4 * LARGEST_ANSWER


def test_an_answer_that_is_too_large_without_compression_is_refused() -> None:
    """The limit applies to the decoded size, whether the answer is compressed or not."""
    with (
        serving(answer(b" " * (LARGEST_ANSWER + 1))) as rest,
        pytest.raises(AlpacaRestError, match="larger than 16 MB"),
    ):
        rest.account()


def test_a_compressed_answer_is_read() -> None:
    """Gzip, which the client asks for, is decoded."""
    with serving(answer(gzip.compress(b'{"id": "x"}'), b"Content-Encoding: gzip\r\n")) as rest:
        assert rest.account() == {"id": "x"}


@pytest.mark.parametrize(
    ("encoding", "body", "words"),
    [
        ("gzip, gzip", b"{}", "was not requested"),
        ("br", b"{}", "was not requested"),
        ("gzip", b"{}", "cannot be decompressed"),
        ("gzip", gzip.compress(b'{"id": "x"}', mtime=0)[:-4], "ended before it was complete"),
    ],
    ids=["layers", "another encoding", "no gzip", "cut short"],
)
def test_an_answer_that_cannot_be_decoded_is_an_error(encoding: str, body: bytes, words: str) -> None:
    """Layers of compression, other encodings and damaged data raise an error in words."""
    header = f"Content-Encoding: {encoding}\r\n".encode()
    with serving(answer(body, header)) as rest, pytest.raises(AlpacaRestError, match=words):
        rest.account()


def test_bytes_after_the_end_of_a_compressed_answer_are_refused() -> None:
    """Bytes that zlib would keep in memory uncounted are not read."""
    body = gzip.compress(b"{}") + bytes(2 * LARGEST_ANSWER)
    with (
        serving(answer(body, b"Content-Encoding: gzip\r\n")) as rest,
        pytest.raises(AlpacaRestError, match="continues after its end"),
    ):
        rest.account()


def test_without_a_thread_for_its_deadline_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a deadline, an exchange could last forever, so it fails in words and is tried again."""
    with serving(answer(b'{"id": "x"}')) as rest:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Timer, "start", _refuse)
            with pytest.raises(AlpacaRestError, match="allows no more threads"):
                rest.account()
        assert rest.account() == {"id": "x"}


def _refuse(_timer: threading.Timer) -> None:
    raise RuntimeError("can't start new thread")


def test_no_cookie_comes_back() -> None:
    """A cookie that a server sets is not sent with later requests."""
    seen: list[httpx.Headers] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return httpx.Response(200, json={}, headers={"Set-Cookie": "a=b; Path=/"})

    with httpx.Client(transport=BoundedTransport(httpx.MockTransport(handle))) as client:
        client.get("http://127.0.0.1/")
        client.get("http://127.0.0.1/")
    assert [headers.get("Cookie") for headers in seen] == [None, None]


def test_endlessly_nested_json_is_refused() -> None:
    """Endlessly nested brackets raise an error and do not end the thread."""
    with serving(answer(b"[" * 500_000)) as rest, pytest.raises(AlpacaRestError, match="not JSON"):
        rest.positions()


def test_an_exchange_that_ends_leaves_no_timer() -> None:
    """The deadline is cancelled after a finished exchange and after a failed one."""

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/refused":
            raise httpx.ConnectError("refused")
        return httpx.Response(200, json={})

    with httpx.Client(transport=BoundedTransport(httpx.MockTransport(handle), seconds=60)) as client:
        assert client.get("http://127.0.0.1/").json() == {}
        with pytest.raises(httpx.ConnectError):
            client.get("http://127.0.0.1/refused")
    timers = [one for one in threading.enumerate() if one.name == "options-helper-deadline"]
    for timer in timers:
        timer.join(5)
    assert not any(timer.is_alive() for timer in timers)
