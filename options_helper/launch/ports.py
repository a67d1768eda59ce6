"""Free ports, which this user's launchers claim before they listen.

A second passes between finding a free port and listening on it, and another launcher may look meanwhile.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from options_helper.errors import OptionsHelperError
from options_helper.launch.own_folder import own_folder

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8501
PORTS_TRIED = 100


def is_free(host: str, port: int) -> bool:
    """Return whether a server could listen on the address now.

    Raises:
        OptionsHelperError: No server can listen on this address, for example because it is another machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, ValueError, TypeError) as error:  # the last two for an impossible host name
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            return False
        reason = getattr(error, "strerror", None) or "it is not a host name"
        raise OptionsHelperError(
            f"Cannot listen on {host}, port {port}: {reason}. Choose others with --host and --port."
        ) from None
    return True


@contextlib.contextmanager
def claimed_port(host: str, asked: int | None) -> Iterator[int]:
    """Yield the requested port, else 8501 or the next free one, claimed until the context ends.

    Raises:
        OptionsHelperError: The requested port is taken, or no free one was found.
    """
    for port in range(DEFAULT_PORT, DEFAULT_PORT + PORTS_TRIED) if asked is None else (asked,):
        claim = _claim(host, port)
        if claim is None:
            continue
        try:
            yield port
        finally:
            with contextlib.suppress(OSError):  # removed while still locked, so no other launcher has it
                _claim_path(host, port).unlink()
            os.close(claim)
        return
    if asked is not None:
        raise OptionsHelperError(f"Port {asked} on {host} is taken. Choose another one with --port.")
    raise OptionsHelperError(f"No port from {DEFAULT_PORT} up is free on {host}. Choose one with --port.")


def _claim(host: str, port: int) -> int | None:
    if not is_free(host, port):
        return None
    claim = _lock(host, port) if os.name == "posix" else os.open(os.devnull, os.O_RDONLY)
    if claim is not None and not is_free(host, port):  # its last owner is listening by now
        os.close(claim)
        return None
    return claim


def _lock(host: str, port: int) -> int | None:
    """Return a descriptor that claims a port until it is closed, or None if another launcher claims it."""
    import fcntl  # noqa: PLC0415 - POSIX only; the caller asks on POSIX only

    claim = _claim_path(host, port)
    try:
        descriptor = os.open(claim, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError:
        return os.open(os.devnull, os.O_RDONLY)  # nothing to claim it with, so the bind decides
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    with contextlib.suppress(OSError):
        if os.path.samestat(os.fstat(descriptor), claim.stat()):
            return descriptor
    os.close(descriptor)  # its last owner removed it just now
    return _lock(host, port)


def _claim_path(host: str, port: int) -> Path:
    folder = own_folder() or Path(os.devnull)  # below which nothing can be opened
    return folder / f"port-{host.replace(':', '_').replace('/', '_')}-{port}"
