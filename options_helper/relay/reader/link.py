"""A reader's connection to NATS: it asks a relay for symbols and passes on what the relay publishes."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import platform
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

import msgspec
import nats.errors

from options_helper.data.streaming.run.config import LiveStreamConfig
from options_helper.data.streaming.run.live_run import LiveRun
from options_helper.error_guard import Guard
from options_helper.errors import OptionsHelperError
from options_helper.market import StreamName, StreamState
from options_helper.relay.duties import run_together
from options_helper.relay.nats_options import NatsOptions, connect_to_nats
from options_helper.relay.reader.channel import Channel
from options_helper.relay.reader.reasons import LinkState, explain
from options_helper.relay.reader.received import Receiver
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
    Grant,
    Message,
    Pulse,
    decode,
    encode,
)

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

logger = logging.getLogger(__name__)

_REQUEST_SECONDS = 2.0
_WATCH_SECONDS = 0.1
_ASK_AGAIN_SECONDS = 0.5  # while something is not answered yet
_FOR_FILLS = Grant()


class Link:
    """The background fetch of a relayed run, in a thread of its own: the relay's facts and all its streams.

    Args:
        options: The servers and credentials of NATS.
        config: The run's symbols.
        run: The run.
        channels: Receive the streams' messages.
    """

    def __init__(
        self,
        options: NatsOptions,
        config: LiveStreamConfig,
        run: LiveRun,
        channels: Mapping[StreamName, Channel],
    ) -> None:
        self._options, self._run, self._config = options, run, config
        self._channels = {stream: channels[stream] for stream in config.streams}
        for channel in self._channels.values():
            channel.clock = run.clock
        self._receiver = Receiver(run.results, config)
        self._ask = Ask(
            f"{platform.node()}-{uuid.uuid4().hex[:12]}",
            list(config.symbols(StreamName.STOCKS)) if config.stream_stocks else [],
            list(config.symbols(StreamName.OPTIONS)) if config.stream_options else [],
            list(config.polled_contracts) if config.stream_options else [],
        )
        self._client: Client | None = None
        self._trouble = ""  # of the connection to NATS
        self._mismatch = ""
        self._answer: Answer | None = None
        self._pulse: Pulse | None = None
        self._pulse_at = time.monotonic()
        self._number = 0
        self._is_whole = False  # the relay's whole state was read, and nothing was missed since
        self._stored: StoredOrders | None = None
        self._lost_at: dict[StreamName, dt.datetime | None] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[None] | None = None
        self._is_stopped = False
        self._mutex = threading.Lock()
        self._thread = threading.Thread(target=self._live, name="options-helper-relay", daemon=True)
        self._mishaps = Guard(logger, "; the relay is asked again.")

    # The run's background fetch ------------------------------------------------------------------

    def start(self) -> None:
        """Start connecting."""
        self._thread.start()

    def stop(self) -> None:
        """Give the symbols back and end; idempotent, and callable at any time."""
        with self._mutex:
            self._is_stopped = True
            if self._loop is not None and self._main is not None:
                self._loop.call_soon_threadsafe(self._main.cancel)

    def join(self, timeout: float) -> None:
        """Wait up to `timeout` seconds for the thread to end."""
        if self._thread.ident is not None:
            self._thread.join(timeout)

    def request_fills(self) -> None:
        """Ask for the relay's whole state, which includes the day's orders; return immediately."""
        self._ask_for_state()

    def request_quotes(self, stream: StreamName) -> None:  # noqa: ARG002 - of the protocol
        """Ask for the relay's whole state, which includes the stream's quotes; return immediately."""
        self._ask_for_state()

    def request_lost(self, stream: StreamName) -> None:  # noqa: ARG002 - of the protocol
        """Ask for the relay's whole state after a loss; return immediately."""
        self._ask_for_state()

    def _ask_for_state(self) -> None:
        with self._mutex:
            if self._loop is not None and not self._is_stopped:
                self._loop.call_soon_threadsafe(self._state_wanted.set)

    # The thread ----------------------------------------------------------------------------------

    def _live(self) -> None:
        with contextlib.suppress(asyncio.CancelledError), asyncio.Runner() as runner:
            runner.run(self._begin())

    async def _begin(self) -> None:
        self._state_wanted, self._ask_wanted = asyncio.Event(), asyncio.Event()
        self._state_wanted.set()
        with self._mutex:
            if self._is_stopped:
                return
            self._loop, self._main = asyncio.get_running_loop(), asyncio.current_task()
        try:
            await run_together(self._watch(), self._connect_and_read())
        finally:
            with self._mutex:
                self._loop = None
            await self._leave()

    async def _connect_and_read(self) -> None:
        await self._connect()
        await run_together(self._ask_regularly(), self._read_state_when_asked())

    async def _connect(self) -> None:
        self._client = client = await connect_to_nats(
            self._options, "options-helper page", on_error=self._note_nats, on_reconnect=self._begin_again
        )
        self._trouble = ""
        self._stored = StoredOrders(client.jetstream(timeout=_REQUEST_SECONDS), self._take_order)
        await client.subscribe(STATE_SUBJECT, cb=self._take_state)
        for stream in self._channels:
            if stream is StreamName.FILLS:
                await client.subscribe(f"{STORED_SUBJECT}.>", cb=self._stored.follow)
            else:
                await client.subscribe(
                    f"{MARKET_SUBJECT}.{stream}", cb=self._take_market(self._channels[stream])
                )

    async def _leave(self) -> None:
        client = self._client
        if client is None:
            return
        with contextlib.suppress(nats.errors.Error, OSError, TimeoutError):
            if client.is_connected:
                leaving = msgspec.structs.replace(self._ask, ends=True)
                await client.publish(ASK_SUBJECT, encode(leaving))
        with contextlib.suppress(nats.errors.Error, OSError, TimeoutError):
            await asyncio.wait_for(client.close(), 0.3)

    def _note_nats(self, words: str) -> None:
        if self._client is None or not self._client.is_connected:
            self._trouble = words

    async def _begin_again(self) -> None:
        """Read everything again after NATS was away."""
        self._trouble = ""
        self._is_whole = False
        self._state_wanted.set()
        self._ask_wanted.set()

    # Requests ------------------------------------------------------------------------------------

    async def _ask_regularly(self) -> None:
        while True:
            self._ask_wanted.clear()
            await self._ask_once()
            wait = RENEW_SECONDS if self._is_answered() else _ASK_AGAIN_SECONDS
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ask_wanted.wait(), wait)

    def _is_answered(self) -> bool:
        answer = self._answer
        return answer is not None and not any(grant.pending for grant in answer.streams.values())

    async def _ask_once(self) -> None:
        asked_at = self._run.clock()
        reply = await self._request(ASK_SUBJECT)
        answered_at = self._run.clock()
        answer = None if reply is None else self._read(reply.data)
        if not isinstance(answer, Answer):
            return
        self._receiver.take_clock(asked_at, answer.at, answered_at)
        for channel in self._channels.values():
            channel.shift = self._receiver.shift
        self._answer = answer
        self._run.results.put_source(answer.source)
        self._update_channels()

    async def _request(self, subject: str) -> Msg | None:
        client = self._client
        if client is None or not client.is_connected:
            return None
        try:
            return await client.request(subject, encode(self._ask), timeout=_REQUEST_SECONDS)
        except AWAY:
            return None

    async def _read_state_when_asked(self) -> None:
        while True:
            await self._state_wanted.wait()
            self._state_wanted.clear()
            if not await self._read_state():
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
            await client.publish(ASK_STATE_SUBJECT, encode(self._ask), reply=inbox)
            while True:
                message = self._read((await subscription.next_msg(timeout=_REQUEST_SECONDS)).data)
                if isinstance(message, Facts):
                    self._receiver.take_facts(message)
                elif isinstance(message, Pulse):
                    break
                else:
                    return False
            await subscription.unsubscribe()
        except AWAY:
            return False
        self._is_whole = True
        await self._take_pulse(message, is_whole=True)
        return True

    # What the relay publishes --------------------------------------------------------------------

    def _read(self, data: bytes) -> Message | None:
        try:
            message = decode(data)
        except OptionsHelperError as error:
            self._mismatch = str(error)
            return None
        except msgspec.MsgspecError:
            return None
        self._mismatch = ""
        return message

    def _take_market(self, channel: Channel) -> Callable[[Msg], Awaitable[None]]:
        async def take(message: Msg) -> None:
            channel.put(message.data)

        return take

    async def _take_state(self, message: Msg) -> None:
        with self._mishaps.keep_going("A message of the relay", lambda _kind: self._state_wanted.set()):
            state = self._read(message.data)
            if isinstance(state, Facts | Pulse):
                if state.number != self._number + 1:
                    self._is_whole = False
                    self._state_wanted.set()
                self._number = state.number
            if isinstance(state, Facts):
                self._receiver.take_facts(state)
            elif isinstance(state, Pulse):
                await self._take_pulse(state, is_whole=False)

    async def _take_pulse(self, pulse: Pulse, *, is_whole: bool) -> None:
        before, self._pulse, self._pulse_at = self._pulse, pulse, time.monotonic()
        if before is not None and before.epoch != pulse.epoch and not is_whole:
            self._is_whole = False
            self._state_wanted.set()
        answer = self._answer
        if answer is None or (answer.epoch, answer.grants) != (pulse.epoch, pulse.grants):
            self._ask_wanted.set()
        if self._is_whole:
            self._receiver.take_complete(pulse, is_whole=is_whole)
        self._follow_losses(pulse)
        await self._follow_orders(pulse)
        self._update_channels()
        for channel in self._channels.values():
            channel.beat()

    def _follow_losses(self, pulse: Pulse) -> None:
        for stream, health in pulse.streams.items():
            known = self._lost_at.get(stream)
            self._lost_at[stream] = health.lost_at
            if health.lost_at is not None and health.lost_at != known and stream in self._channels:
                self._channels[stream].lose()

    async def _follow_orders(self, pulse: Pulse) -> None:
        stored, channel = self._stored, self._channels.get(StreamName.FILLS)
        if stored is None or channel is None:
            return
        if pulse.stored is not None:
            await stored.catch_up(pulse.stored)
        if channel.is_up and stored.has_all(pulse) and not stored.missing:
            self._receiver.take_gaps(pulse.gaps)

    def _take_order(self, data: bytes) -> None:
        self._channels[StreamName.FILLS].put(data)

    # The streams' state --------------------------------------------------------------------------

    async def _watch(self) -> None:
        while True:
            self._update_channels()
            await asyncio.sleep(_WATCH_SECONDS)

    def _update_channels(self) -> None:
        state = LinkState(
            where=self._options.shown,
            is_connected=self._client is not None and self._client.is_connected,
            trouble=self._trouble,
            mismatch=self._mismatch,
            silent_seconds=time.monotonic() - self._pulse_at,
            pulse=self._pulse,
        )
        for stream, channel in self._channels.items():
            channel.set_state(self._grant(stream), explain(state, stream))

    def _grant(self, stream: StreamName) -> Grant | None:
        """Return what is granted, or None while that is not known."""
        pulse, answer = self._pulse, self._answer
        health = None if pulse is None else pulse.streams.get(stream)
        if pulse is None or health is None or health.state is not StreamState.RUNNING:
            return None
        if stream is StreamName.FILLS:
            # Once it is up, an update that is being stored is a matter of milliseconds, or has a reason.
            has_all = self._stored is not None and self._stored.has_all(pulse)
            return _FOR_FILLS if has_all or self._channels[stream].is_up else None
        if answer is None or answer.epoch != pulse.epoch or answer.streams[stream].pending:
            return None
        return answer.streams[stream]
