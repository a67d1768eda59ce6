"""The fills table against the server's own ledger, through losses of the trading stream."""

from __future__ import annotations

import pytest

pytest.importorskip("alpaca", reason="needs alpaca-py (pip install -e '.[alpaca]')")
pytest.importorskip("aiohttp", reason="the simulator needs aiohttp (pip install -e '.[dev]')")

from collections.abc import Iterator

from options_helper.analysis.fills.day import FillDay, FillDayBuilder
from options_helper.data.settings import load_settings
from options_helper.data.streaming.live_manager import LiveStreamConfig, LiveStreamManager
from options_helper.market import LiveSnapshot
from options_helper.simulator.server import AlpacaSimulator
from options_helper.simulator.world import Plan
from tests.trading import Executions, Trader, shown_executions, true_executions

pytestmark = pytest.mark.integration

CONTRACTS = ("AAPL391216C00250000", "AAPL391216P00250000", "MSFT391216C00500000")
DROPS = 20


def _fill_day(snapshot: LiveSnapshot) -> FillDay:
    return FillDayBuilder().build(
        snapshot.fills,
        snapshot.rest_fills,
        snapshot.rest_orders,
        snapshot.fill_gaps,
        day=snapshot.trading_date,
    )


def _shown(manager: LiveStreamManager) -> Executions:
    return shown_executions(_fill_day(manager.snapshot()))


@pytest.fixture
def live() -> Iterator[tuple[AlpacaSimulator, LiveStreamManager]]:
    """A server with a history of fills, and a manager that streams from it; orders move only on command."""
    manager = LiveStreamManager()
    plan = Plan(trading_requests_per_minute=100_000)
    with AlpacaSimulator(
        tick_seconds=0, order_interval_seconds=0, contracts=CONTRACTS, plan=plan
    ) as simulator:
        simulator.add_history(40)
        manager.start(
            LiveStreamConfig(
                settings=load_settings(simulator.environment()),
                option_contracts=CONTRACTS,
                reconnect_base_seconds=0.02,
                reconnect_cap_seconds=0.1,
            )
        )
        yield simulator, manager
        manager.stop()


def test_the_table_equals_the_ledger_after_twenty_losses(live, wait_until) -> None:
    """While orders fill, the stream is cut twenty times, and the table ends equal to the ledger."""
    simulator, manager = live
    trader = Trader(simulator, pause=0.01, ticks=False)
    for number in range(DROPS):
        seen = len(manager.snapshot().fills)
        wait_until(lambda seen=seen: len(manager.snapshot().fills) > seen, "order updates")
        simulator.drop("fills", how=("reset", "fin", "close")[number % 3])
        wait_until(lambda number=number: manager.snapshot().reconnect_attempts["fills"] > number)
        wait_until(lambda: manager.snapshot().status_by_stream["fills"] == "running")
    trader.end()
    wait_until(lambda: not manager.snapshot().fill_gaps, "every gap to be confirmed", 60)
    wait_until(lambda: _shown(manager) == true_executions(simulator), "the ledger")
    assert len(true_executions(simulator)) > 60
