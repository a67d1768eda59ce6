"""One set of streams: its reactions, REST's results, and its snapshots."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from options_helper.data.calendar.market_clock import Session
from options_helper.data.streaming.connection.observer import SilentObserver
from options_helper.data.streaming.reconnect import change_log
from options_helper.data.streaming.run.cache import LiveCache, Reference
from options_helper.data.streaming.run.config import LiveStreamConfig
from options_helper.data.streaming.run.fill_gaps import FillGaps
from options_helper.data.streaming.run.live_run import LiveRun, RunParts
from options_helper.data.streaming.run.streamers import StreamRequest, build_data, build_orders
from options_helper.errors import StreamInterrupted, StreamRejected
from options_helper.market import (
    BrokerPosition,
    FillGap,
    Greeks,
    LiveSnapshot,
    MarketPhase,
    PreviousClose,
    Quote,
    StreamName,
    StreamState,
    Trade,
)
from options_helper.recording.journal import Journal
from tests.conftest import WaitUntil
from tests.fakes import FakeStreamer

NOW = dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC)
MIDNIGHT = dt.datetime(2026, 11, 20, 5, 0, tzinfo=dt.UTC)  # New York's, in winter
CONTRACTS = tuple(f"AAPL261218C00{strike}000" for strike in range(250, 256))
CONFIG = LiveStreamConfig(stocks=("AAPL",), option_contracts=CONTRACTS, reconnect_base_seconds=0.001)


class RequestedStreamer(FakeStreamer):
    """A streamer that keeps the request it was built for."""

    def __init__(self, request: StreamRequest) -> None:
        super().__init__()
        self.request = request

    def fail(self, words: str) -> None:
        self.end(StreamInterrupted("x", words))


class FakeBackfill:
    """Remembers what it was asked to do."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def start(self) -> None:
        self.calls.append("start")

    def stop(self) -> None:
        self.calls.append("stop")

    def join(self, timeout: float) -> None:
        assert timeout >= 0
        self.calls.append("join")

    def request_fills(self) -> None:
        self.calls.append("request_fills")

    def request_quotes(self, stream: StreamName) -> None:
        self.calls.append(f"request_quotes of {stream}")

    def request_lost(self, stream: StreamName) -> None:
        self.calls.append(f"request_lost of {stream}")


class FakeCalendar:
    """An open market until four."""

    def phase(self, at: dt.datetime) -> MarketPhase:
        return self.phase_and_end(at)[0]

    def phase_and_end(self, at: dt.datetime) -> tuple[MarketPhase, dt.datetime]:
        return MarketPhase.OPEN, at + dt.timedelta(hours=6)

    def trading_date(self, at: dt.datetime) -> dt.date:
        return at.date()

    def previous_trading_date(self, at: dt.datetime) -> dt.date:
        return at.date() - dt.timedelta(days=1)

    def next_open(self, at: dt.datetime) -> dt.datetime:
        return at + dt.timedelta(hours=24)

    def session(self, day: dt.date) -> Session | None:
        """Return None: no session is known."""


class RunDesk:
    """A run whose streamers, clock and backfill are the test's."""

    def __init__(self, config: LiveStreamConfig = CONFIG, *, with_backfill: bool = True) -> None:
        self.now = NOW
        self.seconds_ahead = 0.0
        self.made: dict[StreamName, list[RequestedStreamer]] = {stream: [] for stream in StreamName}
        self.backfill = FakeBackfill()
        parts = RunParts(
            builders=dict.fromkeys(StreamName, self._build),
            build_backfill=(lambda _config, _run: self.backfill) if with_backfill else None,
            journal=Journal(lambda: self.now),
            first_version=100,
            seconds_ahead=lambda: self.seconds_ahead,
        )
        self.run = LiveRun(config, parts)

    def _build(self, request: StreamRequest) -> RequestedStreamer:
        self.made[request.stream].append(RequestedStreamer(request))
        return self.made[request.stream][-1]

    def pass_seconds(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)

    def give(self, stream: StreamName, kind: str, items: Any) -> None:
        self.made[stream][-1].request.offer(kind, items)


@pytest.fixture
def desk(wait_until):
    """A started run; stopped afterwards."""
    desk = RunDesk()
    desk.run.start()
    wait_until(lambda: all(desk.made.values()))
    yield desk
    desk.run.stop(20)


def _quotes(symbols: Any, at: dt.datetime) -> list[dict[str, Any]]:
    return [{"T": "q", "S": symbol, "bp": 1.0, "ap": 1.2, "t": at} for symbol in symbols]


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


def test_a_data_stream_requests_what_it_missed_after_each_acknowledgement(desk, wait_until) -> None:
    """A quote that changed before the acknowledgement must not look merely quiet."""
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
    """The message may have been a change, so its time is recorded and its stream's prices are requested."""
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
    desk.give(StreamName.OPTIONS, "quotes", _quotes(CONTRACTS, NOW))
    assert "request_lost of options" not in desk.backfill.calls
    desk.pass_seconds(5)
    desk.give(StreamName.OPTIONS, "quotes", _quotes(CONTRACTS, NOW))
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


def test_fills_are_unconfirmed_from_midnight_until_rest_reports_them(desk) -> None:
    """The first gap is ended by the acknowledgement and closed by REST."""
    assert desk.run.snapshot().fill_gaps == (FillGap(MIDNIGHT),)
    desk.run.workers[StreamName.FILLS].subscribed(None)
    assert desk.run.snapshot().fill_gaps == (FillGap(MIDNIGHT, NOW),)
    assert desk.backfill.calls == ["start", "request_fills"]
    fill = {"order_id": "a", "timestamp": NOW}
    desk.run.results.put_order_history([fill], [fill], NOW)
    snapshot = desk.run.snapshot()
    assert snapshot.fill_gaps == ()
    assert (snapshot.rest_fills, snapshot.rest_orders) == ((fill,), (fill,))


def test_a_lost_fill_stream_opens_a_gap_from_when_it_was_last_heard(desk, wait_until) -> None:
    """Updates between the last sign of life and the next acknowledgement may be missing."""
    worker = desk.run.workers[StreamName.FILLS]
    worker.subscribed(None)
    desk.run.results.put_order_history([], [], NOW)
    desk.pass_seconds(10)
    worker.heard()
    heard = desk.now
    desk.pass_seconds(5)
    desk.made[StreamName.FILLS][-1].fail("the connection was reset")
    wait_until(lambda: len(desk.made[StreamName.FILLS]) == 2)
    assert desk.run.snapshot().fill_gaps == (FillGap(heard),)
    desk.pass_seconds(1)
    worker.subscribed(None)
    assert desk.run.snapshot().fill_gaps == (FillGap(heard, desk.now),)
    assert desk.backfill.calls.count("request_fills") == 2


def test_a_loss_is_never_shown_without_its_gap(desk: RunDesk, wait_until: WaitUntil) -> None:
    """The fills are incomplete from the moment the stream is reconnecting."""
    seen: list[LiveSnapshot] = []

    class Look(logging.Handler):
        """Looks when the change is logged, before the run has reacted to it."""

        def emit(self, record: logging.LogRecord) -> None:
            if "fills stream is reconnecting" in record.getMessage():
                seen.append(desk.run.snapshot())

    worker = desk.run.workers[StreamName.FILLS]
    worker.subscribed(None)
    desk.run.results.put_order_history([], [], NOW)
    assert desk.run.snapshot().fill_gaps == ()
    desk.pass_seconds(5)
    change_log.logger.addHandler(look := Look())
    try:
        desk.made[StreamName.FILLS][-1].fail("the connection was reset")
        wait_until(lambda: seen)
    finally:
        change_log.logger.removeHandler(look)
    assert seen[0].health[StreamName.FILLS].state is StreamState.RECONNECTING
    assert seen[0].fill_gaps == (FillGap(NOW),)


def test_a_confirmation_does_not_hide_a_loss_that_came_at_the_same_time(wait_until, monkeypatch) -> None:
    """If the stream is lost while REST's confirmation is published, the new gap stays."""
    plain = LiveCache.apply_gaps
    before: list[Callable[[], None]] = []

    def publish(cache: LiveCache, gaps: FillGaps) -> None:
        if before:
            before.pop()()
        plain(cache, gaps)

    monkeypatch.setattr(LiveCache, "apply_gaps", publish)
    desk = RunDesk()
    desk.run.start()
    wait_until(lambda: desk.made[StreamName.FILLS])
    desk.run.workers[StreamName.FILLS].subscribed(None)

    def lose() -> None:
        desk.made[StreamName.FILLS][-1].fail("the connection was reset")
        wait_until(lambda: desk.run.snapshot().fill_gaps == (FillGap(NOW),))

    before.append(lose)
    desk.run.results.put_order_history([], [], NOW)
    assert before == []
    assert desk.run.snapshot().fill_gaps == (FillGap(NOW),)
    desk.run.stop(20)


def test_a_failed_fetch_is_reported_in_the_gap(desk) -> None:
    """The snapshot has the part's words, and the gaps have those of the fills."""
    desk.run.results.put_progress("fills", "HTTP 503; tried again")
    desk.run.results.put_progress("greeks", "HTTP 403")
    snapshot = desk.run.snapshot()
    assert snapshot.backfill == {"fills": "HTTP 503; tried again", "greeks": "HTTP 403"}
    assert snapshot.fill_gaps == (FillGap(MIDNIGHT, None, "HTTP 503; tried again"),)


def test_after_stop_no_part_promises_another_try(desk: RunDesk) -> None:
    """Reasons stay after Stop, without the tries or waits that no longer follow."""
    results = desk.run.results
    results.put_progress("fills", "GET /v2/orders: the server failed (500). Trying again in 16 s.")
    results.put_progress("account", "GET /v2/account: too many requests (429). Waiting 52 s.")
    results.put_progress("greeks", "fetching")
    results.put_progress("market", "")
    desk.run.stop(5)
    snapshot = desk.run.snapshot()
    failed = "GET /v2/orders: the server failed (500)."
    assert snapshot.backfill == {
        "fills": failed,
        "account": "GET /v2/account: too many requests (429).",
        "greeks": "not fetched before Stop",
        "market": "",
    }
    assert {gap.reason for gap in snapshot.fill_gaps} == {failed}


def test_without_the_fill_stream_there_are_no_gaps(wait_until) -> None:
    """Without a subscription to fills, no fill is missing."""
    desk = RunDesk(LiveStreamConfig(stocks=("AAPL",), stream_fills=False), with_backfill=False)
    desk.run.start()
    wait_until(lambda: desk.made[StreamName.STOCKS])
    desk.run.results.put_progress("fills", "off")
    desk.run.results.put_order_history([], [], NOW)
    assert desk.run.snapshot().fill_gaps == ()
    desk.run.stop(20)


def test_an_acknowledgement_without_a_backfill_bounds_the_gap_only(wait_until) -> None:
    """Without REST, the gap stays unconfirmed."""
    desk = RunDesk(with_backfill=False)
    desk.run.start()
    wait_until(lambda: desk.made[StreamName.FILLS])
    desk.run.workers[StreamName.FILLS].subscribed(None)
    assert desk.run.snapshot().fill_gaps == (FillGap(MIDNIGHT, NOW),)
    desk.run.stop(20)


def test_first_quotes_fill_what_the_stream_has_not_sent(desk, wait_until) -> None:
    """REST gives every symbol its first row, and later rows of the stream are newer and stay."""
    desk.give(StreamName.OPTIONS, "quotes", _quotes(CONTRACTS[:1], NOW))
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
    seen = _quotes(CONTRACTS, NOW)
    desk.give(StreamName.OPTIONS, "quotes", seen)
    wait_until(lambda: len(desk.run.snapshot().option_quotes) == len(CONTRACTS))
    desk.seconds_ahead = -set_by
    unknown = desk.run.snapshot()
    assert unknown.as_of == NOW + dt.timedelta(seconds=max(set_by, 0.0))
    desk.run.results.put_clock_offset(0.0)
    known = desk.run.snapshot()
    assert known.as_of == NOW
    assert (unknown.clock_offset_seconds, known.clock_offset_seconds) == (None, set_by), "the computer's own"


@pytest.mark.parametrize("stream", [StreamName.OPTIONS, StreamName.STOCKS])
def test_a_stream_that_falls_silent_complains_once(stream, wait_until) -> None:
    """Six symbols that tick and then 46 silent seconds cause one reconnect, not a second."""
    symbols = CONTRACTS if stream is StreamName.OPTIONS else tuple("ABCDEF")
    name = "option_contracts" if stream is StreamName.OPTIONS else "stocks"
    desk = RunDesk(LiveStreamConfig(**{name: symbols}, stream_fills=False))
    desk.run.start()
    wait_until(lambda: desk.made[stream])
    desk.run.results.put_market(FakeCalendar())
    worker = desk.run.workers[stream]
    assert worker.complaint() is None  # nothing ever came
    desk.give(stream, "quotes", _quotes(symbols, NOW))
    snapshot = desk.run.snapshot
    wait_until(lambda: len(snapshot().option_quotes) + len(snapshot().stock_quotes) == len(symbols))
    desk.pass_seconds(46)
    complaint = worker.complaint()
    assert isinstance(complaint, StreamInterrupted)
    assert complaint.stream == stream
    assert worker.complaint() is None
    desk.run.stop(20)


@pytest.fixture
def silent_desk(wait_until) -> Iterator[RunDesk]:
    """Options alone in an open market: six contracts ticked at NOW and have been silent since."""
    desk = RunDesk(LiveStreamConfig(option_contracts=CONTRACTS, stream_fills=False))
    desk.run.start()
    wait_until(lambda: desk.made[StreamName.OPTIONS])
    desk.run.results.put_market(FakeCalendar())
    desk.run.workers[StreamName.OPTIONS].subscribed(frozenset(CONTRACTS))
    desk.give(StreamName.OPTIONS, "quotes", _quotes(CONTRACTS, NOW))
    wait_until(lambda: len(desk.run.snapshot().option_quotes) == len(CONTRACTS))
    yield desk
    desk.run.stop(20)


def _reconnect_and_hear_from_rest(desk: RunDesk, wait_until: Any) -> None:
    """The connection is lost and comes back, and REST brings newer quotes of every contract."""
    streamers = desk.made[StreamName.OPTIONS]
    made = len(streamers)
    streamers[-1].fail("the connection was lost")
    wait_until(lambda: len(streamers) > made)
    desk.run.workers[StreamName.OPTIONS].subscribed(frozenset(CONTRACTS))
    desk.pass_seconds(1)
    rows = [Quote(name, 5.0, 6.0, timestamp=desk.now, from_rest=True) for name in CONTRACTS]
    desk.run.results.put_quotes((), rows)
    assert all(quote.from_rest for quote in desk.run.snapshot().option_quotes.values())


def test_a_connection_that_stays_mute_is_given_up_again(silent_desk, wait_until) -> None:
    """REST's rows do not hide which symbols ticked, so ten minutes later there is another reconnect."""
    worker = silent_desk.run.workers[StreamName.OPTIONS]
    silent_desk.pass_seconds(46)
    assert worker.complaint() is not None
    _reconnect_and_hear_from_rest(silent_desk, wait_until)
    silent_desk.pass_seconds(598)
    assert worker.complaint() is None
    silent_desk.pass_seconds(1)
    assert worker.complaint() is not None


def test_ticks_before_a_loss_count_even_if_nobody_had_asked(silent_desk, wait_until) -> None:
    """The ticks of a connection lost within its first seconds count before REST reports them."""
    _reconnect_and_hear_from_rest(silent_desk, wait_until)
    silent_desk.pass_seconds(46)
    assert silent_desk.run.workers[StreamName.OPTIONS].complaint() is not None


class OpeningCalendar(FakeCalendar):
    """A market that opens at eight."""

    def session(self, day: dt.date) -> Session:
        opening = dt.datetime.combine(day, dt.time(8), dt.UTC)
        return Session(opening, opening + dt.timedelta(hours=8))


def test_a_night_does_not_count_as_silence(silent_desk) -> None:
    """A connection that ticked until the close has 45 seconds after the opening."""
    silent_desk.run.results.put_market(OpeningCalendar())
    silent_desk.pass_seconds(17 * 3600 + 44)
    assert silent_desk.run.workers[StreamName.OPTIONS].complaint() is None
    silent_desk.pass_seconds(1)
    assert silent_desk.run.workers[StreamName.OPTIONS].complaint() is not None


def test_without_a_calendar_silence_is_left_alone(desk, wait_until) -> None:
    """Without a calendar, a silent stream is not ended."""
    desk.give(StreamName.OPTIONS, "quotes", _quotes(CONTRACTS, NOW))
    wait_until(lambda: len(desk.run.snapshot().option_quotes) == len(CONTRACTS))
    desk.pass_seconds(46)
    assert desk.run.workers[StreamName.OPTIONS].complaint() is None


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
    desk.give(StreamName.OPTIONS, "quotes", _quotes(CONTRACTS, NOW))
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
    desk.give(StreamName.OPTIONS, "quotes", _quotes(CONTRACTS, NOW - dt.timedelta(seconds=2)))
    wait_until(lambda: desk.run.snapshot().health["options"].lag_seconds == 2.0)


def test_an_unusable_batch_is_counted(desk, wait_until) -> None:
    """Malformed quotes and order updates are counted in their streams and change no table."""
    desk.give(StreamName.OPTIONS, "quotes", [{"T": "q"}])
    desk.give(StreamName.FILLS, "orders", [None])
    wait_until(lambda: desk.run.snapshot().health["options"].malformed == 1)
    wait_until(lambda: desk.run.snapshot().health["fills"].malformed == 1)
    assert not desk.run.snapshot().option_quotes
    assert desk.run.snapshot().fills == ()


def test_an_order_update_that_cannot_be_read_is_missing_until_rest_confirms(desk, wait_until) -> None:
    """The gap lasts from its receipt until REST confirms it."""
    desk.run.results.put_order_history([], [], NOW + dt.timedelta(days=1))
    desk.give(StreamName.FILLS, "orders", [None])
    wait_until(lambda: desk.run.snapshot().fill_gaps)


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
    assert "The stocks stream is running with 1 of 1 symbols." in caplog.text
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


def test_rest_orders_are_dropped_when_new_yorks_day_ends(desk) -> None:
    """After a Restart in the evening, REST's orders of the day are still dropped at midnight."""
    desk.run.snapshot()
    fill, order = {"order_id": "a", "timestamp": NOW}, {"order_id": "a", "timestamp": NOW}
    desk.run.results.put_order_history([fill], [order], NOW)
    desk.now = MIDNIGHT + dt.timedelta(hours=23, minutes=59)
    evening = desk.run.snapshot()
    assert (evening.rest_fills, evening.rest_orders) == ((fill,), (order,))
    desk.pass_seconds(120)
    night = desk.run.snapshot()
    assert (night.fills, night.rest_fills, night.rest_orders) == ((), (), ())


def test_an_open_order_from_an_earlier_day_outlives_the_next_snapshot(desk) -> None:
    """REST's rows from after midnight stay, although an order update of the evening was still there."""
    desk.run.cache.apply_orders([{"order_id": "evening", "timestamp": NOW}], now=NOW)
    assert desk.run.snapshot().fills
    desk.now = MIDNIGHT + dt.timedelta(days=1, minutes=1)
    assert desk.run.snapshot().fills == ()
    carried = {"order_id": "carried", "timestamp": NOW}
    desk.run.results.put_order_history([], [carried], desk.now)
    for _ in range(2):
        assert desk.run.snapshot().rest_orders == (carried,)
