"""The client over real sockets: stopped, refused, and without a secret in any log line."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from options_helper.data.rest.client import AlpacaRest
from options_helper.data.rest.http import Host, HostReader
from options_helper.data.settings import AlpacaSettings
from options_helper.errors import AlpacaRestError
from tests.data.rest.served import KEY, SECRET, SETTINGS

pytestmark = pytest.mark.integration  # its servers are real


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def loopback(server: socket.socket) -> AlpacaSettings:
    """Settings that point at a local server."""
    url = f"http://127.0.0.1:{server.getsockname()[1]}"
    return AlpacaSettings(KEY, SECRET, trading_url=url, data_url=url)


def ask(rest: AlpacaRest) -> tuple[threading.Thread, list[AlpacaRestError]]:
    """Request the account in a thread, which adds what it raises to the list."""
    raised: list[AlpacaRestError] = []

    def run() -> None:
        try:
            rest.account()
        except AlpacaRestError as error:
            raised.append(error)

    thread = threading.Thread(target=run, name="options-helper-test-ask", daemon=True)
    thread.start()
    return thread, raised


def test_stop_interrupts_a_pending_request(silent: socket.socket) -> None:
    """A hanging read ends at once with an error when the client is stopped."""
    rest = AlpacaRest(loopback(silent))
    thread, raised = ask(rest)
    connection, _ = silent.accept()
    assert connection.recv(10_000).startswith(b"GET /v2/account")
    rest.stop()
    thread.join(5)
    assert not thread.is_alive()
    assert [str(error) for error in raised] == ["GET /v2/account: stopped"]
    connection.close()
    rest.close()
    with pytest.raises(AlpacaRestError, match="stopped"):
        rest.clock()


def test_stop_interrupts_a_wait() -> None:
    """A wait before a retry ends at once when the client is stopped."""
    asked = threading.Event()

    def answer(_request: httpx.Request) -> httpx.Response:
        asked.set()
        return httpx.Response(429, headers={"Retry-After": "100"})

    rest = AlpacaRest(SETTINGS, transport=httpx.MockTransport(answer))
    thread, raised = ask(rest)
    assert asked.wait(5)
    rest.stop()
    thread.join(5)
    assert [str(error) for error in raised] == ["GET /v2/account: stopped"]
    rest.close()


def test_a_connection_made_after_stop_is_closed(silent: socket.socket) -> None:
    """A socket opened while the client is being stopped is shut down."""
    rest = AlpacaRest(loopback(silent), pause=lambda _: False)
    rest._readers[Host.TRADING]._transport.cut()
    with pytest.raises(AlpacaRestError, match=r"lost|no connection"):
        rest.account()
    rest.close()


class BusyTransport(httpx.BaseTransport):
    """A transport whose exchange lasts until released; notes whether one is running when it is closed."""

    def __init__(self) -> None:
        self.began, self.released = threading.Event(), threading.Event()
        self.closed: list[bool] = []
        self._runs = False

    def handle_request(self, _request: httpx.Request) -> httpx.Response:
        """Answer once released."""
        self._runs = True
        self.began.set()
        assert self.released.wait(60)
        self._runs = False
        return httpx.Response(200, json={})

    def close(self) -> None:
        """Note whether an exchange is running."""
        self.closed.append(self._runs)


def test_a_connection_in_use_is_closed_by_its_own_thread() -> None:
    """A socket closed by another thread frees its number, and the reader could then wait on a new socket."""
    transport = BusyTransport()
    reader = HostReader("https://host", (KEY, SECRET), transport=transport)
    thread = threading.Thread(target=lambda: reader.get("/v2/clock", {}, dict), daemon=True)
    thread.start()
    assert transport.began.wait(60)
    reader.close()
    assert transport.closed == []
    transport.released.set()
    thread.join(60)
    assert transport.closed == [False]
    with pytest.raises(AlpacaRestError, match="stopped"):
        reader.get("/v2/clock", {}, dict)


def test_no_log_line_has_a_secret(silent: socket.socket, caplog: pytest.LogCaptureFixture) -> None:
    """With every logger at DEBUG, a request over a real socket leaves no key in the log."""
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "options_helper"):
        caplog.set_level(logging.DEBUG, logger=name)
    rest = AlpacaRest(loopback(silent))
    thread, _ = ask(rest)
    connection, _ = silent.accept()
    assert KEY.encode() in connection.recv(10_000)
    body = b'{"status": "ACTIVE"}'
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    thread.join(5)
    connection.close()
    rest.close()
    text = "\n".join(f"{record.getMessage()} {record.args}" for record in caplog.records)
    assert "receive_response_headers" in text  # the noisiest library was really at DEBUG
    assert KEY not in text
    assert SECRET not in text


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "the server refused the connection"),
        (ConnectionResetError(104, "Connection reset by peer"), "the connection was reset"),
        (socket.gaierror(-2, "Name or service not known"), "the server's name could not be resolved"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER]"), "the secure connection could not be set up"),
        (OSError(101, "Network is unreachable"), "Network is unreachable"),
    ],
)
def test_a_failure_to_connect_is_in_plain_words(
    failure: OSError, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure to connect is described as it is for a stream, without the system's error number."""

    def fail(*_: Any, **__: Any) -> None:
        raise failure

    monkeypatch.setattr(socket, "create_connection", fail)
    settings = AlpacaSettings(KEY, SECRET, trading_url="http://127.0.0.1:9", data_url="http://127.0.0.1:9")
    with (
        closing(AlpacaRest(settings, pause=lambda _: False)) as rest,
        pytest.raises(AlpacaRestError) as caught,
    ):
        rest.account()
    assert str(caught.value) == f"GET /v2/account: no connection: {words}"


def test_a_server_without_tls_is_a_failure_to_connect(silent: socket.socket) -> None:
    """Connecting over TLS to a server without TLS is reported as a failure to connect."""
    url = loopback(silent).trading_url.replace("http:", "https:")
    rest = AlpacaRest(AlpacaSettings(KEY, SECRET, trading_url=url, data_url=url), pause=lambda _: True)

    def refuse() -> None:
        connection, _ = silent.accept()
        connection.recv(10)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.close()

    thread = threading.Thread(target=refuse, name="options-helper-test-plain", daemon=True)
    thread.start()
    with pytest.raises(AlpacaRestError, match="stopped"):  # the pause before the second try says stop
        rest.account()
    thread.join(5)
    rest.close()
