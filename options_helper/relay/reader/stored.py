"""A reader's view of the order messages in JetStream: all of them, once, in their order."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import nats.errors
from nats.js.errors import APIError, NotFoundError

from options_helper.relay.wire import ORDERS_STREAM, ORDERS_SUBJECT, SEQUENCE_HEADER, Pulse

if TYPE_CHECKING:
    from nats.aio.msg import Msg
    from nats.js import JetStreamContext

_RESET_SECONDS = 5.0
AWAY = (nats.errors.Error, TimeoutError, OSError, APIError)


class StoredOrders:
    """Reads what JetStream holds, then follows what it stores; a reader needs no right to publish.

    Args:
        jetstream: The context of a connection to NATS.
        take: Called with each message's bytes.

    Attributes:
        last: The number of the last message taken.
        missing: The number of messages that JetStream no longer had.
    """

    def __init__(self, jetstream: JetStreamContext, take: Callable[[bytes], None]) -> None:
        self._jetstream, self._take = jetstream, take
        self._lock = asyncio.Lock()  # between the messages that arrive and those that are read
        self._ahead_since = math.inf
        self.last = self.missing = 0

    async def follow(self, message: Msg) -> None:
        """Take a message that JetStream has just stored; read those before it that did not arrive."""
        number = int((message.headers or {}).get(SEQUENCE_HEADER, 0))
        with contextlib.suppress(*AWAY):  # the next pulse shows what is missing
            async with self._lock:
                await self._read(number - 1)
                if number > self.last:
                    self.last = number
                    self._take(message.data)

    async def catch_up(self, until: int) -> None:
        """Read the messages up to a number; if NATS does not answer, the next call reads the rest."""
        with contextlib.suppress(*AWAY):
            async with self._lock:
                if self._is_reset(until):
                    self.last = 0
                await self._read(until)

    def _is_reset(self, until: int) -> bool:
        """Return whether JetStream counts from 1 again because it lost its files.

        For a moment, a message may be here before the relay knows that it is stored.
        """
        if until >= self.last:
            self._ahead_since = math.inf
        self._ahead_since = min(self._ahead_since, time.monotonic())
        return until < self.last and time.monotonic() - self._ahead_since > _RESET_SECONDS

    def has_all(self, pulse: Pulse) -> bool:
        """Return whether every order update that the relay has received is here."""
        return pulse.stored is not None and self.last >= pulse.stored and not pulse.unstored

    async def _read(self, until: int) -> None:
        while self.last < until:
            try:
                found = await self._jetstream.get_msg(
                    ORDERS_STREAM, seq=self.last + 1, subject=f"{ORDERS_SUBJECT}.>", direct=True, next=True
                )
            except NotFoundError:
                self.missing += until - self.last
                self.last = until
                return
            number = found.seq or 0
            if self.last:  # before the first, older ones have expired
                self.missing += number - self.last - 1
            self.last = number
            self._take(found.data or b"")
