"""The background fetch and the day's fills against the simulator, over loopback sockets."""

from __future__ import annotations

import itertools
import time
from dataclasses import fields
from typing import Any

import pytest

pytest.importorskip("aiohttp", reason="the simulator needs aiohttp (pip install -e '.[dev]')")

import datetime as dt
from collections.abc import Callable, Iterator

from options_helper.analysis.fills.day import FillDay, FillDayBuilder
from options_helper.analysis.fills.words import execution_price
from options_helper.data.rest.client import AlpacaRest
from options_helper.data.settings import load_settings
from options_helper.data.streaming.backfill.backfill import Backfill
from options_helper.data.streaming.backfill.prices import Wanted
from options_helper.data.streaming.run.cache import Reference
from options_helper.data.streaming.run.rest_results import RestResults
from options_helper.market import StreamName
from options_helper.simulator.account.orders import LegRequest
from options_helper.simulator.server import AlpacaSimulator
from options_helper.times import new_york_date, utc_now
from tests.fakes import order_history
from tests.said import steps_words

pytestmark = pytest.mark.integration

CONTRACTS = ("AAPL391216C00250000", "AAPL391216P00250000", "MSFT391216C00500000")
SPREAD = [
    LegRequest("AAPL391216C00250000", "sell", 1, "sell_to_open"),
    LegRequest("AAPL391216C00260000", "buy", 2, "buy_to_open"),
]


@pytest.fixture
def simulator() -> Iterator[AlpacaSimulator]:
    """Yield a quiet account, in which only the test places orders."""
    with AlpacaSimulator(tick_seconds=0.2, order_interval_seconds=0, contracts=CONTRACTS) as simulator:
        yield simulator


class Waits:
    """A clock whose waits take no time and are recorded."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def clock(self) -> float:
        """Return seconds since 1970, advanced by the waits."""
        return time.time() + sum(self.seconds)

    def pause(self, seconds: float) -> bool:
        """Record the wait, and return at once."""
        self.seconds.append(seconds)
        return False


def connect(simulator: AlpacaSimulator, waits: Waits | None = None) -> AlpacaRest:
    """A client of the simulator."""
    settings = load_settings(simulator.environment())
    if waits is None:
        return AlpacaRest(settings)
    return AlpacaRest(settings, clock=waits.clock, pause=waits.pause)


def assert_equals_ledger(fill_day: FillDay, simulator: AlpacaSimulator) -> None:
    """Check that each of the simulator's executions is there exactly once, to the share and the cent."""
    ledger = [one for one in simulator.ledger().executions if not one.busted]
    shown = sorted(
        (one.order_id, one.filled, one.quantity, one.price) for one in fill_day.leaf_fills if not one.busted
    )
    assert shown == sorted(
        (one.order_id, float(one.cumulative), float(one.qty), float(one.price)) for one in ledger
    )
    assert all(one.confirmed for one in fill_day.leaf_fills)


def test_five_thousand_activities_under_a_limit_with_429s_between(simulator: AlpacaSimulator) -> None:
    """5,000 fills in pages of 100 arrive complete, although some requests are refused."""
    simulator.add_history(5_000, symbols=CONTRACTS, hours=0.5)
    for _ in range(15):
        simulator.faults.rest(path="/v2/account/activities", delay_seconds=0, times=2)
        simulator.faults.rest(path="/v2/account/activities", status=429, times=1)
    waits = Waits()
    rest = connect(simulator, waits)
    history = order_history(rest)
    history.update(utc_now())
    rest.close()
    expected = [one for one in simulator.ledger().executions if not one.busted]
    assert len(history.fills) == len(expected) >= 5_000
    refused = sum(1 for seconds in waits.seconds if seconds >= 1)
    assert refused >= 15
    pages = [path for method, path in simulator.requests if path.startswith("/v2/account/activities")]
    assert len(pages) >= 15 + len(expected) // 100
    assert_equals_ledger(FillDayBuilder().build([], history.fills, history.orders), simulator)


class Sink(RestResults):
    """Keeps the newest of everything."""

    def __init__(self) -> None:
        self.known: dict[str, Any] = {}
        self.words: dict[str, str] = {}

    def to_alpaca_time(self, at: dt.datetime) -> dt.datetime:
        """Change nothing."""
        return at

    def put_quotes(self, stocks: Any = (), options: Any = ()) -> None:
        """Keep the result."""
        for name, rows in (("stock_quotes", stocks), ("option_quotes", options)):
            self.known.setdefault(name, {}).update({row.symbol: row for row in rows})

    def put_trades(self, stocks: Any = (), options: Any = ()) -> None:
        """Keep the result."""
        for name, rows in (("stock_trades", stocks), ("option_trades", options)):
            self.known.setdefault(name, {}).update({row.symbol: row for row in rows})

    def put_reference(self, reference: Reference) -> None:
        """Keep the result."""
        for name, value in ((each.name, getattr(reference, each.name)) for each in fields(reference)):
            if isinstance(value, dict):
                self.known.setdefault(name, {}).update(value)
            elif value is not None:
                self.known[name] = value

    def put_market(self, calendar: Any) -> None:
        """Keep the result."""
        self.known["calendar"] = calendar

    def put_clock_offset(self, seconds: float) -> None:
        """Keep the result."""
        self.known["offset"] = seconds

    def put_complete(self, stream: StreamName, as_of: dt.datetime) -> None:
        """Keep the result."""
        self.known[f"{stream} complete"] = as_of

    def put_order_history(
        self, rest_fills: Any, rest_orders: Any, confirmed_until: dt.datetime, unreadable: Any
    ) -> None:
        """Keep the result."""
        self.known["history"] = (rest_fills, rest_orders, confirmed_until, unreadable)

    def put_progress(self, part: str, words: str) -> None:
        """Keep the result."""
        self.words[part] = words


def make_backfill(simulator: AlpacaSimulator, sink: Sink) -> Backfill:
    """A backfill that wants everything."""
    wanted = Wanted(
        stocks=("AAPL", "MSFT"),
        option_contracts=(*CONTRACTS, "SPXW391216C07000000"),
        stock_feed="iex",
        options_feed="indicative",
    )
    return Backfill(connect(simulator), wanted, want_fills=True, results=sink)


@pytest.mark.date_sensitive
def test_the_first_round_is_complete(simulator: AlpacaSimulator, wait_until: Callable[..., None]) -> None:
    """After one round, every part has what the simulator knows, and only GET requests were sent."""
    simulator.fill_now(CONTRACTS[0], "buy", 2)
    simulator.tick()
    sink = Sink()
    backfill = make_backfill(simulator, sink)
    backfill.start()
    try:
        wait_until(lambda: "history" in sink.words and set(sink.words.values()) == {""})
        assert set(sink.known["option_quotes"]) >= set(CONTRACTS)
        assert all(row.from_rest and row.timestamp for row in sink.known["option_quotes"].values())
        assert set(sink.known["stock_quotes"]) == {"AAPL", "MSFT"}
        assert "SPX" in sink.known["stock_trades"]
        assert sink.known["previous_closes"]["AAPL"].date < new_york_date(utc_now())
        assert sink.known["broker_positions"][CONTRACTS[0]].quantity == 2
        assert sink.known["account"] == "PA…ED"
        assert str(sink.known["calendar"].phase(utc_now())) == "open"
        fills, orders, *_ = sink.known["history"]
        assert_equals_ledger(FillDayBuilder().build([], fills, orders), simulator)
    finally:
        backfill.stop()
        backfill.join(5)
    assert set(simulator.methods_seen) == {"GET"}


def test_stop_during_a_hanging_request_is_quick(
    simulator: AlpacaSimulator, wait_until: Callable[..., None]
) -> None:
    """A route that never answers does not delay the end of the thread."""
    simulator.faults.rest(path="/v2/clock", hang=True)
    backfill = make_backfill(simulator, Sink())
    backfill.start()
    wait_until(lambda: any(path.startswith("/v2/clock") for _, path in simulator.requests))
    began = time.monotonic()
    backfill.stop()
    backfill.join(20)
    assert time.monotonic() - began < 8  # the client's own timeout is 10 s


def test_failing_routes_heal(simulator: AlpacaSimulator, wait_until: Callable[..., None]) -> None:
    """Routes that answer nonsense or fail for a while are retried until they succeed."""
    simulator.fill_now(CONTRACTS[0], "buy", 2)
    simulator.faults.rest(path="/v2/orders", body="<html>", times=1)
    simulator.faults.rest(path="/v2/account/activities", status=503, times=1)
    simulator.faults.rest(path="/v1beta1/options/snapshots", body='{"snapshots": {"X": 7}}', times=1)
    sink = Sink()
    backfill = make_backfill(simulator, sink)
    backfill.start()
    try:
        wait_until(lambda: "Trying again in" in sink.words.get("fills", ""))
        wait_until(lambda: sink.words.get("fills") == "")
        assert len(sink.known["history"][0]) == 1
    finally:
        backfill.stop()
        backfill.join(5)


@pytest.mark.date_sensitive
def test_after_busts_and_replacements_the_fills_equal_the_ledger(simulator: AlpacaSimulator) -> None:
    """Multi-leg fills, a replacement, a cancel and a bust from REST give the ledger's table."""
    spread = simulator.place_multileg_order(SPREAD, 3, limit_price=-0.5)
    simulator.fill(spread, 1, [3.1, 0.8])
    simulator.fill(spread, 2, [3.2, 0.85])
    first = simulator.place_order(CONTRACTS[0], "buy", 5, limit_price=1.6)
    second = simulator.replace_order(first, qty=4, limit_price=1.65)
    simulator.fill(second, 3, 1.64)
    simulator.close_order(second)
    simulator.bust(simulator.fill(simulator.place_order(CONTRACTS[1], "sell", 1), prices=2.5))
    rest = connect(simulator)
    history = order_history(rest)
    history.update(utc_now())
    rest.close()
    fill_day = FillDayBuilder().build([], history.fills, history.orders)
    assert_equals_ledger(fill_day, simulator)
    assert [execution_price(one) for one in fill_day.fills if one.kind == "parent"] == [
        "1.50 credit",
        "1.50 credit",
    ]
    stories = {story.order_id: story for story in fill_day.orders}
    assert stories[second].order_ids == (first, second)
    assert steps_words(stories[second]) == "new → replaced → partial fill → canceled"


def test_twenty_drops_of_the_trading_stream_lose_no_fill(
    simulator: AlpacaSimulator, wait_until: Callable[..., None]
) -> None:
    """While orders fill and the stream is lost twenty times, the table stays equal to the ledger."""
    pytest.importorskip("alpaca", reason="needs alpaca-py (pip install -e '.[alpaca]')")
    from options_helper.data.streaming.live_manager import LiveStreamConfig, LiveStreamManager

    manager = LiveStreamManager()
    settings = load_settings(simulator.environment())
    manager.start(LiveStreamConfig(settings=settings, reconnect_base_seconds=0.05, reconnect_cap_seconds=0.2))
    try:
        wait_until(lambda: manager.snapshot().status_by_stream["fills"] == "running")
        numbers = itertools.count()
        for drop in range(20):
            fill_something(simulator, next(numbers))
            simulator.drop("fills", ("reset", "fin", "close")[drop % 3])
            fill_something(simulator, next(numbers))
            wait_until(lambda drop=drop: simulator.connections_total["fills"] >= drop + 2)
            fill_something(simulator, next(numbers))
        wait_until(lambda: arrays_of(manager).completeness.complete, "the fills' completeness", 60)
        assert_equals_ledger(arrays_of(manager), simulator)
        sources = {one.source.value for one in arrays_of(manager).leaf_fills}
        assert sources == {"rest", "both"}, "some came by REST alone, some by the stream too"
    finally:
        manager.stop()


def fill_something(simulator: AlpacaSimulator, number: int) -> None:
    """Make a single fill, a fill in parts or a multi-leg fill, in turn."""
    if number % 3 == 0:
        simulator.fill_now(CONTRACTS[number % 2], "buy", 1 + number % 4, 1.25 + number / 100)
        return
    if number % 3 == 1:
        order = simulator.place_order(CONTRACTS[number % 2], "sell", 5)
        for part in (1, 1, 3):
            simulator.fill(order, part, 2.0 + part / 100)
        return
    spread = simulator.place_multileg_order(SPREAD, 2, limit_price=-0.5)
    simulator.fill(spread, 1, [3.11, 0.83])
    simulator.fill(spread, 1, [3.17, 0.84])


def arrays_of(manager: Any) -> FillDay:
    """Return the fills of a manager's snapshot."""
    snapshot = manager.snapshot()
    return FillDayBuilder().build(
        snapshot.fills, snapshot.rest_fills, snapshot.rest_orders, snapshot.fill_gaps
    )
