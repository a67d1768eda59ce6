"""The risk figures of a row: distance, expected move, part of the maximum profit, days, probability."""

from __future__ import annotations

import datetime as dt
import math
from statistics import NormalDist
from typing import Any

import pytest

from options_helper.analysis.live_portfolio_metrics import (
    compute_live_multileg_rows,
    compute_live_position_rows,
)
from options_helper.analysis.osi import contract_symbol
from options_helper.analysis.risk import compute_live_risk
from options_helper.market import LiveSnapshot
from options_helper.models import Portfolio, Position, StockLeg
from tests.builders import AT, leg, quote, single, snapshot, vertical

SPOT = 250.0
RATE = 0.04


def live_with(position: Any, *prices: float, spot: float = SPOT, at: dt.datetime = AT) -> LiveSnapshot:
    """Return a snapshot in which the legs of a position have these marks, with a spread of a cent."""
    options = getattr(position, "option_legs", [position])
    quotes = [
        quote(contract_symbol("AAPL", option), price - 0.005, price + 0.005, at=at)
        for option, price in zip(options, prices, strict=True)
    ]
    return snapshot(
        *quotes, as_of=at, stock_quotes={"AAPL": quote("AAPL", spot - 0.005, spot + 0.005, at=at)}
    )


def years_to_expiry(at: dt.datetime = AT) -> float:
    """Return the calendar years until 16:00 in New York on the day of expiry."""
    return (dt.datetime(2026, 12, 18, 21, 0, tzinfo=dt.UTC) - at) / dt.timedelta(days=365)


@pytest.mark.parametrize(
    ("option_type", "strike", "price", "percent"),
    [
        ("call", 240.0, 13.0, 0.04),
        ("call", 260.0, 3.0, -0.04),
        ("put", 260.0, 13.0, 0.04),
        ("put", 250.0, 6.0, 0.0),
    ],
)
@pytest.mark.parametrize("contracts", [2, -2])
def test_the_distance_to_the_strike(
    option_type: str, strike: float, price: float, percent: float, contracts: int
) -> None:
    """The distance is positive in the money, for long and short, and is also given in expected moves."""
    position = single(option_type=option_type, strike=strike, contracts=contracts)
    row = compute_live_risk(Portfolio(positions=[position]), live_with(position, price)).legs.iloc[0]
    move = SPOT * row["iv"] * math.sqrt(years_to_expiry())
    assert row["moneyness"] == pytest.approx(percent, abs=1e-12)
    assert row["expected_move"] == pytest.approx(move, rel=1e-6)
    assert row["moneyness_moves"] == pytest.approx(percent * SPOT / move, rel=1e-6, abs=1e-12)
    assert row["extrinsic"] == pytest.approx(price - max(percent * SPOT, 0.0))


@pytest.mark.parametrize(
    ("position", "prices", "share"),
    [
        (single(contracts=-1, cost_basis=4.0), [1.0], 0.75),  # $300 of a credit of $400
        (single(contracts=-1, cost_basis=4.0), [6.0], -0.5),
        (single(option_type="put", contracts=1, cost_basis=50.0), [100.0], 0.25),  # $5,000 of $20,000
        (single(contracts=1, cost_basis=4.0), [8.0], None),  # no maximum
        (vertical(net_debit=400.0), [12.0, 5.0], 0.5),  # $300 of $600
        (vertical(net_debit=400.0), [3.0, 1.0], -1 / 3),
        (vertical(net_debit=None), [12.0, 5.0], None),
        (vertical(legs=[leg("long", "call", 250), leg("long", "call", 260)]), [12.0, 5.0], None),
    ],
)  # fmt: skip
def test_the_part_of_the_maximum_profit(position: Any, prices: list[float], share: float | None) -> None:
    """The part is P/L Open divided by the maximum profit at expiry, unknown without a finite maximum."""
    portfolio, live = Portfolio(positions=[position]), live_with(position, *prices)
    if isinstance(position, Position):
        rows = compute_live_position_rows(portfolio, live, stale_after_seconds=30)
    else:
        rows, _ = compute_live_multileg_rows(portfolio, live, stale_after_seconds=30)
    got = rows["max_profit_pct"].iloc[0]
    assert math.isnan(got) if share is None else got == pytest.approx(share)


@pytest.mark.parametrize(
    ("opened", "at", "days"),
    [
        (dt.date(2026, 11, 23), AT, 0),
        (dt.date(2026, 11, 20), AT, 3),
        (dt.date(2026, 11, 20), dt.datetime(2026, 11, 24, 4, 59, tzinfo=dt.UTC), 3),  # 23:59 in New York
        (dt.date(2026, 11, 20), dt.datetime(2026, 11, 24, 5, 0, tzinfo=dt.UTC), 4),
        (dt.date(2026, 10, 31), dt.datetime(2026, 11, 2, 15, 0, tzinfo=dt.UTC), 2),  # the clocks change
        (None, AT, None),
    ],
)
def test_the_days_in_the_trade(opened: dt.date | None, at: dt.datetime, days: int | None) -> None:
    """The days are New York dates since `opened_at`, for singles and structures; unknown without it."""
    portfolio = Portfolio(positions=[single(opened_at=opened), vertical(opened_at=opened)])
    live = snapshot(as_of=at)
    singles = compute_live_position_rows(portfolio, live, stale_after_seconds=30)
    structures, _ = compute_live_multileg_rows(portfolio, live, stale_after_seconds=30)
    for rows in (singles, structures):
        got = rows["days_held"].iloc[0]
        assert str(got) == "<NA>" if days is None else got == days


SHORT_STRANGLE = vertical(net_debit=-800.0, legs=[leg("short", "put", 232), leg("short", "call", 270)])
COVERED_CALL = vertical(
    net_debit=24_500.0, legs=[StockLeg(side="long", shares=100), leg("short", "call", 260)]
)


@pytest.mark.parametrize(
    ("position", "prices", "spans"),
    [
        (single(contracts=1, cost_basis=5.0), [8.0], [(255.0, math.inf)]),
        (single(contracts=-1, cost_basis=5.0), [8.0], [(0.0, 255.0)]),
        (single(option_type="put", contracts=1, cost_basis=5.0), [7.0], [(0.0, 245.0)]),
        (vertical(net_debit=400.0), [8.0, 4.0], [(254.0, math.inf)]),
        (SHORT_STRANGLE, [3.0, 3.5], [(224.0, 278.0)]),
        (COVERED_CALL, [4.0], [(245.0, math.inf)]),
    ],
)
def test_the_probability_of_profit(
    position: Any, prices: list[float], spans: list[tuple[float, float]]
) -> None:
    """The probability is lognormal, with the IV of the leg nearest to the money."""
    portfolio = Portfolio(positions=[position])
    risk = compute_live_risk(portfolio, live_with(position, *prices), risk_free_rate=RATE)
    strikes = [option.strike for option in getattr(position, "option_legs", [position])]
    options = risk.legs.dropna(subset=["iv"])
    nearest = min(zip(strikes, options["iv"], strict=True), key=lambda pair: abs(pair[0] - SPOT))
    years = years_to_expiry()
    deviation = nearest[1] * math.sqrt(years)
    middle = math.log(SPOT) + RATE * years - deviation**2 / 2

    def below(price: float) -> float:
        if not 0 < price < math.inf:
            return float(price > 0)
        return NormalDist(middle, deviation).cdf(math.log(price))

    expected = sum(below(high) - below(low) for low, high in spans)
    assert 0.05 < expected < 0.95
    assert risk.positions["probability_of_profit"].iloc[0] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    "position",
    [
        vertical(net_debit=None),
        vertical(legs=[leg("long", "call", 250), leg("short", "call", 250, expiry=dt.date(2027, 1, 15))]),
        single(expiry=dt.date(2026, 11, 20)),
    ],
    ids=["without a price", "of two expiries", "expired"],
)
def test_a_probability_that_cannot_be_known(position: Any) -> None:
    """Without a payoff at one expiry, or a volatility, there is no probability."""
    legs = getattr(position, "option_legs", [position])
    risk = compute_live_risk(Portfolio(positions=[position]), live_with(position, *[8.0] * len(legs)))
    assert math.isnan(risk.positions["probability_of_profit"].iloc[0])
