"""The structures and legs tables, with cases computed by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import pytest

from options_helper.analysis.live_portfolio_metrics import (
    compute_live_multileg_rows,
)
from options_helper.market import (
    Greeks,
    LiveSnapshot,
    PreviousClose,
)
from options_helper.models import MultiLegPosition, Portfolio, StockLeg
from tests.builders import AT, CALL, DEC, FRIDAY, JAN, leg, quote, snapshot, vertical


def close_on(day: dt.date, price: float = 22.0, symbol: str = CALL) -> dict[str, PreviousClose]:
    """One previous close."""
    return {symbol: PreviousClose(price, day)}


def structure_of(position: MultiLegPosition, live: LiveSnapshot) -> tuple[pd.Series[Any], pd.DataFrame]:
    """The row of a portfolio's only structure, and its legs."""
    portfolio = Portfolio(positions=[position])
    structures, legs = compute_live_multileg_rows(portfolio, live, stale_after_seconds=30)
    return structures.iloc[0], legs


def test_a_vertical_sums_its_legs() -> None:
    """A debit spread has the sums of its legs' marks, P/L, natural values and prices per unit."""
    live = snapshot(quote(CALL, 9.0, 9.4, ago=2), quote("AAPL261218C00260000", 4.0, 4.2, ago=5))
    row, legs = structure_of(vertical(), live)
    assert row["net_mark"] == pytest.approx((9.2 - 4.1) * 100)
    assert row["net_pnl_abs"] == pytest.approx(110)
    assert row["net_pnl_pct"] == pytest.approx(110 / 400)
    assert row["net_natural"] == pytest.approx((9.0 - 4.2) * 100)
    assert (row["mark"], row["bid"], row["ask"]) == tuple(map(pytest.approx, (5.1, 4.8, 5.4)))
    assert row["spread_pct"] == pytest.approx(0.6 / 5.1)
    assert (row["quote_age_seconds_max"], row["missing_legs"], row["legs_with_mark"]) == (5, 0, "2 of 2")
    assert (row["name"], row["width"], row["max_profit"], row["max_loss"]) == (
        "Debit call vertical",
        10,
        600,
        400,
    )
    assert row["break_evens"] == (254.0,)
    assert row["return_on_max_risk"] == pytest.approx(110 / 400)
    assert (row["state"], row["warnings"], row["units"], row["dte"]) == ("live", [], 1, 25)
    assert legs["leg_value"].tolist() == pytest.approx([920, -410])
    assert legs["signed_contracts"].tolist() == [1, -1]
    assert legs["side"].tolist() == ["long", "short"]
    assert legs["natural"].tolist() == [9.0, 4.2]


def test_legs_that_nearly_cancel_out_have_no_spread_in_percent() -> None:
    """The middle must be at least a quarter of the legs' marks, or the spread would be 3,400 %."""
    live = snapshot(quote(CALL, 4.0, 4.4, ago=2), quote("AAPL261218C00260000", 4.0, 4.2, ago=5))
    row, _ = structure_of(vertical(), live)
    assert row["mark"] == pytest.approx(0.1)
    assert pd.isna(row["spread_pct"])


def test_a_spread_with_a_missing_leg_has_no_value_at_all() -> None:
    """The mark of one leg is not the mark of the spread."""
    row, legs = structure_of(vertical(), snapshot(quote(CALL, 9.0, 9.4)))
    assert row[["net_mark", "net_pnl_abs", "net_pnl_pct", "net_natural", "mark"]].isna().all()
    assert (row["missing_legs"], row["legs_with_mark"], row["state"]) == (1, "1 of 2", "no_data")
    assert row["warnings"] == ["missing_quote", "missing_leg"]
    assert legs["leg_value"].isna().tolist() == [False, True]
    assert row["quote_age_seconds_max"] == 1


def test_a_credit_has_a_negative_net_debit() -> None:
    """A condor sold for $162 and worth $116 has gained $46, which is 28 % of the credit."""
    legs = [
        leg("long", "put", 255),
        leg("short", "put", 260),
        leg("short", "call", 285),
        leg("long", "call", 290),
    ]
    condor = vertical(legs=legs, net_debit=-162.0)
    live = snapshot(
        quote("AAPL261218P00255000", 1.20, 1.22), quote("AAPL261218P00260000", 1.90, 1.94),
        quote("AAPL261218C00285000", 1.50, 1.54), quote("AAPL261218C00290000", 1.06, 1.04 + 0.04),
    )  # fmt: skip
    row, _ = structure_of(condor, live)
    assert row["name"] == "Credit iron condor"
    assert row["net_mark"] == pytest.approx((1.21 - 1.92 - 1.52 + 1.07) * 100)
    assert row["net_pnl_abs"] == pytest.approx(-116 + 162)
    assert row["net_pnl_pct"] == pytest.approx(46 / 162)
    assert row["cost_basis"] == pytest.approx(-1.62)


def test_a_net_debit_of_zero_has_a_pnl_without_a_percentage() -> None:
    """With a cost of zero, there is a P/L in dollars and no fraction."""
    live = snapshot(quote(CALL, 9.0, 9.4), quote("AAPL261218C00260000", 4.0, 4.2))
    row, _ = structure_of(vertical(net_debit=0.0), live)
    assert row["net_pnl_abs"] == pytest.approx(510)
    assert pd.isna(row["net_pnl_pct"])
    assert row["warnings"] == []


def test_an_unknown_net_debit_leaves_the_mark_and_withholds_the_pnl() -> None:
    """Without the cost in the file, the P/L is unknown."""
    live = snapshot(quote(CALL, 9.0, 9.4), quote("AAPL261218C00260000", 4.0, 4.2))
    row, _ = structure_of(vertical(net_debit=None), live)
    assert row["net_mark"] == pytest.approx(510)
    assert row[["net_pnl_abs", "net_pnl_pct", "max_profit", "return_on_max_risk"]].isna().all()
    assert row["warnings"] == ["missing_net_debit"]


def test_legs_from_different_times_have_a_warning() -> None:
    """A spread of a fresh and an old leg has both warnings."""
    live = snapshot(quote(CALL, 9.0, 9.4), quote("AAPL261218C00260000", 4.0, 4.2, ago=600))
    row, _ = structure_of(vertical(), live)
    assert row["warnings"] == ["stale_quote", "mixed_ages"]
    assert (row["quote_age_seconds_max"], row["state"]) == (600, "stale")


def test_a_covered_call_holds_shares_and_a_contract() -> None:
    """Shares are a leg with a quantity and no contracts, and the sum is in dollars."""
    position = vertical(
        legs=[StockLeg(side="long", shares=200), leg("short", "call", 260, contracts=2)], net_debit=52_000.0
    )
    live = snapshot(
        quote("AAPL261218C00260000", 4.0, 4.2),
        stock_quotes={"AAPL": quote("AAPL", 271.4, 271.6)},
        greeks={"AAPL261218C00260000": Greeks(delta=0.6, theta=-0.05)},
    )
    row, legs = structure_of(position, live)
    assert (row["name"], row["units"], row["legs"]) == ("Covered call", 2, 2)
    assert row["net_mark"] == pytest.approx(271.5 * 200 - 4.1 * 200)
    assert row["net_pnl_abs"] == pytest.approx(271.5 * 200 - 4.1 * 200 - 52_000)
    assert row["mark"] == pytest.approx(271.5 - 4.1)
    assert row["net_delta"] == pytest.approx(200 - 0.6 * 200)
    assert row["net_theta"] == pytest.approx(0.05 * 200)
    assert (row["delta"], row["theta"]) == (pytest.approx(0.4), pytest.approx(0.05)), "per share of a unit"
    assert pd.isna(row["net_vega"])
    assert (legs["delta"].iloc[1], legs["theta"].iloc[1]) == (-0.6, 0.05), "the short leg, like the structure"
    assert legs["kind"].tolist() == ["stock", "option"]
    assert pd.isna(legs["contracts"].iloc[0])
    assert pd.isna(legs["strike"].iloc[0])
    assert legs["quantity"].tolist() == [200, -2]
    assert row["expiry"] == DEC


def test_a_calendar_whose_front_has_expired_is_not_expired_itself() -> None:
    """The later leg still has its price, and the structure shows what it lacks."""
    at = dt.datetime(2026, 12, 21, 15, 0, tzinfo=dt.UTC)
    calendar = vertical(legs=[leg("short", "call", 250), leg("long", "call", 250, expiry=JAN)])
    later = quote("AAPL270115C00250000", 20, 21, at=at)
    row, legs = structure_of(calendar, snapshot(later, as_of=at))
    assert row["name"] == "Long call calendar"
    assert (row["state"], row["warnings"]) == ("live", ["expired", "settlement_unknown", "missing_leg"])
    assert pd.isna(row["net_mark"])
    assert row[["max_profit", "max_loss"]].isna().all()
    assert legs["state"].tolist() == ["expired", "live"]
    assert row["expiry_text"] == "18 Dec 2026 / 15 Jan 2027"
    gone, _ = structure_of(vertical(), snapshot(as_of=at))
    assert (gone["state"], gone["warnings"]) == ("expired", ["expired", "settlement_unknown"])


def test_the_days_pnl_of_a_structure() -> None:
    """All legs need the previous day's close; for a structure opened today, the net debit is the base."""
    quotes = (quote(CALL, 9.0, 9.4), quote("AAPL261218C00260000", 4.0, 4.2))
    closes = {**close_on(FRIDAY, 9.0), **close_on(FRIDAY, 4.5, "AAPL261218C00260000")}
    row, legs = structure_of(vertical(), snapshot(*quotes, previous_closes=closes))
    assert row["pnl_day"] == pytest.approx(510 - 450)
    assert row["pnl_day_pct"] == pytest.approx(60 / 450)
    assert legs["pnl_day"].tolist() == pytest.approx([20, 40])
    row, _ = structure_of(vertical(), snapshot(*quotes, previous_closes=close_on(FRIDAY)))
    assert pd.isna(row["pnl_day"])
    row, legs = structure_of(vertical(opened_at=AT.date()), snapshot(*quotes, previous_closes=closes))
    assert row["pnl_day"] == pytest.approx(110)
    assert legs["pnl_day"].isna().all()


def test_units_of_mixed_multipliers_have_no_price_per_share() -> None:
    """The total in dollars is known, although a price per share would have no meaning."""
    quotes = (quote(CALL, 9.0, 9.4), quote("AAPL261218C00260000", 4.0, 4.2))
    row, _ = structure_of(vertical(), snapshot(*quotes, multipliers={CALL: 50.0}))
    assert row["net_mark"] == pytest.approx(9.2 * 50 - 4.1 * 100)
    assert row[["mark", "bid", "ask", "cost_basis"]].isna().all()
