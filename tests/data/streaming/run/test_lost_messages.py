"""The requests over REST after a loss, and the time up to which everything is complete."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from options_helper.data.streaming.run.config import LiveStreamConfig
from options_helper.market import (
    Quote,
    StreamName,
    Trade,
)
from tests.data.streaming.run.run_desk import CONFIG, CONTRACTS, NOW, RunDesk, quotes_of


def test_a_data_stream_requests_what_it_missed_after_each_acknowledgement(desk, wait_until) -> None:
    """Each acknowledgement causes a request, or a quote that changed before it would look merely quiet."""
    calls = desk.backfill.calls
    desk.run.workers[StreamName.OPTIONS].subscribed(frozenset(CONTRACTS))
    assert calls == ["start", "request_quotes of options"]
    desk.made[StreamName.OPTIONS][-1].stop()
    wait_until(lambda: desk.run.workers[StreamName.OPTIONS].health.attempts)
    desk.run.workers[StreamName.OPTIONS].subscribed(frozenset(CONTRACTS))
    desk.run.workers[StreamName.STOCKS].subscribed(frozenset(["AAPL"]))
    assert calls[2:] == ["request_quotes of options", "request_quotes of stocks"]


def test_a_stream_knows_as_of_when_rest_reported_all_its_quotes(desk) -> None:
    """A stream's own record gets the time up to which REST has reported its quotes; the page is redrawn."""
    before = desk.run.snapshot()
    desk.run.results.put_complete(StreamName.OPTIONS, NOW)
    after = desk.run.snapshot()
    assert (after.health["options"].complete_at, after.health["stocks"].complete_at) == (NOW, None)
    assert after.version > before.version


@pytest.mark.parametrize("kind", ["quotes", "trades", "corrections"])
@pytest.mark.parametrize("stream", [StreamName.OPTIONS, StreamName.STOCKS])
def test_an_unreadable_market_message_is_followed_by_a_request(desk, wait_until, stream, kind) -> None:
    """The message may have held a change, so its time is recorded and the stream's prices are requested."""
    desk.pass_seconds(5)
    desk.give(stream, kind, [{"S": "?", "bp": "?", "t": NOW}])
    wait_until(lambda: f"request_lost of {stream}" in desk.backfill.calls)
    assert desk.run.snapshot().health[stream].lost_at == desk.now
    other = {StreamName.OPTIONS, StreamName.STOCKS} - {stream}
    assert desk.run.snapshot().health[other.pop()].lost_at is None


def test_an_unreadable_order_update_requests_only_fills(desk, wait_until) -> None:
    """An unreadable order update puts no price in doubt."""
    desk.give(StreamName.FILLS, "orders", [{"order": 7}])
    wait_until(lambda: "request_fills" in desk.backfill.calls)
    assert not [call for call in desk.backfill.calls if "lost" in call]


def test_a_dropped_batch_is_followed_by_a_request(wait_until) -> None:
    """After a full inbox has dropped a batch, which may have held a change, prices are requested once."""
    desk = RunDesk(replace(CONFIG, queue_maxsize=1))
    desk.run.workers[StreamName.OPTIONS].start()  # without the consumer, so nobody takes them
    wait_until(lambda: desk.made[StreamName.OPTIONS])
    desk.give(StreamName.OPTIONS, "quotes", quotes_of(CONTRACTS, NOW))
    assert "request_lost of options" not in desk.backfill.calls
    desk.pass_seconds(5)
    desk.give(StreamName.OPTIONS, "quotes", quotes_of(CONTRACTS, NOW))
    assert desk.backfill.calls.count("request_lost of options") == 1
    assert desk.run.snapshot().health[StreamName.OPTIONS].lost_at == desk.now
    desk.run.stop(20)


def test_unstreamed_symbols_are_complete_without_a_record(wait_until) -> None:
    """Stocks that only REST reports have no record."""
    desk = RunDesk(LiveStreamConfig(option_contracts=CONTRACTS, stream_fills=False))
    desk.run.results.put_complete(StreamName.STOCKS, NOW)
    assert desk.run.snapshot().health["stocks"].complete_at is None


def test_halts_are_forgotten_when_the_stock_stream_comes_back(desk, wait_until) -> None:
    """Halts are forgotten, because a resumption during the interruption is not repeated."""
    worker = desk.run.workers[StreamName.STOCKS]
    worker.subscribed(None)
    desk.give(StreamName.STOCKS, "statuses", [{"T": "s", "S": "AAPL", "sc": "P", "t": NOW}])
    wait_until(lambda: desk.run.snapshot().halted == {"AAPL"})
    desk.run.workers[StreamName.OPTIONS].subscribed(None)
    assert desk.run.snapshot().halted == {"AAPL"}, "the option stream tells nothing of halts"
    desk.made[StreamName.STOCKS][-1].fail("the connection was reset")
    wait_until(lambda: len(desk.made[StreamName.STOCKS]) == 2)
    assert desk.run.snapshot().halted == {"AAPL"}
    worker.subscribed(None)
    assert desk.run.snapshot().halted == frozenset()


def test_first_quotes_fill_what_the_stream_has_not_sent(desk, wait_until) -> None:
    """REST fills in the rows that symbols lack, and newer rows from the stream stay."""
    desk.give(StreamName.OPTIONS, "quotes", quotes_of(CONTRACTS[:1], NOW))
    wait_until(lambda: desk.run.snapshot().option_quotes)
    earlier = NOW - dt.timedelta(hours=1)
    more = {"timestamp": earlier, "from_rest": True}
    desk.run.results.put_quotes(
        [Quote("AAPL", 270.0, 270.1, **more)], [Quote(name, 5.0, 6.0, **more) for name in CONTRACTS]
    )
    desk.run.results.put_trades([Trade("AAPL", 270.0, **more)], [Trade(CONTRACTS[0], 5.5, **more)])
    desk.run.results.put_quotes()
    desk.run.results.put_trades()
    snapshot = desk.run.snapshot()
    assert snapshot.option_quotes[CONTRACTS[0]].bid_price == 1.0
    assert snapshot.option_quotes[CONTRACTS[1]].bid_price == 5.0
    assert snapshot.stock_quotes["AAPL"].from_rest
    assert snapshot.stock_trades["AAPL"].price == 270.0
    assert snapshot.option_trades[CONTRACTS[0]].price == 5.5


def test_an_order_update_that_cannot_be_read_is_missing_until_rest_confirms(desk, wait_until) -> None:
    """The gap lasts from the receipt of the update until REST closes it."""
    desk.run.results.put_order_history([], [], NOW + dt.timedelta(days=1))
    desk.give(StreamName.FILLS, "orders", [None])
    wait_until(lambda: desk.run.snapshot().fill_gaps)
