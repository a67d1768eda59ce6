"""Later rounds of the background fetch request what no stream carries, and keep no silent feed alive."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from options_helper.market import StreamName
from tests.builders import CALL, NOW
from tests.data.streaming.backfill.conftest import BackfillDesk, refused
from tests.fakes import ADJUSTED, INDEX_CALL, QUOTE, SNAPSHOT


def test_later_rounds_refresh_what_no_stream_reports(desk: BackfillDesk) -> None:
    """Greeks, positions and indices are fetched every minute; multipliers and the calendar are not."""
    desk.round()
    desk.run_for(121)
    calls = desk.rest.calls
    assert (calls["options indicative"], calls["stocks iex"], calls["positions"], calls["fills"]) == (
        3,
        3,
        3,
        3,
    )
    assert (calls["indices"], calls["clock"], calls[f"contract {ADJUSTED}"]) == (9, 1, 1)
    desk.run_for(900)
    assert (calls["clock"], calls["calendar"], calls["account"]) == (2, 1, 18)


def test_rest_does_not_keep_a_silent_feed_alive(desk: BackfillDesk) -> None:
    """A symbol's quote and trade are published once; later fetches publish only what was still missing."""
    desk.round()
    desk.rest.options = {
        CALL: {**SNAPSHOT, "latestQuote": {**QUOTE, "t": "2026-11-20T15:00:59Z"}},
        ADJUSTED: {"latestQuote": QUOTE},
    }
    desk.run_for(61)
    assert [quote.symbol for quote in desk.sink.option_quotes] == [CALL, ADJUSTED]
    assert [trade.symbol for trade in desk.sink.option_trades] == [CALL]
    desk.backfill.request_quotes(StreamName.OPTIONS)
    desk.run_for(2)
    assert [quote.symbol for quote in desk.sink.option_quotes] == [CALL, ADJUSTED, CALL, ADJUSTED]
    assert [quote.symbol for quote in desk.sink.stock_quotes] == ["AAPL"], "that stream was not lost"


@pytest.mark.parametrize("stream", [StreamName.OPTIONS, StreamName.STOCKS])
def test_quotes_requested_during_a_fetch_are_published_by_the_next(
    desk: BackfillDesk, stream: StreamName
) -> None:
    """If the stream is acknowledged during the fetch, the quotes are published again by the next one."""
    route = f"{stream.removesuffix('s')}_snapshots"
    fetch = getattr(desk.rest, route)

    def interrupted(*arguments: Any) -> Any:
        setattr(desk.rest, route, fetch)
        snapshots = fetch(*arguments)
        desk.backfill.request_quotes(stream)
        return snapshots

    setattr(desk.rest, route, interrupted)
    desk.round()
    desk.run_for(3)
    reported = desk.sink.option_quotes if stream is StreamName.OPTIONS else desk.sink.stock_quotes
    assert len(reported) == 2
    desk.run_for(61)
    assert len(reported) == 2


def test_requested_quotes_are_published_even_if_the_first_try_fails(desk: BackfillDesk) -> None:
    """The request survives a failure of REST."""
    desk.round()
    desk.rest.failing["options indicative"] = refused("/v1beta1/options/snapshots", 500)
    desk.clock.seconds += 2
    desk.backfill.request_quotes(StreamName.OPTIONS)
    desk.round()
    desk.rest.failing.clear()
    desk.run_for(3)
    assert [quote.symbol for quote in desk.sink.option_quotes] == [CALL, CALL]


def test_quotes_are_complete_as_of_a_fetch_that_began_after_the_request(desk: BackfillDesk) -> None:
    """Later fetches publish only new symbols, and a failed or earlier one completes nothing."""
    desk.round()
    assert desk.sink.complete == {StreamName.OPTIONS: NOW, StreamName.STOCKS: NOW}
    desk.run_for(61)
    assert desk.sink.complete[StreamName.OPTIONS] == NOW
    desk.backfill.request_quotes(StreamName.OPTIONS)
    desk.rest.failing["options indicative"] = refused("/v1beta1/options/snapshots", 500)
    desk.round()
    assert desk.sink.complete[StreamName.OPTIONS] == NOW
    asked_at = desk.clock.now()
    desk.rest.failing.clear()
    desk.run_for(70)
    assert asked_at <= desk.sink.complete[StreamName.OPTIONS] <= asked_at + dt.timedelta(seconds=3)
    assert desk.sink.complete[StreamName.STOCKS] == NOW


@pytest.mark.parametrize("row", [7, {"latestQuote": {"bp": "?"}}, {"latestTrade": {"p": None}}])
def test_a_row_that_cannot_be_read_proves_nothing(desk: BackfillDesk, row: object) -> None:
    """A skipped row may be a change, so quotes are complete only once every row has been read."""
    desk.rest.options = {CALL: SNAPSHOT, ADJUSTED: row}
    desk.round()
    assert desk.sink.complete == {StreamName.STOCKS: NOW}
    assert [quote.symbol for quote in desk.sink.option_quotes] == [CALL]
    desk.rest.options = {CALL: SNAPSHOT, ADJUSTED: SNAPSHOT, INDEX_CALL: None}
    desk.run_for(61)
    assert desk.sink.complete[StreamName.OPTIONS] == NOW
    assert [quote.symbol for quote in desk.sink.option_quotes] == [CALL, ADJUSTED]


def test_a_row_that_could_not_be_stored_is_published_by_the_next_fetch(desk: BackfillDesk) -> None:
    """An error between reading and publishing leaves no symbol out."""
    put_trades = desk.sink.put_trades

    def broken(**_: object) -> None:
        desk.sink.put_trades = put_trades  # type: ignore[method-assign]
        raise KeyError

    desk.sink.put_trades = broken  # type: ignore[method-assign]
    desk.round()
    assert StreamName.OPTIONS not in desk.sink.complete
    desk.run_for(3)
    assert [trade.symbol for trade in desk.sink.option_trades] == [CALL]
    assert StreamName.OPTIONS in desk.sink.complete


def test_any_number_of_lost_messages_makes_one_request_per_interval(desk: BackfillDesk) -> None:
    """The next fetch is complete as of a time after the last loss, and publishes every symbol again."""
    desk.round()
    for _ in range(10):
        desk.run_for(1)
        desk.backfill.request_lost(StreamName.OPTIONS)
    lost_at = desk.clock.now()
    assert desk.rest.calls["options indicative"] == 1
    desk.run_for(6)
    assert desk.rest.calls["options indicative"] == 2
    assert desk.sink.complete[StreamName.OPTIONS] >= lost_at
    assert [quote.symbol for quote in desk.sink.option_quotes] == [CALL, CALL]
    desk.run_for(20)
    desk.backfill.request_lost(StreamName.OPTIONS)
    desk.round()
    assert desk.rest.calls["options indicative"] == 3, "the first loss for a while is looked at immediately"


def test_a_request_for_quotes_before_the_first_fetch_adds_none(desk: BackfillDesk) -> None:
    """An acknowledgement before the first fetch is served by that fetch."""
    desk.backfill.request_quotes(StreamName.OPTIONS)
    desk.round()
    desk.run_for(5)
    assert desk.rest.calls["options indicative"] == 1


def test_the_calendar_is_requested_again_on_another_day(desk: BackfillDesk) -> None:
    """After midnight in New York, the calendar of the new day is fetched."""
    desk.round()
    desk.clock.seconds = 20 * 3600
    desk.round()
    assert (desk.rest.calls["clock"], desk.rest.calls["calendar"]) == (2, 2)
