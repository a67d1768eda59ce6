"""A page's run over a relay and a real nats-server, from the simulator to the snapshot."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest

pytest.importorskip("nats", reason="the relay needs nats-py (pip install -e '.[relay]')")
pytest.importorskip("alpaca", reason="needs alpaca-py (pip install -e '.[alpaca]')")
pytest.importorskip("aiohttp", reason="the simulator needs aiohttp (pip install -e '.[dev]')")

from options_helper.analysis.fills.day import build_fill_day
from options_helper.data.settings import load_settings
from options_helper.data.streaming.live_manager import LiveStreamConfig, LiveStreamManager
from options_helper.market import StreamState
from options_helper.relay.reader import reasons
from options_helper.simulator.server import AlpacaSimulator
from tests.nats_server import NatsServer
from tests.relay.relayed import (
    CALL,
    OTHER,
    PUT,
    RelayThread,
    bid_price,
    executions,
    reader_config,
    running_reader,
    running_relay,
    wait_for_ledger,
    wait_live,
    wait_until,
    write_lease,
)

pytestmark = pytest.mark.slow


def test_a_relayed_run_shows_the_figures_of_a_direct_one(
    simulator: AlpacaSimulator, nats_server: NatsServer, relay: RelayThread
) -> None:
    """Prices, closes, balances and the phase equal those of a run with its own streams."""
    wait_until(lambda: simulator.is_listening, "the relay's order stream")
    simulator.fill_now(CALL, qty=2, price=3.25)
    with running_reader(nats_server.url, reader_config(CALL, PUT)) as manager:
        wait_live(manager)
        simulator.push_quote(CALL, 3.0, 3.5)
        simulator.push_trade(PUT, 1.25)
        wait_until(lambda: bid_price(manager, CALL) == 3.0, "the pushed quote")
        wait_until(lambda: len(executions(manager.snapshot())) == 1, "the fill")
        wait_until(lambda: not manager.snapshot().fill_gaps, "complete fills")
        relayed = manager.snapshot()
    relay.end()
    settings = load_settings(simulator.environment())
    with LiveStreamManager() as direct:
        direct.start(LiveStreamConfig(settings=settings, stocks=["AAPL"], option_contracts=[CALL, PUT]))
        wait_until(lambda: direct.snapshot().broker_history_since, "the account's history")
        wait_until(lambda: direct.snapshot().health["options"].complete_at, "the first quotes")
        wait_until(lambda: direct.snapshot().betas, "betas")
        shown = direct.snapshot()
    for symbol in (CALL, PUT):
        ours, theirs = relayed.option_quotes[symbol], shown.option_quotes[symbol]
        assert (ours.bid_price, ours.ask_price) == (theirs.bid_price, theirs.ask_price)
        assert ours.timestamp is not None
        assert theirs.timestamp is not None
        # The streams round nanoseconds, and REST cuts them off.
        assert abs(ours.timestamp - theirs.timestamp) <= dt.timedelta(microseconds=1)
    assert relayed.option_trades[PUT].price == 1.25
    assert relayed.previous_closes == shown.previous_closes
    assert relayed.daily_closes == shown.daily_closes
    assert relayed.broker is not None
    assert shown.broker is not None
    assert relayed.broker.cash == shown.broker.cash
    assert relayed.broker_fills == shown.broker_fills
    assert relayed.broker_account == shown.broker_account
    assert (relayed.market_phase, relayed.account, relayed.demo) == (shown.market_phase, "demo", True)
    assert executions(relayed)


def test_a_second_reader_does_not_disturb_the_first(
    simulator: AlpacaSimulator, nats_server: NatsServer, relay: RelayThread
) -> None:
    """The second reader's symbols join the open connection, and its end frees them."""
    with running_reader(nats_server.url, reader_config(CALL)) as first:
        wait_live(first)
        order = simulator.fill_now(CALL, price=3.25)
        wait_until(lambda: executions(first.snapshot()), f"the fill of {order}")
        config = reader_config(OTHER, stocks=("MSFT",))
        with running_reader(nats_server.url, config) as second:
            assert executions(wait_live(second)) == executions(first.snapshot())
            wait_until(
                lambda: OTHER in second.snapshot().option_quotes, "the first quote of the new contract"
            )
            assert set(simulator.subscriptions("options")["quotes"]) == {CALL, OTHER}
            wait_until(lambda: not second.snapshot().fill_gaps, "complete fills")
        wait_until(lambda: simulator.subscriptions("options")["quotes"] == [CALL], "freed symbols")
        simulator.push_quote(CALL, 4.0, 4.5)
        wait_until(lambda: bid_price(first, CALL) == 4.0, "the first reader's quote")
        health = first.snapshot().health["options"]
        assert (health.state, health.lost_at, health.dropped) == (StreamState.RUNNING, None, 0)
    assert simulator.connections_total == {"stocks": 1, "options": 1, "fills": 1}
    assert not relay.said[2:], "one term"


def test_prices_are_complete_although_the_relay_asked_first(
    simulator: AlpacaSimulator, nats_server: NatsServer, relay: RelayThread
) -> None:
    """Unchanged prices are proven soon, even if REST answers after the reader has read the state."""
    simulator.faults.rest(path="/v1beta1/options", delay_seconds=3)
    with running_reader(nats_server.url, reader_config(CALL)) as manager:
        wait_live(manager)
        wait_until(lambda: _is_complete(manager), "complete prices", 30)
    assert not relay.said[2:], "one term"


def _is_complete(manager: LiveStreamManager) -> bool:
    health = manager.snapshot().health["options"]
    complete, since = health.complete_at, health.connected_at
    return complete is not None and since is not None and complete >= since


def test_each_outage_has_its_own_words(
    simulator: AlpacaSimulator, nats_server: NatsServer, relay: RelayThread
) -> None:
    """The relay's own stream, the relay and NATS are distinguished, and every one recovers by itself."""
    with running_reader(nats_server.url, reader_config(CALL)) as manager:
        wait_live(manager)
        simulator.faults.set("options", held=True)
        simulator.drop("options")
        _wait_for_words(
            manager, "the relay is running, but its option stream is reconnecting: another program"
        )
        assert manager.snapshot().health["stocks"].state is StreamState.RUNNING
        simulator.faults.clear()
        wait_live(manager)
        nats_server.kill()
        _wait_for_words(manager, "check that nats-server runs there")
        nats_server.start()
        simulator.push_quote(CALL, 5.0, 5.5)
        wait_live(manager)
        wait_until(lambda: bid_price(manager, CALL) == 5.0, "the missed quote")
        relay.end()
        _wait_for_words(manager, "the relay was stopped; start options-helper relay again, unless another")
        with running_relay(simulator, nats_server.url):
            wait_live(manager)
            simulator.fill_now(CALL, price=3.25)
            wait_for_ledger(simulator, manager)  # the fill comes over REST if the stream was away


def test_readers_need_no_silence_to_notice_an_end(
    simulator: AlpacaSimulator, nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relay that loses its lease or is stopped says so; from then on, the fills are not complete."""
    monkeypatch.setattr(reasons, "SILENT_SECONDS", float("inf"))
    with (
        running_relay(simulator, nats_server.url) as relay,
        running_reader(nats_server.url, reader_config(CALL)) as manager,
    ):
        wait_live(manager)
        wait_for_ledger(simulator, manager)
        asyncio.run(write_lease(nats_server.url, "somebody 1", over=True))
        _wait_for_words(manager, "the relay lost its lease; another one takes over, or this one resumes")
        wait_until(lambda: manager.snapshot().fill_gaps, "incomplete fills")
        wait_live(manager)  # nobody renews the other lease, so the relay leads again
        wait_for_ledger(simulator, manager)
        relay.end()
        _wait_for_words(manager, "the relay was stopped; start options-helper relay again, unless another")
        wait_until(lambda: manager.snapshot().fill_gaps, "incomplete fills")


def test_a_new_leader_that_waits_for_rest_is_shown(
    simulator: AlpacaSimulator, nats_server: NatsServer, relay: RelayThread
) -> None:
    """While Alpaca's request limit keeps a new leader from reading the day's fills, readers see the wait."""
    with running_reader(nats_server.url, reader_config(CALL)) as manager:
        wait_live(manager)
        simulator.fill_now(CALL, price=3.25)
        wait_for_ledger(simulator, manager)
        relay.end()
        simulator.faults.rest(path="/v2/account/activities", status=429)
        with running_relay(simulator, nats_server.url):
            wait_live(manager)
            wait_until(lambda: "too many requests (429). Waiting" in _why_incomplete(manager), "the wait")


def _why_incomplete(manager: LiveStreamManager) -> str:
    return build_fill_day(manager.snapshot()).completeness.reason


def _wait_for_words(manager: LiveStreamManager, words: str) -> None:
    wait_until(
        lambda: words in manager.snapshot().errors_by_stream.get("options", ""),
        lambda: f"{words!r}: {manager.snapshot().errors_by_stream}",
    )
