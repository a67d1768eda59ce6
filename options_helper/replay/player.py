"""Plays a recorded run through the product's own code, one record after another, on the recording's clock.

Nothing here depends on how fast it is played: the same records lead to the same state, in one thread apart
from those that wait for a recorded answer from REST.
"""

from __future__ import annotations

import datetime as dt
import logging
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import msgspec

from options_helper.analysis.alerts.records import Alerts
from options_helper.data.rest.client import AlpacaRest
from options_helper.data.rest.http import Host
from options_helper.data.settings import Account, AlpacaSettings
from options_helper.data.streaming.backfill.backfill import Backfill
from options_helper.data.streaming.live_manager import LiveStreamConfig, build_alpaca_backfill
from options_helper.data.streaming.run.live_run import LiveRun, RunParts
from options_helper.error_guard import Guard
from options_helper.errors import OptionsHelperError
from options_helper.files.alerts_state import decode_alerts
from options_helper.market import LiveSnapshot, StreamName
from options_helper.models import Portfolio
from options_helper.recording.journal import Journal
from options_helper.recording.markers import possible_time
from options_helper.recording.records import (
    Answer,
    Began,
    Connecting,
    Digest,
    Fetching,
    Handed,
    Looked,
    Observed,
    Received,
    Record,
    Started,
    Watching,
)
from options_helper.replay.connections import RecordedConnection, connect
from options_helper.replay.hosts import RecordedHost, RecordedHosts
from options_helper.session.look_digests import WatchedPortfolio
from options_helper.session.monitor import PortfolioMonitor

logger = logging.getLogger(__name__)

_KEY = "replay"
_SHOWN = 10  # of the looks that differ
_LONGEST_EXCHANGE = 1e6  # seconds: the recording says how long an answer took


@dataclass(frozen=True, slots=True)
class Look:
    """One look of a recording and of its replay.

    Attributes:
        at: The recording's time.
        differs: The names of the parts that differ.
    """

    at: dt.datetime
    differs: tuple[str, ...]


class UnplayableRecord(OptionsHelperError):
    """A record whose content is impossible, so that nothing after it can be played.

    Attributes:
        at: Its time.
        kind: The kind of the error that it caused.
    """

    def __init__(self, at: dt.datetime, kind: str) -> None:
        super().__init__(f"The recording is damaged at {at:%Y-%m-%d %H:%M:%S} UTC ({kind}).")
        self.at, self.kind = at, kind


class Player:
    """The run of a recording; feed it every record in order, and close it.

    Args:
        compares: True to compute the digest of each look; otherwise `feed` returns nothing.
    """

    def __init__(self, *, compares: bool = True) -> None:
        self._compares = compares
        # A comparison is a command, whose error is a sentence; the page has a log.
        self._guard = Guard(logger, "; nothing after it is played.", with_traceback=not compares)
        self.run: LiveRun | None = None
        self.monitor: PortfolioMonitor | None = None
        self._place = self._base = 0
        self._hosts = {host: RecordedHost(host.value) for host in Host}
        self._connections: dict[int, RecordedConnection] = {}
        self._newest: dict[str, RecordedConnection] = {}
        self._watched = b""
        self.seen: Mapping[str, str] = {}
        self._backfill: Backfill | None = None
        self._since = 0  # the context of a file saved from memory lasts until then
        self._is_part = False  # without the beginning, nothing can be equal

    def close(self) -> None:
        """End the threads that wait for answers."""
        if self._backfill is not None:
            self._backfill.stop()
        for host in self._hosts.values():
            host.close()

    def feed(self, record: Record) -> Look | None:
        """Play a record; return the comparison if it is a digest.

        Raises:
            UnplayableRecord: Its content is impossible.
        """
        failures: list[str] = []
        with self._guard.keep_going("A recorded event", failures.append):
            return self._feed(record)
        raise UnplayableRecord(self.now(), *failures)

    def _feed(self, record: Record) -> Look | None:
        if isinstance(record, Began):
            self._since = record.since
        elif isinstance(record, Started):
            self._start(record)
        elif self.run is not None:
            self._place = max(record.elapsed, self._since)
            if record.elapsed < self._since:
                self._is_part = True
                if isinstance(record, Answer):
                    self._hosts[Host(record.host)].know(record)
                    return None
            elif self._since:
                self._since = 0
                self._fetch_known()
            return self._happen(self.run, record)
        return None

    def now(self) -> dt.datetime:
        """Return the run's time at the current record."""
        return self.time_of(self._place)

    def time_of(self, elapsed: int) -> dt.datetime:
        """Return the run's time at a record's `elapsed`."""
        return possible_time(self._base + elapsed) or dt.datetime.fromtimestamp(0, dt.UTC)

    def look(
        self, _watcher: object, _watched: WatchedPortfolio, take: Callable[[], LiveSnapshot]
    ) -> tuple[LiveSnapshot, bool]:
        """Return a snapshot for the monitor's look."""
        return take(), True

    def note_digest(self, digest: Callable[[], Mapping[str, str]], _alerts: Alerts) -> None:
        """Take the digest of the monitor's look."""
        if self._compares:
            self.seen = digest()

    def _start(self, record: Started) -> None:
        self._place, self._base = record.elapsed, (record.clock or record.at) - record.elapsed
        config = _config(record.config)
        journal = Journal(self.now, lambda _record, _size: None, began=record.elapsed)
        parts = RunParts(
            builders=dict.fromkeys(StreamName, connect),
            build_backfill=self._build_backfill if config.backfill else None,
            journal=journal,
        )
        self.run = LiveRun(config, parts)
        with journal.beginning():
            if self._backfill is not None:
                self._backfill.announce_polls()
            for worker in self.run.workers.values():
                worker.connecting()

    def _build_backfill(self, config: LiveStreamConfig, run: LiveRun) -> Backfill:
        rest = partial(
            AlpacaRest,
            transport=RecordedHosts({f"{host}.replay": each for host, each in self._hosts.items()}),
            pause=lambda _seconds: False,
            exchange_seconds=_LONGEST_EXCHANGE,
        )
        self._backfill = backfill = build_alpaca_backfill(config, run, rest)
        for host, recorded in self._hosts.items():
            recorded.start(partial(backfill.fetch, host))
        return backfill

    def _fetch_known(self) -> None:
        """Let the background fetch take what was answered before the recording's beginning."""
        if self._backfill is not None:
            for host, parts in self._backfill.parts.items():
                for part in parts:
                    self._hosts[host].fetch_known(part)

    def _happen(self, run: LiveRun, record: Record) -> Look | None:  # noqa: C901 - a line for each kind
        match record:
            case Connecting():
                made = run.connect(StreamName(record.stream))
                if isinstance(made, RecordedConnection):
                    self._connections[record.connection] = self._newest[record.stream] = made
            case Received() if record.connection in self._connections:
                self._connections[record.connection].receive(record)
            case Handed() if record.connection in self._connections:
                self._connections[record.connection].hand_on()
                while run.inbox.depth and (batch := run.inbox.take()) is not None:
                    run.consumer.apply(batch)
            case Observed():
                self._observe(run, record)
            case Fetching():
                self._hosts[Host(record.host)].begin(record.part)
            case Answer():
                self._hosts[Host(record.host)].answer(record)
            case Watching():
                self._watch(run, record)
            case Looked() if self.monitor is not None:
                self.monitor.look()
            case Digest() if self._compares and not self._is_part:
                names = sorted({*self.seen, *record.parts})
                differs = (name for name in names if self.seen.get(name) != record.parts.get(name))
                return Look(self.now(), tuple(differs))
        return None

    def _observe(self, run: LiveRun, record: Observed) -> None:
        worker, facts = run.workers[StreamName(record.stream)], record.facts
        match record.change:
            case "subscribed":
                if record.stream in self._newest:
                    self._newest[record.stream].subscribed()
                granted = facts["granted"]
                worker.subscribed(frozenset(granted) if isinstance(granted, list) else None)
            case "limited":
                worker.limited(int(str(facts["channels"])))
            case "invalid":
                symbols = facts["symbols"]
                worker.invalid(frozenset(symbols if isinstance(symbols, list) else ()))
            case "heard":
                worker.heard()
            case "failed":
                code, seconds = facts["code"], facts["seconds"]
                worker.failed(
                    str(facts["text"]),
                    code if isinstance(code, int) else None,
                    seconds=seconds if isinstance(seconds, float) else None,
                    is_proven=bool(facts["is_proven"]),
                )
            case "trying":
                worker.trying()

    def _watch(self, run: LiveRun, record: Watching) -> None:
        stale_after, alerts = record.stale_after_seconds, decode_alerts(record.alerts).alerts
        if self.monitor is None:
            portfolio = Portfolio.model_validate_json(record.portfolio)
            self.monitor = PortfolioMonitor(portfolio, run.snapshot, recorder=self, clock=self.now)
        elif record.portfolio != self._watched:
            portfolio = Portfolio.model_validate_json(record.portfolio)
        else:
            portfolio = self.monitor.portfolio
        self._watched = record.portfolio
        self.monitor.use(portfolio, stale_after)
        self.monitor.continue_alerts(alerts)


def play(records: Iterable[Record], speed: float = math.inf) -> Iterator[Look]:
    """Play a recording, and yield each of its looks, compared.

    Args:
        records: The recording.
        speed: The speed relative to real time; infinity does not wait.

    Raises:
        UnplayableRecord: The content of a record is impossible.
    """
    player, began, never = Player(), time.monotonic(), threading.Event()
    first: int | None = None
    try:
        for record in records:
            first = record.elapsed if first is None else first
            never.wait(max(0.0, (record.elapsed - first) / 1e6 / speed - (time.monotonic() - began)))
            look = player.feed(record)
            if look is not None:
                yield look
    finally:
        player.close()


def describe_looks(looks: Sequence[Look]) -> Iterator[str]:
    """Yield sentences about the looks of a replay: their number, and the first few that differ."""
    different = [look for look in looks if look.differs]
    if not looks:
        yield "Nothing to compare: no look was recorded, or the file lacks its beginning."
    elif not different:
        yield f"Equal at each of {len(looks):,} looks."
    else:
        yield f"{len(different):,} of {len(looks):,} looks differ:"
        for look in different[:_SHOWN]:
            yield f"{look.at:%Y-%m-%d %H:%M:%S.%f} UTC: {', '.join(look.differs)}"


def _config(recorded: Mapping[str, object]) -> LiveStreamConfig:
    """Return the recorded settings, with keys and hosts that belong to nobody."""
    settings = AlpacaSettings(
        _KEY,
        _KEY,
        account=Account(str(recorded.get("account", Account.PAPER))),
        trading_url=f"https://{Host.TRADING}.replay",
        data_url=f"https://{Host.DATA}.replay",
    )
    return replace(msgspec.convert(dict(recorded), LiveStreamConfig), settings=settings)
