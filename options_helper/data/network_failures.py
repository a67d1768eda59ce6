"""Failures of the network in words, the same for streams and requests."""

from __future__ import annotations

import socket
import ssl

# The most specific types come first: gaierror, SSLError and the connection errors are all OSErrors.
_WORDS_BY_KIND: tuple[tuple[type[BaseException], str], ...] = (
    (socket.gaierror, "the server's name could not be resolved"),
    (ssl.SSLError, "the secure connection could not be set up"),
    (ConnectionRefusedError, "the server refused the connection"),
    (ConnectionResetError, "the connection was reset"),
    (BrokenPipeError, "the connection was reset"),
    (EOFError, "the connection was lost"),
)


def describe_network_failure(error: BaseException) -> str:
    """Return why a connection failed, without the system's error number; "" for an error of another kind."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not valid ({error.verify_message.rstrip('.')})"
    for kind, words in _WORDS_BY_KIND:
        if isinstance(error, kind):
            return words
    if isinstance(error, OSError):
        return error.strerror or "the network failed"
    return ""
