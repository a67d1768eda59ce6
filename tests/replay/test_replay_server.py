"""A recorded session, played again through sockets: the same quotes, fills and losses."""

from __future__ import annotations

from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("alpaca", reason="needs alpaca-py (pip install -e '.[alpaca]')")
pytest.importorskip("aiohttp", reason="the replay needs aiohttp (pip install -e '.[dev]')")

from options_helper.data.settings import load_settings
from options_helper.data.streaming.connection.observer import ConnectionTimes
from options_helper.data.streaming.live_manager import LiveSnapshot, LiveStreamConfig, LiveStreamManager
from options_helper.recording.file_format import read_recording
from options_helper.recording.recorder import Recorder
from options_helper.replay.clock import ReplayClock
from options_helper.replay.script import Script
from options_helper.replay.server import ReplayServer
from options_helper.simulator.server import AlpacaSimulator

pytestmark = pytest.mark.integration

CONTRACT = "AAPL391216C00250000"
LOSSES = 3


def make_config(environment: dict[str, str]) -> LiveStreamConfig:
    """Return the settings of the recorded run and of its replays."""
    return LiveStreamConfig(
        settings=load_settings(environment),
        stocks=("AAPL",),
        option_contracts=(CONTRACT,),
        reconnect_base_seconds=0.01,
        reconnect_cap_seconds=0.05,
        times=ConnectionTimes(handshake=15.0),
    )


def all_of(live: LiveSnapshot, kind: str) -> list[Any]:
    """Return the quotes or trades of both streams, by symbol."""
    rows = dict(getattr(live, f"stock_{kind}")) | dict(getattr(live, f"option_{kind}"))
    return [rows[symbol] for symbol in sorted(rows)]


def seen(live: LiveSnapshot) -> dict[str, Any]:
    """Return what a replay must show again: quotes and trades as they are, fills without identifiers."""
    fills = [(row["timestamp"], row["event"], row["symbol"], row["filled_qty"]) for row in live.fills]
    return {
        "quotes": [astuple(replace(each, received_at=None)) for each in all_of(live, "quotes")],
        "trades": [astuple(replace(each, received_at=None)) for each in all_of(live, "trades")],
        "fills": sorted(fills),
        "status": dict(live.status_by_stream),
        "equity": live.broker and live.broker.equity,
        "gaps": len(live.fill_gaps),
    }


def record_session(folder: Path, wait_until: Any) -> tuple[Path, dict[str, Any]]:
    """Record a session that loses its fills stream; return its file, and what it showed at its end."""
    recorder = Recorder(folder=folder)
    with (
        AlpacaSimulator(contracts=[CONTRACT], tick_seconds=0.02, order_interval_seconds=0) as simulator,
        LiveStreamManager(recorder=recorder) as manager,
    ):
        manager.start(make_config(simulator.environment()))
        for loss in range(LOSSES + 1):
            wait_until(lambda: manager.snapshot().status_by_stream["fills"] == "running")
            rows = len(manager.snapshot().fills)
            simulator.fill_now(CONTRACT)
            wait_until(lambda rows=rows: len(manager.snapshot().fills) > rows)
            if loss < LOSSES:
                simulator.drop("fills")
                wait_until(lambda: manager.snapshot().status_by_stream["fills"] != "running")
        wait_until(lambda: manager.snapshot().broker is not None and is_complete(manager.snapshot()))
        manager.stop()
        shown = seen(manager.snapshot()) | {"gaps": 0}  # Stop begins another one
    assert recorder.status is not None
    return recorder.status.path, shown


def is_complete(live: LiveSnapshot) -> bool:
    """Return whether every stream runs and no span of the fills is unconfirmed."""
    return set(live.status_by_stream.values()) == {"running"} and not live.fill_gaps


def test_a_replay_ends_as_its_recording_did(tmp_path: Path, wait_until: Any) -> None:
    """At 1 and at 100 times the speed the same quotes, trades, fills, account and states are shown."""
    path, shown = record_session(tmp_path, wait_until)
    for speed in (1.0, 100.0):
        script = Script(read_recording(path))
        clock = ReplayClock(script.begins_at, script.begins, script.last.elapsed, speed=speed)
        server = ReplayServer(script, clock)
        server.start()
        try:
            with LiveStreamManager(clock=clock.wall) as manager:
                manager.start(make_config(server.environment()))
                wait_until(lambda clock=clock: clock.is_at_end)
                # Requests keep their real pace, so at 100 times the speed the last gap is confirmed too late.
                unequal = {"gaps", "status"} if speed > 1 else {"status"}
                wait_until(
                    lambda manager=manager, unequal=unequal: all(
                        value == shown[name]
                        for name, value in seen(manager.snapshot()).items()
                        if name not in unequal
                    )
                )
                assert set(manager.snapshot().status_by_stream.values()) == {"running"}
                assert manager.snapshot().as_of == clock.wall()
        finally:
            server.stop()
