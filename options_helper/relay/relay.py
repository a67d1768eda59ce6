"""The relay: a run at Alpaca whose data is published to NATS while this process leads."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import nats.errors

from options_helper.data.streaming.run.config import LiveStreamConfig
from options_helper.data.streaming.run.live_run import LiveRun, RunParts
from options_helper.market import StreamHealth, StreamName
from options_helper.relay.duties import run_together
from options_helper.relay.facts import FactSource
from options_helper.relay.leases import DATA_STREAMS
from options_helper.relay.ledger.account import OtherAccount
from options_helper.relay.ledger.orders import OrderOutbox
from options_helper.relay.requests import Requests
from options_helper.relay.wire import (
    ASK_STATE_SUBJECT,
    ASK_SUBJECT,
    HEARTBEAT_SECONDS,
    MARKET_SUBJECT,
    STATE_SUBJECT,
    Batch,
    Facts,
    Heartbeat,
    Message,
    encode,
)
from options_helper.times import to_microseconds

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.05
_GATHER_SECONDS = 0.002  # quotes and trades of one batch arrive in two calls
_STOP_SECONDS = 0.9
_ROWS_PER_BATCH = 1200
_MOST_REQUESTS = 1000  # that wait; no reader waits as long as it takes to answer more
_NO_SYMBOLS: frozenset[str] = frozenset()

# Why a term ended, for the readers; the next step follows the semicolon.
_STOPPED = "the relay was stopped; start options-helper relay again, unless another one takes over"
_LOST_LEASE = "the relay lost its lease; another one takes over, or this one resumes once JetStream answers"
_OTHER_ACCOUNT = (
    "the relay ended, because NATS holds the order updates of another Alpaca account; see the relay's log"
)


class Relay:
    """One term of a leading relay: a run at Alpaca, and everything that it publishes.

    Args:
        client: A connection to NATS.
        config: The account and the feeds; the readers determine the symbols.
        parts: The parts of the run, without a tap.
        account: The name of the account.
        limit: The largest number of contracts that stream.
        leads: Returns whether this process still leads; afterwards only the end is published.
    """

    def __init__(
        self,
        client: Client,
        config: LiveStreamConfig,
        parts: RunParts,
        *,
        account: str,
        limit: int,
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        self._client, self._leads = client, leads
        self._loop = asyncio.get_running_loop()
        self.epoch = uuid.uuid4().hex[:12]
        self.orders = OrderOutbox(client.jetstream(), self.epoch, account)
        self.run = LiveRun(config, replace(parts, tap=self._tap))
        self.requests = Requests(self.run, self.epoch, limit)
        self._facts = FactSource(self.run, self.epoch)
        self._market = {stream: _Market() for stream in DATA_STREAMS}
        self._market_arrived = asyncio.Event()
        self._number = 0
        self._heartbeat_at = 0.0
        self._shown: object = None
        self._ended = ""
        self._unpublished: set[str] = set()

    async def serve(self) -> None:
        """Run and publish until cancelled.

        Raises:
            OtherAccount: JetStream holds the order messages of another account.
        """
        await self.orders.open()
        asked = [
            await self._client.subscribe(subject, cb=answer, pending_msgs_limit=_MOST_REQUESTS)
            for subject, answer in ((ASK_SUBJECT, self._answer), (ASK_STATE_SUBJECT, self._send_state))
        ]
        try:
            self.run.start()
            await run_together(self.orders.store_all(), self._publish_market(), self._publish_regularly())
        finally:
            self._ended = _describe_end(sys.exception(), leads=self._leads())
            # Also if this process no longer leads: readers ignore it once another relay publishes.
            await self._publish_state(self._heartbeat(), is_last=True)
            await self.requests.end()
            await asyncio.to_thread(self._stop)
            for subscription in asked:
                if not self._client.is_closed:
                    await subscription.unsubscribe()

    def _stop(self) -> None:
        """End every connection to Alpaca, however long it takes, because then another relay may connect."""
        self.run.stop(_STOP_SECONDS)
        for worker in self.run.workers.values():
            if worker.thread.ident is not None:
                worker.thread.join()

    # From the run's threads ----------------------------------------------------------------------

    def _tap(self, stream: StreamName, kind: str, rows: Sequence[object], at: dt.datetime) -> None:
        take = self._take_orders if stream is StreamName.FILLS else partial(self._take_market, stream, kind)
        self._loop.call_soon_threadsafe(take, rows, at)

    def _take_orders(self, rows: Sequence[object], at: dt.datetime) -> None:
        for row in rows:
            self.orders.put_update(row, at)

    def _take_market(
        self, stream: StreamName, kind: str, rows: Sequence[object], _received_at: dt.datetime
    ) -> None:
        self._market[stream].take(kind, rows)
        self._market_arrived.set()

    # Regularly -----------------------------------------------------------------------------------

    async def _publish_market(self) -> None:
        while True:
            await self._market_arrived.wait()
            await asyncio.sleep(_GATHER_SECONDS)
            self._market_arrived.clear()
            for stream, market in self._market.items():
                worker = self.run.workers.get(stream)
                lag = None if worker is None else worker.health.lag_seconds
                for batch in market.batches(self.epoch, to_microseconds(self.run.clock()), lag):
                    await self._publish(f"{MARKET_SUBJECT}.{stream}", batch)

    async def _publish_regularly(self) -> None:
        while True:
            self.requests.update()
            for facts in self._facts.changes():
                if facts.history is not None:
                    self.orders.put_fills(facts.history.fills)
                await self._publish_state(facts)
            await self._heartbeat_if_due()
            await asyncio.sleep(TICK_SECONDS)

    async def _heartbeat_if_due(self) -> None:
        healths = [worker.health for worker in tuple(self.run.workers.values())]
        shown = (
            [(each.state, each.step, each.last_failure, each.complete_at, each.lost_at) for each in healths],
            self._facts.gaps,
            self.requests.grants,
            self.orders.stored,
            self.orders.trouble,
            self.orders.numbering,
        )
        if shown != self._shown or time.monotonic() - self._heartbeat_at >= HEARTBEAT_SECONDS:
            self._shown, self._heartbeat_at = shown, time.monotonic()
            await self._publish_state(self._heartbeat())

    def _heartbeat(self) -> Heartbeat:
        streams = {stream: _without_symbols(each.health) for stream, each in tuple(self.run.workers.items())}
        return Heartbeat(
            self.epoch,
            0,
            self.run.clock(),
            streams,
            self._facts.gaps,
            self.requests.grants,
            self.orders.stored,
            self.orders.unstored,
            self.orders.trouble,
            self.orders.numbering,
            self.orders.account,
            self._ended,
        )

    async def _publish_state(self, message: Facts | Heartbeat, *, is_last: bool = False) -> None:
        self._number += 1
        message.number = self._number
        await self._publish(STATE_SUBJECT, message, is_last=is_last)

    async def _publish(self, subject: str, message: Message, *, is_last: bool = False) -> None:
        # nats-py would keep messages while NATS is away and deliver them late; readers notice a gap instead.
        if not self._client.is_connected or not (is_last or self._leads()):
            return
        try:
            await self._client.publish(subject, encode(message))
        except nats.errors.Error as error:
            where = "a reader" if _is_inbox(subject) else subject  # a reader chooses its inbox's name
            kind = f"{where} was not published: {type(error).__name__}"
            if kind not in self._unpublished:
                self._unpublished.add(kind)
                logger.warning("A message to %s.", kind)

    # Requests ------------------------------------------------------------------------------------

    async def _answer(self, message: Msg) -> None:
        began = time.perf_counter()
        answer = self.requests.answer(message.data)
        if _is_inbox(message.reply):
            await self._publish(message.reply, answer)
        await _rest_since(began)

    async def _send_state(self, message: Msg) -> None:
        ask = self.requests.read(message.data)
        if ask is None or not _is_inbox(message.reply):
            return
        began = time.perf_counter()
        for facts in self._facts.everything(ask):
            await self._publish(message.reply, facts)
            await _rest_since(began)
            began = time.perf_counter()
        await self._publish(message.reply, self._heartbeat())


async def _rest_since(began: float) -> None:
    """Wait for as long as a request has taken, because nats-py would answer all that wait first.

    The lease could then not be renewed; nor could the answer be read, which arrives behind the requests.
    """
    await asyncio.sleep(time.perf_counter() - began)


class _Market:
    """The rows of one data stream that are not published yet, and the number of those that are."""

    def __init__(self) -> None:
        self._pending: dict[str, list[object]] = {}
        self._published = 0

    def take(self, kind: str, rows: Sequence[object]) -> None:
        """Take rows."""
        self._pending.setdefault(kind, []).extend(rows)

    def batches(self, epoch: str, now: int, lag: float | None) -> list[Batch]:
        """Return the rows since the last call, as batches that NATS accepts."""
        pending, self._pending = self._pending, {}
        batches: list[Batch] = []
        for kind, rows in pending.items():
            for start in range(0, len(rows), _ROWS_PER_BATCH):
                part = rows[start : start + _ROWS_PER_BATCH]
                last = batches[-1] if batches else None
                if last is None or last.rows + len(part) > _ROWS_PER_BATCH:
                    last = Batch(epoch, self._published, now, relay_lag=lag)
                    batches.append(last)
                setattr(last, kind, part)
                self._published += len(part)
        return batches


def _without_symbols(health: StreamHealth) -> StreamHealth:
    """Return a record without its symbols; each reader's answer contains its own."""
    return replace(health, asked=_NO_SYMBOLS, missing=_NO_SYMBOLS, invalid=_NO_SYMBOLS, polled=_NO_SYMBOLS)


def _describe_end(error: BaseException | None, *, leads: bool) -> str:
    """Return why a term ended, without the text of an error, which may contain anything."""
    if isinstance(error, OtherAccount):
        return _OTHER_ACCOUNT
    if error is None or isinstance(error, asyncio.CancelledError):
        return _STOPPED if leads else _LOST_LEASE
    return f"the relay ended because of an error ({type(error).__name__}); see the relay's log"


def _is_inbox(reply: str) -> bool:
    """Return whether an answer may go to a subject.

    The server checks the rights of the publisher, which is the relay. Otherwise a reader could have it
    write to `oh.orders`, or over the lease.
    """
    return reply.startswith("_INBOX.")
