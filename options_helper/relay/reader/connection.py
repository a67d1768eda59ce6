"""A reader's connection to NATS: it asks a relay for symbols and passes on what the relay publishes."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from options_helper.error_guard import Guard
from options_helper.errors import OptionsHelperError
from options_helper.market import StreamName
from options_helper.relay.duties import run_together
from options_helper.relay.nats_options import DENIED, NatsOptions, connect_to_nats, has_jetstream
from options_helper.relay.reader.listener import Listener
from options_helper.relay.reader.reasons import LinkState, explain
from options_helper.relay.reader.stored import AWAY, StoredOrders
from options_helper.relay.wire import (
    ASK_STATE_SUBJECT,
    ASK_SUBJECT,
    MARKET_SUBJECT,
    RENEW_SECONDS,
    STATE_SUBJECT,
    STORED_SUBJECT,
    Answer,
    Ask,
    Facts,
    Heartbeat,
    Message,
    decode,
    encode,
)

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

logger = logging.getLogger(__name__)

_REQUEST_SECONDS = 2.0
_ASK_AGAIN_SECONDS = 0.5  # while something is not answered yet
_LEAVE_SECONDS = 0.3
_WATCH_SECONDS = 0.1
_LATE_SECONDS = 1.0
_LATE_MATTERS_SECONDS = 10.0  # NATS ends the connection of a client that does not read


class RelayConnection:
    """Follows a relay through every outage; NATS and the relay may come and go.

    Args:
        options: The servers and credentials of NATS.
        name: This client's name in the server's own lists.
        ask: The request for symbols.
        streams: The streams to follow.
        listener: Receives everything.
        clock: Returns the reader's time.

    Attributes:
        answer: The newest answer about the symbols.
        heartbeat: The newest state of the relay.
        stored: The order messages.
        is_whole: True if the relay's whole state was read and no change has been missed since.
    """

    def __init__(
        self,
        options: NatsOptions,
        name: str,
        ask: Ask,
        streams: Sequence[StreamName],
        listener: Listener,
        clock: Callable[[], dt.datetime],
    ) -> None:
        self._options, self._name, self._ask, self._streams = options, name, ask, streams
        self._listener, self._clock = listener, clock
        self._client: Client | None = None
        self.stored = StoredOrders(listener.take_order)
        self._trouble = self._denied = ""  # of NATS
        self._mismatch, self._number = "", 0
        self._heartbeat_at = time.monotonic()
        self._late, self._late_at = 0.0, -math.inf
        self._state_wanted, self._ask_wanted, self._closed = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._guard = Guard(logger, "; the relay is asked again.")
        self.answer: Answer | None = None
        self.heartbeat: Heartbeat | None = None
        self.is_whole = False

    async def run(self) -> None:
        """Read from the relay until cancelled, then give the symbols back."""
        try:
            await run_together(self._watch(), self._follow())
        finally:
            await self._leave()

    def ask_for_state(self) -> None:
        """Read the relay's whole state, in the connection's event loop."""
        self._state_wanted.set()

    @property
    def has_all_orders(self) -> bool:
        """True if this reader has every order update that the relay has received."""
        return self.heartbeat is not None and self.stored.has_all(self.heartbeat)

    def explain(self, stream: StreamName) -> str:
        """Return the reason why a stream delivers nothing; "" while all is well or still starting."""
        client, now = self._client, time.monotonic()
        state = LinkState(
            where=self._options.shown,
            is_connected=client is not None and client.is_connected,
            has_jetstream=client is None or has_jetstream(client),
            late_seconds=self._late if now - self._late_at < _LATE_MATTERS_SECONDS else 0.0,
            trouble=self._trouble,
            mismatch=self._mismatch,
            denied="" if self.answer is not None and self.has_all_orders else self._denied,
            silent_seconds=now - self._heartbeat_at,
            heartbeat=self.heartbeat,
            refusal="" if self.answer is None else self.answer.refusal,
            is_mixed=self.stored.is_mixed,
        )
        return explain(state, stream)

    def read(self, data: bytes) -> Message | None:
        """Return a message, None if it cannot be read; a different version of the schema becomes a reason."""
        try:
            message = decode(data)
        except OptionsHelperError as error:
            self._mismatch = str(error)
            return None
        except msgspec.MsgspecError:
            return None
        self._mismatch = ""
        return message

    # The connection ------------------------------------------------------------------------------

    async def _follow(self) -> None:
        while True:
            await self._connect()
            # nats-py gives up when the credentials are refused; perhaps they are accepted again later.
            await run_together(self._ask_regularly(), self._read_state_when_wanted(), self._closed.wait())

    async def _watch(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(_WATCH_SECONDS)
            now = time.monotonic()
            late = now - before - _WATCH_SECONDS
            if late > _LATE_SECONDS:
                self._late, self._late_at = late, now
                self._heartbeat_at += late  # the relay's heartbeats may wait in the connection
            with self._guard.keep_going("The check of the relay"):
                self._listener.watch(late if late > _LATE_SECONDS else 0.0)

    async def _connect(self) -> None:
        self._closed.clear()
        self._client = client = await connect_to_nats(
            self._options,
            self._name,
            on_error=self._note,
            on_disconnect=self._note_disconnected,
            on_reconnect=self._begin_again,
            on_closed=self._note_closed,
        )
        self.stored.jetstream = client.jetstream(timeout=_REQUEST_SECONDS)
        await client.subscribe(STATE_SUBJECT, cb=self._take_state)
        for stream in self._streams:
            if stream is StreamName.FILLS:
                await client.subscribe(f"{STORED_SUBJECT}.>", cb=self.stored.follow)
            else:
                await self._follow_market(client, stream)
        await self._begin_again()

    async def _follow_market(self, client: Client, stream: StreamName) -> None:
        take = self._listener.take_market

        async def pass_on(message: Msg) -> None:
            take(stream, message.data)

        await client.subscribe(f"{MARKET_SUBJECT}.{stream}", cb=pass_on)

    async def _begin_again(self) -> None:
        """Read everything again after NATS has been away."""
        self._trouble = ""
        self._miss_state()
        self._ask_wanted.set()

    def _note(self, words: str) -> None:
        if words.startswith(DENIED):
            self._denied = self._denied or words.removeprefix(DENIED)
        if self._client is None or not self._client.is_connected:
            self._trouble = words

    async def _note_disconnected(self) -> None:
        self._denied = ""
        self._listener.watch(0.0)  # NATS may be back before the next regular check

    async def _note_closed(self) -> None:
        self._closed.set()

    async def _leave(self) -> None:
        client = self._client
        if client is None:
            return
        with contextlib.suppress(*AWAY):
            if client.is_connected:
                await client.publish(ASK_SUBJECT, encode(msgspec.structs.replace(self._ask, ends=True)))
        with contextlib.suppress(*AWAY):
            await asyncio.wait_for(client.close(), _LEAVE_SECONDS)

    # Requests ------------------------------------------------------------------------------------

    async def _ask_regularly(self) -> None:
        while True:
            self._ask_wanted.clear()
            await self._ask_once()
            wait = RENEW_SECONDS if self._is_answered() else _ASK_AGAIN_SECONDS
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ask_wanted.wait(), wait)

    def _is_answered(self) -> bool:
        return self.answer is not None and not any(grant.pending for grant in self.answer.streams.values())

    async def _ask_once(self) -> None:
        client, asked_at = self._client, self._clock()
        if client is None or not client.is_connected:
            return
        try:
            reply = await client.request(ASK_SUBJECT, encode(self._ask), timeout=_REQUEST_SECONDS)
        except AWAY:
            return
        answered_at, answer = self._clock(), self.read(reply.data)
        if isinstance(answer, Answer):
            self.answer = answer
            with self._guard.keep_going("An answer of the relay"):
                self._listener.take_answer(answer, asked_at, answered_at)

    def _miss_state(self) -> None:
        self.is_whole = False
        self._state_wanted.set()

    async def _read_state_when_wanted(self) -> None:
        while True:
            await self._state_wanted.wait()
            self._state_wanted.clear()
            is_read = False
            with self._guard.keep_going("The state of the relay"):
                is_read = await self._read_state()
            if not is_read:
                await asyncio.sleep(_ASK_AGAIN_SECONDS)
                self._state_wanted.set()

    async def _read_state(self) -> bool:
        """Read the relay's whole state, and return whether it was complete."""
        client = self._client
        if client is None or not client.is_connected:
            return False
        inbox = client.new_inbox()
        try:
            subscription = await client.subscribe(inbox)
            next_one = subscription.next_msg
            try:
                await client.publish(ASK_STATE_SUBJECT, encode(self._ask), reply=inbox)
                while isinstance(message := self.read((await next_one(_REQUEST_SECONDS)).data), Facts):
                    self._listener.take_facts(message)
            finally:
                await subscription.unsubscribe()
        except AWAY:
            return False
        if not isinstance(message, Heartbeat) or self._is_outdated(message):
            return False
        self.is_whole = not self._state_wanted.is_set()  # else a change was missed meanwhile
        await self._take_heartbeat(message, is_answer=True)
        return True

    def _is_outdated(self, heartbeat: Heartbeat) -> bool:
        known = self.heartbeat
        return known is not None and known.epoch == heartbeat.epoch and known.at > heartbeat.at

    # What the relay publishes --------------------------------------------------------------------

    async def _take_state(self, message: Msg) -> None:
        with self._guard.keep_going("A message of the relay", lambda _kind: self._miss_state()):
            state = self.read(message.data)
            if not isinstance(state, Facts | Heartbeat):
                return
            if isinstance(state, Heartbeat) and self._is_of_former(state):
                return
            if state.number != self._number + 1:
                self._miss_state()
            self._number = state.number
            if isinstance(state, Facts):
                self._listener.take_facts(state)
            else:
                await self._take_heartbeat(state, is_answer=False)

    def _is_of_former(self, heartbeat: Heartbeat) -> bool:
        """Return whether a heartbeat is the late end of a relay that another one has replaced."""
        return (
            bool(heartbeat.ended) and self.heartbeat is not None and self.heartbeat.epoch != heartbeat.epoch
        )

    async def _take_heartbeat(self, heartbeat: Heartbeat, *, is_answer: bool) -> None:
        before, self.heartbeat, self._heartbeat_at = self.heartbeat, heartbeat, time.monotonic()
        if before is not None and before.epoch != heartbeat.epoch and not is_answer:
            self._miss_state()
        answer = self.answer
        if answer is None or (answer.epoch, answer.grants) != (heartbeat.epoch, heartbeat.grants):
            self._ask_wanted.set()
        if StreamName.FILLS in self._streams:
            await self.stored.catch_up(heartbeat)
        self._listener.take_heartbeat(heartbeat, is_answer=is_answer)
