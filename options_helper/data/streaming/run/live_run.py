"""One set of streams from Start to Stop: its threads, its cache and its snapshots."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from options_helper.analysis.streams.clock import correct_clock
from options_helper.data.calendar.market_clock import (
    MarketCalendar,
    MarketState,
    market_state,
    with_overnight,
)
from options_helper.data.settings import OVERNIGHT_FEEDS
from options_helper.data.streaming.connection.failures import SYMBOL_LIMIT
from options_helper.data.streaming.reconnect.change_log import log_change
from options_helper.data.streaming.reconnect.worker import Streamer, StreamWorker, WorkerDependencies
from options_helper.data.streaming.run.background_fetch import BackgroundFetch
from options_helper.data.streaming.run.cache import LiveCache
from options_helper.data.streaming.run.config import LiveStreamConfig
from options_helper.data.streaming.run.consumer import Consumer
from options_helper.data.streaming.run.fill_gaps import FillGaps
from options_helper.data.streaming.run.inbox import Batch, EventInbox
from options_helper.data.streaming.run.mute_watch import MuteWatch
from options_helper.data.streaming.run.rest_results import RestResults
from options_helper.data.streaming.run.snapshot import SnapshotParts, build_snapshot
from options_helper.data.streaming.run.streamers import BuildStreamer, StreamRequest
from options_helper.errors import StreamError
from options_helper.market import LiveSnapshot, StreamHealth, StreamName, StreamState
from options_helper.recording.journal import Journal
from options_helper.times import new_york_date, start_of_day


@dataclass(frozen=True, slots=True)
class RunParts:
    """The parts of a run, supplied by the manager.

    Attributes:
        builders: For each stream, the function that builds the streamer of one connection.
        build_backfill: Builds the background fetch of a run; None to fetch nothing.
        journal: The run's clock and events.
        first_version: The version from which this run's snapshots count.
        seconds_ahead: Returns the seconds by which the clock is ahead of the computer's, if that was set.
        tap: Called with everything that a stream delivers: the stream, a kind as in `StreamRequest.offer`,
            the items and the time of receipt.
    """

    builders: Mapping[StreamName, BuildStreamer]
    build_backfill: Callable[[LiveStreamConfig, LiveRun], BackgroundFetch] | None
    journal: Journal
    first_version: int = 0
    seconds_ahead: Callable[[], float] = float
    tap: Callable[[StreamName, str, Sequence[object], dt.datetime], None] | None = None


class LiveRun:
    """One set of streams and its threads; after `stop()`, the last state stays readable.

    Attributes:
        results: Receives the results of the background fetch.
        journal: The run's events.
        clock: Returns the time of the thread's event, and the current time outside of events.
    """

    _market_state: tuple[MarketCalendar | None, dt.datetime | None, MarketState] = (None, None, MarketState())

    def __init__(self, config: LiveStreamConfig, parts: RunParts) -> None:
        self.config = config
        self.first_version = parts.first_version
        self.journal = parts.journal
        self.clock = parts.journal.now
        self.started_at = parts.journal.started_at
        self.stopped_at: dt.datetime | None = None
        self.cache = LiveCache(config.stocks, config.option_contracts)
        self.inbox = EventInbox(config.queue_maxsize)
        self._builders = parts.builders
        self._tap = parts.tap
        self._changed = threading.Condition()  # notified after every change in a stream's state
        self._mute_watch = MuteWatch(self.cache)
        day_start = start_of_day(new_york_date(self.started_at))
        wants_fills = StreamName.FILLS in config.streams
        self._gaps = FillGaps(day_start, self.cache.apply_gaps) if wants_fills else None
        self.workers = {stream: self._build_worker(stream) for stream in config.streams}
        self.results = RestResults(self.cache, self.workers, self._gaps, parts.seconds_ahead)
        self.consumer = Consumer(
            self.inbox, self.cache, self.workers, self._alpaca_now, self._ask_for_unread, self.journal
        )
        self._build_backfill = parts.build_backfill
        self._backfill = self._build_backfill(config, self) if self._build_backfill else None

    def start(self) -> None:
        """Start the threads of consumer, background fetch and streams; nothing connects before this."""
        with self.journal.beginning():
            self.consumer.start()
            if self._backfill is not None:
                self._backfill.start()
            for worker in self.workers.values():
                worker.start()

    def change_symbols(self, config: LiveStreamConfig) -> None:
        """Subscribe to another config's symbols on the open connections, and start further streams.

        The background fetch starts over, so that it covers the new symbols.
        """
        before, self.config = self.config, config
        for stream in config.streams:
            if stream not in self.workers:
                self.workers[stream] = self._build_worker(stream)
                self.workers[stream].start()
            elif config.symbols(stream) != before.symbols(stream):
                self.workers[stream].change_symbols(config.symbols(stream))
        if self._build_backfill is not None and self._backfill is not None:
            replaced, self._backfill = self._backfill, self._build_backfill(config, self)
            replaced.stop()
            self._backfill.start()
            self._backfill.request_fills()  # the replaced fetch may have had a request that it did not finish
            replaced.join(0.0)

    def stop(self, timeout: float) -> None:
        """End every thread within `timeout` seconds; abandon those that have not ended by then."""
        deadline = time.monotonic() + timeout
        if self._backfill is not None:
            self._backfill.stop()
        for worker in self.workers.values():
            worker.request_stop()
        self._join([worker.thread for worker in self.workers.values()], deadline)
        self.inbox.close()
        self._join([self.consumer.thread], deadline)
        if self._backfill is not None:
            self._backfill.join(max(0.0, deadline - time.monotonic()))
        self.results.end_progress()
        self.stopped_at = self.clock()
        for worker in self.workers.values():
            worker.mark_stopped()

    @staticmethod
    def _join(threads: Iterable[threading.Thread], deadline: float) -> None:
        for thread in threads:
            if thread.ident is not None:  # else the system refused to start it
                thread.join(max(0.0, deadline - time.monotonic()))

    def wait_until_live(self, timeout: float) -> bool:
        """Wait until every stream is acknowledged; return False on timeout or if a stream ended for good."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_live() or not self._may_become_live(), timeout)
        return self._is_live()

    def _is_live(self) -> bool:
        return all(worker.health.state is StreamState.RUNNING for worker in tuple(self.workers.values()))

    def _may_become_live(self) -> bool:
        return self.stopped_at is None and all(worker.health.alive for worker in tuple(self.workers.values()))

    @property
    def is_running(self) -> bool:
        """True while any stream is connected, connecting or reconnecting."""
        return self.stopped_at is None and any(worker.health.alive for worker in tuple(self.workers.values()))

    def snapshot(self) -> LiveSnapshot:
        """Return a frozen copy of everything known now, in Alpaca's time if the clock offset is known."""
        now = self.clock()
        alpaca_now = self.results.to_alpaca_time(now)
        self.cache.drop_orders_before(new_york_date(alpaca_now))
        snapshot = build_snapshot(
            SnapshotParts(
                now=now,
                config=self.config,
                state=self.cache.state,
                market=self._market(alpaca_now),
                health={stream: worker.health for stream, worker in tuple(self.workers.items())},
                polling=self.results.polling,
                dropped=self.inbox.dropped,
                queue_depth=self.inbox.depth,
                started_at=self.started_at,
                stopped_at=self.stopped_at,
                clock_offset_seconds=self.results.clock_offset_seconds,
                first_version=self.first_version,
                source=self.results.source,
            )
        )
        return self._with_computers_offset(correct_clock(snapshot))

    def _with_computers_offset(self, live: LiveSnapshot) -> LiveSnapshot:
        """Return the snapshot with the offset of the computer's clock as it is set now."""
        ahead, offset = self.results.seconds_ahead(), live.clock_offset_seconds
        if not ahead:
            return live
        if self.results.measured_offset is None or offset is None:
            return replace(live, clock_offset_seconds=None)
        return replace(live, clock_offset_seconds=offset - ahead)

    def symbols_to_poll(self, stream: StreamName) -> tuple[str, ...]:
        """Return a data stream's symbols that are over the limit or not granted, so they do not stream."""
        config, worker = self.config, self.workers.get(stream)
        symbols = config.polled_contracts if stream is StreamName.OPTIONS else ()
        if worker is None:
            return tuple(symbols)
        health = worker.health
        absent = health.asked if _is_refused_for_its_size(health) else health.missing - health.invalid
        return tuple(dict.fromkeys((*symbols, *(each for each in config.symbols(stream) if each in absent))))

    def _market(self, at: dt.datetime) -> MarketState:
        calendar, second = self.results.calendar, at.replace(microsecond=0)  # phases begin at whole seconds
        if self._market_state[:2] != (calendar, second):
            market = market_state(calendar, second)
            trades_overnight = self.config.stock_feed in OVERNIGHT_FEEDS
            self._market_state = (
                calendar,
                second,
                with_overnight(market, second) if trades_overnight else market,
            )
        return self._market_state[2]

    def _alpaca_now(self) -> dt.datetime:
        return self.results.to_alpaca_time(self.clock())

    def _build_worker(self, stream: StreamName) -> StreamWorker:
        config = self.config
        dependencies = WorkerDependencies(
            connect=lambda _worker: self.connect(stream),
            changed=self._on_change,
            lost=self._follow_loss,
            complaint=self._complaint,
            base_seconds=config.reconnect_base_seconds,
            cap_seconds=config.reconnect_cap_seconds,
            journal=self.journal,
        )
        return StreamWorker(stream, dependencies, asked=frozenset(config.symbols(stream)))

    def connect(self, stream: StreamName) -> Streamer:
        """Return the streamer of a new connection, which reports to the stream's worker."""
        offer, lose = partial(self._offer, stream), partial(self._lose, stream)
        request = StreamRequest(stream, self.config, self.workers[stream], offer, self.journal, lose)
        return self._builders[stream](request)

    def _lose(self, stream: StreamName, messages: int) -> None:
        """Count messages that were lost before they arrived."""
        self.inbox.count_lost(stream, messages)
        self.workers[stream].lost()

    def _offer(
        self, stream: StreamName, kind: str, items: object, received_at: dt.datetime | None = None
    ) -> None:
        """Hand messages to the consumer; corrections share the lane of the trades that they correct."""
        rows = items if isinstance(items, list | tuple) else [items]
        now = received_at or self.clock()
        self.workers[stream].event(received_at=now)
        if self._tap is not None:
            self._tap(stream, kind, rows, now)
        # Each order update is a separate batch, so an unreadable one fails alone.
        for part in [(row,) for row in rows] if kind == "orders" else [rows]:
            self.journal.hand_over()
            lost = self.inbox.offer(Batch(stream, now, **{kind: part}))
            if lost is not None:
                self.workers[lost.stream].lost()
                self.journal.hand_back()

    def _ask_for_unread(self, at: dt.datetime) -> None:
        """Request the contents of an unreadable order update from REST."""
        if self._gaps is not None:
            self._gaps.unread(at)
        if self._backfill is not None:
            self._backfill.request_fills()

    def _complaint(self, health: StreamHealth) -> StreamError | None:
        now, alpaca_now = self.clock(), self._alpaca_now()
        return self._mute_watch.complaint(health, self._market(alpaca_now), now=now, alpaca_now=alpaca_now)

    def _on_change(self, before: StreamHealth, after: StreamHealth) -> None:
        log_change(before, after)
        if after.state is not before.state or after.connected_at != before.connected_at:
            self._follow(before, after)
        self.cache.touch()
        with self._changed:
            self._changed.notify_all()

    def _follow(self, before: StreamHealth, after: StreamHealth) -> None:
        """Request the data that an acknowledged stream missed; open a gap if the trading stream was lost."""
        is_back, is_lost = after.state is StreamState.RUNNING, before.state is StreamState.RUNNING
        if after.stream is StreamName.FILLS:
            self._follow_fills(before, is_back=is_back, is_lost=is_lost)
        elif is_back:
            self._follow_data(after, is_open=is_lost)
        elif _is_refused_for_its_size(after) and self._backfill is not None:
            self._backfill.request_quotes(after.stream)

    def _follow_data(self, health: StreamHealth, *, is_open: bool) -> None:
        """Request what the streams do not repeat; a connection that was open before missed no halt."""
        stream = health.stream
        self._mute_watch.count_ticking(health)  # before REST replaces rows that are not counted yet
        if stream is StreamName.STOCKS and not is_open:
            self.cache.forget_halts()
        if self._backfill is not None:
            self._backfill.request_quotes(stream)

    def _follow_loss(self, stream: StreamName) -> None:
        """Request the prices that lost messages may have changed; unread orders are requested separately."""
        self.cache.touch()
        if stream is not StreamName.FILLS and self._backfill is not None:
            # Before REST replaces rows that are not counted yet.
            self._mute_watch.count_ticking(self.workers[stream].health)
            self._backfill.request_lost(stream)

    def _follow_fills(self, before: StreamHealth, *, is_back: bool, is_lost: bool) -> None:
        if self._gaps is None:
            return
        if is_back:
            self._gaps.acknowledged(self.clock())
            if self._backfill is not None:
                self._backfill.request_fills()
        elif is_lost:
            self._gaps.lost(before.last_heard_at or self.clock())


def _is_refused_for_its_size(health: StreamHealth) -> bool:
    """Return whether Alpaca granted no symbol of a stream at all."""
    failure = health.last_failure
    return health.state is StreamState.ERROR and failure is not None and failure.code == SYMBOL_LIMIT
