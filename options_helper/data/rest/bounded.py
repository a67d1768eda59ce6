"""HTTP exchanges limited in time and size, whatever the server sends."""

from __future__ import annotations

import contextlib
import socket
import threading
import weakref
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import httpx

from options_helper.errors import NO_THREAD, AlpacaRestError

EXCHANGE_SECONDS = 20.0  # for connection, headers and body together; httpx only limits each read
LARGEST_ANSWER = 16 * 1024 * 1024  # decoded bytes; a full page of orders is about 4 MB
_CHUNK = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS
# The body is decoded here. A cookie would be sent back with every later request. httpx parses the target of a
# redirect even if it does not follow it, and raises if the target is not a URL.
_LEFT_OUT = frozenset({b"content-encoding", b"set-cookie", b"location"})
LOCATION = "location"  # the response's extension with that target


class DeadlineExceeded(httpx.TimeoutException):
    """An exchange that took too long in total, although each read was fast enough."""


class BoundedTransport(httpx.BaseTransport):
    """A transport that ends exchanges that take too long and rejects responses that are too large.

    Use it for one exchange at a time, because a deadline shuts down every connection of the transport.

    Args:
        inner: The transport that sends the requests.
        seconds: The longest time from the connection to the end of the body.
        most_bytes: The largest size of a decoded body.
    """

    def __init__(
        self,
        inner: httpx.BaseTransport,
        *,
        seconds: float = EXCHANGE_SECONDS,
        most_bytes: int = LARGEST_ANSWER,
    ) -> None:
        self._inner, self._seconds, self._most_bytes = inner, seconds, most_bytes
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._is_cut = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; the response's body is decoded and bounded.

        Raises:
            DeadlineExceeded: The exchange took too long.
            httpx.HTTPError: Raised by `inner`.
        """
        request.extensions = {**request.extensions, "trace": self._note}
        deadline = _Deadline(self._seconds, self._shut_all)
        with contextlib.ExitStack() as on_failure:
            on_failure.callback(deadline.cancel)
            try:
                response = self._inner.handle_request(request)
            except httpx.HTTPError as error:
                deadline.check(error)
                raise
            on_failure.pop_all()
        headers = [pair for pair in response.headers.raw if pair[0].lower() not in _LEFT_OUT]
        body = _BoundedBody(request.url.path, response, deadline, self._most_bytes)
        extensions = {**response.extensions, LOCATION: response.headers.get("Location", "")}
        return httpx.Response(response.status_code, headers=headers, stream=body, extensions=extensions)

    def close(self) -> None:
        """Close idle connections."""
        self._inner.close()

    def cut(self) -> None:
        """End all current and future exchanges; callable from any thread."""
        with self._lock:
            self._is_cut = True
        self._shut_all()

    def _shut_all(self) -> None:
        with self._lock:
            for one in list(self._sockets):
                _shut(one)

    def _note(self, name: str, info: Mapping[str, Any]) -> None:
        """Remember each socket that httpcore's "trace" extension reports."""
        if not name.endswith((".connect_tcp.complete", ".start_tls.complete")):
            return
        opened = info["return_value"].get_extra_info("socket")
        with self._lock:
            if isinstance(opened, socket.socket):
                self._sockets.add(opened)
                if self._is_cut:
                    _shut(opened)


class _Deadline:
    """A timer that calls `cut` at the deadline unless it is cancelled first."""

    def __init__(self, seconds: float, cut: Callable[[], None]) -> None:
        self.is_over = False
        self._cut = cut
        self._timer = threading.Timer(seconds, self._end)
        self._timer.name, self._timer.daemon = "options-helper-deadline", True
        try:
            self._timer.start()
        except RuntimeError as error:
            raise httpx.ConnectError(NO_THREAD) from error

    def cancel(self) -> None:
        """Cancel the deadline; idempotent."""
        self._timer.cancel()

    def check(self, error: httpx.HTTPError) -> None:
        """Raise `DeadlineExceeded` if the deadline caused the error."""
        if self.is_over:
            raise DeadlineExceeded("the exchange took too long") from error

    def _end(self) -> None:
        self.is_over = True
        self._cut()


class _BoundedBody(httpx.SyncByteStream):
    """The decoded body of a response; raises if it exceeds its bounds."""

    def __init__(self, path: str, response: httpx.Response, deadline: _Deadline, most_bytes: int) -> None:
        self._path, self._response, self._deadline = path, response, deadline
        self._most_bytes = most_bytes

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        try:
            for chunk in self._decoded():
                size += len(chunk)
                if size > self._most_bytes:
                    raise self._refusal(f"the answer is larger than {self._most_bytes // 2**20} MB")
                yield chunk
        except httpx.HTTPError as error:
            self._deadline.check(error)
            raise
        # A body without a length ends with its connection, even if the deadline shut the connection down.
        if self._deadline.is_over:
            raise DeadlineExceeded("the exchange took too long")

    def close(self) -> None:
        self._deadline.cancel()
        self._response.close()

    def _decoded(self) -> Iterator[bytes]:
        stream = self._response.stream
        if not isinstance(stream, Iterable):
            raise self._refusal("the answer has no body that can be read")
        match self._response.headers.get("Content-Encoding", "identity").strip().lower():
            case "identity":
                return iter(stream)
            case "gzip":
                return self._inflated(stream)
            case other:
                raise self._refusal(f"the answer is encoded as {other[:20]!r}, which was not requested")

    def _inflated(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Decompress piece by piece, because a small chunk may expand a thousandfold."""
        inflater = zlib.decompressobj(_GZIP)
        try:
            for chunk in chunks:
                waiting = chunk
                while waiting:
                    yield inflater.decompress(waiting, _CHUNK)
                    waiting = inflater.unconsumed_tail
                if inflater.unused_data:  # zlib would keep all of it in memory, and its size is not counted
                    raise self._refusal("the answer continues after its end")
        except zlib.error:
            raise self._refusal("the answer cannot be decompressed") from None
        if not inflater.eof and not self._deadline.is_over:
            raise self._refusal("the answer ended before it was complete")

    def _refusal(self, reason: str) -> AlpacaRestError:
        return AlpacaRestError(self._path, reason, status=self._response.status_code)


def _shut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        # The TLS socket's own method would discard the session while another thread reads.
        socket.socket.shutdown(one, socket.SHUT_RDWR)
