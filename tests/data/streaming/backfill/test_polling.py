"""Symbols that do not stream are fetched at an interval that follows from their number."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from options_helper.data.rest.http import Host
from options_helper.data.streaming.backfill.backfill import Backfill
from options_helper.data.streaming.backfill.poll_pace import CALLS_PER_MINUTE, choose_poll_seconds
from options_helper.data.streaming.backfill.prices import Wanted
from options_helper.data.streaming.run.cache import LiveCache
from options_helper.data.streaming.run.rest_results import Polling, RestResults
from options_helper.errors import AlpacaRestError
from options_helper.market import StreamName
from options_helper.recording.journal import Journal
from tests.builders import NOW
from tests.fakes import FakeClock

STREAMED, POLLED = "AAPL261218C00250000", "AAPL261218C00260000"


@dataclass
class PolledRest:
    """The data host's routes; each request for a contract returns a higher price, dated now."""

    clock: FakeClock
    looks: list[tuple[str, ...]] = field(default_factory=list)
    error: AlpacaRestError | None = None
    bad_row: bool = False

    def option_snapshots(self, symbols: Sequence[str], feed: str) -> dict[str, Any]:
        """Return a quote of each contract."""
        assert feed == "indicative"
        if self.error is not None:
            raise self.error
        self.looks.append(tuple(symbols))
        bid, at = float(len(self.looks)), self.clock.now().isoformat()
        rows: dict[str, Any] = {
            symbol: {"latestQuote": {"bp": bid, "ap": bid + 0.1, "bs": 1, "as": 1, "t": at}}
            for symbol in symbols
        }
        return rows | ({symbols[0]: {"latestQuote": "junk"}} if self.bad_row else {})

    def when_limited(self, _call: object) -> None:
        """Do nothing, because no request is ever limited."""

    def stop(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class PollingDesk:
    """A backfill of two contracts over a real cache; one contract does not stream."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.rest = PolledRest(self.clock)
        self.to_poll: tuple[str, ...] = (POLLED,)
        self.cache = LiveCache((), (STREAMED, POLLED))
        self.results = RestResults(self.cache, {}, None)
        wanted = Wanted(
            stocks=(),
            option_contracts=(STREAMED, POLLED),
            stock_feed="iex",
            options_feed="indicative",
            to_poll=lambda _stream: self.to_poll,
        )
        self.backfill = Backfill(
            self.rest,  # type: ignore[arg-type]
            wanted,
            want_fills=False,
            results=self.results,
            journal=Journal(self.clock.now),
            monotonic=lambda: self.clock.seconds,
        )

    def run_for(self, seconds: float) -> None:
        """Let time pass, fetching whatever falls due."""
        end = self.clock.seconds + seconds
        while True:
            wait = self.backfill.step(Host.DATA)
            if self.clock.seconds + wait > end:
                break
            self.clock.seconds += wait
        self.clock.seconds = end

    def bid(self, symbol: str) -> float | None:
        """Return the bid in the cache."""
        quote = self.cache.state.option_quotes[symbol]
        assert quote.from_rest
        return quote.bid_price

    @property
    def polling(self) -> Polling:
        """The polled options."""
        return self.results.polling[StreamName.OPTIONS]


@pytest.fixture
def desk() -> PollingDesk:
    """Return a backfill that has fetched nothing yet."""
    return PollingDesk()


@pytest.mark.parametrize(
    ("numbers", "seconds"),
    [((0, 0), 15.0), ((800, 30), 15.0), ((2500, 0), 15.0), ((2501, 0), 20.0), ((5000, 60), 35.0)],
)
def test_the_interval_follows_from_the_number_of_symbols(numbers: tuple[int, int], seconds: float) -> None:
    """The interval is at least 15 s, and uses half of the plan's requests of 100 symbols each."""
    assert choose_poll_seconds(numbers) == seconds
    calls = sum(-(-number // 100) for number in numbers)
    assert calls * 60 / seconds <= CALLS_PER_MINUTE


def test_only_what_does_not_stream_is_polled(desk: PollingDesk) -> None:
    """A streamed contract keeps its first quote; a polled one is updated every 15 s, with its true time."""
    desk.run_for(0)
    assert desk.rest.looks == [(STREAMED,), (POLLED,)]
    assert (desk.bid(STREAMED), desk.bid(POLLED)) == (1.0, 2.0)
    desk.run_for(31)
    assert desk.rest.looks[2:] == [(POLLED,), (POLLED,)]
    assert (desk.bid(STREAMED), desk.bid(POLLED)) == (1.0, 4.0)
    assert desk.cache.state.option_quotes[POLLED].timestamp == NOW + dt.timedelta(seconds=30)
    assert desk.polling == Polling(frozenset([POLLED]), 15.0, NOW + dt.timedelta(seconds=30))


def test_symbols_that_no_longer_stream_are_polled_at_once(desk: PollingDesk) -> None:
    """A symbol missing from an acknowledgement is polled at once."""
    desk.run_for(2)
    desk.to_poll = (STREAMED, POLLED)
    desk.backfill.request_quotes(StreamName.OPTIONS)
    desk.run_for(1)
    assert desk.rest.looks[-1] == (STREAMED, POLLED)
    assert desk.polling.symbols == {STREAMED, POLLED}


def test_what_will_be_polled_is_known_before_it_is_fetched(desk: PollingDesk) -> None:
    """A symbol counts as polled from the acknowledgement, and an older answer proves nothing."""
    desk.run_for(2)
    desk.to_poll = (STREAMED, POLLED)
    desk.backfill.request_quotes(StreamName.OPTIONS)
    assert desk.polling == Polling(frozenset([STREAMED, POLLED]), 15.0, None)
    desk.results.put_polled(StreamName.OPTIONS, [POLLED], NOW)
    assert desk.polling.answered_at is None


def test_an_answer_for_other_symbols_proves_nothing(desk: PollingDesk) -> None:
    """When the polled symbols change, the last answer does not count for the new ones."""
    desk.run_for(2)
    assert desk.polling.answered_at is not None
    desk.results.put_polling(StreamName.OPTIONS, [STREAMED], 15.0)
    assert desk.polling == Polling(frozenset([STREAMED]), 15.0, None)


def test_a_failed_or_partly_unreadable_answer_proves_nothing(desk: PollingDesk) -> None:
    """The time of the last complete answer stays, and a sentence reports the failure."""
    desk.run_for(2)
    desk.rest.error = AlpacaRestError("/v1beta1/options/snapshots", "no answer", status=503)
    desk.run_for(30)
    assert desk.polling.answered_at == NOW
    assert "no answer" in desk.cache.state.backfill["polled options"]
    desk.rest.error, desk.rest.bad_row = None, True
    desk.run_for(60)
    assert desk.polling.answered_at == NOW
    desk.rest.bad_row = False
    desk.run_for(30)
    assert desk.polling.answered_at is not None
    assert desk.polling.answered_at > NOW
    assert desk.cache.state.backfill["polled options"] == ""


def test_nothing_to_poll_makes_no_request(desk: PollingDesk) -> None:
    """If everything streams, the plan is checked once a minute."""
    desk.to_poll = ()
    desk.run_for(61)
    assert desk.rest.looks == [(STREAMED, POLLED), (STREAMED, POLLED)]
