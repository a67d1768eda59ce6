"""A complete outage of Alpaca, over real sockets: streams and REST recover, and no fill is missing."""

from __future__ import annotations

import pytest

pytest.importorskip("aiohttp", reason="the simulator needs aiohttp (pip install -e '.[dev]')")
pytest.importorskip("alpaca", reason="needs alpaca-py (pip install -e '.[alpaca]')")

from collections.abc import Callable

from options_helper.analysis.fills import build_fill_day
from options_helper.data.settings import load_settings
from options_helper.data.streaming.live_manager import LiveStreamConfig, LiveStreamManager
from options_helper.simulator.server import AlpacaSimulator

pytestmark = pytest.mark.integration

CONTRACT = "AAPL271217C00270000"


def test_everything_recovers_from_a_complete_outage(wait_until: Callable[..., None]) -> None:
    """During an outage with a fill, the day does not claim to be complete; afterwards, it is complete."""
    with (
        AlpacaSimulator(contracts=(CONTRACT,), tick_seconds=0.1, order_interval_seconds=0) as simulator,
        LiveStreamManager() as manager,
    ):
        manager.start(
            LiveStreamConfig(
                settings=load_settings(simulator.environment()),
                stocks=("AAPL",),
                option_contracts=(CONTRACT,),
                reconnect_base_seconds=0.1,
                reconnect_cap_seconds=0.5,
            )
        )
        wait_until(lambda: build_fill_day(manager.snapshot()).complete, "a complete day", 30)
        simulator.faults.rest(status=503)
        simulator.stop_accepting()
        for stream in ("stocks", "options", "fills"):
            simulator.drop(stream)
        wait_until(lambda: not build_fill_day(manager.snapshot()).complete, "the gap", 30)
        simulator.fill_now(CONTRACT)
        wait_until(lambda: manager.snapshot().reconnect_attempts["fills"] > 3, "tries", 30)
        simulator.faults.clear()
        simulator.resume_accepting()
        wait_until(
            lambda: (day := build_fill_day(manager.snapshot())).complete and len(day.executions) == 1,
            "the whole day",
            60,
        )
        wait_until(lambda: set(manager.snapshot().status_by_stream.values()) == {"running"}, "streams", 30)
