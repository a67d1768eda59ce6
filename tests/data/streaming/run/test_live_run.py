"""One set of streams: its streamers, its state and its snapshots."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from options_helper.data.streaming.connection.observer import SilentObserver
from options_helper.data.streaming.run.cache import Reference
from options_helper.data.streaming.run.config import LiveStreamConfig
from options_helper.data.streaming.run.streamers import StreamRequest, build_data, build_orders
from options_helper.errors import StreamRejected
from options_helper.market import (
    BrokerPosition,
    Greeks,
    MarketPhase,
    PreviousClose,
    StreamName,
    StreamState,
)
from tests.data.streaming.run.run_desk import CONFIG, CONTRACTS, NOW, FakeCalendar, RunDesk, quotes_of


def test_a_streamer_is_built_for_its_feed_and_its_observer(desk) -> None:
    """Each streamer has its feed, and the worker observes its connection."""
    requests = {stream: made[0].request for stream, made in desk.made.items()}
    assert requests[StreamName.STOCKS].feed == "iex"
    assert requests[StreamName.OPTIONS].feed == "indicative"
    assert requests[StreamName.OPTIONS].observer is desk.run.workers[StreamName.OPTIONS]


class Injected:
    """A streamer with the promised methods; remembers what it is given."""

    def __init__(self, **arguments: Any) -> None:
        self.arguments = arguments
        self.subscribed: Any = None

    def subscribe(self, symbols: Any) -> None:
        self.subscribed = tuple(symbols)

    def subscribe_trade_updates(self) -> None:
        self.subscribed = "trade updates"

    def run(self) -> None:
        """End at once."""

    def stop(self) -> None:
        """Do nothing."""


def test_an_injected_factory_is_called_with_only_the_promised_arguments() -> None:
    """A factory receives the feed and handlers only, and the streamer is subscribed."""
    offered: list[Any] = []
    request = partial(
        StreamRequest,
        config=CONFIG,
        observer=SilentObserver(),
        offer=lambda *kind_and_items: offered.append(kind_and_items),
    )
    options = build_data(Injected, request(StreamName.OPTIONS))
    orders = build_orders(Injected, request(StreamName.FILLS))
    assert isinstance(options, Injected)
    assert isinstance(orders, Injected)
    assert set(options.arguments) == {"feed", "on_quotes", "on_trades"}
    assert set(orders.arguments) == {"on_trade_updates"}
    assert (options.subscribed, orders.subscribed) == (CONTRACTS, "trade updates")
    options.arguments["on_trades"]("a trade")
    orders.arguments["on_trade_updates"]("an update")
    assert offered == [("trades", "a trade"), ("orders", "an update")]


def test_the_backfill_lives_with_the_run(desk) -> None:
    """The backfill starts with the streams, and is stopped and joined with them."""
    assert desk.backfill.calls == ["start"]
    desk.run.stop(20)
    assert desk.backfill.calls[-2:] == ["stop", "join"]


def test_reference_data_and_the_markets_clock_reach_the_snapshot(desk) -> None:
    """The snapshot has Greeks, multipliers, closes, positions, the account and the phase."""
    close = PreviousClose(269.0, dt.date(2026, 11, 19))
    before = desk.run.snapshot()
    assert (before.market_phase, before.trading_date) == (MarketPhase.UNKNOWN, None)
    desk.run.results.put_reference(
        Reference(
            previous_closes={"AAPL": close},
            greeks={CONTRACTS[0]: Greeks(delta=0.5)},
            multipliers={CONTRACTS[0]: 100.0},
            broker_positions={"AAPL": BrokerPosition("AAPL", 10.0)},
            account="PA…42",
        )
    )
    desk.run.results.put_market(FakeCalendar())
    desk.run.results.put_clock_offset(61.5)
    after = desk.run.snapshot()
    assert (before.clock_offset_seconds, after.clock_offset_seconds) == (None, 61.5)
    assert after.previous_closes == {"AAPL": close}
    assert after.greeks[CONTRACTS[0]].delta == 0.5
    assert after.multipliers == {CONTRACTS[0]: 100.0}
    assert after.broker_positions["AAPL"].quantity == 10.0
    assert after.broker_account == "PA…42"
    assert (after.market_phase, after.market_phase_until) == (
        MarketPhase.OPEN,
        after.as_of.replace(microsecond=0) + dt.timedelta(hours=6),
    )
    assert after.as_of == NOW - dt.timedelta(seconds=61.5), "by Alpaca's clock"
    assert (after.trading_date, after.previous_trading_date) == (
        dt.date(2026, 11, 20),
        dt.date(2026, 11, 19),
    )
    assert after.version > before.version > 100


@pytest.mark.parametrize("set_by", [6_000.0, -2_400.0])
def test_a_clock_set_in_a_session_moves_nothing_once_alpacas_is_known(desk, wait_until, set_by) -> None:
    """Until Alpaca's clock is known, the computer's is used, unless quotes show that it is behind."""
    seen = quotes_of(CONTRACTS, NOW)
    desk.give(StreamName.OPTIONS, "quotes", seen)
    wait_until(lambda: len(desk.run.snapshot().option_quotes) == len(CONTRACTS))
    desk.seconds_ahead = -set_by
    unknown = desk.run.snapshot()
    assert unknown.as_of == NOW + dt.timedelta(seconds=max(set_by, 0.0))
    desk.run.results.put_clock_offset(0.0)
    known = desk.run.snapshot()
    assert known.as_of == NOW
    assert (unknown.clock_offset_seconds, known.clock_offset_seconds) == (None, set_by), "the computer's own"


def test_symbols_that_were_not_granted_are_not_subscribed(desk) -> None:
    """While a stream connects, its symbols count as requested; those not granted are not subscribed."""
    assert desk.run.snapshot().subscribed == {*CONTRACTS, "AAPL"}
    desk.run.workers[StreamName.OPTIONS].subscribed(frozenset(CONTRACTS[:2]))
    assert desk.run.snapshot().subscribed == {*CONTRACTS[:2], "AAPL"}


def test_symbols_that_are_not_granted_or_beyond_the_limit_are_polled(wait_until) -> None:
    """Contracts over the limit are polled from Start, and others once they are not granted."""
    desk = RunDesk(replace(CONFIG, polled_contracts=("SPY261218C00600000",), stream_first=CONTRACTS[::-1]))
    run = desk.run
    run.start()
    try:
        assert run.config.symbols(StreamName.OPTIONS) == CONTRACTS[::-1], "the most wanted first"
        assert run.symbols_to_poll(StreamName.OPTIONS) == ("SPY261218C00600000",)
        run.workers[StreamName.OPTIONS].subscribed(frozenset(CONTRACTS[1:]))
        assert run.symbols_to_poll(StreamName.OPTIONS) == ("SPY261218C00600000", CONTRACTS[0])
        assert run.symbols_to_poll(StreamName.STOCKS) == ()
        run.results.put_polling(StreamName.OPTIONS, run.symbols_to_poll(StreamName.OPTIONS), 15.0)
        run.results.put_polled(StreamName.OPTIONS, run.symbols_to_poll(StreamName.OPTIONS), NOW)
        health = run.snapshot().health["options"]
        assert health.polled == {"SPY261218C00600000", CONTRACTS[0]}
        assert (health.poll_seconds, health.polled_at) == (15.0, NOW)
    finally:
        run.stop(20)


def test_a_stream_refused_for_its_size_is_polled_entirely(desk, wait_until) -> None:
    """If Alpaca grants no channel (405), REST is asked for all symbols."""
    desk.made[StreamName.OPTIONS][0].end(StreamRejected("options", "too many", code=405))
    wait_until(lambda: desk.run.workers[StreamName.OPTIONS].health.state is StreamState.ERROR)
    assert desk.run.symbols_to_poll(StreamName.OPTIONS) == CONTRACTS
    wait_until(lambda: "request_quotes of options" in desk.backfill.calls)
    desk.made[StreamName.STOCKS][0].end(StreamRejected("stocks", "no key", code=402))
    wait_until(lambda: desk.run.workers[StreamName.STOCKS].health.state is StreamState.ERROR)
    assert desk.run.symbols_to_poll(StreamName.STOCKS) == ()


def test_an_old_rate_is_not_reported(desk, wait_until) -> None:
    """The rate falls to zero a few seconds after the last event."""
    desk.give(StreamName.OPTIONS, "quotes", quotes_of(CONTRACTS, NOW))
    worker = desk.run.workers[StreamName.OPTIONS]
    worker.counted(messages=1000, conflated=0, malformed=0)
    assert desk.run.snapshot().health["options"].rate > 0
    desk.pass_seconds(6)
    assert desk.run.snapshot().health["options"].rate == 0.0


def test_the_lag_is_measured_against_the_vendors_time(desk, wait_until) -> None:
    """A quote stamped two seconds ago has a lag of two seconds."""
    desk.give(StreamName.OPTIONS, "trades", [{"T": "t", "S": CONTRACTS[0], "p": 1.0}])
    wait_until(lambda: desk.run.snapshot().option_trades)
    assert desk.run.snapshot().health["options"].lag_seconds is None
    desk.give(StreamName.OPTIONS, "quotes", quotes_of(CONTRACTS, NOW - dt.timedelta(seconds=2)))
    wait_until(lambda: desk.run.snapshot().health["options"].lag_seconds == 2.0)


def test_an_unusable_batch_is_counted(desk, wait_until) -> None:
    """Malformed quotes and order updates are counted in their streams and change no table."""
    desk.give(StreamName.OPTIONS, "quotes", [{"T": "q"}])
    desk.give(StreamName.FILLS, "orders", [None])
    wait_until(lambda: desk.run.snapshot().health["options"].malformed == 1)
    wait_until(lambda: desk.run.snapshot().health["fills"].malformed == 1)
    assert not desk.run.snapshot().option_quotes
    assert desk.run.snapshot().fills == ()


def test_a_thread_that_does_not_end_is_abandoned(wait_until) -> None:
    """A streamer that ignores `stop()` is abandoned at the deadline."""
    desk = RunDesk(LiveStreamConfig(stocks=("AAPL",), stream_fills=False), with_backfill=False)
    desk.run.start()
    wait_until(lambda: desk.made[StreamName.STOCKS])
    stubborn = desk.made[StreamName.STOCKS][0]
    release, stubborn.stop = stubborn.stop, lambda: None  # type: ignore[method-assign]
    desk.run.stop(0.01)
    assert desk.run.workers[StreamName.STOCKS].thread.is_alive()
    snapshot = desk.run.snapshot()
    assert (snapshot.status, snapshot.running, snapshot.stopped_at) == ("stopped", False, NOW)
    release()
    desk.run.workers[StreamName.STOCKS].thread.join(20)
    assert desk.run.snapshot().status_by_stream["stocks"] == "stopped"


def test_a_demo_says_so(wait_until) -> None:
    """A run against a loopback host is marked as simulated."""
    from options_helper.data.settings import load_settings

    env = {
        "APCA_API_KEY_ID": "demo",
        "APCA_API_SECRET_KEY": "demo",
        "APCA_API_BASE_URL": "http://127.0.0.1:9",
    }
    desk = RunDesk(LiveStreamConfig(settings=load_settings(env)))
    assert desk.run.snapshot().demo
    assert not RunDesk().run.snapshot().demo


def test_changes_are_logged_with_their_cause(desk, wait_until, caplog) -> None:
    """The log records every change of state, and why a stream was lost."""
    caplog.set_level("INFO", logger="options_helper")
    desk.run.workers[StreamName.STOCKS].subscribed(None)
    desk.made[StreamName.STOCKS][-1].fail("the connection was reset")
    wait_until(lambda: len(desk.made[StreamName.STOCKS]) == 2)
    assert "The stocks stream is running with 1 of 1 symbol." in caplog.text
    assert "The stocks stream is reconnecting: the connection was reset; attempt 1." in caplog.text


def test_the_newest_failure_is_reported(desk, wait_until) -> None:
    """With failures on several streams, the newest is `last_error`, and each keeps its own."""
    for stream, words in ((StreamName.STOCKS, "first"), (StreamName.OPTIONS, "second")):
        desk.pass_seconds(1)
        made = desk.made[stream]
        made[-1].fail(words)
        wait_until(lambda made=made: len(made) == 2)
    snapshot = desk.run.snapshot()
    assert snapshot.last_error == "second"
    assert snapshot.errors_by_stream == {"stocks": "first", "options": "second"}
    assert snapshot.reconnect_attempts == {"stocks": 1, "options": 1, "fills": 0}
