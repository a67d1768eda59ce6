"""The first round of the background fetch: everything that was asked for, once."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal

import pytest

from options_helper.data.calendar.alpaca_clock import AlpacaCalendar
from options_helper.data.calendar.market_clock import ExchangeCalendar
from options_helper.data.rest.http import Host
from options_helper.market import (
    BrokerAccount,
    BrokerPosition,
    Dividend,
    Greeks,
    MarketPhase,
    PreviousClose,
    Quote,
)
from tests.builders import CALL, NOW, make_fill
from tests.data.streaming.backfill.conftest import BackfillDesk, refused
from tests.fakes import ADJUSTED


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


def test_first_quotes_have_their_true_time(desk: BackfillDesk) -> None:
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
def test_without_alpacas_clock_the_library_supplies_the_hours(desk: BackfillDesk, route: str) -> None:
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


def test_an_unreadable_calendar_is_requested_again(desk: BackfillDesk) -> None:
    """A malformed answer costs one attempt, not the day."""
    calendar = desk.rest.calendar
    desk.rest.calendar = lambda _start, _end: [{"date": "today"}]  # type: ignore[method-assign]
    desk.round()
    assert "calendar's answer is unusable" in desk.sink.latest_words["market"]
    desk.rest.calendar = calendar  # type: ignore[method-assign]
    desk.run_for(3)
    assert desk.sink.latest_words["market"] == ""
    assert type(desk.sink.calendars[-1]) is AlpacaCalendar


def test_a_stop_does_not_change_the_calendar(desk: BackfillDesk) -> None:
    """A request that Stop ends does not cause an import of the library, which would take a second."""
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


def test_reference_data_are_records(desk: BackfillDesk) -> None:
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


def test_the_accounts_last_days_are_read_in_full_once_and_then_updated(desk: BackfillDesk) -> None:
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
