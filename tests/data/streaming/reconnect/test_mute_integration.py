"""A connected stream that sends nothing: real alpaca-py, the simulator, and a clock that tests move."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

pytest.importorskip("alpaca", reason="needs alpaca-py (pip install -e '.[alpaca]')")
pytest.importorskip("aiohttp", reason="the simulator needs aiohttp (pip install -e '.[dev]')")

from collections.abc import Iterator

from options_helper.data.settings import load_settings
from options_helper.data.streaming.connection.observer import ConnectionTimes
from options_helper.data.streaming.live_manager import LiveStreamConfig, LiveStreamManager
from options_helper.market import LiveSnapshot, StreamHealth
from options_helper.simulator.server import AlpacaSimulator
from options_helper.times import utc_now

pytestmark = pytest.mark.integration

CONTRACTS = tuple(f"AAPL281215C00{strike}000" for strike in range(250, 256))
QUICK = ConnectionTimes(handshake=5.0, ping_interval=0.05, ping_timeout=5.0)
MUTE = "connected, but nothing arrived although the market is open"


class Bench:
    """A simulator that sends quotes on request, and a manager with a clock that tests can put forward."""

    def __init__(self, simulator: AlpacaSimulator, wait_until: Any) -> None:
        self.simulator = simulator
        self._wait_until = wait_until
        self._ahead = dt.timedelta()
        self.manager = LiveStreamManager(clock=lambda: utc_now() + self._ahead)

    def start(self) -> None:
        """Run the option stream and the background fetch, until the market's phase is known."""
        self.manager.start(
            LiveStreamConfig(
                settings=load_settings(self.simulator.environment()),
                option_contracts=CONTRACTS,
                stream_fills=False,
                times=QUICK,
                reconnect_base_seconds=0.01,
            )
        )
        self._wait_until(lambda: self.health.state == "running", "the stream")
        self._wait_until(lambda: self.snapshot.market_phase != "unknown", "the market's phase")
        self._wait_until(lambda: set(self.snapshot.option_quotes) == set(CONTRACTS), "the first quotes")

    def tick(self, contracts: Any) -> None:
        """Push one quote of each of these contracts, and wait until it arrives."""
        for contract in contracts:
            before = self.health.last_event_at
            self.simulator.push_quote(contract, 5.0, 5.1)
            self._wait_until(lambda before=before: self.health.last_event_at != before, "a quote")

    def pass_minutes(self, minutes: float) -> None:
        """Move the clock."""
        self._ahead += dt.timedelta(minutes=minutes)

    def expect_left_alone(self) -> None:
        """Check that none of five more pings ends the connection."""
        connections = self.connections
        for _ in range(5):
            heard = self.health.last_heard_at
            self._wait_until(lambda heard=heard: self.health.last_heard_at != heard, "a pong")
        assert self.connections == connections
        assert self.health.state == "running"

    @property
    def snapshot(self) -> LiveSnapshot:
        return self.manager.snapshot()

    @property
    def health(self) -> StreamHealth:
        return self.snapshot.health["options"]

    @property
    def connections(self) -> int:
        return self.simulator.connections_total["options"]


@pytest.fixture
def bench(wait_until) -> Iterator[Bench]:
    """A market that stands still unless a test pushes quotes."""
    with AlpacaSimulator(tick_seconds=0, order_interval_seconds=0) as simulator:
        bench = Bench(simulator, wait_until)
        yield bench
        bench.manager.stop()


def test_a_portfolio_that_fell_silent_is_reconnected_once_in_ten_minutes(bench: Bench, wait_until) -> None:
    """If five contracts tick and then fall silent for 46 s, there is one new connection in ten minutes."""
    bench.start()
    bench.tick(CONTRACTS[:5])
    bench.pass_minutes(44 / 60)
    bench.expect_left_alone()
    bench.pass_minutes(2 / 60)
    wait_until(lambda: bench.connections == 2)
    wait_until(lambda: bench.health.state == "running")
    assert bench.health.last_failure is not None
    assert bench.health.last_failure.text == MUTE

    bench.tick(CONTRACTS[:5])
    bench.pass_minutes(9)
    bench.expect_left_alone()
    bench.pass_minutes(1)
    wait_until(lambda: bench.connections == 3)


@pytest.mark.parametrize("ticking", [1, 4])
def test_a_small_portfolio_is_left_alone(bench: Bench, ticking: int) -> None:
    """Silence of a few contracts proves nothing, even if REST reported many."""
    bench.start()
    bench.tick(CONTRACTS[:ticking])
    bench.pass_minutes(2)
    bench.expect_left_alone()


def test_a_closed_market_is_left_alone(bench: Bench) -> None:
    """Outside the session, silence is expected."""
    now = utc_now()
    hours = {"next_open": now + dt.timedelta(hours=9), "next_close": now + dt.timedelta(hours=15)}
    times = {name: at.isoformat() for name, at in {"timestamp": now, **hours}.items()}
    bench.simulator.faults.rest(path="/v2/clock", status=200, body=json.dumps({"is_open": False, **times}))
    bench.start()
    assert bench.snapshot.market_phase not in {"open", "unknown"}
    bench.tick(CONTRACTS)
    bench.pass_minutes(2)
    bench.expect_left_alone()


def test_a_ping_that_stays_unanswered_ends_a_silent_connection(bench: Bench, wait_until) -> None:
    """A connection that does not answer a ping is ended, whatever the portfolio and the time."""
    bench.manager.start(
        LiveStreamConfig(
            settings=load_settings(bench.simulator.environment()),
            option_contracts=CONTRACTS[:1],
            stream_fills=False,
            backfill=False,
            times=ConnectionTimes(ping_interval=0.05, ping_timeout=0.3),
        )
    )
    wait_until(lambda: bench.health.state == "running")
    bench.simulator.faults.set("options", vanished=True)
    wait_until(lambda: bench.health.attempts)
    assert bench.health.last_failure is not None
    assert bench.health.last_failure.text == "no answer to a ping for 0.3 s"
