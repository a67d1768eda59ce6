"""P/L at other prices, dates and volatilities, against plain formulas and the portfolio's marks."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest

from options_helper.analysis.osi import contract_symbol
from options_helper.analysis.risk import compute_live_risk
from options_helper.analysis.risk.inputs import SECONDS_PER_YEAR
from options_helper.analysis.risk.pricing.model import DAYS_PER_YEAR, Model, OptionInputs
from options_helper.analysis.risk.what_if.curves import compute_curve, find_zeros, price_range
from options_helper.analysis.risk.what_if.holdings import KnownLeg, MovedLeg, holding_of, legs_on
from options_helper.analysis.risk.what_if.scenarios import (
    compute_scenario,
    days_for,
    moves_of,
    scenario_rows,
    shock_of,
    step_of,
)
from options_helper.analysis.strategies.structures import describe_structure
from options_helper.models import EquityPosition, Leg, Portfolio
from tests.builders import AT, DEC, leg, quote, single, snapshot, vertical

JAN = dt.date(2027, 1, 15)
SPREAD = vertical(symbol="XYZ", net_debit=250.0, legs=[leg("long", "call", 100), leg("short", "call", 110)])
MARKS = {"XYZ261218C00100000": 3.40, "XYZ261218C00110000": 0.60, "XYZ270115C00100000": 5.00}


def risk_of(*positions, without: str = ""):
    """Return the risk with XYZ at 100 and the options at their marks."""
    quotes = [quote(s, m - 0.01, m + 0.01) for s, m in MARKS.items() if s != without]
    stocks = {name: quote(name, 99.995, 100.005) for name in ("XYZ", "ABC")}
    return compute_live_risk(Portfolio(positions=list(positions)), snapshot(*quotes, stock_quotes=stocks))


def scenario(risk, numbers, *, step=0.05, iv_points=0.0, days=(0, 7, 25), betas=None):
    """Return the grid of some legs."""
    shock = shock_of(risk, numbers)._replace(name="XYZ", betas=betas)
    return compute_scenario(Model().price_all, shock, changes=moves_of(step), iv_points=iv_points, days=days)


def test_nothing_changes_now_at_the_same_price() -> None:
    """The cell without any change is zero, and neighbouring cells follow delta."""
    risk = risk_of(SPREAD)
    grid = scenario(risk, legs_on(risk), step=0.001)
    assert grid.pnl[3, 0] == pytest.approx(0.0, abs=1e-9)
    assert (grid.pnl[4, 0] - grid.pnl[2, 0]) / 0.2 == pytest.approx(risk.total["delta"], rel=0.01)


def test_volatility_and_time_follow_their_greeks() -> None:
    """A point of volatility changes the value by vega, a day by theta."""
    risk = risk_of(SPREAD)
    shifted = scenario(risk, legs_on(risk), iv_points=0.1, days=(0,))
    assert shifted.pnl[3, 0] == pytest.approx(0.1 * risk.total["vega"], rel=0.02, abs=0.02)
    later = scenario(risk, legs_on(risk), days=(1,))
    assert later.pnl[3, 0] == pytest.approx(risk.total["theta"], rel=0.1)


def test_at_expiry_the_grid_is_the_payoff() -> None:
    """From the expiry on, P/L is the payoff at that price minus the current value."""
    risk = risk_of(SPREAD)
    grid = scenario(risk, legs_on(risk), days=(26,))
    now = 100 * (MARKS["XYZ261218C00100000"] - MARKS["XYZ261218C00110000"])
    payoff = describe_structure(SPREAD).payoff
    assert payoff is not None
    expected = payoff.at([100 * (1 + change) for change in grid.changes]) + 250.0 - now
    np.testing.assert_allclose(grid.pnl[:, 0], expected, atol=0.01)


def test_the_worst_cell_is_named() -> None:
    """The worst cell is named with its move and its day."""
    risk = risk_of(SPREAD)
    grid = scenario(risk, legs_on(risk), days=(0, 1, 26))
    assert grid.worst_words == "Worst in this grid: \N{MINUS SIGN}$280 at XYZ \N{MINUS SIGN}15.0%, in 26 days"


def test_the_first_expiry_has_its_own_column() -> None:
    """On its last day, a contract expires in a few hours, not tomorrow; a later one keeps its time value."""
    legs = [
        Leg(side=side, option_type="call", expiry=expiry, strike=100, contracts=1)
        for side, expiry in (("short", AT.date()), ("long", DEC))
    ]
    last = quote("XYZ261123C00100000", 0.39, 0.41)
    quotes = [last, quote("XYZ261218C00100000", 3.39, 3.41)]
    stocks = {"XYZ": quote("XYZ", 99.995, 100.005)}
    held = Portfolio(positions=[vertical(symbol="XYZ", net_debit=300.0, legs=legs)])
    risk = compute_live_risk(held, snapshot(*quotes, stock_quotes=stocks))
    days = days_for(shock_of(risk, [0, 1]).holdings)
    grid = scenario(risk, [0, 1], days=days)
    heads = [grid.day_words(day) for day in grid.days]
    assert heads == ["now", "at first expiry", "tomorrow", "in 7 days", "in 30 days"]
    assert days[1] == pytest.approx(6 / 24)
    alone = scenario(risk, [1], days=(days[1],))
    np.testing.assert_allclose(grid.pnl[:4, 1], alone.pnl[:4, 0] + 40.0, atol=0.01)
    assert {row["days"] for row in scenario_rows(grid)} == {0, 0.25, 1, 7, 30}


def test_a_contract_is_worth_its_payoff_at_its_own_expiry() -> None:
    """Rounding may leave a time slightly above zero, which still counts as expired."""
    times = [seconds / SECONDS_PER_YEAR for seconds in range(1, 100)]
    assert any(years - years * DAYS_PER_YEAR / DAYS_PER_YEAR > 0 for years in times)
    for years in times:
        option = OptionInputs(True, 110.0, 100.0, years, 0.04, 0.0, european=False)
        expired = MovedLeg(KnownLeg(option, 0.2, 100.0, 100.0), np.array([100.0]), years * DAYS_PER_YEAR)
        assert expired.grid is None


def test_a_structure_with_an_unknown_leg_has_no_figures() -> None:
    """The known leg alone would show a different risk, so both are left out, even beside other positions."""
    risk = risk_of(SPREAD, without="XYZ261218C00110000")
    nothing = scenario(risk, legs_on(risk))
    assert (nothing.coverage, nothing.is_whole) == ("0 of 2 legs", False)
    assert np.isnan(nothing.pnl).all()
    assert nothing.worst_words == ""
    assert {row["pnl"] for row in scenario_rows(nothing)} == {None}
    shares = EquityPosition(id="s", symbol="XYZ", shares=10, cost_basis=90.0)
    portfolio = risk_of(SPREAD, shares, without="XYZ261218C00110000")
    grid = scenario(portfolio, legs_on(portfolio))
    assert grid.pnl[:, 0] == pytest.approx(scenario(portfolio, [2]).pnl[:, 0])
    assert (grid.coverage, grid.is_whole) == ("1 of 3 legs", False)
    assert grid.worst_words.endswith("(1 of 3 legs)")


def test_no_share_falls_below_zero() -> None:
    """With a beta of 12, three moves of 5 % exceed the share's price, so only that price is lost."""
    risk = risk_of(EquityPosition(id="s", symbol="XYZ", shares=100, cost_basis=90.0))
    grid = scenario(risk, [0], days=(0,), betas={"XYZ": 12.0})
    assert grid.pnl.min() == pytest.approx(-10_000.0)


def test_several_underlyings_move_together() -> None:
    """A grid over two underlyings is the sum of their grids."""
    shares = EquityPosition(id="s", symbol="ABC", shares=-30, cost_basis=90)
    risk = risk_of(SPREAD, shares)
    together = scenario(risk, legs_on(risk)).pnl
    apart = [scenario(risk, legs_on(risk, stock=name)).pnl for name in ("XYZ", "ABC")]
    np.testing.assert_allclose(together, apart[0] + apart[1])
    np.testing.assert_allclose(apart[1][:, 0], [-30 * 100 * move * 0.05 for move in range(-3, 4)])


def test_shocks_of_the_whole_portfolio_go_through_beta() -> None:
    """A stock with a beta of 2 moves twice as far as the market; a stock without a beta is left out."""
    shares = [EquityPosition(id=name, symbol=name, shares=10, cost_basis=90) for name in ("ABC", "XYZ")]
    risk = risk_of(*shares)
    both = scenario(risk, legs_on(risk), betas={"ABC": 2.0, "XYZ": 0.5})
    np.testing.assert_allclose(both.pnl[:, 0], [2.5 * 10 * 100 * move * 0.05 for move in range(-3, 4)])
    one = scenario(risk, legs_on(risk), betas={"ABC": 2.0})
    assert one.pnl[6, 0] == pytest.approx(2 * 10 * 100 * 0.15)
    assert one.coverage == "1 of 2 legs"


def test_the_moves_are_expected_ones_and_the_days_contain_the_expiry() -> None:
    """A step is the expected move to the first expiry, and the columns include the day of that expiry."""
    risk = risk_of(SPREAD)
    holding = holding_of(risk, legs_on(risk))
    iv = float(risk.legs["iv"][0])
    assert step_of(holding) == pytest.approx(iv * math.sqrt(float(risk.legs["years"][0])))
    assert days_for({"XYZ": holding}) == (0, 1, 7, pytest.approx(25 + 6 / 24), 30)
    assert step_of(holding_of(risk, [])) == 0.03
    assert len(scenario_rows(scenario(risk, legs_on(risk)))) == 21


def test_the_curve_at_expiry_is_the_payoff_and_today_is_the_mark() -> None:
    """At expiry, the curve is the payoff; today, it is P/L Open at the spot."""
    risk = risk_of(SPREAD)
    holding, price_all = holding_of(risk, legs_on(risk, position_id="v")), Model().price_all
    prices = price_range(holding, 100.0, 61)
    assert prices.min() < 95
    assert prices.max() > 115
    end = compute_curve(price_all, holding, prices, holding.front_days, 250.0)
    payoff = describe_structure(SPREAD).payoff
    assert payoff is not None
    np.testing.assert_allclose(end.pnl, payoff.at(prices), atol=1e-6)
    assert end.break_evens == pytest.approx((102.5,), abs=0.05)
    today = compute_curve(price_all, holding, np.array([100.0]), 0.0, 250.0)
    assert today.pnl[0] == pytest.approx(100 * (3.40 - 0.60) - 250, abs=0.01)


@pytest.mark.parametrize(
    ("pnl", "zeros"),
    [
        ([-2, -1, 0, 1, 2], (3,)),
        ([-2, -1, 1, 0, -1], (2.5, 4)),
        ([0, 0, 0, 1, 2], (3,)),
        ([-1, 0, 0, 0, 1], (2, 4)),
        ([-1, -1, -1, -1, 0], (5,)),
        ([0, 0, 0, 0, 0], ()),
    ],
)
def test_a_range_without_profit_and_loss_has_two_break_evens(pnl: list[int], zeros: tuple[float]) -> None:
    """If a curve runs along zero, the break-evens are the ends of that stretch, not each point between."""
    assert find_zeros(np.arange(1.0, 6.0), np.array(pnl, dtype=np.float64)) == zeros


def test_a_calendar_has_a_curve_at_its_first_expiry_by_the_model() -> None:
    """At the first expiry of a calendar, the later leg still has time value, the most at the strike."""
    legs = [
        Leg(side=side, option_type="call", expiry=expiry, strike=100, contracts=1)
        for side, expiry in (("short", DEC), ("long", JAN))
    ]
    risk = risk_of(vertical(symbol="XYZ", net_debit=150.0, legs=legs))
    holding = holding_of(risk, legs_on(risk))
    end = compute_curve(Model().price_all, holding, np.array([80.0, 100.0, 120.0]), holding.front_days, 150.0)
    assert end.pnl[1] > max(end.pnl[0], end.pnl[2])
    assert end.pnl[1] > 0 > end.pnl[0]


def test_a_single_leg_is_selected_by_its_position() -> None:
    """Legs are found by position and by underlying."""
    risk = risk_of(SPREAD, single(id="one", symbol="XYZ", strike=100.0), single(id="two", symbol="ABC"))
    assert legs_on(risk, position_id="one") == [2]
    assert legs_on(risk, stock="XYZ") == [0, 1, 2]
    assert contract_symbol("ABC", single()) == risk.terms.symbols[3]
    assert risk.at.as_of == AT
