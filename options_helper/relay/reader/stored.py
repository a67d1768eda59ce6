"""A reader's view of the order messages in JetStream: all of them, each once, in order."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import nats.errors
from nats.js.errors import APIError, NotFoundError

from options_helper.relay.leadership import seconds_since_boot
from options_helper.relay.wire import (
    ACCOUNT_HEADER,
    KEPT_SECONDS,
    NUMBERING_HEADER,
    ORDERS_STREAM,
    ORDERS_SUBJECT,
    SEQUENCE_HEADER,
    Heartbeat,
)

if TYPE_CHECKING:
    from nats.aio.msg import Msg
    from nats.js import JetStreamContext

AWAY = (nats.errors.Error, TimeoutError, OSError, APIError)


class StoredOrders:
    """Reads what JetStream holds, then follows what it stores; a reader needs no right to publish.

    Args:
        take: Called with each message's bytes.
        clock: Returns seconds that include sleep and never go back.

    Attributes:
        jetstream: The context of the connection to NATS.
        last: The number of the last message taken.
        missing: The number of messages that JetStream no longer had, although they were not too old.
    """

    jetstream: JetStreamContext

    def __init__(
        self, take: Callable[[bytes], None], clock: Callable[[], float] = seconds_since_boot
    ) -> None:
        self._pass_on, self._clock = take, clock
        self._read_at = clock()  # when this reader had everything
        self._lock = asyncio.Lock()  # between the messages that arrive and those that are read
        self._numbering = ""
        self._last_data = b""
        self._taken: set[int] = set()  # the messages' hashes, because the relay stores lost ones again
        self._accounts: set[str] = set()
        self.last = self.missing = 0

    @property
    def is_mixed(self) -> bool:
        """True if messages of more than one Alpaca account were taken, or may have been."""
        return len(self._accounts) > 1

    async def follow(self, message: Msg) -> None:
        """Take a message that JetStream has just stored; read those before it that did not arrive."""
        headers = message.headers or {}
        number = int(headers.get(SEQUENCE_HEADER, 0))
        with contextlib.suppress(*AWAY):  # the next heartbeat shows what is missing
            async with self._lock:
                if headers.get(NUMBERING_HEADER) == self._numbering:
                    await self._read(number - 1)
                    if number > self.last:
                        self._take(number, message.data, headers)

    async def catch_up(self, heartbeat: Heartbeat) -> None:
        """Read what the relay has stored; if NATS does not answer, the next call reads the rest."""
        if heartbeat.stored is None:
            return
        with contextlib.suppress(*AWAY):
            async with self._lock:
                self._accounts.add(heartbeat.account)
                if heartbeat.numbering != self._numbering:
                    if not await self._is_as_before():
                        self.last = self.missing = 0
                    self._numbering = heartbeat.numbering
                await self._read(heartbeat.stored)

    async def _is_as_before(self) -> bool:
        """Return whether JetStream still has the last taken message under its number."""
        if not self.last:
            return True
        try:
            found = await self.jetstream.get_msg(ORDERS_STREAM, seq=self.last, direct=True)
        except NotFoundError:
            return False
        return found.data == self._last_data

    def has_all(self, heartbeat: Heartbeat) -> bool:
        """Return whether this reader has every order update that the relay has received."""
        is_read = heartbeat.stored is not None and self.last >= heartbeat.stored
        return (
            is_read
            and heartbeat.numbering == self._numbering
            and not heartbeat.unstored
            and not self.is_mixed
        )

    async def _read(self, until: int) -> None:
        # What was stored meanwhile and has expired is older than any day that a page shows.
        may_have_expired = not self.last or self._clock() - self._read_at > KEPT_SECONDS
        while self.last < until:
            try:
                found = await self.jetstream.get_msg(
                    ORDERS_STREAM, seq=self.last + 1, subject=f"{ORDERS_SUBJECT}.>", direct=True, next=True
                )
            except NotFoundError:
                self.missing += until - self.last
                self.last = until
                break
            number = found.seq or 0
            self.missing += 0 if may_have_expired else number - self.last - 1
            may_have_expired = False  # what follows is younger
            self._take(number, found.data or b"", found.headers or {})
        self._read_at = self._clock()

    def _take(self, number: int, data: bytes, headers: Mapping[str, str]) -> None:
        self._accounts.add(headers.get(ACCOUNT_HEADER, ""))
        self.last, self._last_data = number, data
        if hash(data) not in self._taken:
            self._taken.add(hash(data))
            self._pass_on(data)
