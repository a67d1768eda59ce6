"""Order updates beside a burst of quotes, over real sockets."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("alpaca", reason="needs alpaca-py (pip install -e '.[alpaca]')")
pytest.importorskip("aiohttp", reason="the simulator needs aiohttp (pip install -e '.[dev]')")

from options_helper.data.alpaca_settings import load_settings
from options_helper.data.streaming.live_manager import LiveStreamConfig, LiveStreamManager
from options_helper.simulator.server import AlpacaSimulator

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration

CONTRACTS = tuple(f"AAPL261218C00{strike:03d}000" for strike in range(100, 300))
QUOTES, FILLS = 500_000, 500


@pytest.fixture
def live() -> Iterator[tuple[AlpacaSimulator, LiveStreamManager]]:
    """A running manager beside its server; prices and orders move on command only."""
    manager = LiveStreamManager()
    with AlpacaSimulator(tick_seconds=0, order_interval_seconds=0) as simulator:
        manager.start(
            LiveStreamConfig(
                settings=load_settings(simulator.environment()), option_contracts=CONTRACTS, backfill=False
            )
        )
        yield simulator, manager
        manager.stop()


def test_no_fill_is_lost_or_kept_waiting_behind_a_burst(live, wait_until) -> None:
    """500 fills beside 500,000 quotes all arrive, each while quotes sent before it may still be coming."""
    simulator, manager = live
    wait_until(lambda: manager.snapshot().status == "running")
    burst = threading.Thread(target=simulator.burst, args=("options", QUOTES), kwargs={"per_frame": 50})
    burst.start()
    orders = [simulator.fill_now(CONTRACTS[number % len(CONTRACTS)], price=1.5) for number in range(FILLS)]
    burst.join()

    def filled() -> set[str]:
        return {row["order_id"] for row in manager.snapshot().fills if row["event"] == "fill"}

    wait_until(lambda: filled() == set(orders), "every fill")
    wait_until(lambda: manager.snapshot().health["options"].messages == QUOTES, "every quote")
    snapshot = manager.snapshot()
    assert snapshot.dropped_events == 0
    assert snapshot.health["options"].malformed == 0
    assert set(snapshot.option_quotes) == set(CONTRACTS)


def test_the_newest_quote_of_a_burst_is_shown(live, wait_until) -> None:
    """However fast the quotes came, the last one of each contract is what the snapshot shows."""
    simulator, manager = live
    wait_until(lambda: manager.snapshot().status == "running")
    result = simulator.burst("options", 100_000, per_frame=25)
    wait_until(lambda: manager.snapshot().health["options"].messages == 100_000, "every quote")

    def shown() -> dict[str, tuple[float | None, float | None]]:
        quotes = manager.snapshot().option_quotes
        return {symbol: (quote.bid_price, quote.ask_price) for symbol, quote in quotes.items()}

    wait_until(lambda: shown() == dict(result.last), "the last quotes")
