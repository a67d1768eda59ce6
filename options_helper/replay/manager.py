"""The manager of a replay: it plays a recorded run by its clock, in place of the manager of live runs."""

from __future__ import annotations

import datetime as dt
import math
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from options_helper.analysis.history.curve import Curve
from options_helper.data.streaming.live_manager import LiveStreamConfig
from options_helper.errors import OptionsHelperError
from options_helper.market import LiveSnapshot, StreamState
from options_helper.recording.records import Began, PortfolioText, Record
from options_helper.replay.clock import ReplayClock
from options_helper.replay.player import Player
from options_helper.session.monitor import PortfolioMonitor

_LOOK_SECONDS = 0.02  # how exactly the clock is followed
_STOP_SECONDS = 5.0


class ReplayManager:
    """A recorded run; `start` lets its clock run, and `stop` lets it stand still.

    Args:
        open_records: Returns the recording's records from the first one; called again for a jump backward.
        clock: The recording's clock, which waits until everything up to its time has been played.
        portfolio: Where the recorded portfolio file is written at each of its changes; None for nowhere.

    Attributes:
        problem: The reason why nothing can be played beyond the clock's end.
    """

    def __init__(
        self,
        open_records: Callable[[], Iterator[Record]],
        clock: ReplayClock,
        portfolio: Path | None = None,
    ) -> None:
        self._open_records, self._clock, self._portfolio = open_records, clock, portfolio
        self._lock = threading.RLock()  # between the thread that plays and the readers
        self.problem: OptionsHelperError | OSError | None = None
        self._curve: Curve | None = None
        self._rewind()
        clock.hold_at(0)  # until the first record is played
        self._is_started = self._was_started = False
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._play, name="options-helper-replay", daemon=True)
        self._thread.start()

    @property
    def monitor(self) -> PortfolioMonitor | None:
        """The recording's monitor, None before its first look."""
        return self._player.monitor

    @property
    def curve(self) -> Curve | None:
        """The day's curve as far as it was ever played, despite a jump back; None before the first look."""
        monitor = self._player.monitor
        return max(None if monitor is None else monitor.view().pnl, self._curve, key=_reach)

    @property
    def is_behind(self) -> bool:
        """True until everything before the clock's time has been played."""
        return self._due < self._clock.elapsed

    @property
    def _due(self) -> float:
        """The place at which the next record is played."""
        record = self._next
        if record is None:
            return math.inf
        return 0 if isinstance(record, Began) else record.elapsed  # one saved from memory begins last

    def check(self, config: LiveStreamConfig) -> None:
        """Check nothing, because the recorded settings are used."""

    def start(self, config: LiveStreamConfig) -> None:  # noqa: ARG002 - the recorded settings are used
        """Let the clock run."""
        self._is_started = self._was_started = True
        self._clock.set_running(running=True)

    def stop(self) -> None:
        """Let the clock stand still."""
        self._is_started = False
        self._clock.set_running(running=False)

    def is_running(self) -> bool:
        """Return whether the replay was started."""
        return self._is_started

    def snapshot(self) -> LiveSnapshot:
        """Return what the run knew at the clock's time; after `stop`, as of a run that was stopped there."""
        with self._lock:
            run = self._player.run
            if run is None or not self._was_started:
                return LiveSnapshot(as_of=self._clock.wall())
            place = int(min(self._clock.elapsed, self._due))
            with run.journal.at(self._player.time_of(place)):
                live = run.snapshot()
            return live if self._is_started else _stopped(live)

    def jump(self, at: dt.datetime) -> None:
        """Move to a time of the recording; backward, everything is played again from the beginning."""
        with self._lock:
            seconds = (at - self._clock.wall()).total_seconds()  # the clock may have run on before the lock
            if seconds < 0:
                self._curve = self.curve
                self._player.close()
                self._rewind()
            self._clock.skip(seconds)

    def close(self) -> None:
        """End the threads."""
        self._closed.set()
        self._thread.join(_STOP_SECONDS)
        self._player.close()

    def _rewind(self) -> None:
        """Start over: the next record does nothing, and the recording's first one follows it."""
        self._player, self._records = Player(compares=False), self._open_records()
        self._next: Record | None = Began(0, 0, {})

    def _play(self) -> None:
        while not self._closed.wait(_LOOK_SECONDS):
            while not self._closed.is_set() and self._play_one():
                pass

    def _play_one(self) -> bool:
        """Play the next record if its time has come."""
        with self._lock:
            record, due = self._next, self._due
            if record is None:
                return False
            self._clock.hold_at(due)
            if due > self._clock.elapsed:
                return False
            try:
                self._happen(record)
                self._next = next(self._records, None)
            except (OptionsHelperError, OSError) as problem:
                self.problem, self._next = problem, None
                self._clock.end_at(record.elapsed)
            if self._next is None:
                self._clock.hold_at(math.inf)
            return True

    def _happen(self, record: Record) -> None:
        self._player.feed(record)
        if isinstance(record, PortfolioText) and self._portfolio is not None:
            save_portfolio(self._portfolio, record)


def _reach(curve: Curve | None) -> int:
    return -1 if curve is None else int(curve.times[-1]) if len(curve.times) else 0


def _stopped(live: LiveSnapshot) -> LiveSnapshot:
    """Return the snapshot of a run that was stopped at its time; no other version is negative."""
    health = {
        stream: replace(each, state=StreamState.STOPPED, step="", next_attempt_at=None)
        for stream, each in live.health.items()
        if each.state is not StreamState.NOT_STARTED
    }
    return replace(
        live,
        running=False,
        status=StreamState.STOPPED,
        status_by_stream={**live.status_by_stream, **dict.fromkeys(health, StreamState.STOPPED)},
        alive=dict.fromkeys(live.alive, False),
        health={**live.health, **health},
        version=-1 - live.version,
        stopped_at=live.as_of,
    )


def save_portfolio(path: Path, recorded: PortfolioText) -> None:
    """Write a recorded portfolio file, with the time at which it was saved."""
    path.write_bytes(recorded.text)
    saved_at = (recorded.saved_at or recorded.at) * 1000
    os.utime(path, ns=(saved_at, saved_at))
