"""Stock feeds that alpaca-py does not offer are streamed by their path."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest.importorskip("aiohttp", reason="the simulator needs aiohttp (pip install -e '.[dev]')")
pytest.importorskip("alpaca", reason="needs alpaca-py (pip install -e '.[alpaca]')")

from options_helper.data.settings import STOCK_FEEDS, load_settings
from options_helper.data.streaming.live_manager import LiveStreamConfig, LiveStreamManager
from options_helper.simulator.server import AlpacaSimulator

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("feed", STOCK_FEEDS)
def test_every_offered_feed_streams(feed: str, wait_until: Callable[..., None]) -> None:
    """Each feed connects at its own path and sends quotes, and REST uses the same feed."""
    with AlpacaSimulator(tick_seconds=0.05) as simulator, LiveStreamManager() as manager:
        settings = load_settings(simulator.environment())
        manager.start(LiveStreamConfig(settings=settings, stocks=("AAPL",), stock_feed=feed))
        wait_until(lambda: manager.snapshot().health["stocks"].messages)
        wait_until(lambda: any(f"feed={feed}" in path for _, path in simulator.requests))
        assert any(path.endswith(f"/{feed}") for _, path in simulator.requests)
