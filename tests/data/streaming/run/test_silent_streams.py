"""A stream that ticked and fell silent complains, unless silence is expected."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from options_helper.data.calendar.market_clock import Session
from options_helper.data.streaming.run.config import LiveStreamConfig
from options_helper.errors import StreamInterrupted
from options_helper.market import (
    Quote,
    StreamName,
)
from tests.data.streaming.run.run_desk import CONTRACTS, NOW, FakeCalendar, RunDesk, quotes_of


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
    desk.give(stream, "quotes", quotes_of(symbols, NOW))
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
    desk.give(StreamName.OPTIONS, "quotes", quotes_of(CONTRACTS, NOW))
    wait_until(lambda: len(desk.run.snapshot().option_quotes) == len(CONTRACTS))
    yield desk
    desk.run.stop(20)


def _reconnect_and_hear_from_rest(desk: RunDesk, wait_until: Any) -> None:
    """Lose the connection, reconnect, and publish newer quotes of every contract from REST."""
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
    """A connection that ticked until the close has 45 seconds after the opening before it is ended."""
    silent_desk.run.results.put_market(OpeningCalendar())
    silent_desk.pass_seconds(17 * 3600 + 44)
    assert silent_desk.run.workers[StreamName.OPTIONS].complaint() is None
    silent_desk.pass_seconds(1)
    assert silent_desk.run.workers[StreamName.OPTIONS].complaint() is not None


def test_without_a_calendar_silence_is_left_alone(desk, wait_until) -> None:
    """Without a calendar, a silent stream is not ended."""
    desk.give(StreamName.OPTIONS, "quotes", quotes_of(CONTRACTS, NOW))
    wait_until(lambda: len(desk.run.snapshot().option_quotes) == len(CONTRACTS))
    desk.pass_seconds(46)
    assert desk.run.workers[StreamName.OPTIONS].complaint() is None
