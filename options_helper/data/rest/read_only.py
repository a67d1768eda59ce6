"""The only way out by HTTP: GET to known hosts, and nothing else."""

from __future__ import annotations

import contextlib
import socket
import threading
import weakref
from collections.abc import Iterable, Mapping
from typing import Any

import httpx

from options_helper.errors import AlpacaRestError

Origin = tuple[str, str, int | None]


class ReadOnlyTransport(httpx.BaseTransport):
    """Passes GET requests to known hosts on and refuses everything else before a byte is sent.

    Args:
        inner: What really sends.
        allowed: URLs whose scheme, host and port may be asked; keys go nowhere else.
    """

    def __init__(self, inner: httpx.BaseTransport, allowed: Iterable[str]) -> None:
        self._inner = inner
        self._allowed = frozenset(_origin(httpx.URL(url)) for url in allowed)
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._cut = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a GET.

        Raises:
            AlpacaRestError: Another method, or a host that is not known.
        """
        if request.method != "GET":
            raise AlpacaRestError(request.url.path, f"{request.method} is refused: this program only reads.")
        if _origin(request.url) not in self._allowed:
            raise AlpacaRestError(request.url.path, "the host is not one of the settings'; nothing was sent.")
        request.extensions = {**request.extensions, "trace": self._note}
        return self._inner.handle_request(request)

    def close(self) -> None:
        """Close idle connections."""
        self._inner.close()

    def cut(self) -> None:
        """End every connection at once, from any thread: a read that waits for an answer returns."""
        with self._lock:
            self._cut = True
            for one in list(self._sockets):
                _shut(one)

    def _note(self, name: str, info: Mapping[str, Any]) -> None:
        """Remember each socket; httpcore's "trace" extension tells of them."""
        if not name.endswith((".connect_tcp.complete", ".start_tls.complete")):
            return
        opened = info["return_value"].get_extra_info("socket")
        with self._lock:
            if isinstance(opened, socket.socket):
                self._sockets.add(opened)
                if self._cut:
                    _shut(opened)


def _shut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        # Not the TLS socket's own method, which takes the session away under a reader's feet.
        socket.socket.shutdown(one, socket.SHUT_RDWR)


def _origin(url: httpx.URL) -> Origin:
    return (url.scheme, url.host, url.port)
