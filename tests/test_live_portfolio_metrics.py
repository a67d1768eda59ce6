"""The positions table, with cases computed by hand."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from typing import Any

import pandas as pd
import pytest

from options_helper.analysis.live_portfolio_metrics import (
    compute_live_position_rows,
)
from options_helper.analysis.osi import stock_symbol
from options_helper.data.alpaca_symbols import to_alpaca_symbol
from options_helper.market import (
    BrokerPosition,
    Greeks,
    LiveSnapshot,
    MarketPhase,
    PreviousClose,
    Quote,
    StreamHealth,
    StreamName,
    StreamState,
    Trade,
)
from options_helper.models import EquityPosition, Portfolio
from options_helper.quote_tables import QuoteTable
from options_helper.times import NEW_YORK
from tests.builders import AT, CALL, DEC, FRIDAY, JAN, quote, single, snapshot


def row_of(position: Any, live: LiveSnapshot) -> pd.Series[Any]:
    """The row of a portfolio's only single or shares position."""
    table = compute_live_position_rows(Portfolio(positions=[position]), live, stale_after_seconds=30)
    return table.iloc[0]


def test_a_long_call() -> None:
    """Mark, P/L and its fraction follow the promised formulas."""
    row = row_of(single(), snapshot(quote(CALL, 23.02, 23.72)))
    assert (row["contract_symbol"], row["dte"], row["contracts"], row["expiry"]) == (CALL, 25, 3, DEC)
    assert (row["bid"], row["ask"], row["mark"]) == (23.02, 23.72, pytest.approx(23.37))
    assert row["pnl_abs"] == pytest.approx(1491.0)
    assert row["pnl_pct"] == pytest.approx(1491 / 5520)
    assert row["market_value"] == pytest.approx(7011)
    assert row["natural_value"] == pytest.approx(6906)
    assert row["spread_pct"] == pytest.approx(0.70 / 23.37)
    assert row["return_on_max_risk"] == pytest.approx(1491 / 5520)
    assert (row["quote_age_seconds"], row["state"], row["warnings"]) == (1.0, "live", [])


def test_a_short_put_gains_when_its_price_falls() -> None:
    """Negative contracts reverse the signs, and closing costs the ask."""
    put = single(option_type="put", strike=480.0, contracts=-2, cost_basis=6.30, symbol="MSFT")
    row = row_of(put, snapshot(quote("MSFT261218P00480000", 4.83, 4.97)))
    assert row["contracts"] == -2
    assert row["pnl_abs"] == pytest.approx(280)
    assert row["pnl_pct"] == pytest.approx(280 / 1260)
    assert row["market_value"] == pytest.approx(-980)
    assert row["natural"] == 4.97
    assert row["natural_value"] == pytest.approx(-994)
    assert row["max_loss"] == pytest.approx((480 - 6.30) * 200)
    assert row["return_on_max_risk"] == pytest.approx(280 / 94_740)


def test_unlimited_risk_has_no_return() -> None:
    """Return on max risk is null if the loss is unlimited."""
    call = row_of(single(contracts=-1), snapshot(quote(CALL, 1, 1.1)))
    shares = row_of(EquityPosition(id="s", symbol="AAPL", shares=-10, cost_basis=270), snapshot())
    assert call["max_loss"] == shares["max_loss"] == math.inf
    assert pd.isna(call["return_on_max_risk"])


def test_shares_have_a_row_without_the_columns_of_options() -> None:
    """Shares have one dollar per point, and null for strike, expiry and contracts."""
    live = snapshot(stock_quotes={"BRK.B": quote("BRK.B", 510.0, 511.0)}, stock_feed="iex")
    row = row_of(EquityPosition(id="s", symbol="BRK-B", shares=10, cost_basis=500), live)
    assert row["pnl_abs"] == pytest.approx(105)
    assert (row["kind"], row["underlying"], row["quote_symbol"], row["source"]) == (
        "stock",
        "BRK.B",
        "BRK.B",
        "IEX",
    )
    assert (row["quantity"], row["multiplier"], row["underlying_price"]) == (10, 1, 510.5)
    for name in ("option_type", "expiry", "dte", "strike", "contracts", "contract_symbol", "hours_left"):
        assert pd.isna(row[name]), name


def test_an_old_quote_is_stale_and_keeps_its_mark() -> None:
    """After 20 minutes, the figures remain, with their age and the warning."""
    row = row_of(single(), snapshot(quote(CALL, 23.02, 23.72, ago=1200)))
    assert (row["quote_age_seconds"], row["state"], row["warnings"]) == (1200, "stale", ["stale_quote"])
    assert row["mark"] == pytest.approx(23.37)


@pytest.mark.parametrize(
    ("bid", "ask", "mark", "warnings"),
    [
        (0.0, 0.05, 0.025, ["zero_bid"]),
        (0.05, 10.0, None, ["stub_quote"]),
        (2.0, 1.0, None, ["crossed"]),
        (1.0, None, None, ["missing_ask"]),
        (None, 1.0, None, ["missing_bid"]),
    ],
)
def test_a_bad_quote_never_falls_back_to_the_last_trade(
    bid: float | None, ask: float | None, mark: float | None, warnings: list[str]
) -> None:
    """A bad quote has its own mark or none, although the last trade was at 3.10."""
    live = snapshot(quote(CALL, bid, ask), option_trades={CALL: Trade(CALL, 3.10, timestamp=AT)})
    row = row_of(single(), live)
    assert row["last"] == 3.10
    assert row["warnings"] == warnings
    assert pd.isna(row["mark"]) if mark is None else row["mark"] == pytest.approx(mark)
    assert pd.isna(row["pnl_abs"]) == (mark is None)


def test_a_missing_quote_is_a_warning_not_an_exception() -> None:
    """An empty snapshot gives rows with null figures."""
    row = row_of(single(), LiveSnapshot(as_of=AT))
    assert (row["state"], row["warnings"], row["mark_method"]) == ("no_data", ["missing_quote"], "none")
    assert row[["bid", "ask", "last", "mark", "pnl_abs", "pnl_pct", "quote_age_seconds"]].isna().all()


def test_todays_last_trade_makes_a_mark_except_on_the_indicative_feed() -> None:
    """Without a quote, OPRA's last trade is the mark with its age; the indicative feed's is not."""
    trade = Trade(CALL, 20.0, timestamp=AT - dt.timedelta(seconds=45))
    row = row_of(single(), snapshot(option_trades={CALL: trade}, options_feed="opra"))
    assert (row["mark"], row["mark_method"], row["state"]) == (20.0, "last", "stale")
    assert row["warnings"] == ["missing_quote", "last_trade_mark", "stale_quote"]
    assert row["mark_age_seconds"] == 45
    assert pd.isna(row["quote_age_seconds"])
    late = row_of(single(), snapshot(option_trades={CALL: trade}, options_feed="indicative"))
    assert pd.isna(late["mark"])
    assert late["last"] == 20.0


@pytest.mark.parametrize("hours", [-10.1, 14.1])
def test_a_trade_from_another_new_york_day_makes_no_mark(hours: float) -> None:
    """The day lasts from midnight to midnight in New York."""
    trade = Trade(CALL, 20.0, timestamp=AT + dt.timedelta(hours=hours))
    assert pd.isna(row_of(single(), snapshot(option_trades={CALL: trade}))["mark"])


def test_a_class_share_finds_its_contract_without_a_separator() -> None:
    """BRK-B's option is looked up as BRKB…, its underlying as BRK.B."""
    position = single(symbol="BRK-B", strike=500.0, expiry=JAN)
    symbol = "BRKB270115C00500000"
    live = snapshot(quote(symbol, 20, 21), stock_quotes={"BRK.B": quote("BRK.B", 511, 511.1)})
    row = row_of(position, live)
    assert (row["contract_symbol"], row["symbol"], row["underlying"]) == (symbol, "BRK-B", "BRK.B")
    assert row["underlying_price"] == pytest.approx(511.05)


@pytest.mark.parametrize("symbol", ["BRK-B", "BRK.B", "BRK/B", "AAPL", "aapl"])
def test_stocks_are_spelled_as_the_subscription_spells_them(symbol: str) -> None:
    """A stock is found under the spelling of its subscription."""
    assert stock_symbol(symbol) == to_alpaca_symbol(symbol)


def test_a_stated_root_is_used_for_the_contract() -> None:
    """A weekly index option is found under SPXW, and trades to the regular close of its last day."""
    position = single(symbol="SPX", root="SPXW", strike=6500.0, expiry=AT.date())
    row = row_of(position, snapshot(quote("SPXW261123C06500000", 10, 10.5)))
    assert row["state"] == "live"
    assert row["hours_left"] == 6
    assert row["expires_at"] == dt.datetime(2026, 11, 23, 21, 0, tzinfo=dt.UTC)


def test_an_index_option_settled_at_the_open_expires_then() -> None:
    """SPX monthlies expire at 09:30 on their date, and last traded in the session before."""
    position = single(symbol="SPX", strike=6500.0, expiry=AT.date())
    symbol = "SPX261123C06500000"
    before = dt.datetime(2026, 11, 23, 9, 29, tzinfo=NEW_YORK)
    row = row_of(position, snapshot(quote(symbol, 10, 10.5, at=before), as_of=before))
    assert (row["state"], row["dte"]) == ("live", 0)
    assert pd.isna(row["hours_left"])
    assert row_of(position, snapshot(quote(symbol, 10, 10.5)))["state"] == "expired"


def test_an_adjusted_contract_warns_whatever_its_multiplier() -> None:
    """A digit at the end of the root means a different deliverable, whatever the multiplier."""
    position = single(symbol="CSGP", root="CSGP1", strike=1.0, cost_basis=1.0, contracts=1)
    symbol = "CSGP1261218C00001000"
    live = snapshot(quote(symbol, 2.0, 2.2))
    assert row_of(position, live)["warnings"] == ["adjusted_contract"]
    reported = row_of(position, dataclasses.replace(live, multipliers={symbol: 50.0}))
    assert (reported["warnings"], reported["multiplier"], reported["pnl_abs"]) == (
        ["adjusted_contract"],
        50,
        pytest.approx(55),
    )
    written = row_of(position.model_copy(update={"multiplier": 10.0}), live)
    assert (written["warnings"], written["multiplier"], written["pnl_abs"]) == (
        ["adjusted_contract"],
        10,
        pytest.approx(11),
    )


def test_an_adjusted_root_may_be_in_the_symbol() -> None:
    """A file without `root` names the contract by `symbol`, with the same warning."""
    position = single(symbol="CSGP1", strike=1.0, cost_basis=1.0, contracts=1)
    row = row_of(position, snapshot(quote("CSGP1261218C00001000", 2.0, 2.2)))
    assert (row["warnings"], row["pnl_abs"]) == (["adjusted_contract"], pytest.approx(110))
    assert row[["max_loss", "return_on_max_risk"]].isna().all()


@pytest.mark.parametrize("nonsense", [0.0, -5.0, math.nan, math.inf])
def test_a_vendors_nonsense_multiplier_is_not_used(nonsense: float) -> None:
    """Only a finite multiplier above zero replaces the standard."""
    row = row_of(single(), snapshot(quote(CALL, 20, 21), multipliers={CALL: nonsense}))
    assert row["multiplier"] == 100


def test_terms_that_no_symbol_can_express_are_a_warning() -> None:
    """A strike finer than a tenth of a cent has a row without a price, not an exception."""
    row = row_of(single(strike=250.00001), snapshot())
    assert row["warnings"] == ["no_contract_symbol", "missing_quote"]
    assert pd.isna(row["contract_symbol"])
    assert pd.isna(row["quote_symbol"])


@pytest.mark.parametrize(
    ("day", "time", "dte", "state"),
    [
        (17, (20, 30), 1, "live"),  # already the 18th in UTC
        (18, (9, 0), 0, "live"),
        (18, (15, 59), 0, "live"),
        (18, (16, 0), 0, "expired"),
        (19, (9, 0), -1, "expired"),
    ],
)
def test_days_to_expiry_are_new_york_days_and_the_hour_counts_on_the_last(
    day: int, time: tuple[int, int], dte: int, state: str
) -> None:
    """On the evening before, one day is left; at the last close, the contract expires."""
    at = dt.datetime(2026, 12, day, *time, tzinfo=NEW_YORK).astimezone(dt.UTC)
    row = row_of(single(), snapshot(quote(CALL, 20, 21, at=at), as_of=at))
    assert (row["dte"], row["state"]) == (dte, state)


def test_a_fund_that_closes_late_expires_late() -> None:
    """SPY's options trade until 16:15."""
    at = dt.datetime(2026, 12, 18, 16, 5, tzinfo=NEW_YORK)
    position = single(symbol="SPY", strike=640.0)
    live = snapshot(quote("SPY261218C00640000", 1, 1.1, at=at), as_of=at, market_phase=MarketPhase.AFTER)
    row = row_of(position, live)
    assert (row["state"], row["hours_left"]) == ("live", pytest.approx(10 / 60))
    assert row_of(position, dataclasses.replace(live, as_of=at.replace(minute=15)))["state"] == "expired"


def test_an_early_close_expires_contracts_early() -> None:
    """On a half day, a contract expires at the early close, not at 16:00."""
    day = dt.date(2026, 11, 27)
    position = single(expiry=day)
    symbol = "AAPL261127C00250000"
    noon = dt.datetime(2026, 11, 27, 12, 0, tzinfo=NEW_YORK)
    close = noon.replace(hour=13)
    live = snapshot(quote(symbol, 20, 21, at=noon), as_of=noon, market_phase="open", market_phase_until=close)
    row = row_of(position, live)
    assert (row["state"], row["expires_at"]) == ("live", close)
    after = dataclasses.replace(live, as_of=close, market_phase="after", market_phase_until=None)
    assert row_of(position, after)["state"] == "expired"
    # Without a calendar only the usual 16:00 is known.
    assert row_of(position, snapshot(as_of=close))["state"] == "no_data"


def test_an_expired_contract_has_a_row_that_says_so() -> None:
    """An expired contract has no mark and no P/L, whatever was quoted last; its result no longer changes."""
    at = dt.datetime(2026, 12, 21, 15, 0, tzinfo=dt.UTC)
    row = row_of(single(), snapshot(quote(CALL, 20, 21), as_of=at, previous_closes=close_on(FRIDAY)))
    assert (row["state"], row["dte"], row["mark_method"]) == ("expired", -3, "none")
    assert row["warnings"] == ["expired", "settlement_unknown", "stale_quote"]
    assert row[["mark", "natural", "pnl_abs"]].isna().all()
    assert row["pnl_day"] == 0


def close_on(day: dt.date, price: float = 22.0, symbol: str = CALL) -> dict[str, PreviousClose]:
    """One previous close."""
    return {symbol: PreviousClose(price, day)}


def test_the_days_pnl_counts_from_the_previous_close() -> None:
    """On Monday, P/L Day is the change since Friday's close."""
    live = snapshot(quote(CALL, 23.02, 23.72), previous_closes=close_on(FRIDAY))
    row = row_of(single(), live)
    assert row["pnl_day"] == pytest.approx((23.37 - 22) * 300)
    assert row["pnl_day_pct"] == pytest.approx(1.37 / 22)
    assert (row["previous_close"], row["previous_close_date"], row["warnings"]) == (22.0, FRIDAY, [])


def test_the_days_pnl_is_withheld_with_the_date_of_an_older_close() -> None:
    """Thursday's close does not count on Monday, and its date is shown."""
    thursday = dt.date(2026, 11, 19)
    row = row_of(single(), snapshot(quote(CALL, 23.02, 23.72), previous_closes=close_on(thursday)))
    assert pd.isna(row["pnl_day"])
    assert (row["previous_close_date"], row["warnings"]) == (thursday, ["previous_close_old"])


def test_after_a_holiday_the_calendar_names_the_previous_trading_day() -> None:
    """On the Friday after Thanksgiving, a calendar makes Wednesday's close the previous one."""
    at = dt.datetime(2026, 11, 27, 15, 0, tzinfo=dt.UTC)
    wednesday = dt.date(2026, 11, 25)
    live = snapshot(quote(CALL, 23.02, 23.72, at=at), as_of=at, previous_closes=close_on(wednesday))
    assert pd.isna(row_of(single(), live)["pnl_day"])
    known = dataclasses.replace(live, previous_trading_date=wednesday)
    assert row_of(single(), known)["pnl_day"] == pytest.approx((23.37 - 22) * 300)


@pytest.mark.parametrize(
    ("at", "previous"),
    [
        (dt.datetime(2026, 11, 23, 15, tzinfo=dt.UTC), dt.date(2026, 11, 20)),  # Monday
        (dt.datetime(2026, 11, 24, 15, tzinfo=dt.UTC), dt.date(2026, 11, 23)),
        (dt.datetime(2026, 11, 28, 15, tzinfo=dt.UTC), dt.date(2026, 11, 27)),  # Saturday
        (dt.datetime(2026, 11, 29, 15, tzinfo=dt.UTC), dt.date(2026, 11, 27)),  # Sunday
    ],
)
def test_without_a_calendar_the_last_weekday_is_the_previous_trading_day(
    at: dt.datetime, previous: dt.date
) -> None:
    """Weekends are skipped without any calendar."""
    live = snapshot(quote(CALL, 20, 21, at=at), as_of=at, previous_closes=close_on(previous))
    assert row_of(single(), live)["warnings"] == []


@pytest.mark.parametrize("opened_at", [AT.date(), AT - dt.timedelta(minutes=5)])
def test_the_day_of_a_position_opened_today_counts_from_its_cost(opened_at: dt.date) -> None:
    """A position opened today counts from its cost, however old the close is."""
    closes = close_on(dt.date(2026, 11, 19))
    live = snapshot(quote(CALL, 23.02, 23.72), previous_closes=closes)
    row = row_of(single(opened_at=opened_at), live)
    assert row["pnl_day"] == pytest.approx(row["pnl_abs"])
    assert row["warnings"] == []


def test_a_zero_cost_basis_has_no_percentage() -> None:
    """P/L relative to zero is null, not infinite."""
    row = row_of(single(cost_basis=0.0), snapshot(quote(CALL, 20, 21)))
    assert row["pnl_abs"] == pytest.approx(6150)
    assert pd.isna(row["pnl_pct"])
    assert pd.isna(row["return_on_max_risk"])


@pytest.mark.parametrize(
    ("changes", "from_rest", "source"),
    [
        ({"options_feed": "opra"}, False, "OPRA"),
        ({"options_feed": "indicative"}, False, "indicative"),
        ({"options_feed": "opra"}, True, "REST snapshot"),
        ({"options_feed": "opra", "demo": True}, True, "demo"),
        ({}, False, None),
    ],
)
def test_a_row_names_the_source_of_its_price(
    changes: dict[str, Any], from_rest: bool, source: str | None
) -> None:
    """The source is the feed, REST or the demo, or null if unknown."""
    seen = dataclasses.replace(quote(CALL, 20, 21), from_rest=from_rest)
    found = row_of(single(), snapshot(seen, **changes))["source"]
    assert found == source if source else pd.isna(found)


def test_lag_times_sizes_greeks_and_the_brokers_view_are_passed_on() -> None:
    """The vendor's reference data is in the row, null if missing."""
    seen = Quote(CALL, 20, 21, 7, 9, AT - dt.timedelta(seconds=3), AT - dt.timedelta(seconds=1))
    traded = Trade(CALL, 20.5, 1, AT - dt.timedelta(minutes=2))
    live = snapshot(
        seen,
        option_trades={CALL: traded},
        greeks={CALL: Greeks(0.5, 0.01, -0.1, implied_volatility=0.31, timestamp=AT)},
        broker_positions={CALL: BrokerPosition(CALL, 3.0, 20.5)},
    )
    row = row_of(single(), live)
    assert (row["bid_size"], row["ask_size"], row["lag_seconds"]) == (7, 9, 2)
    assert (row["quote_time"], row["trade_time"]) == (seen.timestamp, traded.timestamp)
    assert (row["delta"], row["theta"], row["iv"], row["greeks_time"]) == (0.5, -0.1, 0.31, AT)
    assert pd.isna(row["vega"])
    assert (row["broker_quantity"], row["broker_price"]) == (3, 20.5)


@pytest.mark.parametrize(
    ("held", "known", "differs"),
    [(2.0, False, False), (3.0, False, True), (-2.0, False, True), (None, True, True), (None, False, False)],
)
def test_another_quantity_at_the_broker_is_a_warning(held: float | None, known: bool, differs: bool) -> None:
    """The warning appears once the broker's positions are known, unless the file excludes the position."""
    positions = {} if held is None else {CALL: BrokerPosition(CALL, held)}
    live = snapshot(
        quote(CALL, 20, 21), broker_positions=positions, broker_positions_at=AT if known else None
    )
    assert ("broker_differs" in row_of(single(contracts=2), live)["warnings"]) == differs
    assert "broker_differs" not in row_of(single(contracts=2, account="none"), live)["warnings"]


def test_subscriptions_and_halts_are_states_of_the_row() -> None:
    """A symbol that was not acknowledged is not live, and a halted stock halts its options."""
    live = snapshot(quote(CALL, 20, 21))
    left_out = row_of(single(), dataclasses.replace(live, subscribed=frozenset({"AAPL"})))
    assert (left_out["state"], left_out["warnings"]) == ("not_subscribed", ["not_subscribed"])
    carried = row_of(single(), dataclasses.replace(live, subscribed=frozenset({CALL})))
    assert carried["state"] == "live"
    halted = row_of(single(), dataclasses.replace(live, halted=frozenset({"AAPL"})))
    assert (halted["state"], halted["warnings"]) == ("halted", ["halted"])


def test_a_price_from_the_future_is_aged_from_receipt() -> None:
    """A clock that is behind gives a warning and makes no quote younger."""
    seen = Quote(
        CALL, 20, 21, timestamp=AT + dt.timedelta(minutes=1), received_at=AT - dt.timedelta(seconds=9)
    )
    row = row_of(single(), snapshot(seen))
    assert (row["quote_age_seconds"], row["warnings"]) == (9, ["clock_skew"])


@pytest.mark.parametrize("state", [StreamState.STOPPED, StreamState.ERROR])
def test_nothing_is_live_on_a_stream_that_has_ended(state: StreamState) -> None:
    """A stopped or refused stream has no live row, however young its last price is."""
    health = {"options": StreamHealth(StreamName.OPTIONS, state, last_heard_at=AT)}
    live = LiveSnapshot(
        as_of=AT,
        option_quotes=QuoteTable.of([quote(CALL, 5, 5.1, ago=1)]),
        market_phase="open",
        health=health,
    )
    row = row_of(single(), live)
    assert (row["state"], row["mark"], row["warnings"]) == ("stale", 5.05, [])


def test_when_a_feed_dies_every_row_goes_stale() -> None:
    """Past the threshold, without a sign of life, no row is live or quiet, and ages have grown."""
    portfolio = Portfolio(positions=[single(id=str(n), strike=200.0 + n) for n in range(20)])
    quotes = QuoteTable.of([quote(f"AAPL261218C00{200 + n}000", 5, 5.1, ago=n / 10) for n in range(20)])
    health = {"options": StreamHealth(StreamName.OPTIONS, StreamState.RUNNING, last_heard_at=AT)}
    live = LiveSnapshot(as_of=AT, option_quotes=quotes, market_phase="open", health=health)
    before = compute_live_position_rows(portfolio, live, stale_after_seconds=30)
    later = dataclasses.replace(live, as_of=AT + dt.timedelta(seconds=32))
    after = compute_live_position_rows(portfolio, later, stale_after_seconds=30)
    assert set(before["state"]) == {"live"}
    assert set(after["state"]) == {"stale"}
    assert (after["quote_age_seconds"] - before["quote_age_seconds"]).tolist() == pytest.approx([32.0] * 20)


def test_plain_dicts_are_quotes_too() -> None:
    """A snapshot may hold quotes and trades as plain mappings with the promised names."""
    contract, at = "AAPL261218C00250000", dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC)
    live = LiveSnapshot(
        as_of=at,
        option_quotes={contract: {"bid_price": 6.0, "ask_price": 6.2, "timestamp": at.isoformat()}},  # type: ignore[dict-item]
        option_trades={contract: {"price": 6.1, "size": 1, "timestamp": at}},  # type: ignore[dict-item]
    )
    position = single(contracts=1, cost_basis=5.0)
    row = compute_live_position_rows(Portfolio(positions=[position]), live, stale_after_seconds=30).iloc[0]
    assert (row["bid"], row["ask"], row["last"], row["mark"]) == (6.0, 6.2, 6.1, pytest.approx(6.1))
    assert row["quote_age_seconds"] == 0
