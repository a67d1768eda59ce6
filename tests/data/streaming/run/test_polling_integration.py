"""A portfolio far over the free plan's limits, on real streams and REST: every row has a price."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable

import pytest

pytest.importorskip("aiohttp", reason="the simulator needs aiohttp (pip install -e '.[dev]')")
pytest.importorskip("alpaca", reason="needs alpaca-py (pip install -e '.[alpaca]')")

from options_helper.analysis.live_portfolio_metrics import (
    compute_live_multileg_rows,
    compute_live_position_rows,
    compute_live_totals,
)
from options_helper.data.settings import load_settings
from options_helper.data.streaming.connection.budget import known_budgets
from options_helper.data.streaming.live_manager import LiveStreamConfig, LiveStreamManager
from options_helper.data.streaming.subscriptions import build_subscription_plan
from options_helper.market import LiveSnapshot, StreamState
from options_helper.models import Portfolio, Position
from options_helper.simulator.server import AlpacaSimulator
from options_helper.simulator.world import Plan
from options_helper.times import new_york_date, utc_now

pytestmark = pytest.mark.integration

UNDERLYINGS = [f"{first}{second}Q" for first in "ABCDEF" for second in "ABCDEFGHIJ"]


def portfolio_of(contracts_each: int) -> Portfolio:
    """Return a portfolio of sixty underlyings with this many calls each, which expire in a year."""
    expiry = new_york_date(utc_now()) + dt.timedelta(days=365)
    return Portfolio(
        positions=[
            Position(
                id=f"{symbol}-{strike}",
                symbol=symbol,
                option_type="call",
                expiry=expiry,
                strike=strike,
                contracts=1,
                cost_basis=1,
            )
            for symbol in UNDERLYINGS
            for strike in range(20, 20 + contracts_each)
        ]
    )


@pytest.mark.parametrize("contracts_each", [10, 17])
def test_a_thousand_contracts_on_the_free_plan_are_priced(
    contracts_each: int, wait_until: Callable[..., None]
) -> None:
    """All rows have a price within 30 s, the limit is remembered, and REST stays below its rate."""
    portfolio = portfolio_of(contracts_each)
    plan = build_subscription_plan(
        portfolio, stream_stocks=True, stream_options=True, max_option_contracts=200
    )
    with AlpacaSimulator(plan=Plan(count_stock_channels=True), order_interval_seconds=0) as simulator:
        config = LiveStreamConfig(
            settings=load_settings(simulator.environment()),
            stocks=plan.stocks,
            option_contracts=plan.option_contracts,
            polled_contracts=plan.polled_contracts,
            stream_first=plan.stream_first,
        )
        with LiveStreamManager() as manager:
            began = time.monotonic()
            manager.start(config)
            wait_until(lambda: _missing(portfolio, manager.snapshot()) == 0, "a price in every row", 30.0)
            took = time.monotonic() - began
            wait_until(lambda: manager.wait_until_live(1), "an acknowledgement of every stream")
            wait_until(lambda: manager.snapshot().health["stocks"].polled_at, "the poll of what was refused")
            live = manager.snapshot()
        minute = len(simulator.requests)
    stocks, options = live.health["stocks"], live.health["options"]
    assert (stocks.state, options.state) == (StreamState.RUNNING, StreamState.RUNNING)
    assert (stocks.channels, len(stocks.polled)) == (30, 30)
    assert len(options.polled) == 60 * contracts_each - 200
    assert not live.errors_by_stream, "no 405 remains"
    assert known_budgets
    assert took < 30
    assert minute < 60, "of 200 a minute, everything that Start asks for included"


def _missing(portfolio: Portfolio, live: LiveSnapshot) -> int:
    """Return how many legs have no price."""
    tables = [
        compute_live_position_rows(portfolio, live, stale_after_seconds=30),
        *compute_live_multileg_rows(portfolio, live, stale_after_seconds=30),
    ]
    value = compute_live_totals(portfolio, *tables).portfolio_value
    return value.legs - value.covered
