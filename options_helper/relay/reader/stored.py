"""A reader's view of the order messages in JetStream: all of them, once, in their order."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import nats.errors
from nats.js.errors import APIError, NotFoundError

from options_helper.relay.wire import ORDERS_STREAM, ORDERS_SUBJECT, SEQUENCE_HEADER

if TYPE_CHECKING:
    from nats.aio.msg import Msg
    from nats.js import JetStreamContext

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
        self.last = self.missing = 0

    async def follow(self, message: Msg) -> None:
        """Take a message that JetStream has just stored; read those before it that did not arrive."""
        number = int((message.headers or {}).get(SEQUENCE_HEADER, 0))
        if number > self.last + 1:
            await self.catch_up(number - 1)
        if number > self.last:
            self.last = number
            self._take(message.data)

    async def catch_up(self, until: int) -> None:
        """Read the messages up to a number.

        Raises:
            nats.errors.Error, TimeoutError: NATS does not answer; what was read stays read.
        """
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
