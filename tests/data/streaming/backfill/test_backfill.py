"""The background fetch: separate parts, retries, and no price that REST keeps alive artificially."""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from options_helper.data.calendar.alpaca_clock import AlpacaCalendar
from options_helper.data.calendar.market_clock import ExchangeCalendar
from options_helper.data.rest.http import Host
from options_helper.data.streaming.backfill.backfill import Backfill
from options_helper.data.streaming.backfill.prices import Wanted
from options_helper.data.streaming.backfill.rest_rows import (
    adjusted_contracts,
    indices_of,
    read_index_values,
    read_multiplier,
    read_positions,
    read_snapshots,
    read_splits,
)
from options_helper.data.streaming.backfill.schedule import Part, Schedule
from options_helper.errors import AlpacaRestError
from options_helper.market import (
    BrokerAccount,
    BrokerPosition,
    Dividend,
    Greeks,
    MarketPhase,
    PreviousClose,
    Quote,
    StreamName,
)
from options_helper.recording.journal import Journal
from tests.builders import CALL, NOW, make_fill, make_order
from tests.fakes import (
    ADJUSTED,
    INDEX_CALL,
    MIDNIGHT,
    QUOTE,
    SNAPSHOT,
    FakeClock,
    FakeRest,
    FakeResults,
    order_history,
)


class BackfillDesk:
    """A backfill with fake routes, a sink and a clock; stepped by the test, without its thread."""

    def __init__(self, **changes: Any) -> None:
        self.rest, self.sink, self.clock = FakeRest(), FakeResults(), FakeClock()
        want_fills = changes.pop("want_fills", True)
        symbols: dict[str, Any] = {
            "stocks": ("AAPL",),
            "option_contracts": (CALL, ADJUSTED, INDEX_CALL),
            "stock_feed": "iex",
            "options_feed": "indicative",
        }
        self.backfill = Backfill(
            self.rest,  # type: ignore[arg-type]
            Wanted(**symbols | changes),
            want_fills=want_fills,
            results=self.sink,
            journal=Journal(self.clock.now),
            monotonic=self.clock.monotonic,
            steps=self.clock.take_step,
        )

    def step(self) -> float:
        """Let both hosts fetch what is due."""
        return min([self.backfill.step(host) for host in Host])

    def round(self) -> float:
        """Fetch all that is due, and return the seconds until more is."""
        while (seconds := self.step()) == 0:
            pass
        return seconds

    def run_for(self, seconds: float) -> None:
        """Let time pass, fetching whatever falls due."""
        end = self.clock.seconds + seconds
        while (wait := self.round()) + self.clock.seconds <= end:
            self.clock.seconds += wait
        self.clock.seconds = end


@pytest.fixture
def desk() -> BackfillDesk:
    """A backfill that wants everything."""
    return BackfillDesk()


# The first round


def test_the_first_round_fetches_everything_once(desk: BackfillDesk) -> None:
    """Each part is fetched once, with the streams' feeds, and ends without a message."""
    desk.round()
    assert desk.rest.calls == Counter(
        [
            "clock",
            "calendar",
            "options indicative",
            "stocks iex",
            "indices",
            "orders all",
            "orders open",
            "fills",
            "activities",
            "positions",
            "account",
            "history",
            "activities",
            "splits",
            "dividends",
            "betas",
            "closes",
            f"contract {ADJUSTED}",
        ]
    )
    assert set(desk.sink.latest_words.values()) == {""}
    assert ("options", "fetching") in desk.sink.words


def test_first_quotes_carry_their_true_time(desk: BackfillDesk) -> None:
    """Quotes and trades from REST have their own times and are marked as REST's."""
    desk.round()
    at = dt.datetime(2026, 11, 20, 14, 59, 58, 500_000, tzinfo=dt.UTC)
    assert desk.sink.option_quotes == [Quote(CALL, 1.6, 1.65, 10.0, 7.0, at, NOW, from_rest=True)]
    assert [quote.symbol for quote in desk.sink.stock_quotes] == ["AAPL"]
    assert [(one.symbol, one.price, one.from_rest) for one in desk.sink.stock_trades] == [
        ("AAPL", 1.62, True),
        ("SPX", 7000.5, True),
    ]
    assert [one.symbol for one in desk.sink.option_trades] == [CALL]


@pytest.mark.parametrize("route", ["clock", "calendar"])
def test_without_alpacas_clock_the_library_gives_the_hours(desk: BackfillDesk, route: str) -> None:
    """Until Alpaca's clock and calendar answer, the library's sessions are used."""
    desk.rest.failing = {route: refused(f"/v2/{route}", 503)}
    desk.round()
    assert [type(calendar) for calendar in desk.sink.calendars] == [ExchangeCalendar]
    assert desk.sink.calendars[0].phase_and_end(NOW) == (
        MarketPhase.OPEN,
        dt.datetime(2026, 11, 20, 21, 0, tzinfo=dt.UTC),
    )
    desk.rest.failing = {}
    desk.run_for(10)
    assert type(desk.sink.calendars[-1]) is AlpacaCalendar
    desk.rest.failing = {route: refused(f"/v2/{route}", 503)}
    desk.run_for(1800)
    assert type(desk.sink.calendars[-1]) is AlpacaCalendar


def test_a_calendar_that_cannot_be_read_is_asked_for_again(desk: BackfillDesk) -> None:
    """A malformed answer costs one attempt, not the day."""
    calendar = desk.rest.calendar
    desk.rest.calendar = lambda _start, _end: [{"date": "today"}]  # type: ignore[method-assign]
    desk.round()
    assert "calendar's answer is unusable" in desk.sink.latest_words["market"]
    desk.rest.calendar = calendar  # type: ignore[method-assign]
    desk.run_for(3)
    assert desk.sink.latest_words["market"] == ""
    assert type(desk.sink.calendars[-1]) is AlpacaCalendar


def test_a_stop_is_no_reason_for_another_calendar(desk: BackfillDesk) -> None:
    """A request that ends because of Stop does not import the library, which would take a second."""
    desk.rest.failing = {"clock": refused("/v2/clock", None)}
    desk.backfill.stop()
    desk.backfill.step(Host.TRADING)
    assert desk.rest.calls["clock"] == 1
    assert desk.sink.calendars == []


def test_this_computers_clock_is_compared_with_alpacas(desk: BackfillDesk) -> None:
    """The clock's answer shows by how much this computer's clock is ahead."""
    desk.round()
    assert desk.sink.clock_offsets == [0.0]
    ahead = BackfillDesk()
    ahead.clock.seconds = 75.0
    ahead.round()
    assert ahead.sink.clock_offsets == [75.0]


def test_reference_data_come_as_records(desk: BackfillDesk) -> None:
    """Greeks, closes, positions, multipliers and the masked account arrive as the market's records."""
    desk.round()
    known = desk.sink.reference
    assert known["greeks"][CALL] == Greeks(
        0.5, 0.02, -0.1, 0.3, 0.1, 0.31, dt.datetime(2026, 11, 20, 14, 59, 58, 500_000, tzinfo=dt.UTC)
    )
    assert known["previous_closes"] == {"AAPL": PreviousClose(1.5, dt.date(2026, 11, 19))}
    assert known["broker_positions"] == {CALL: BrokerPosition(CALL, -2.0, 1.6, None)}
    assert known["multipliers"] == {ADJUSTED: 150.0}
    assert known["account"] == "PA…12"
    assert known["broker"] == BrokerAccount(equity=1050.5, last_equity=1000.0, as_of=NOW)
    assert known["broker_positions_at"] == NOW
    assert [(split.symbol, split.words) for split in known["splits"]] == [("AAPL", "4:1")]
    assert known["betas"].values == pytest.approx({"SPY": 1.0, "AAPL": 2.0})
    assert known["daily_closes"] == {"AAPL": {dt.date(2026, 11, 19): 101.5}}
    assert known["dividends"] == (
        Dividend(symbol="AAPL", amount=Decimal("0.26"), ex_date=dt.date(2026, 12, 11)),
    )
    assert [one.phase(NOW) for one in desk.sink.calendars] == [MarketPhase.OPEN]


def test_the_accounts_last_days_are_read_once_and_then_looked_at_again(desk: BackfillDesk) -> None:
    """The first fetch reads 30 days, later ones the last day; a repeated activity is kept once."""
    event = {"activity_type": "OPASN", "id": "e1", "date": "2026-11-12", "symbol": CALL, "qty": "1"}
    desk.rest.fills = [make_fill(1), make_fill(2), event]
    desk.round()
    desk.run_for(61)
    assert desk.rest.calls["history"] == 2
    history = desk.sink.reference["broker_history"]
    assert history.since == dt.date(2026, 10, 21)
    assert [fill.activity_id for fill in history.fills] == ["a00001", "a00002"]
    assert [(one.kind, one.symbol, one.quantity) for one in history.events] == [("opasn", CALL, 1)]


def test_only_what_is_wanted_is_fetched() -> None:
    """Without stocks, contracts or fills, their routes are not requested."""
    desk = BackfillDesk(stocks=(), option_contracts=(), want_fills=False)
    desk.round()
    assert set(desk.rest.calls) == {"clock", "calendar", "positions", "account", "history", "activities"}
    desk.backfill.request_fills()
    desk.round()
    assert "fills" not in desk.rest.calls


# Later rounds


def test_later_rounds_refresh_what_no_stream_carries(desk: BackfillDesk) -> None:
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
    """A symbol's quote and trade are published once; later fetches publish only those without any."""
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
    told = desk.sink.option_quotes if stream is StreamName.OPTIONS else desk.sink.stock_quotes
    assert len(told) == 2
    desk.run_for(61)
    assert len(told) == 2


def test_requested_quotes_are_published_though_the_first_try_fails(desk: BackfillDesk) -> None:
    """The request survives a failure of REST."""
    desk.round()
    desk.rest.failing["options indicative"] = refused("/v1beta1/options/snapshots", 500)
    desk.clock.seconds += 2
    desk.backfill.request_quotes(StreamName.OPTIONS)
    desk.round()
    desk.rest.failing.clear()
    desk.run_for(3)
    assert [quote.symbol for quote in desk.sink.option_quotes] == [CALL, CALL]


def test_quotes_are_complete_as_of_a_look_that_began_after_they_were_asked_for(desk: BackfillDesk) -> None:
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


def test_however_many_messages_are_lost_rest_is_asked_once_per_interval(desk: BackfillDesk) -> None:
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


def test_a_request_for_quotes_before_the_first_look_costs_no_second_one(desk: BackfillDesk) -> None:
    """An acknowledgement before the first fetch is served by that fetch."""
    desk.backfill.request_quotes(StreamName.OPTIONS)
    desk.round()
    desk.run_for(5)
    assert desk.rest.calls["options indicative"] == 1


def test_the_calendar_is_asked_again_on_another_day(desk: BackfillDesk) -> None:
    """After midnight in New York, the calendar of the new day is fetched."""
    desk.round()
    desk.clock.seconds = 20 * 3600
    desk.round()
    assert (desk.rest.calls["clock"], desk.rest.calls["calendar"]) == (2, 2)


# Executions and orders


def test_a_look_confirms_up_to_what_rest_had_settled(desk: BackfillDesk) -> None:
    """Executions and orders are published in full, but the latest seconds are not confirmed."""
    desk.rest.fills = [make_fill(number) for number in range(5)]
    desk.rest.todays_orders = [make_order("o1")]
    desk.round()
    fills, orders, until = desk.sink.history[-1]
    assert [row["activity_id"] for row in fills] == [f"a{number:05}" for number in range(5)]
    assert [row["order_id"] for row in orders] == ["o1"]
    assert until == NOW - dt.timedelta(seconds=2)
    assert ("fills", "fetching today's fills, 4 so far") in desk.sink.words


def test_a_request_looks_at_once_and_again_when_rest_has_settled(desk: BackfillDesk) -> None:
    """After an acknowledgement, one fetch publishes what is known, and a second one confirms it."""
    desk.round()
    desk.run_for(10)
    desk.backfill.request_fills()
    asked_at = desk.clock.now()
    desk.run_for(5)
    assert desk.rest.calls["fills"] == 3
    assert desk.sink.history[-2][2] < asked_at <= desk.sink.history[-1][2]


def test_requests_that_come_together_are_one(desk: BackfillDesk) -> None:
    """A flapping stream does not cause a fetch each time; they are at least a second apart."""
    desk.round()
    for _ in range(50):
        desk.backfill.request_fills()
    desk.round()
    desk.run_for(0.9)
    assert desk.rest.calls["fills"] == 1
    desk.run_for(0.2)
    assert desk.rest.calls["fills"] == 2


def test_a_request_during_a_look_is_not_forgotten(desk: BackfillDesk) -> None:
    """An acknowledgement during a fetch causes another fetch."""
    pages = desk.rest.fill_pages

    def interrupted(after: dt.datetime) -> Iterator[list[Any]]:
        if desk.rest.calls["fills"] == 0:
            desk.backfill.request_fills()
        yield from pages(after)

    desk.rest.fill_pages = interrupted  # type: ignore[method-assign]
    desk.round()
    desk.run_for(1.5)
    assert desk.rest.calls["fills"] == 2


def test_a_later_look_takes_only_what_may_be_new(desk: BackfillDesk) -> None:
    """The first fetch begins at midnight in New York, later ones five minutes before the newest execution."""
    desk.rest.fills = [make_fill(number) for number in range(5)]
    desk.round()
    desk.rest.fills = [make_fill(number) for number in range(2, 7)]
    desk.run_for(61)
    assert desk.rest.asked_after == [
        MIDNIGHT,
        dt.datetime.fromisoformat(make_fill(4)["transaction_time"]) - dt.timedelta(minutes=5),
    ]
    assert len(desk.sink.history[-1][0]) == 7


def test_an_unreadable_row_costs_only_itself() -> None:
    """Rows of another kind or day are skipped, and unreadable ones are counted."""
    rest = FakeRest()
    rest.fills = [
        make_fill(0),
        "junk",
        make_fill(1, cum_qty=None),
        make_fill(2, transaction_time="2026-11-19T20:00:00Z"),
    ]
    rest.todays_orders = [make_order("o1"), {"id": None}, 7]
    history = order_history(rest)
    history.update(NOW)
    assert [row["activity_id"] for row in history.fills] == ["a00000"]
    assert [row["order_id"] for row in history.orders] == ["o1"]
    assert history.unreadable.count == 4


def test_orders_of_earlier_days_are_found_too() -> None:
    """Open orders from before today, and filled ones in no list, are fetched one by one if needed."""
    rest = FakeRest()
    before = {"submitted_at": "2026-11-18T15:00:00Z", "updated_at": "2026-11-18T15:00:00Z"}
    rest.open_orders = [make_order("old", **before)]
    rest.fills = [make_fill(0, order_id="gtc"), make_fill(1, order_id="lost"), make_fill(2, order_id="leg")]
    rest.todays_orders = [make_order("spread", legs=[make_order("leg")])]
    rest.single = {"gtc": make_order("gtc", status="filled", **before)}
    history = order_history(rest)
    history.update(NOW)
    assert {row["order_id"] for row in history.orders} == {"old", "gtc", "spread"}
    assert (rest.calls["order gtc"], rest.calls["order lost"], rest.calls["order leg"]) == (1, 1, 0)
    rest.open_orders, rest.single["old"] = [], make_order("old", status="canceled", **before)
    history.update(NOW)
    assert {row["order_id"]: row["status"] for row in history.orders}["old"] == "canceled"
    history.update(NOW)
    assert (rest.calls["order old"], rest.calls["order lost"]) == (1, 1)


def test_a_new_day_begins_with_nothing() -> None:
    """When the New York date changes, yesterday's executions and orders are dropped."""
    rest = FakeRest()
    rest.fills, rest.todays_orders = [make_fill(0)], [make_order("o1")]
    rest.single = {"o1": make_order("o1")}
    history = order_history(rest)
    history.update(NOW)
    rest.fills, rest.todays_orders = [], []
    history.update(NOW + dt.timedelta(days=1))
    assert (history.fills, history.orders) == ([], [])
    assert rest.asked_after == [MIDNIGHT, MIDNIGHT + dt.timedelta(days=1)]


def test_a_fetch_that_midnight_overtakes_is_not_published(desk: BackfillDesk) -> None:
    """A fetch during which midnight passes has the day before's results, so the next begins at once."""
    desk.clock.seconds = (MIDNIGHT + dt.timedelta(days=1) - NOW).total_seconds() - 1
    pages = desk.rest.fill_pages

    def slow(after: dt.datetime) -> Iterator[list[Any]]:
        desk.clock.seconds += 2
        desk.rest.fill_pages = pages  # type: ignore[method-assign]
        yield [make_fill(0)]

    desk.rest.fill_pages = slow  # type: ignore[method-assign]
    desk.round()
    assert [fills for fills, _orders, _until in desk.sink.history] == [[]]


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_refusal_of_one_order_does_not_cost_the_others(status: int) -> None:
    """An order that is refused is left out for the day, and the fetch is complete without it."""
    rest = FakeRest()
    rest.fills = [make_fill(0, order_id="odd")]
    rest.todays_orders = [make_order("o1")]
    rest.failing = {"order odd": refused("/v2/orders/odd", status)}
    history = order_history(rest)
    for _ in range(2):
        history.update(NOW)
    assert [row["order_id"] for row in history.orders] == ["o1"]
    assert [row["order_id"] for row in history.fills] == ["odd"]
    assert rest.calls["order odd"] == 1


@pytest.mark.parametrize("status", [408, 401, 403, 429, None])
def test_a_refusal_of_the_account_is_not_taken_for_an_odd_order(status: int | None) -> None:
    """A refused key or plan, a limit or a slow server does not exclude the order."""
    rest = FakeRest()
    rest.fills = [make_fill(0, order_id="gtc")]
    rest.single = {"gtc": make_order("gtc")}
    rest.failing = {"order gtc": refused("/v2/orders/gtc", status)}
    history = order_history(rest)
    with pytest.raises(AlpacaRestError):
        history.update(NOW)
    rest.failing = {}
    history.update(NOW)
    assert [row["order_id"] for row in history.orders] == ["gtc"]


def test_a_failing_single_order_fails_the_look() -> None:
    """An order that cannot be fetched for another reason leaves the fetch unconfirmed."""
    rest = FakeRest()
    rest.fills = [make_fill(0, order_id="gtc")]
    rest.failing = {"order gtc": AlpacaRestError("/v2/orders/gtc", "the server failed (500)", status=500)}
    with pytest.raises(AlpacaRestError, match="500"):
        order_history(rest).update(NOW)


# Failures


def refused(path: str, status: int | None) -> AlpacaRestError:
    """An error of one route."""
    return AlpacaRestError(path, "no", status=status)


def test_a_refused_key_of_the_account_leaves_market_data_alone(desk: BackfillDesk) -> None:
    """A refused trading host is requested every five minutes, and quotes and Greeks continue."""
    error = refused("/v2/clock", 401)
    desk.rest.failing = dict.fromkeys(
        ["clock", "orders all", "positions", "account", f"contract {ADJUSTED}"], error
    )
    desk.round()
    assert desk.sink.option_quotes
    desk.run_for(299)
    assert (desk.rest.calls["clock"], desk.rest.calls["orders all"], desk.rest.calls["positions"]) == (
        1,
        0,
        0,
    )
    assert desk.rest.calls["options indicative"] == 5
    words = desk.sink.latest_words
    assert words["fills"] == words["market"] == "GET /v2/clock: no. Trying again in 300 s."
    assert words["options"] == words["stocks"] == ""


def test_a_failing_part_is_tried_again_until_it_succeeds(desk: BackfillDesk) -> None:
    """Waits grow to half a minute, a sentence gives the reason and the time, and success removes it."""
    desk.rest.failing["options indicative"] = refused("/v1beta1/options/snapshots", 500)
    desk.round()
    assert desk.sink.latest_words["options"] == "GET /v1beta1/options/snapshots: no. Trying again in 2 s."
    desk.run_for(200)
    calls = desk.rest.calls["options indicative"]
    assert 9 <= calls <= 13
    assert desk.sink.latest_words["options"].endswith("Trying again in 30 s.")
    assert desk.sink.latest_words["stocks"] == ""
    desk.rest.failing.clear()
    desk.run_for(61)
    assert desk.sink.latest_words["options"] == ""
    assert desk.sink.option_quotes


def test_a_wait_for_the_limit_is_said_while_it_lasts(desk: BackfillDesk) -> None:
    """While a part waits for the limit, a sentence says for how long."""
    desk.round()
    desk.rest.limits["orders all"] = 52.0
    desk.sink.words.clear()
    desk.backfill.request_fills()
    desk.clock.seconds += 1
    desk.round()
    told = [words for part, words in desk.sink.words if part == "fills"]
    assert told == ["GET /orders all: too many requests (429). Waiting 52 s.", ""]


def test_what_waits_behind_the_limit_says_so_too() -> None:
    """Executions that wait behind another part on the same host have the same reason."""
    desk = BackfillDesk()
    desk.rest.limits["clock"] = 9.0
    desk.backfill.request_fills()
    desk.round()
    told = {part: words for part, words in desk.sink.words if "Waiting 9 s" in words}
    assert set(told) == {"market", "fills"}
    assert desk.sink.latest_words["fills"] == ""


def test_one_hanging_route_does_not_hold_back_executions(desk: BackfillDesk) -> None:
    """A route without an answer delays only itself if its host answers others."""
    desk.round()
    desk.rest.failing = {"positions": refused("/v2/positions", None)}
    desk.run_for(61)
    looks = desk.rest.calls["fills"]
    desk.backfill.request_fills()
    desk.run_for(3.1)
    assert desk.rest.calls["fills"] == looks + 2
    assert desk.sink.latest_words["fills"] == ""
    assert "Trying again" in desk.sink.latest_words["positions"]


def test_executions_that_were_asked_for_are_tried_though_the_host_seems_away(desk: BackfillDesk) -> None:
    """A request after an acknowledgement does not wait for another part's backoff."""
    routes = ["clock", "orders all", "positions", "account", f"contract {ADJUSTED}"]
    desk.rest.failing = {route: refused(route, None) for route in routes}
    desk.round()
    desk.run_for(200)
    looks, others = desk.rest.calls["orders all"], desk.rest.calls["positions"]
    assert desk.sink.latest_words["fills"].endswith("Trying again in 30 s.")
    desk.rest.failing = {}
    desk.backfill.request_fills()
    desk.round()
    assert (desk.rest.calls["orders all"], desk.rest.calls["positions"]) == (looks + 1, others)
    assert desk.sink.latest_words["fills"] == ""


def test_what_is_asked_for_just_as_its_host_seems_away_is_not_held_back() -> None:
    """A request between a part's failure and the postponement of the others is kept."""
    clock, looks = FakeClock(), []

    def away() -> None:
        raise AlpacaRestError("/v2/clock", "no answer")

    market = Part("market", away)
    schedule = Schedule(
        [market, Part("fills", lambda: looks.append(clock.seconds))],
        lambda _name, _words: None,
        monotonic=clock.monotonic,
        is_stopped=lambda: False,
    )
    lock = schedule._lock

    class OvertakenLock:
        """A lock that a request for executions gets first, once the failed part waits for its next try."""

        def __enter__(self) -> None:
            if 0 < market.due < float("inf"):
                schedule._lock = lock
                schedule.ask("fills", 1.0)
            lock.acquire()

        def __exit__(self, *_: object) -> None:
            lock.release()

    schedule._lock = OvertakenLock()  # type: ignore[assignment]
    schedule.step()
    assert schedule._lock is lock
    schedule.step()
    assert looks == [0.0]


def test_an_answer_that_nobody_foresaw_costs_its_own_part_only(
    desk: BackfillDesk, caplog: pytest.LogCaptureFixture
) -> None:
    """Only that part fails and is retried with growing waits; the error is logged once."""
    desk.rest.options = [CALL]  # type: ignore[assignment]
    desk.round()
    words = desk.sink.latest_words
    assert words["options"] == "the answer could not be used (AttributeError). Trying again in 2 s."
    assert {part for part, said in words.items() if said} == {"options"}
    desk.run_for(200)
    assert 9 <= desk.rest.calls["options indicative"] <= 13
    assert caplog.text.count("The background fetch of options raised AttributeError") == 1
    desk.rest.options = {CALL: SNAPSHOT}
    desk.run_for(61)
    assert desk.sink.latest_words["options"] == ""
    assert desk.sink.option_quotes


def test_what_breaks_because_of_stop_is_not_reported(desk: BackfillDesk) -> None:
    """A client closed during a part leaves no failure in its words."""

    def closed() -> dict[str, Any]:
        desk.backfill.stop()
        raise RuntimeError

    desk.rest.clock = closed  # type: ignore[method-assign]
    desk.backfill.step(Host.TRADING)
    assert desk.sink.words == [("market", "fetching")]


def test_an_unconfirmed_look_is_not_called_confirmed(desk: BackfillDesk) -> None:
    """A fetch that fails half-way publishes no history, and the next complete one does."""
    desk.rest.failing["fills"] = refused("/v2/account/activities", 503)
    desk.round()
    assert desk.sink.history == []
    desk.rest.failing.clear()
    desk.run_for(3)
    assert len(desk.sink.history) == 1


def test_multipliers_found_are_not_asked_again() -> None:
    """A failure keeps the multipliers found so far; an unknown contract has none."""
    other, unknown = "CSGP1261218C01000000", "ABC2261218C00010000"
    desk = BackfillDesk(option_contracts=(ADJUSTED, other, unknown))
    desk.rest.failing = {
        f"contract {other}": refused("/v2/options/contracts", 500),
        f"contract {unknown}": refused("/v2/options/contracts", 404),
    }
    desk.round()
    assert "multipliers" not in desk.sink.reference
    del desk.rest.failing[f"contract {other}"]
    desk.run_for(3)
    assert desk.sink.reference["multipliers"] == {ADJUSTED: 150.0, other: 150.0}
    assert desk.rest.calls[f"contract {ADJUSTED}"] == 1


def test_unreadable_quotes_are_logged(desk: BackfillDesk, caplog: pytest.LogCaptureFixture) -> None:
    """The log has the number of rows in a snapshot that could not be read."""
    desk.rest.options = {CALL: SNAPSHOT, ADJUSTED: 7}
    desk.round()
    assert "Skipped 1 quotes or trades from REST" in caplog.text


def test_an_account_without_a_number_is_not_named(desk: BackfillDesk) -> None:
    """An account row without its number changes nothing."""
    desk.rest.account = dict  # type: ignore[method-assign,assignment]
    desk.round()
    assert "account" not in desk.sink.reference


# Outages and clocks


@pytest.mark.parametrize("minutes", [6, 9])
def test_after_minutes_without_rest_executions_are_complete_within_a_minute(
    desk: BackfillDesk, minutes: int
) -> None:
    """After minutes without any answer, all parts succeed within a minute."""
    desk.round()
    routes = ["clock", "orders all", "positions", "account", "options indicative", "stocks iex", "indices"]
    desk.rest.failing = {route: refused(route, None) for route in routes}
    desk.run_for(minutes * 60)
    confirmed = len(desk.sink.history)
    assert "Trying again" in desk.sink.latest_words["fills"]
    desk.rest.failing = {}
    desk.rest.fills = [make_fill(0)]
    end = desk.clock.now()
    desk.run_for(60)
    assert set(desk.sink.latest_words.values()) == {""}
    assert len(desk.sink.history) > confirmed
    assert desk.sink.history[-1][2] >= end, "everything up to the end of the outage is confirmed"
    assert [row["activity_id"] for row in desk.sink.history[-1][0]] == ["a00000"]


@pytest.mark.parametrize("seconds", [3600.0, -2.0])
def test_alpacas_clock_is_asked_again_when_this_one_is_set(desk: BackfillDesk, seconds: float) -> None:
    """If the computer's clock is set, Alpaca's clock is requested at once."""
    desk.round()
    desk.run_for(60)
    assert desk.rest.calls["clock"] == 1
    desk.clock.stepped = seconds
    desk.round()
    assert desk.rest.calls["clock"] == 2
    desk.run_for(60)
    assert desk.rest.calls["clock"] == 2


def test_a_clock_that_is_set_again_and_again_is_measured_each_time(desk: BackfillDesk) -> None:
    """Each change of the clock is noticed at once, and the last offset counts."""
    answer = desk.rest.clock

    def exact() -> dict[str, Any]:
        return {**answer(), "timestamp": (NOW + dt.timedelta(seconds=desk.clock.seconds)).isoformat()}

    desk.rest.clock = exact  # type: ignore[method-assign]
    desk.round()
    ahead = 0.0
    steps = (90.0, -3_600.0, 7_200.0, -2_400.0, 86_400.0, -86_400.0, -1_290.0)
    for number, step in enumerate(steps, 2):
        ahead += step
        desk.clock.stepped = step
        desk.clock.ahead = ahead
        desk.run_for(20)
        assert desk.rest.calls["clock"] == number
        assert desk.sink.clock_offsets[-1] == pytest.approx(ahead)
    assert ahead == 0, "in the end it is right again"
    desk.run_for(60)
    assert desk.rest.calls["clock"] == len(steps) + 1


def test_a_hanging_trading_host_does_not_hold_back_quotes(
    desk: BackfillDesk, wait_until: Callable[..., None]
) -> None:
    """While one host's thread hangs, the other host's parts are fetched."""
    leave = threading.Event()

    def hanging() -> dict[str, Any]:
        leave.wait(10)
        raise AlpacaRestError("/v2/clock", "stopped")

    desk.rest.clock = hanging  # type: ignore[method-assign]
    desk.backfill.start()
    wait_until(lambda: desk.sink.option_quotes and desk.sink.stock_quotes)
    assert desk.rest.calls["orders all"] == 0
    desk.backfill.stop()
    leave.set()
    desk.backfill.join(5)


# The thread


def test_the_thread_fetches_and_ends_on_stop(desk: BackfillDesk, wait_until: Callable[..., None]) -> None:
    """The thread fetches a first round and then sleeps; Stop ends it at once and closes the client."""
    desk.backfill.start()
    wait_until(lambda: desk.rest.calls[f"contract {ADJUSTED}"])
    desk.clock.seconds += 5
    desk.backfill.request_fills()
    wait_until(lambda: desk.rest.calls["fills"] == 2)
    desk.backfill.stop()
    desk.backfill.stop()
    desk.backfill.join(5)
    assert desk.rest.stopped
    assert desk.rest.closed


def test_stop_before_start_is_legal(desk: BackfillDesk) -> None:
    """A backfill that was never started closes its client when joined."""
    desk.backfill.stop()
    desk.backfill.join(1)
    assert desk.rest.closed


def test_what_fails_because_of_stop_is_not_reported(
    desk: BackfillDesk, wait_until: Callable[..., None]
) -> None:
    """A request that Stop interrupts leaves no failure in the part's words."""
    entered, leave = threading.Event(), threading.Event()

    def hanging() -> dict[str, Any]:
        entered.set()
        leave.wait(5)
        raise AlpacaRestError("/v2/clock", "stopped")

    desk.rest.clock = hanging  # type: ignore[method-assign]
    desk.rest.stop = leave.set  # type: ignore[method-assign]
    desk.backfill.start()
    wait_until(entered.is_set)
    desk.backfill.stop()
    desk.backfill.join(5)
    assert {words for _part, words in desk.sink.words} <= {"fetching", ""}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_end_that_nobody_asked_for_is_said(desk: BackfillDesk) -> None:
    """If the thread dies of a defect, every part says so."""

    def broken(_host: Host) -> float:
        raise RuntimeError

    desk.backfill.step = broken  # type: ignore[method-assign]
    desk.backfill.start()
    desk.backfill.join(5)
    assert all("ended unexpectedly" in words for words in desk.sink.latest_words.values())
    assert desk.rest.closed


def test_a_schedule_with_nothing_left_sleeps() -> None:
    """A part that is never due again is not run."""
    schedule = Schedule(
        [Part("once", lambda: None)],
        lambda _name, _words: None,
        monotonic=lambda: 0.0,
        is_stopped=lambda: False,
    )
    assert schedule.step() == 0.0
    assert schedule.step() == float("inf")
    assert schedule.has_succeeded("once")


# Rows


def test_the_previous_close_is_the_newest_before_the_trading_date() -> None:
    """Before the day's first trade, it is `dailyBar`'s close, and later `prevDailyBar`'s."""

    def close(**bars: object) -> PreviousClose | None:
        rows = read_snapshots({CALL: bars}, received_at=NOW, trading_date=dt.date(2026, 11, 20))
        return rows.previous_closes.get(CALL)

    today = {"c": 1.6, "t": "2026-11-20T05:00:00Z"}
    yesterday = {"c": 1.5, "t": "2026-11-19T05:00:00Z"}
    older = {"c": 1.4, "t": "2026-11-18T05:00:00Z"}
    assert close(dailyBar=today, prevDailyBar=yesterday) == PreviousClose(1.5, dt.date(2026, 11, 19))
    assert close(dailyBar=yesterday, prevDailyBar=older) == PreviousClose(1.5, dt.date(2026, 11, 19))
    assert close(dailyBar=today) is None
    assert close(dailyBar={"c": 0, "t": "2026-11-19T05:00:00Z"}, prevDailyBar="junk") is None
    assert close(dailyBar={"c": 1.5}) is None


def test_the_closing_quote_is_known_until_the_days_first_quote() -> None:
    """The close has the closing quote's middle, or is only that without a trade; a stock's close has none."""
    quote = {"bp": 1.4, "ap": 1.8, "bs": 1, "as": 1, "t": "2026-11-19T20:59:58Z"}
    bar = {"c": 1.5, "n": 4, "t": "2026-11-19T05:00:00Z"}
    day = dt.date(2026, 11, 19)

    def close(symbol: str = CALL, *, date: dt.date = day, **parts: object) -> PreviousClose | None:
        asked = {"received_at": NOW, "trading_date": dt.date(2026, 11, 20), "previous_date": date}
        return read_snapshots({symbol: parts}, **asked).previous_closes.get(symbol)

    assert close(latestQuote=quote, dailyBar=bar) == PreviousClose(1.5, day, 4, mid=pytest.approx(1.6))
    assert close(latestQuote=quote) == PreviousClose(pytest.approx(1.6), day, 0, mid=pytest.approx(1.6))
    assert close("AAPL", latestQuote=quote, dailyBar=bar) == PreviousClose(1.5, day, 4)
    assert close(latestQuote=quote | {"t": "2026-11-20T14:31:00Z"}, dailyBar=bar) == PreviousClose(
        1.5, day, 4
    )
    assert close(latestQuote=quote | {"bp": 1.9}, dailyBar=bar) == PreviousClose(1.5, day, 4)
    assert close(latestQuote=quote, date=dt.date(2026, 11, 18)) is None


@pytest.mark.parametrize("junk", [None, 7, "text", []])
def test_junk_snapshots_are_skipped_and_counted(junk: object) -> None:
    """A snapshot that is not a mapping or has unreadable parts affects only itself."""
    bad_parts = {"latestQuote": {"bp": "x", "ap": None}, "latestTrade": {"p": -1}, "greeks": junk}
    rows = read_snapshots(
        {"A": junk, "B": bad_parts, CALL: SNAPSHOT}, received_at=NOW, trading_date=dt.date(2026, 11, 20)
    )
    assert [quote.symbol for quote in rows.quotes] == [CALL]
    assert list(rows.greeks) == [CALL]
    assert rows.skipped == 3


def test_greeks_without_a_quote_have_the_time_of_receipt() -> None:
    """Implied volatility alone is enough; without a quote's time, the time of receipt is used."""
    rows = read_snapshots(
        {CALL: {"impliedVolatility": 0.3, "greeks": {"delta": "x"}}},
        received_at=NOW,
        trading_date=dt.date(2026, 11, 20),
    )
    assert rows.greeks == {CALL: Greeks(implied_volatility=0.3, timestamp=NOW)}


@pytest.mark.parametrize("part", ["latestQuote", "latestTrade"])
def test_the_zero_time_of_alpacas_servers_is_no_row(part: str) -> None:
    """A trade of the year 1 means no trade, and is neither read nor counted."""
    nothing = {"t": "0001-01-01T00:00:00Z", "p": 0, "s": 0, "bp": 0, "ap": 0, "bs": 0, "as": 0}
    rows = read_snapshots(
        {CALL: {**SNAPSHOT, part: nothing}}, received_at=NOW, trading_date=dt.date(2026, 11, 20)
    )
    assert rows.skipped == 0
    assert len(rows.quotes if part == "latestQuote" else rows.trades) == 0


ZEROS = {"delta": 0, "gamma": 0, "theta": 0, "vega": 0, "rho": 0}


@pytest.mark.parametrize(
    ("snapshot", "known"),
    [
        ({"greeks": ZEROS}, False),
        ({"greeks": {**ZEROS, "rho": None}, "impliedVolatility": None}, False),
        ({"greeks": ZEROS, "impliedVolatility": 0}, False),
        ({"greeks": dict.fromkeys(ZEROS, -0.0), "impliedVolatility": 0.0}, False),
        ({"impliedVolatility": 0}, False),
        ({"greeks": ZEROS, "impliedVolatility": 0.0001}, True),
        ({"greeks": {**ZEROS, "delta": 1}}, True),
    ],
)
def test_zeros_without_a_volatility_are_no_greeks(snapshot: dict[str, Any], known: bool) -> None:
    """The vendor sends five zeros for a contract that it cannot compute; they count as unknown."""
    rows = read_snapshots({CALL: snapshot}, received_at=NOW, trading_date=dt.date(2026, 11, 20))
    assert (CALL in rows.greeks) is known


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"symbol": "AAPL", "new_rate": 4, "old_rate": 1}, ["AAPL 4:1"]),
        ({"symbol": "AAPL", "new_rate": "1", "old_rate": "20"}, ["AAPL 1:20"]),
        ({"symbol": "AAPL", "rate": 0.05}, ["AAPL 1.05:1"]),
        ({"source_symbol": "GE", "source_rate": 4, "new_symbol": "GEV", "new_rate": 1}, ["GE 1:1"]),
        ({"source_symbol": "GE", "new_symbol": "GE.RT", "rate": 0.25}, ["GE 1:1"]),
        (
            {"old_symbol": "XYZ.U", "old_rate": 1, "new_symbol": "XYZ", "new_rate": 1, "alternate_rate": 0.5},
            ["XYZ.U 1:1"],
        ),
        ({"symbol": "AAPL", "new_rate": 0, "old_rate": 1}, []),
        ({"symbol": "AAPL", "new_rate": 4}, []),
        ({"symbol": None, "rate": 0.05}, []),
    ],
)
def test_what_moves_a_price_like_a_split_is_read(row: dict[str, Any], words: list[str]) -> None:
    """Splits in both directions, stock dividends and spin-offs are read."""
    date = "effective_date" if "old_symbol" in row else "ex_date"
    found = read_splits([{**row, date: "2026-11-20"}, None, {**row, date: None}])
    assert [f"{one.symbol} {one.words}" for one in found] == words


def test_positions_multipliers_and_values_of_odd_forms() -> None:
    """Quantities are signed by the side, unreadable rows are left out, and size is not a multiplier."""
    rows = [
        {"symbol": "A", "qty": "3", "side": "short", "market_value": "-30"},
        {"symbol": "B", "qty": "2.5", "side": "long"},
        {"symbol": "", "qty": "1"},
        {"symbol": "C", "qty": "many"},
        None,
    ]
    assert [(one.symbol, one.quantity) for one in read_positions(rows).values()] == [("A", -3.0), ("B", 2.5)]
    assert [read_multiplier(row) for row in ({"size": "33"}, {"multiplier": "0"}, {"multiplier": "x"})] == [
        None
    ] * 3
    values = {"SPX": {"v": 7000.5, "t": "2026-11-20T14:59:59Z"}, "NDX": {"v": None}, "VIX": 7}
    assert [trade.symbol for trade in read_index_values(values, NOW)] == ["SPX"]


def test_which_contracts_are_adjusted_and_on_which_index() -> None:
    """A digit at the end of a root marks an adjusted contract; an index's roots lead to the index."""
    symbols = [
        CALL,
        ADJUSTED,
        INDEX_CALL,
        "SPX261218C07000000",
        "XSP261218C00700000",
        "NDXP261218P20000000",
        "X",
    ]
    assert adjusted_contracts(symbols) == [ADJUSTED]
    assert indices_of(symbols) == ["SPX", "XSP", "NDX"]
