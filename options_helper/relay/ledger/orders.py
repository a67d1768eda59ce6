"""The relay's order updates and executions, kept until JetStream stores them and in case it loses them."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import nats.errors
import nats.js.errors

from options_helper.data.masking import mask
from options_helper.order_rows import OrderRow
from options_helper.recording.identifiers import ACCOUNTS
from options_helper.relay.ledger.account import prepare_ledger
from options_helper.relay.wire import (
    ACCOUNT_HEADER,
    MESSAGE_ID_HEADER,
    NUMBERING_HEADER,
    ORDERS_SUBJECT,
    OrderUpdate,
    RestFill,
    encode,
)

if TYPE_CHECKING:
    from nats.js import JetStreamContext

logger = logging.getLogger(__name__)

_ACK_SECONDS = 2.0
_RETRY_SECONDS = 0.5
_LOOK_SECONDS = 1.0  # the longest time until a loss in JetStream is noticed
_DAY_SECONDS = 26 * 3600.0  # longer than any day in New York
_LOST = -1  # in place of a number
_FULL = {10023, 10047}  # JetStream's codes for too little memory or disk space
_FREE_SPACE = "free disk space where nats-server runs, or raise its max_file_store"
_AWAY = (nats.errors.Error, TimeoutError, OSError)


@dataclass(slots=True)
class _Message:
    """A message to store; `number` is its place in JetStream, 0 until it is stored."""

    at: float
    subject: str
    id: str
    data: bytes
    number: int = 0


class OrderOutbox:
    """The order messages, oldest first; each is kept until JetStream has acknowledged it and its day is over.

    If JetStream loses messages of the day, they are stored again. So a reader that has everything that
    JetStream holds has everything that the relay received that day.

    Args:
        jetstream: JetStream's context.
        epoch: The relay's term.
        account: The name of its account.
        clock: Returns seconds, never set back.

    Attributes:
        stored: The number of the last message in JetStream, None while that is unknown.
        trouble: Why messages wait, or "".
        account: The name of its account.
    """

    def __init__(
        self,
        jetstream: JetStreamContext,
        epoch: str,
        account: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._jetstream, self._epoch, self._clock = jetstream, epoch, clock
        self.account = account
        self._waiting: deque[_Message] = deque()
        self._kept: deque[_Message] = deque()
        self._arrived = asyncio.Event()
        self._known_fills: set[str] = set()
        self._created: dt.datetime | None = None  # JetStream's stream
        self._first = self._last = 0  # its first and last number
        self._losses = 0
        self._looked_at = clock()
        self.stored: int | None = None
        self.trouble = ""

    @property
    def unstored(self) -> int:
        """The number of messages that JetStream has not acknowledged."""
        return len(self._waiting)

    @property
    def numbering(self) -> str:
        """A name for JetStream's current numbering of the messages, as in `Heartbeat`."""
        return f"{self._epoch}.{self._losses}"

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

    def _put(self, kind: str, message_id: str, data: bytes) -> None:
        now = self._clock()
        self._waiting.append(_Message(now, f"{ORDERS_SUBJECT}.{kind}", message_id, data))
        while self._kept and self._kept[0].at < now - _DAY_SECONDS:
            self._kept.popleft()
        self._arrived.set()

    async def open(self) -> None:
        """Find the stream, or create it, however long JetStream is away.

        Raises:
            OtherAccount: It holds the order messages of another account.
        """
        while True:
            if await self._try(self.look):
                return
            await asyncio.sleep(_RETRY_SECONDS)

    async def store_all(self) -> None:
        """Store messages one after another until cancelled; retry each failure, because none may be lost."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._arrived.wait()
            self._arrived.clear()
            if self._clock() - self._looked_at >= _LOOK_SECONDS:
                await self._try(self.look)
            while self._waiting:
                if not await self._try(self._store_first):
                    await asyncio.sleep(_RETRY_SECONDS)

    async def _try(self, step: Callable[[], Coroutine[None, None, object]]) -> bool:
        try:
            await step()
        except _AWAY as error:
            self._note(error)
            return False
        if self.trouble:
            logger.info("JetStream stores order updates again.")
        self.trouble = ""
        return True

    async def look(self) -> int:
        """Find the stream, or create it, and return its last number; what it has lost is stored again."""
        self._looked_at = self._clock()
        info = await prepare_ledger(self._jetstream, self.account)
        is_other = self._created not in {None, info.created}
        is_older = info.state.last_seq < self._last  # what another relay has stored is lost
        self._created, self._first = info.created, info.state.first_seq
        self._last = info.state.last_seq
        held = range(0) if is_other else range(self._first, self._last + 1)
        lost = [message for message in self._kept if message.number not in held]
        if lost or is_other or is_older:
            logger.warning("JetStream has lost order messages; stored again: %d.", len(lost))
            self._losses += 1
            self._waiting.extendleft(reversed(lost))
            self._kept = deque(message for message in self._kept if message.number in held)
            self._arrived.set()
        self.stored = self._last if info.state.messages else 0  # all may have expired
        return self.stored

    async def _store_first(self) -> None:
        last = await self.look() if self.stored is None else self.stored
        message = self._waiting[0]
        headers = {NUMBERING_HEADER: self.numbering, ACCOUNT_HEADER: self.account}
        if message.id:
            headers[MESSAGE_ID_HEADER] = message.id
        ack = await self._jetstream.publish(
            message.subject, message.data, timeout=_ACK_SECONDS, headers=headers
        )
        if ack.duplicate and ack.seq < self._first:
            message.id += "*"  # JetStream knows the id, but has lost the message
            return
        is_back = not ack.duplicate and ack.seq <= last  # the stream is another one, or an older copy
        for one in self._kept if is_back else ():
            if one.number >= ack.seq:
                one.number = _LOST
        message.number = ack.seq
        self._kept.append(self._waiting.popleft())
        if is_back:
            last = await self.look()
        self.stored = self._last = max(ack.seq, last)

    def _note(self, error: Exception) -> None:
        if isinstance(error, nats.js.errors.APIError):
            step = _FREE_SPACE if error.err_code in _FULL else "see the log of nats-server"
            words = f"JetStream refused them ({error.description or error.code}); {step}"
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
