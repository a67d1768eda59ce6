"""Other symbols on the open connections of a run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("alpaca", reason="needs alpaca-py (pip install -e '.[alpaca]')")
pytest.importorskip("aiohttp", reason="the simulator needs aiohttp (pip install -e '.[dev]')")

from options_helper.data.settings import load_settings
from options_helper.data.streaming.connection.budget import known_invalid
from options_helper.data.streaming.run.config import LiveStreamConfig
from options_helper.data.streaming.run.live_run import LiveRun, RunParts
from options_helper.data.streaming.run.streamers import build_alpaca
from options_helper.market import StreamName, StreamState
from options_helper.recording.journal import Journal
from options_helper.simulator.server import AlpacaSimulator
from options_helper.simulator.world import Plan
from options_helper.times import utc_now

pytestmark = pytest.mark.integration

CALL, PUT, OTHER = "AAPL391216C00250000", "AAPL391216P00250000", "MSFT391216C00500000"


@pytest.fixture
def simulator() -> Iterator[AlpacaSimulator]:
    """Yield a simulator whose plan allows two contracts."""
    plan = Plan(option_quotes={"indicative": 2})
    with AlpacaSimulator(tick_seconds=0, order_interval_seconds=0, plan=plan) as simulator:
        yield simulator


@pytest.fixture
def run(simulator: AlpacaSimulator) -> Iterator[LiveRun]:
    """Yield a run that streams one contract."""
    run = LiveRun(
        _config(simulator, CALL), RunParts(dict.fromkeys(StreamName, build_alpaca), None, Journal(utc_now))
    )
    run.start()
    assert run.wait_until_live(20)
    yield run
    run.stop(0.9)


def _config(simulator: AlpacaSimulator, *contracts: str, stocks: tuple[str, ...] = ()) -> LiveStreamConfig:
    return LiveStreamConfig(
        settings=load_settings(simulator.environment()),
        stocks=stocks,
        option_contracts=contracts,
        reconnect_cap_seconds=0.1,
        reconnect_base_seconds=0.1,
    )


def test_symbols_change_without_a_new_connection(simulator: AlpacaSimulator, run: LiveRun) -> None:
    """New contracts are missing until acknowledged, and old ones are unsubscribed; stocks start a stream."""
    run.change_symbols(_config(simulator, PUT, CALL))
    health = run.workers[StreamName.OPTIONS].health
    assert health.asked == {CALL, PUT}
    simulator.wait_for(lambda: not run.workers[StreamName.OPTIONS].health.missing)
    run.change_symbols(_config(simulator, PUT, stocks=("AAPL",)))
    simulator.wait_for(lambda: simulator.subscriptions("options").get("quotes") == [PUT])
    assert run.wait_until_live(10)
    simulator.push_quote(PUT, 1.0, 1.5)
    simulator.wait_for(lambda: PUT in run.snapshot().option_quotes)
    assert run.snapshot().subscribed == {PUT, "AAPL"}
    assert run.snapshot().health["options"].state is StreamState.RUNNING
    assert simulator.connections_total == {"stocks": 1, "options": 1, "fills": 1}


def test_symbols_beyond_the_plan_are_found_on_a_new_connection(
    simulator: AlpacaSimulator, run: LiveRun
) -> None:
    """After a refusal, the stream connects again, and the symbols within the plan stream."""
    run.change_symbols(_config(simulator, CALL, PUT, OTHER))
    simulator.wait_for(lambda: simulator.connections_total["options"] == 2, 10)
    simulator.wait_for(lambda: run.workers[StreamName.OPTIONS].health.missing == {OTHER}, 10)
    failure = run.workers[StreamName.OPTIONS].health.last_failure
    assert failure is not None
    assert "refused further symbols" in failure.text
    assert simulator.subscriptions("options")["quotes"] == [CALL, PUT]


def test_an_invalid_symbol_that_is_removed_ends_no_stream(simulator: AlpacaSimulator, run: LiveRun) -> None:
    """A symbol that Alpaca never accepted is not unsubscribed, because Alpaca would refuse that too."""
    invalid = "T22"
    run.change_symbols(_config(simulator, CALL, stocks=("AAPL", invalid)))
    stocks = run.workers[StreamName.STOCKS]
    simulator.wait_for(lambda: stocks.health.invalid == {invalid}, 20)
    assert run.wait_until_live(20)
    run.change_symbols(_config(simulator, CALL, stocks=("AAPL",)))
    run.change_symbols(_config(simulator, CALL, stocks=("MSFT",)))
    simulator.wait_for(lambda: simulator.subscriptions("stocks").get("quotes") == ["MSFT"], 10)
    assert stocks.health.state is StreamState.RUNNING
    assert simulator.connections_total["stocks"] == 1


def test_a_refused_removal_is_repaired(simulator: AlpacaSimulator, run: LiveRun) -> None:
    """If Alpaca refuses to remove symbols, the stream connects again without them, and does not end."""
    run.change_symbols(_config(simulator, CALL, stocks=("AAPL", "T22")))
    stocks = run.workers[StreamName.STOCKS]
    simulator.wait_for(lambda: stocks.health.invalid == {"T22"}, 20)
    assert run.wait_until_live(20)
    known_invalid.clear()
    run.change_symbols(_config(simulator, CALL, stocks=("MSFT",)))
    simulator.wait_for(lambda: simulator.connections_total["stocks"] == 2, 20)
    simulator.wait_for(lambda: stocks.health.state is StreamState.RUNNING, 20)
    assert simulator.subscriptions("stocks")["quotes"] == ["MSFT"]
    failure = stocks.health.last_failure
    assert failure is not None
    assert "refused to remove symbols" in failure.text


def test_an_invalid_symbol_hides_no_halt(simulator: AlpacaSimulator, run: LiveRun) -> None:
    """The halts of all other stocks are reported, although Alpaca refuses one symbol."""
    run.change_symbols(_config(simulator, CALL, stocks=("AAPL", "T22")))
    simulator.wait_for(lambda: simulator.subscriptions("stocks").get("statuses") == ["AAPL"], 20)
    simulator.push_status("AAPL")
    simulator.wait_for(lambda: "AAPL" in run.cache.halted_since, 20)
