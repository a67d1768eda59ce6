"""The last trading time of contracts when a session closes early, on time or not at all."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import pytest

from options_helper.analysis.live_portfolio_metrics import (
    compute_live_multileg_rows,
    compute_live_position_rows,
)
from options_helper.analysis.tables.view import compute_view
from options_helper.market import LiveSnapshot
from options_helper.models import EquityPosition, Leg, MultiLegPosition, Portfolio, Position
from options_helper.times import NEW_YORK

HALF_DAY = dt.date(2026, 11, 27)  # the Friday after Thanksgiving: New York closes at 13:00
CLOSE = dt.datetime(2026, 11, 27, 18, 0, tzinfo=dt.UTC)


def new_york(hour: int, minute: int = 0, day: dt.date = HALF_DAY) -> dt.datetime:
    """A New York time in UTC."""
    return dt.datetime.combine(day, dt.time(hour, minute), NEW_YORK).astimezone(dt.UTC)


def option(symbol: str = "AAPL", expiry: dt.date = HALF_DAY, **more: Any) -> Position:
    """One long call."""
    terms = {"option_type": "call", "strike": 250.0, "contracts": 1, "cost_basis": 1.0}
    return Position(id="a", symbol=symbol, expiry=expiry, **{**terms, **more})


def row_of(position: Any, at: dt.datetime, **more: Any) -> pd.Series[Any]:
    """Return the row at a time on a half day, given its `session_close`."""
    live = LiveSnapshot(**{"as_of": at, "session_close": CLOSE, "trading_date": HALF_DAY, **more})
    table = compute_live_position_rows(Portfolio(positions=[position]), live, stale_after_seconds=30)
    return table.iloc[0]


@pytest.mark.parametrize(
    ("symbol", "end"),
    [("AAPL", new_york(13)), ("SPY", new_york(13, 15)), ("XSP", new_york(13)), ("SPX", new_york(9, 30))],
)
def test_on_a_half_day_every_product_ends_by_the_sessions_own_close(symbol: str, end: dt.datetime) -> None:
    """Stocks and PM-settled indexes end at 13:00, late funds at 13:15, AM-settled indexes at the open."""
    moment = dt.timedelta(microseconds=1)
    before, after = row_of(option(symbol), end - moment), row_of(option(symbol), end)
    assert (before["expires_at"], before["state"]) == (end, "no_data")
    assert (after["state"], after["warnings"][:2]) == ("expired", ["expired", "settlement_unknown"])


@pytest.mark.parametrize(
    ("symbol", "expiry", "hours"),
    [("AAPL", HALF_DAY, 3.0), ("SPY", HALF_DAY, 3.25), ("RUT", dt.date(2026, 11, 30), 3.25)],
)
def test_the_hours_left_on_a_half_day_count_to_the_early_end(
    symbol: str, expiry: dt.date, hours: float
) -> None:
    """At 10:00, a stock's options have 3 h left; SPY's, and those settled at Monday's open, have 3.25 h."""
    assert row_of(option(symbol, expiry), new_york(10))["hours_left"] == hours
    assert row_of(option(symbol, expiry), new_york(14))["hours_left"] == 0


def test_the_early_close_holds_in_every_phase() -> None:
    """Before, during and after the session, the contract ends at 13:00."""
    phases = [("pre", 9, 0), ("open", 12, 59), ("after", 13, 0), ("closed", 20, 30), ("unknown", 12, 0)]
    for phase, hour, minute in phases:
        row = row_of(option(), new_york(hour, minute), market_phase=phase)
        assert row["expires_at"] == CLOSE, phase
        assert (row["state"] == "expired") == (hour >= 13), phase


def test_an_early_close_ends_no_other_days_contracts() -> None:
    """On a half day, Monday's contract ends on Monday at 16:00, and yesterday's has expired."""
    monday = dt.date(2026, 11, 30)
    row = row_of(option(expiry=monday), new_york(12))
    assert row["expires_at"] == new_york(16, day=monday)
    assert pd.isna(row["hours_left"])
    assert row_of(option(expiry=dt.date(2026, 11, 25)), new_york(12))["state"] == "expired"


def test_on_a_holiday_the_last_session_is_the_one_before() -> None:
    """On Thanksgiving, the trading date is Wednesday, and Friday's contract has one day and no hours."""
    holiday, wednesday = dt.date(2026, 11, 26), dt.date(2026, 11, 25)
    reported = {"session_close": new_york(16, day=wednesday), "trading_date": wednesday}
    at = new_york(12, day=holiday)
    row = row_of(option(), at, market_phase="closed", **reported)
    assert (row["dte"], row["state"], pd.isna(row["hours_left"])) == (1, "no_data", True)
    assert row_of(option(expiry=wednesday), at, market_phase="closed", **reported)["state"] == "expired"


def test_the_evening_before_expiry_has_a_day_left() -> None:
    """At 20:30 in New York, past midnight in UTC, DTE is 1 and the hours are not shown yet."""
    thursday = dt.date(2026, 12, 17)
    at = new_york(20, 30, thursday)
    assert at.date() == dt.date(2026, 12, 18)
    reported = {"session_close": new_york(16, day=thursday), "trading_date": thursday}
    row = row_of(option(expiry=dt.date(2026, 12, 18)), at, **reported)
    assert (row["dte"], row["state"], pd.isna(row["hours_left"])) == (1, "no_data", True)


@pytest.mark.parametrize(
    ("day", "hour", "minute", "dte", "hours"),
    [
        (17, 20, 30, 1, None),
        (18, 9, 30, 0, 6.5),
        (18, 15, 45, 0, 0.25),
        (18, 17, 0, 0, 0.0),
        (18, 23, 59, 0, 0.0),
        (19, 1, 0, -1, None),
    ],
)
def test_days_and_hours_count_in_new_york(
    day: int, hour: int, minute: int, dte: int, hours: float | None
) -> None:
    """DTE is 0 during the whole last New York day, and the hours count down to 16:00, not below zero."""
    terms = {"option_type": "call", "expiry": dt.date(2026, 12, 18), "strike": 250}
    legs = [Leg(side="long", contracts=1, **terms), Leg(side="short", contracts=1, **terms)]
    single = option(expiry=dt.date(2026, 12, 18))
    portfolio = Portfolio(positions=[single, MultiLegPosition(id="s", symbol="AAPL", legs=legs)])
    live = LiveSnapshot(as_of=new_york(hour, minute, dt.date(2026, 12, day)))
    structures, leg_rows = compute_live_multileg_rows(portfolio, live, stale_after_seconds=30)
    for table in (compute_live_position_rows(portfolio, live, stale_after_seconds=30), structures, leg_rows):
        row = table.iloc[0]
        assert (row["dte"], None if pd.isna(row["hours_left"]) else row["hours_left"]) == (dte, hours)


def test_the_hours_of_an_open_settled_index_count_on_the_day_before() -> None:
    """On Thursday, an SPX monthly is in its last hours, although its expiry date is a day away."""
    thursday = dt.date(2026, 12, 17)
    reported = {"session_close": new_york(16, day=thursday), "trading_date": thursday}
    row = row_of(option("SPX", dt.date(2026, 12, 18)), new_york(15, 15, thursday), **reported)
    assert (row["dte"], row["hours_left"]) == (1, 1.0)


def test_on_a_holiday_no_contract_has_its_last_hours() -> None:
    """There is no session on Christmas, so a contract settled at Monday's open has no last hours."""
    christmas, eve = dt.date(2026, 12, 25), dt.date(2026, 12, 24)
    reported = {"session_close": new_york(13, day=eve), "trading_date": eve, "market_phase": "closed"}
    row = row_of(option("SPX", dt.date(2026, 12, 28)), new_york(12, day=christmas), **reported)
    assert (row["dte"], pd.isna(row["hours_left"])) == (3, True)


def test_a_later_close_extends_nothing() -> None:
    """If the session is reported to end at 23:59, options still end at 16:00."""
    assert row_of(option(), new_york(12), session_close=new_york(23, 59))["expires_at"] == new_york(16)


def test_structures_count_the_hours_of_the_leg_that_expires_first() -> None:
    """A calendar on a half day has the hours of its near leg, and shares have none."""
    legs = [
        Leg(side="short", option_type="call", expiry=HALF_DAY, strike=250, contracts=1),
        Leg(side="long", option_type="call", expiry=dt.date(2026, 12, 18), strike=250, contracts=1),
    ]
    portfolio = Portfolio(positions=[MultiLegPosition(id="c", symbol="AAPL", legs=legs)])
    live = LiveSnapshot(as_of=new_york(12, 30), session_close=CLOSE)
    table, leg_rows = compute_live_multileg_rows(portfolio, live, stale_after_seconds=30)
    assert (table.iloc[0]["dte"], table.iloc[0]["hours_left"]) == (0, 0.5)
    assert leg_rows["hours_left"].tolist()[0] == 0.5
    assert pd.isna(row_of(EquityPosition(id="s", symbol="AAPL", shares=1, cost_basis=1), CLOSE)["hours_left"])


def test_the_early_end_is_a_deadline() -> None:
    """Tables computed at noon are valid until 13:00 at most, when the contract expires."""
    portfolio = Portfolio(positions=[option()])
    live = LiveSnapshot(as_of=new_york(12), session_close=CLOSE)
    assert compute_view(portfolio, live, stale_after_seconds=30).until == CLOSE
