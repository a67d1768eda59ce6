"""Totals, which always show their coverage."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from options_helper.analysis.live_portfolio_metrics import (
    LiveTotals,
    Total,
    compute_live_multileg_rows,
    compute_live_position_rows,
    compute_live_totals,
)
from options_helper.market import LiveSnapshot, PreviousClose, Quote
from options_helper.models import EquityPosition, Leg, MultiLegPosition, Portfolio, Position, StockLeg

AT = dt.datetime(2026, 11, 23, 15, 0, tzinfo=dt.UTC)
FRIDAY = dt.date(2026, 11, 20)
DEC = dt.date(2026, 12, 18)


def single(strike: float, **changes: Any) -> Position:
    """One long AAPL December call for 5.00."""
    terms = {
        "id": f"c{strike:g}",
        "symbol": "AAPL",
        "option_type": "call",
        "expiry": DEC,
        "strike": strike,
        "contracts": 1,
        "cost_basis": 5.0,
    }
    return Position(**{**terms, **changes})


def vertical(net_debit: float | None, *, low: float = 300.0, expiry: dt.date = DEC) -> MultiLegPosition:
    """A call vertical, ten dollars wide."""
    legs = [
        Leg(side=side, option_type="call", expiry=expiry, strike=strike, contracts=1)
        for side, strike in (("long", low), ("short", low + 10))
    ]
    return MultiLegPosition(id=f"v{low:g}", symbol="AAPL", legs=legs, net_debit=net_debit)


def quotes(*strikes: float, mid: float = 6.0, ago: float = 1.0) -> dict[str, Quote]:
    """Quotes of AAPL December calls."""
    symbols = [f"AAPL261218C{int(strike * 1000):08d}" for strike in strikes]
    stamp = AT - dt.timedelta(seconds=ago)
    return {symbol: Quote(symbol, mid - 0.05, mid + 0.05, timestamp=stamp) for symbol in symbols}


def totals_of(portfolio: Portfolio, live: LiveSnapshot) -> LiveTotals:
    """The totals of one refresh."""
    rows = compute_live_position_rows(portfolio, live, stale_after_seconds=30)
    structures, legs = compute_live_multileg_rows(portfolio, live, stale_after_seconds=30)
    return compute_live_totals(portfolio, rows, structures, legs)


def test_with_everything_known_totals_have_a_headline() -> None:
    """Totals sum singles, shares and structures in dollars, with percentages of the cost."""
    shares = EquityPosition(id="s", symbol="AAPL", shares=10, cost_basis=200)
    portfolio = Portfolio(positions=[single(250), shares, vertical(-150.0)], cash=1000.0)
    live = LiveSnapshot(
        as_of=AT,
        option_quotes={**quotes(250, mid=7.0), **quotes(300, mid=3.0, ago=4), **quotes(310, mid=4.0)},
        stock_quotes={"AAPL": Quote("AAPL", 209.0, 211.0, timestamp=AT)},
        previous_closes={
            **{symbol: PreviousClose(2.0, FRIDAY) for symbol in quotes(250, 300, 310)},
            "AAPL": PreviousClose(208.0, FRIDAY),
        },
    )
    totals = totals_of(portfolio, live)
    assert totals.open_pnl.value == pytest.approx(200 + 100 + (-100 + 150))
    assert totals.cost.value == pytest.approx(500 + 2000 - 150)
    assert totals.market_value.value == pytest.approx(700 + 2100 - 100)
    assert totals.portfolio_value.value == pytest.approx(3700)
    assert totals.day_pnl.value == pytest.approx(500 + 20 + (100 - 200))
    assert totals.premium_at_risk.value == pytest.approx(500)
    assert totals.open_pnl_pct == pytest.approx(350 / (500 + 2000 + 150))
    assert totals.day_pnl_pct == pytest.approx(420 / (3700 - 420))
    assert totals.open_pnl.coverage == "4 of 4 legs"
    assert (totals.legs, totals.live_legs, totals.expired, totals.states) == (4, 4, 0, {"live": 4})
    assert totals.oldest_age_seconds == 4


def test_one_missing_leg_removes_the_headline_and_leaves_the_part() -> None:
    """Eleven of twelve marks give no complete total, but a partial one with its coverage."""
    strikes = [200.0 + n for n in range(12)]
    portfolio = Portfolio(positions=[single(strike) for strike in strikes], cash=50.0)
    totals = totals_of(portfolio, LiveSnapshot(as_of=AT, option_quotes=quotes(*strikes[:-1])))
    assert totals.open_pnl.value is None
    assert totals.open_pnl.partial == pytest.approx(1100)
    assert totals.open_pnl.coverage == "11 of 12 legs"
    assert totals.open_pnl_pct is None
    assert totals.portfolio_value.value is None
    assert totals.portfolio_value.partial == pytest.approx(50 + 11 * 600)
    assert totals.day_pnl.value is None
    assert totals.day_pnl_pct is None
    assert totals.day_pnl.coverage == "0 of 12 legs"
    assert totals.cost.value == pytest.approx(6000), "the cost needs no mark"
    assert (totals.legs, totals.live_legs, totals.states) == (12, 11, {"live": 11, "no_data": 1})


def test_a_spread_with_a_missing_leg_is_left_out_of_the_pnl_whole() -> None:
    """P/L includes structures whole or not at all; market value includes the leg that has a mark."""
    portfolio = Portfolio(positions=[vertical(100.0), single(250)])
    totals = totals_of(portfolio, LiveSnapshot(as_of=AT, option_quotes=quotes(300, 250)))
    assert (totals.open_pnl.covered, totals.open_pnl.legs) == (1, 3)
    assert totals.open_pnl.partial == pytest.approx(100)
    assert (totals.market_value.covered, totals.market_value.partial) == (2, pytest.approx(1200))


def test_an_unknown_net_debit_is_missing_from_cost_and_pnl() -> None:
    """Without a known cost, neither the profit nor the money at risk is known."""
    portfolio = Portfolio(positions=[vertical(None)])
    totals = totals_of(portfolio, LiveSnapshot(as_of=AT, option_quotes=quotes(300, 310)))
    assert totals.cost.value is totals.open_pnl.value is totals.premium_at_risk.value is None
    assert totals.market_value.value == pytest.approx(0)


def test_an_expired_result_that_is_not_known_makes_every_total_incomplete() -> None:
    """With an unknown settlement, every total is partial."""
    old = dt.date(2026, 11, 20)
    left = [single(250)]
    live = LiveSnapshot(as_of=AT, option_quotes=quotes(250))
    with_old = [*left, single(240, expiry=old), vertical(100.0, expiry=old)]
    totals, expected = (
        totals_of(Portfolio(positions=with_old), live),
        totals_of(Portfolio(positions=left), live),
    )
    for name in ("open_pnl", "market_value", "portfolio_value"):
        assert getattr(totals, name).value is None, name
        assert getattr(totals, name).partial == getattr(expected, name).partial, name
    assert totals.premium_at_risk.value == expected.premium_at_risk.value
    assert (totals.legs, totals.expired, totals.settled) == (1, 3, 0)


def test_a_lone_expired_contract_says_nothing_about_the_day() -> None:
    """The $0 of a contract that expired earlier is not a P/L Day if that of the others is unknown."""
    gone = single(250, id="gone", expiry=FRIDAY)
    assert totals_of(Portfolio(positions=[gone]), LiveSnapshot(as_of=AT)).day_pnl.value == 0
    portfolio = Portfolio(positions=[gone, single(300)])
    assert totals_of(portfolio, LiveSnapshot(as_of=AT)).day_pnl.coverage == "0 of 2 legs"
    closes = {symbol: PreviousClose(5.0, FRIDAY) for symbol in quotes(300)}
    live = LiveSnapshot(as_of=AT, option_quotes=quotes(300), previous_closes=closes)
    assert totals_of(portfolio, live).day_pnl.value == pytest.approx(100)


def test_no_change_on_the_last_day_is_a_result() -> None:
    """A contract that expired today as high as it closed yesterday has $0 for the day, which counts."""
    evening = dt.datetime(2026, 11, 20, 21, 30, tzinfo=dt.UTC)
    closes = {"AAPL261120C00250000": PreviousClose(5.0, FRIDAY - dt.timedelta(days=1))}
    spot = {"AAPL": Quote("AAPL", 254.99, 255.01, timestamp=evening)}
    live = LiveSnapshot(as_of=evening, stock_quotes=spot, previous_closes=closes)
    day = totals_of(Portfolio(positions=[single(250, expiry=FRIDAY), single(300)]), live).day_pnl
    assert (day.partial, day.coverage) == (pytest.approx(0), "1 of 2 legs")


def test_a_half_expired_calendar_is_missing_from_the_pnl() -> None:
    """The front leg's settlement is unknown, so the calendar's P/L is missing, and the row says so."""
    old = dt.date(2026, 11, 20)
    legs = [
        Leg(side="short", option_type="call", expiry=old, strike=250, contracts=1),
        Leg(side="long", option_type="call", expiry=DEC, strike=250, contracts=1),
    ]
    portfolio = Portfolio(positions=[MultiLegPosition(id="k", symbol="AAPL", legs=legs, net_debit=100.0)])
    totals = totals_of(portfolio, LiveSnapshot(as_of=AT, option_quotes=quotes(250)))
    assert (totals.open_pnl.value, totals.open_pnl.coverage) == (None, "0 of 2 legs")
    assert (totals.market_value.partial, totals.expired) == (pytest.approx(600), 1)


def test_premium_at_risk_counts_only_what_was_paid_for_options() -> None:
    """Short options, credits, shares and structures with shares are not premium at risk."""
    covered = MultiLegPosition(
        id="cc",
        symbol="AAPL",
        legs=[
            StockLeg(side="long", shares=100),
            Leg(side="short", option_type="call", expiry=DEC, strike=320, contracts=1),
        ],
        net_debit=20_000.0,
    )
    positions = [
        single(250, contracts=3),
        single(260, contracts=-2),
        EquityPosition(id="s", symbol="AAPL", shares=10, cost_basis=200),
        vertical(240.0),
        vertical(-150.0, low=350.0),
        covered,
    ]
    totals = totals_of(Portfolio(positions=positions), LiveSnapshot(as_of=AT))
    assert totals.premium_at_risk.value == pytest.approx(1500 + 240)


def test_fractions_need_a_base() -> None:
    """Without a cost, or without a value before the day, there is no percentage."""
    free = Portfolio(positions=[single(250, cost_basis=0.0)])
    closes = {symbol: PreviousClose(6.0, FRIDAY) for symbol in quotes(250)}
    totals = totals_of(free, LiveSnapshot(as_of=AT, option_quotes=quotes(250), previous_closes=closes))
    assert (totals.open_pnl.value, totals.open_pnl_pct) == (pytest.approx(600), None)
    assert totals.day_pnl_pct == pytest.approx(0)
    empty = totals_of(Portfolio(cash=12.5), LiveSnapshot(as_of=AT))
    assert (empty.portfolio_value.value, empty.open_pnl.value, empty.day_pnl_pct) == (12.5, 0, 0)
    assert (empty.open_pnl_pct, empty.oldest_age_seconds, empty.open_pnl.coverage) == (
        None,
        None,
        "0 of 0 legs",
    )


def test_another_portfolios_tables_are_refused() -> None:
    """A filtered table, or a table of another portfolio, raises."""
    portfolio, live = Portfolio(positions=[single(250), single(260)]), LiveSnapshot(as_of=AT)
    rows = compute_live_position_rows(portfolio, live, stale_after_seconds=30)
    structures, legs = compute_live_multileg_rows(portfolio, live, stale_after_seconds=30)
    with pytest.raises(ValueError, match="do not hold all rows of this portfolio"):
        compute_live_totals(portfolio, rows.iloc[:1], structures, legs)


def test_one_leg_is_singular() -> None:
    """The word "leg" is singular for one leg."""
    assert Total(1.0, 1, 1).coverage == "1 of 1 leg"
    assert Total(1.0, 1, 2).coverage == "1 of 2 legs"
