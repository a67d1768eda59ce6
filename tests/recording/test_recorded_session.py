"""A session against the simulator, with losses, as its recording holds it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("alpaca", reason="needs alpaca-py (pip install -e '.[alpaca]')")
pytest.importorskip("aiohttp", reason="the simulator needs aiohttp (pip install -e '.[dev]')")

from options_helper.data.settings import load_settings
from options_helper.data.streaming.connection.observer import ConnectionTimes
from options_helper.data.streaming.live_manager import LiveStreamConfig, LiveStreamManager
from options_helper.recording import records
from options_helper.recording.file_format import RecordingReader
from options_helper.recording.inspection import find_leaks, summarize
from options_helper.recording.recorder import Recorder
from options_helper.simulator.server import AlpacaSimulator

pytestmark = pytest.mark.integration

KEY_ID, SECRET = "PKMARKED0123456789AB", "marked-secret-0123456789-0123456789-abcd"
CONTRACT = "AAPL391216C00250000"
LOSSES = 3


def test_a_session_is_recorded_without_keys_and_account_numbers(tmp_path: Path, wait_until: Any) -> None:
    """Frames, requests and losses are in the file; no key, account number or order id is."""
    recorder = Recorder(folder=tmp_path, ring_bytes=2**24)
    with (
        AlpacaSimulator(
            key_id=KEY_ID,
            secret_key=SECRET,
            contracts=[CONTRACT],
            tick_seconds=0.02,
            order_interval_seconds=0.02,
        ) as simulator,
        LiveStreamManager(recorder=recorder) as manager,
    ):
        config = LiveStreamConfig(
            settings=load_settings(simulator.environment()),
            stocks=("AAPL",),
            option_contracts=(CONTRACT,),
            reconnect_base_seconds=0.01,
            times=ConnectionTimes(handshake=15.0),
        )
        manager.start(config)
        for loss in range(LOSSES + 1):
            wait_until(lambda: manager.snapshot().status_by_stream["fills"] == "running")
            seen = len(manager.snapshot().fills)
            wait_until(lambda seen=seen: len(manager.snapshot().fills) > seen + 2)
            if loss < LOSSES:
                simulator.drop("fills")
                wait_until(lambda: manager.snapshot().status_by_stream["fills"] != "running")
        wait_until(lambda: manager.snapshot().broker is not None)
        order_ids = {row["order_id"] for row in manager.snapshot().fills}
        manager.stop()

    status = recorder.status
    assert status is not None
    secrets = (KEY_ID, SECRET, "PA3SIMULATED", *order_ids)
    saved = tmp_path / "last-minutes"
    saved.write_bytes(recorder.last_minutes())
    for path in (status.path, saved):
        assert find_leaks(path, secrets) == []
        assert summarize(path)[-1] == "Nothing is cut off."
    with status.path.open("rb") as file:
        found = list(RecordingReader(file).records())
    streams = {record.connection: record.stream for record in found if isinstance(record, records.Connecting)}
    lost = [record for record in found if isinstance(record, records.Ended) and record.outcome != "stopped"]
    assert [streams[record.connection] for record in lost] == ["fills"] * LOSSES
    assert {streams[record.connection] for record in found if isinstance(record, records.Received)} == {
        "stocks",
        "options",
        "fills",
    }
    asked = {record.path for record in found if isinstance(record, records.Answer)}
    assert {"/v2/account", "/v2/orders", "/v2/account/activities"} <= asked
