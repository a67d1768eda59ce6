"""The relay's order updates and executions, until JetStream has stored them."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections import deque
from collections.abc import Iterable, Mapping

import nats.errors
import nats.js.errors
from nats.js import JetStreamContext, api

from options_helper.data.masking import mask
from options_helper.order_rows import OrderRow
from options_helper.recording.identifiers import ACCOUNTS
from options_helper.relay.wire import (
    KEPT_SECONDS,
    MESSAGE_ID_HEADER,
    ORDERS_STREAM,
    ORDERS_SUBJECT,
    STORED_SUBJECT,
    OrderUpdate,
    RestFill,
    encode,
)

logger = logging.getLogger(__name__)

_ACK_SECONDS = 2.0
_RETRY_SECONDS = 0.5
_AWAY = (nats.errors.Error, TimeoutError, OSError)


async def prepare_stream(jetstream: JetStreamContext) -> int:
    """Create the stream of order messages, or change it to these settings; return its last number."""
    config = api.StreamConfig(
        name=ORDERS_STREAM,
        subjects=[f"{ORDERS_SUBJECT}.>"],
        storage=api.StorageType.FILE,
        max_age=KEPT_SECONDS,
        duplicate_window=KEPT_SECONDS,
        discard=api.DiscardPolicy.NEW,  # a full disk refuses messages, which then wait in the outbox
        allow_direct=True,
        republish=api.RePublish(src=f"{ORDERS_SUBJECT}.>", dest=f"{STORED_SUBJECT}.>"),
    )
    try:
        info = await jetstream.add_stream(config)
    except nats.js.errors.BadRequestError:  # it exists with other settings
        info = await jetstream.update_stream(config)
    return info.state.last_seq


class OrderOutbox:
    """The order messages in their order, each kept until JetStream has acknowledged it.

    Attributes:
        stored: The number of the last message in JetStream.
        trouble: Why messages wait, or "".
    """

    def __init__(self, jetstream: JetStreamContext) -> None:
        self._jetstream = jetstream
        self._waiting: deque[tuple[str, str, bytes]] = deque()
        self._arrived = asyncio.Event()
        self._known_fills: set[str] = set()
        self.stored: int | None = None
        self.trouble = ""

    @property
    def unstored(self) -> int:
        """The number of messages that JetStream has not acknowledged."""
        return len(self._waiting)

    def put_update(self, update: object, received_at: dt.datetime) -> None:
        """Take an order update as Alpaca sent it."""
        message = encode(OrderUpdate(received_at, without_accounts(update)))
        self._put("updates", _update_id(update), message)

    def put_fills(self, rows: Iterable[OrderRow]) -> None:
        """Take executions from REST; those taken before are left out."""
        for row in rows:
            name = row.get("activity_id")
            if name and name not in self._known_fills:
                self._known_fills.add(name)
                self._put("fills", f"rest:{name}", encode(RestFill(row)))

    def _put(self, kind: str, message_id: str, message: bytes) -> None:
        self._waiting.append((f"{ORDERS_SUBJECT}.{kind}", message_id, message))
        self._arrived.set()

    async def store_all(self) -> None:
        """Store messages one after another, for ever; a failure is retried, because none may be lost."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                if not await self._store(*self._waiting[0]):
                    await asyncio.sleep(_RETRY_SECONDS)
                    continue
                self._waiting.popleft()

    async def _store(self, subject: str, message_id: str, message: bytes) -> bool:
        headers = {MESSAGE_ID_HEADER: message_id} if message_id else None
        try:
            if self.stored is None:
                self.stored = await prepare_stream(self._jetstream)
            ack = await self._jetstream.publish(subject, message, timeout=_ACK_SECONDS, headers=headers)
        except _AWAY as error:
            self._note(error)
            return False
        self.stored = max(ack.seq, self.stored)
        if self.trouble:
            logger.info("JetStream stores order updates again.")
        self.trouble = ""
        return True

    def _note(self, error: Exception) -> None:
        if isinstance(error, nats.js.errors.APIError):
            words = f"JetStream refused them ({error.description or error.code})"
        else:
            words = "JetStream does not answer"
            self.stored = None  # the stream may be gone when it answers again
        if words != self.trouble:
            logger.warning("Order updates wait in the relay: %s.", words)
        self.trouble = words


def without_accounts(value: object) -> object:
    """Return a raw message with its account numbers masked."""
    if isinstance(value, Mapping):
        return {
            name: mask(str(held)) if name in ACCOUNTS and held else without_accounts(held)
            for name, held in value.items()
        }
    return [without_accounts(each) for each in value] if isinstance(value, list | tuple) else value


def _update_id(update: object) -> str:
    """Return a name that the same update has in every relay, or "" if it cannot be read."""
    data = update.get("data") if isinstance(update, Mapping) else None
    if not isinstance(data, Mapping):
        return ""
    order = data.get("order")
    name = data.get("execution_id") or (order.get("id") if isinstance(order, Mapping) else None)
    return f"{data.get('event')}:{name}:{data.get('timestamp') or data.get('at') or ''}" if name else ""
