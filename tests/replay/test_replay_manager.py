"""A replay on its clock: at any time, it shows what the recording had, however it got there."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("msgspec", reason="needs msgspec (pip install -e '.[alpaca]')")

from options_helper.data.streaming.live_manager import LiveSnapshot, LiveStreamConfig
from options_helper.recording.file_format import read_recording
from options_helper.recording.records import Began, Looked, Observed, Record
from options_helper.recording.ring import Context
from options_helper.replay.clock import ReplayClock
from options_helper.replay.manager import ReplayManager
from options_helper.replay.player import Player, UnplayableRecord

pytestmark = pytest.mark.integration

GOLDEN = Path(__file__).parent / "golden"


def shown(live: LiveSnapshot) -> tuple[object, ...]:
    """Return the prices, fills, states and gaps of a snapshot."""
    quotes = [(each.symbol, each.bid_price, each.ask_price) for each in live.option_quotes.values()]
    return live.as_of, quotes, len(live.fills), dict(live.status_by_stream), live.fill_gaps


class Show:
    """A replay for which no real time passes, so that only steps and jumps move its clock."""

    def __init__(self, records: list[Record]) -> None:
        self.records = [record for record in records if not isinstance(record, Began)]
        first, last = self.records[0], self.records[-1]
        self.real = 0.0
        self.clock = ReplayClock(
            first.at, first.elapsed, last.elapsed, speed=100.0, monotonic=lambda: self.real
        )
        began = Began(last.at, last.elapsed, {})  # as in a file saved from memory
        self.manager = ReplayManager(lambda: iter([began, *self.records]), self.clock)

    def at(self, elapsed: int, wait_until: Any) -> tuple[object, ...]:
        """Return what is shown at a time, after a jump to it."""
        self.manager.jump(self.clock.wall() + dt.timedelta(microseconds=elapsed - self.clock.elapsed))
        wait_until(lambda: not self.manager.is_behind and self.clock.elapsed == elapsed)
        return shown(self.manager.snapshot())


def test_a_jump_forward_or_backward_shows_what_the_recording_had(wait_until: Any) -> None:
    """At some looks in any order, all is as recorded; nothing before Start, the last state after Stop."""
    found = list(read_recording(GOLDEN / "outage.ohrec"))
    expected, player = {}, Player()
    for record in found:
        player.feed(record)
        if isinstance(record, Looked) and player.run is not None:
            expected[record.elapsed] = shown(player.run.snapshot())
    player.close()
    show = Show(found)
    try:
        assert show.manager.snapshot().status == "not_started"
        show.manager.start(LiveStreamConfig(stocks=("AAPL",)))
        places = sorted(expected)
        for place in (places[40], places[-1], places[10], places[70]):
            assert show.at(place, wait_until) == expected[place]
        assert show.manager.monitor is not None
        assert len(show.manager.monitor.view().pnl.times) > 1
        running = show.at(places[30], wait_until)
        show.manager.stop()
        assert not show.manager.is_running()
        stopped = show.manager.snapshot()
        assert shown(stopped)[:3] == running[:3]
        assert (stopped.running, stopped.status, stopped.stopped_at) == (False, "stopped", stopped.as_of)
        assert set(stopped.status_by_stream.values()) == {"stopped"}
        assert {each.state for each in stopped.health.values()} == {"stopped"}
        assert not any(stopped.alive.values())
        show.manager.start(LiveStreamConfig(stocks=("AAPL",)))
        assert shown(show.manager.snapshot()) == running
        assert show.manager.snapshot().version != stopped.version
    finally:
        show.manager.close()


def test_a_replay_runs_at_its_speed(wait_until: Any) -> None:
    """After half a second at 100 times the speed, fifty seconds have been played, with all their records."""
    show = Show(list(read_recording(GOLDEN / "quiet.ohrec")))
    try:
        show.manager.start(LiveStreamConfig(stocks=("AAPL",)))
        show.real = 0.5
        wait_until(lambda: show.clock.elapsed == show.records[0].elapsed + 50_000_000)
        assert not show.manager.is_behind
    finally:
        show.manager.close()


def test_an_impossible_record_ends_the_replay_there(wait_until: Any) -> None:
    """Nothing after an impossible record is played, and the clock ends at that record."""
    found = list(read_recording(GOLDEN / "outage.ohrec"))
    place = len(found) // 2
    bad = Observed(found[place].at, found[place].elapsed, "bonds", "failed", {})
    show = Show([*found[:place], bad, *found[place:]])
    try:
        show.manager.start(LiveStreamConfig(stocks=("AAPL",)))
        show.clock.skip(1000)
        wait_until(lambda: show.manager.problem is not None)
        assert isinstance(show.manager.problem, UnplayableRecord)
        assert show.manager.problem.kind == "ValueError"
        assert (show.clock.elapsed, show.clock.is_at_end) == (bad.elapsed, True)
        assert show.clock.pace == 0
        before = shown(show.manager.snapshot())
        assert show.at(show.records[place // 2].elapsed, wait_until) != before
        assert show.at(bad.elapsed, wait_until) == before
        assert show.manager.curve is not None
    finally:
        show.manager.close()


def test_a_recording_from_memory_begins_with_what_was_known() -> None:
    """A recording saved from memory has the earlier settings, streams and answers, and is not compared."""
    found = list(read_recording(GOLDEN / "quiet.ohrec"))
    half = len(found) // 2
    context = Context(2**20)
    for record in found[:half]:
        context.take(record)
    whole, part = Player(), Player()
    for record in found:
        whole.feed(record)
    looks = [
        part.feed(record)
        for record in (Began(0, 0, {}, since=found[half].elapsed), *context.records(), *found[half:])
    ]
    try:
        assert not any(looks)
        assert whole.run is not None
        assert part.run is not None
        for name in ("status_by_stream", "subscribed", "broker_positions", "option_quotes"):
            assert set(getattr(part.run.snapshot(), name)) == set(getattr(whole.run.snapshot(), name))
        assert part.run.snapshot().status == "running"
        assert part.monitor is not None
    finally:
        whole.close()
        part.close()
