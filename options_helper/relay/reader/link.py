"""The background fetch of a relayed run: its connection to the relay, in a thread."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import platform
import threading
import uuid
from collections.abc import Mapping

from options_helper.data.streaming.run.config import LiveStreamConfig
from options_helper.data.streaming.run.live_run import LiveRun
from options_helper.market import StreamName, StreamState
from options_helper.relay.nats_options import NatsOptions
from options_helper.relay.reader.channel import Channel
from options_helper.relay.reader.connection import RelayConnection
from options_helper.relay.reader.received import Receiver, is_complete
from options_helper.relay.wire import Answer, Ask, Facts, Grant, Heartbeat

_FOR_FILLS = Grant()


class Link:
    """The background fetch of a relayed run, in its own thread: the relay's facts and all its streams.

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
        self._run = run
        self._channels = {stream: channels[stream] for stream in config.streams}
        for channel in self._channels.values():
            channel.clock = run.clock
        self._receiver = Receiver(run.results, config)
        ask = Ask(
            f"{platform.node()}-{uuid.uuid4().hex[:12]}",
            list(config.symbols(StreamName.STOCKS)) if config.stream_stocks else [],
            list(config.symbols(StreamName.OPTIONS)) if config.stream_options else [],
            list(config.polled_contracts) if config.stream_options else [],
        )
        self._connection = RelayConnection(
            options, "options-helper page", ask, tuple(self._channels), self, run.clock
        )
        self._lost_at: dict[StreamName, dt.datetime | None] = {}
        self._complete_since: dict[StreamName, tuple[str, dt.datetime | None] | None] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[None] | None = None
        self._is_stopped = False
        self._mutex = threading.Lock()
        self._thread = threading.Thread(target=self._live, name="options-helper-relay", daemon=True)

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
                self._loop.call_soon_threadsafe(self._connection.ask_for_state)

    # The thread ----------------------------------------------------------------------------------

    def _live(self) -> None:
        with contextlib.suppress(asyncio.CancelledError), asyncio.Runner() as runner:
            runner.run(self._begin())

    async def _begin(self) -> None:
        with self._mutex:
            if self._is_stopped:
                return
            self._loop, self._main = asyncio.get_running_loop(), asyncio.current_task()
        try:
            await self._connection.run()
        finally:
            with self._mutex:
                self._loop = None

    # What the relay publishes --------------------------------------------------------------------

    def take_market(self, stream: StreamName, data: bytes) -> None:
        """Pass a batch on to its stream's worker."""
        self._channels[stream].put(data)

    def take_order(self, data: bytes) -> None:
        """Pass an order message on to the fills' worker."""
        self._channels[StreamName.FILLS].put(data)

    def take_facts(self, facts: Facts) -> None:
        """Store data from REST in the run."""
        self._receiver.take_facts(facts)

    def take_answer(self, answer: Answer, asked_at: dt.datetime, answered_at: dt.datetime) -> None:
        """Take what is granted, and compare the clocks."""
        self._receiver.take_clock(asked_at, answer.at, answered_at)
        for channel in self._channels.values():
            channel.shift = self._receiver.shift
        self._run.results.put_source(answer.source)
        self._update_channels()

    def take_heartbeat(self, heartbeat: Heartbeat, *, is_answer: bool) -> None:
        """Take the state of the relay's streams, and what is complete; of an ended relay nothing is."""
        if heartbeat.ended:
            self._update_channels()
            return
        if self._connection.is_whole:
            self._receiver.take_complete(heartbeat, is_whole=is_answer)
        self._follow_completeness(heartbeat, is_answer=is_answer)
        self._follow_losses(heartbeat)
        if self._has_all_orders(heartbeat):
            self._receiver.take_gaps(heartbeat.gaps)
        self._update_channels()
        for channel in self._channels.values():
            channel.beat()

    def _follow_completeness(self, heartbeat: Heartbeat, *, is_answer: bool) -> None:
        """Ask for the whole state again once the relay's prices are complete on a new connection.

        The relay may have requested them from REST before this run's stream was up. Then only the whole state
        proves that no price changed in between.
        """
        for stream, health in heartbeat.streams.items():
            since = (heartbeat.epoch, health.connected_at) if is_complete(health) else None
            known = self._complete_since.get(stream)
            self._complete_since[stream] = since
            if since not in {None, known} and stream is not StreamName.FILLS and not is_answer:
                self._connection.ask_for_state()

    def _follow_losses(self, heartbeat: Heartbeat) -> None:
        for stream, health in heartbeat.streams.items():
            known = self._lost_at.get(stream)
            self._lost_at[stream] = health.lost_at
            if health.lost_at is not None and health.lost_at != known and stream in self._channels:
                self._channels[stream].lose()

    def _has_all_orders(self, heartbeat: Heartbeat) -> bool:
        """Return whether only the relay's own gaps remain in the order updates."""
        link, channel = self._connection, self._channels.get(StreamName.FILLS)
        is_newest = (
            heartbeat is link.heartbeat and link.is_whole
        )  # REST's executions are part of the whole state
        is_read = link.has_all_orders and not link.stored.missing
        return channel is not None and channel.is_up and is_newest and is_read

    # The streams' state --------------------------------------------------------------------------

    def watch(self, late: float) -> None:
        """Pass on what is wrong with each stream; whatever came while nothing was read may be lost."""
        for channel in self._channels.values() if late else ():
            channel.lose()
        self._update_channels()

    def _update_channels(self) -> None:
        for stream, channel in self._channels.items():
            channel.set_state(self._grant(stream), self._connection.explain(stream))

    def _grant(self, stream: StreamName) -> Grant | None:
        """Return what is granted, or None while that is not known."""
        heartbeat, answer = self._connection.heartbeat, self._connection.answer
        health = None if heartbeat is None else heartbeat.streams.get(stream)
        if heartbeat is None or health is None or health.state is not StreamState.RUNNING:
            return None
        if stream is StreamName.FILLS:
            # Once it is up, an update that is being stored is a matter of milliseconds, or has a reason.
            return _FOR_FILLS if self._connection.has_all_orders or self._channels[stream].is_up else None
        if answer is None or answer.epoch != heartbeat.epoch:
            return None
        grant = answer.streams.get(stream)
        return None if grant is None or grant.pending else grant
