"""The transport of every HTTP request: it allows GET to one known host, and nothing else."""

from __future__ import annotations

import httpx

from options_helper.errors import AlpacaRestError

Origin = tuple[str, str, int | None]


class ReadOnlyTransport(httpx.BaseTransport):
    """A transport that passes on GET requests to one host, and refuses all others before a byte is sent.

    Args:
        inner: The transport that sends the requests.
        allowed: A URL with the only allowed scheme, host and port; keys are sent nowhere else.
    """

    def __init__(self, inner: httpx.BaseTransport, allowed: str) -> None:
        self._inner = inner
        self._allowed = _origin(httpx.URL(allowed))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a GET request.

        Raises:
            AlpacaRestError: The method or the host is not allowed.
        """
        if request.method != "GET":
            raise AlpacaRestError(request.url.path, f"{request.method} is refused: this program only reads.")
        if _origin(request.url) != self._allowed:
            raise AlpacaRestError(
                request.url.path, "the host is not the one in the settings; nothing was sent."
            )
        return self._inner.handle_request(request)

    def close(self) -> None:
        """Close idle connections."""
        self._inner.close()


def _origin(url: httpx.URL) -> Origin:
    return (url.scheme, url.host, url.port)
