"""Host name look-ups that an unresponsive resolver cannot block.

asyncio calls the system's resolver in a thread of the loop's executor, and both `asyncio.run` and the process
wait for that thread before they end. A call to the resolver cannot be interrupted, so here it runs in its own
daemon thread, which can be abandoned.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from concurrent.futures import Future
from typing import Any

from options_helper.error_guard import Guard

logger = logging.getLogger(__name__)

# The arguments of `socket.getaddrinfo`, and its result, whose exact type differs between typesheds.
Question = tuple[bytes | str | None, bytes | str | int | None, int, int, int, int]
Addresses = list[Any]

_pending: dict[Question, Future[Addresses]] = {}
_lock = threading.Lock()
_guard = Guard(logger, "; the name is looked up again at the next try.")


class LookupLoop(asyncio.SelectorEventLoop):
    """An event loop that abandons a look-up once nothing waits for it."""

    async def getaddrinfo(
        self,
        host: bytes | str | None,
        port: bytes | str | int | None,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002 - the name of the base class
        proto: int = 0,
        flags: int = 0,
    ) -> Addresses:
        """Return the addresses of a host; raise the errors of `socket.getaddrinfo`."""
        return await asyncio.wrap_future(look_up((host, port, family, type, proto, flags)), loop=self)


def look_up(question: Question) -> Future[Addresses]:
    """Call the resolver with the arguments of `socket.getaddrinfo`; simultaneous calls share one result.

    A hanging resolver therefore blocks one thread per name, however often it is called.
    """
    with _lock:
        future = _pending.get(question)
        if future is None:
            future = Future()
            future.set_running_or_notify_cancel()  # shared, so giving up does not cancel it for others
            threading.Thread(
                target=_ask, args=(question, future), name="options-helper-lookup", daemon=True
            ).start()
            _pending[question] = future  # only now, because without its thread it would never be answered
        return future


def _ask(question: Question, future: Future[Addresses]) -> None:
    addresses, failures = Addresses(), list[Exception]()
    with _guard.keep_going("A look-up", lambda kind: failures.append(OSError(f"the look-up raised {kind}"))):
        try:
            addresses = socket.getaddrinfo(*question)
        except (OSError, ValueError, OverflowError) as error:  # not a host name, or not a port
            failures.append(error)
    with _lock:  # held by the caller until the look-up is pending
        del _pending[question]
    if failures:
        future.set_exception(failures[0])
    else:
        future.set_result(addresses)
