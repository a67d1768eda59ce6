"""The model against a tree of our own, QuantLib's other engines, and published tables."""

from __future__ import annotations

import math

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813 - the library's own abbreviation

from options_helper.analysis.risk.pricing.implied import MOST_VOLATILITY, solve
from options_helper.analysis.risk.pricing.model import Model, OptionInputs
from options_helper.analysis.risk.pricing.reasons import Reason
from tests.analysis.risk.oracle import Options, tree_greeks, tree_prices

DAY = 1 / 365
MINUTE = DAY / 1440


def option(**changes) -> OptionInputs:
    """Return an American put at the money with a year to go, with these changes."""
    terms = {
        "is_put": True, "strike": 100.0, "spot": 100.0, "years": 1.0, "rate": 0.04, "dividend_yield": 0.0,
        "european": False,
    }  # fmt: skip
    return OptionInputs(**{**terms, **changes})


def random_options(count: int, seed: int, *, most_deviations: float = 2.0) -> Options:
    """Return random options: a third European, half without dividends, two days to two and a half years."""
    rng = np.random.default_rng(seed)
    years = 10 ** rng.uniform(-2.2, 0.4, count)
    volatility = 10 ** rng.uniform(-1, 0.1, count)
    distance = rng.uniform(-most_deviations, most_deviations, count) * volatility * np.sqrt(years)
    return Options(
        is_put=rng.random(count) < 0.5,
        european=rng.random(count) < 0.33,
        spot=100 * np.exp(distance),
        strike=np.full(count, 100.0),
        years=years,
        rate=rng.uniform(0.001, 0.08, count),
        dividend_yield=np.where(rng.random(count) < 0.5, 0.0, rng.uniform(0, 0.06, count)),
        volatility=volatility,
    )


def inputs_of(options: Options) -> list[OptionInputs]:
    """Return the same options as the model's inputs."""
    return [
        OptionInputs(bool(p), k, s, t, r, q, bool(e))
        for p, e, s, k, t, r, q, _ in zip(*(each.tolist() for each in options), strict=True)
    ]


@pytest.mark.slow
def test_prices_agree_with_the_tree() -> None:
    """The prices of 2,000 random contracts equal the tree's, within its error."""
    options = random_options(2_000, seed=1)
    model = Model()
    prices = [
        model.price(*each) for each in zip(inputs_of(options), options.volatility.tolist(), strict=True)
    ]
    errors = np.abs(prices - tree_prices(options, 301))
    assert errors.max() < 0.05
    assert np.quantile(errors, 0.99) < 0.01


@pytest.mark.slow
def test_greeks_agree_with_the_tree() -> None:
    """The Greeks of 400 random contracts equal the tree's differences."""
    options = random_options(400, seed=2)
    model = Model()
    pairs = zip(inputs_of(options), options.volatility.tolist(), strict=True)
    found = [model.greeks(*each) for each in pairs]
    limits = {"delta": 0.004, "gamma": 0.004, "theta": 0.004, "vega": 0.004, "rho": 0.02}
    for name, expected in tree_greeks(options, 301).items():
        ours = np.array([getattr(each, name) for each in found])
        np.testing.assert_allclose(ours, expected, atol=limits[name], rtol=0.02, err_msg=name)


@pytest.mark.slow
def test_implied_volatility_returns_what_made_the_price() -> None:
    """The volatility of 1,500 prices is recovered, or the quote is too wide for one."""
    options = random_options(1_500, seed=3, most_deviations=2.5)
    model, found = Model(), 0
    for each, volatility in zip(inputs_of(options), options.volatility.tolist(), strict=True):
        price = model.price(each, volatility)
        solution = solve(model, each, 0.999 * price, price, 1.001 * price)
        if solution.reason is None:
            found += 1
            assert solution.iv == pytest.approx(volatility, abs=2e-5), each
            assert solution.bid_iv <= solution.iv <= solution.ask_iv
        else:
            assert solution.reason in {Reason.WIDE, Reason.BELOW_INTRINSIC}
    assert found > 1_300


ODD = {
    "a put deep in the money": ({"spot": 90.0, "years": 30 * DAY}, 0.35),
    "a call with a large dividend": (
        {"is_put": False, "spot": 110.0, "years": 0.25, "dividend_yield": 0.12},
        0.25,
    ),
    "a call deep in the money before a dividend": (
        {"is_put": False, "strike": 80.0, "years": 20 * DAY, "dividend_yield": 0.06},
        0.5,
    ),
    "half a minute before the close": ({"strike": 600.0, "spot": 600.05, "years": MINUTE / 2}, 0.4),
    "an hour before the close": ({"strike": 598.0, "spot": 600.0, "years": 60 * MINUTE}, 0.2),
    "next to no volatility": ({"years": 0.5, "rate": 0.05}, 0.05),
    "years to go": ({"spot": 120.0, "years": 2.5, "dividend_yield": 0.01}, 0.3),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ODD)
def test_odd_contracts_agree_with_the_tree(name: str) -> None:
    """Price, delta, gamma, vega and the recovered volatility also agree in extreme cases."""
    changes, volatility = ODD[name]
    each = option(**changes)
    alike = Options(
        *(
            np.array([value])
            for value in (
                each.is_put, each.european, each.spot, each.strike, each.years, each.rate,
                each.dividend_yield, volatility,
            )
        )
    )  # fmt: skip
    model, greeks = Model(), tree_greeks(alike, 501)
    price, ours = model.price(each, volatility), model.greeks(each, volatility)
    assert price == pytest.approx(tree_prices(alike, 501)[0], abs=2e-3)
    for greek, limit in (("delta", 1e-3), ("gamma", 2e-3), ("vega", 1e-3)):
        assert getattr(ours, greek) == pytest.approx(greeks[greek][0], abs=limit), greek
    assert solve(model, each, 0.999 * price, price, 1.001 * price).iv == pytest.approx(volatility, abs=2e-5)


@pytest.mark.slow
@pytest.mark.parametrize("is_put", [True, False])
@pytest.mark.parametrize("european", [True, False])
def test_quantlib_finite_differences_agree(*, is_put: bool, european: bool) -> None:
    """QuantLib's finite-difference engine has the same prices, deltas and gammas."""
    today = ql.Date(15, 6, 2130)  # never past, so that QuantLib's evaluation date stays as it is
    days = ql.Actual365Fixed()
    model = Model()
    for spot, whole_days, volatility in ((80.0, 30, 0.5), (100.0, 365, 0.2), (115.0, 200, 0.3)):
        process = ql.BlackScholesMertonProcess(
            ql.QuoteHandle(ql.SimpleQuote(spot)),
            ql.YieldTermStructureHandle(ql.FlatForward(today, 0.03, days)),
            ql.YieldTermStructureHandle(ql.FlatForward(today, 0.05, days)),
            ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), volatility, days)),
        )
        end = today + whole_days
        exercise = ql.EuropeanExercise(end) if european else ql.AmericanExercise(today, end)
        kind = ql.Option.Put if is_put else ql.Option.Call
        theirs = ql.VanillaOption(ql.PlainVanillaPayoff(kind, 100.0), exercise)
        theirs.setPricingEngine(ql.FdBlackScholesVanillaEngine(process, 800, 800))
        ours = option(
            is_put=is_put,
            european=european,
            spot=spot,
            years=whole_days / 365,
            rate=0.05,
            dividend_yield=0.03,
        )
        greeks = model.greeks(ours, volatility)
        assert model.price(ours, volatility) == pytest.approx(theirs.NPV(), abs=4e-3)
        assert greeks.delta == pytest.approx(theirs.delta(), abs=1e-3)
        assert greeks.gamma == pytest.approx(theirs.gamma(), abs=1e-3)


# Longstaff and Schwartz, "Valuing American Options by Simulation", Review of Financial Studies 14 (2001),
# table 1: American puts by finite differences; strike 40, rate 6 %; spot, volatility, years, price.
LONGSTAFF_SCHWARTZ = [
    (36, 0.20, 1, 4.478), (36, 0.20, 2, 4.840), (36, 0.40, 1, 7.101), (36, 0.40, 2, 8.508),
    (38, 0.20, 1, 3.250), (38, 0.20, 2, 3.745), (38, 0.40, 1, 6.148), (38, 0.40, 2, 7.670),
    (40, 0.20, 1, 2.314), (40, 0.20, 2, 2.885), (40, 0.40, 1, 5.312), (40, 0.40, 2, 6.920),
    (42, 0.20, 1, 1.617), (42, 0.20, 2, 2.212), (42, 0.40, 1, 4.582), (42, 0.40, 2, 6.248),
    (44, 0.20, 1, 1.110), (44, 0.20, 2, 1.690), (44, 0.40, 1, 3.948), (44, 0.40, 2, 5.647),
]  # fmt: skip


@pytest.mark.parametrize(("spot", "volatility", "years", "price"), LONGSTAFF_SCHWARTZ)
def test_american_puts_have_the_published_prices(spot, volatility, years, price) -> None:
    """American puts have the prices of Longstaff and Schwartz's table, within its grid's own error."""
    put = option(strike=40.0, spot=float(spot), years=float(years), rate=0.06)
    assert Model().price(put, volatility) == pytest.approx(price, abs=0.011)


def test_european_options_have_the_published_prices() -> None:
    """A European call and put have the prices of Hull's example 15.6: 4.76 and 0.81."""
    terms = {"spot": 42.0, "strike": 40.0, "years": 0.5, "rate": 0.10, "european": True}
    model = Model()
    assert model.price(option(is_put=False, **terms), 0.2) == pytest.approx(4.76, abs=0.005)
    assert model.price(option(is_put=True, **terms), 0.2) == pytest.approx(0.81, abs=0.005)


def test_early_exercise_is_worth_something_only_if_it_pays() -> None:
    """Only a put with interest or a call with dividends is worth more than its European counterpart."""
    model = Model()
    for is_put, dividends, more in ((True, 0.0, True), (False, 0.05, True), (False, 0.0, False)):
        american = option(is_put=is_put, dividend_yield=dividends)
        premium = model.price(american, 0.2) - model.price(american._replace(european=True), 0.2)
        assert (premium > 0.05) is more
        assert premium >= 0


def test_the_last_minute_is_right_to_the_minute() -> None:
    """One minute before expiry, an option at the money has the value of one minute's deviation."""
    model = Model()
    for european in (True, False):
        for minutes in (1, 4):
            each = option(spot=600.0, strike=600.0, years=minutes * MINUTE, european=european)
            expected = 600 * 0.15 * math.sqrt(each.years / (2 * math.pi))
            assert model.price(each, 0.15) == pytest.approx(expected, rel=2e-3)


def test_the_last_day_loses_no_more_than_the_extrinsic_value() -> None:
    """Half an hour before expiry, theta is the remaining value, not 48 times as much."""
    model = Model()
    for european in (True, False):
        each = option(spot=101.0, strike=100.0, years=30 * MINUTE, european=european)
        left = model.price(each, 0.3) - each.intrinsic
        assert model.greeks(each, 0.3).theta == pytest.approx(-left)


def test_deep_options_are_worth_intrinsic_or_nothing() -> None:
    """Deep in the money, an American put is worth its intrinsic value; far out of the money, nothing."""
    model = Model()
    for years in (MINUTE, DAY, 0.5):
        assert model.price(option(spot=20.0, years=years), 0.2) == pytest.approx(80.0, abs=1e-6)
        assert model.price(option(spot=400.0, years=years), 0.2) == pytest.approx(0.0, abs=1e-6)


def test_a_quote_without_a_volatility_says_why() -> None:
    """A mark at or outside the model's prices has no volatility, and a wide quote has only a range."""
    model = Model()
    call = option(is_put=False, spot=110.0)
    assert solve(model, call, 8.0, 9.0, 10.0).reason is Reason.BELOW_INTRINSIC
    assert solve(model, option(spot=50.0), 49.9, 50.0, 50.1).reason is Reason.BELOW_INTRINSIC
    assert solve(model, option(is_put=False), 100.0, 101.0, 102.0).reason is Reason.ABOVE_ALL
    wide = solve(model, option(), 4.0, 7.0, 10.0)
    assert wide.reason is Reason.WIDE
    assert math.isnan(wide.iv)
    assert math.isnan(wide.greeks.delta)
    assert 0.05 < wide.bid_iv < wide.ask_iv < MOST_VOLATILITY


def test_a_bid_below_every_model_price_has_no_volatility() -> None:
    """A bid below the lowest price counts as zero volatility, so the range includes it."""
    call = option(is_put=False, spot=110.0, years=0.25)
    least = 110 - 100 * math.exp(-0.01)
    solution = solve(Model(), call, least - 0.01, least + 0.02, least + 0.05)
    assert solution.bid_iv == 0.0
    assert solution.ask_iv > 0
