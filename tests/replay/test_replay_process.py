"""Tests for a process that plays a recording."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("msgspec", reason="needs msgspec (pip install -e '.[alpaca]')")

from options_helper import times
from options_helper.data.settings import Account, load_settings
from options_helper.data.streaming.live_manager import LiveStreamConfig
from options_helper.recording.recorder import Recorder
from options_helper.replay import process
from options_helper.replay.process import start_replay
from options_helper.session import hub, registry
from options_helper.times import elapsed_seconds, utc_now


@pytest.fixture(autouse=True)
def own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore the process's own time afterwards, and end its replay."""
    monkeypatch.setattr(process, "_replay", None)
    monkeypatch.setattr(times, "_wall", times._wall)
    monkeypatch.setattr(times, "_elapsed", times._elapsed)
    monkeypatch.setattr(hub, "_new_manager", hub._new_manager)
    monkeypatch.setattr(registry, "_replayed", registry._replayed)


@pytest.mark.integration
def test_a_jump_backward_does_not_need_the_files_name(tmp_path: Path, wait_until: Any) -> None:
    """The recording stays open, so it may be moved or removed while it is played."""
    path = tmp_path / "a.ohrec"
    path.write_bytes((Path(__file__).parent / "golden/quiet.ohrec").read_bytes())
    replay = start_replay({"OH_REPLAY": str(path)}, tmp_path / "recorded.json")
    try:
        replay.manager.start(LiveStreamConfig())
        begins, ends = replay.clock.span
        replay.manager.jump(ends)
        wait_until(lambda: not replay.manager.is_behind)
        path.unlink()
        replay.manager.jump(begins + (ends - begins) / 2)
        wait_until(lambda: not replay.manager.is_behind)
        assert replay.manager.problem is None
        assert replay.manager.monitor is not None
    finally:
        replay.stop()


def test_the_process_uses_the_recordings_time_and_account(tmp_path: Path) -> None:
    """Clock, hosts, feeds, account and portfolio file are the recording's; nothing is recorded or sent."""
    recorder = Recorder(folder=tmp_path)
    recorder.note_portfolio(b'{"positions": []}', dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC))
    recorder.begin({"stock_feed": "sip", "options_feed": "opra", "account": "paper"})
    recorder.end(10)
    assert recorder.status is not None
    portfolio = tmp_path / "recorded.json"
    env = {
        "OH_REPLAY": str(recorder.status.path),
        "OH_REPLAY_SPEED": "4",
        "OH_NOTIFY": "mailto://x",
        "OH_RECORD": "/records",
        "APCA_API_KEY_ID": "PKMINE",
    }
    before = utc_now()
    replay = start_replay(env, portfolio)
    try:
        settings = load_settings(env, env_file=tmp_path / "none")
        assert utc_now() == replay.clock.wall() < before
        assert elapsed_seconds() == replay.clock.elapsed_seconds()
        assert replay.clock.speed == 4
        assert (settings.account, settings.stock_feed, settings.options_feed) == (
            Account.PAPER,
            "sip",
            "opra",
        )
        assert settings.trading_url.startswith("http://127.0.0.1:")
        assert settings.key_id != "PKMINE"
        assert (env.get("OH_NOTIFY"), env.get("OH_RECORD"), env["OH_LAST_MINUTES_MB"]) == (None, None, "0")
        assert portfolio.read_bytes() == b'{"positions": []}'
        assert dt.datetime.fromtimestamp(portfolio.stat().st_mtime, dt.UTC).hour == 9
    finally:
        replay.stop()
