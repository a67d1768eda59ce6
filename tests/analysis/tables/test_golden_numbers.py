"""Figures that a trader can check with a pencil; every number here was computed by hand."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from options_helper.analysis.live_portfolio_metrics import (
    LiveTotals,
    compute_live_multileg_rows,
    compute_live_position_rows,
    compute_live_totals,
)
from options_helper.market import (
    LiveSnapshot,
    PreviousClose,
    Quote,
    StreamHealth,
    StreamName,
    StreamState,
    Trade,
)
from options_helper.models import EquityPosition, Leg, MultiLegPosition, Portfolio, Position, StockLeg
from options_helper.times import NEW_YORK

AT = dt.datetime(2026, 11, 24, 11, 0, tzinfo=NEW_YORK).astimezone(dt.UTC)  # a Tuesday
MONDAY, FRIDAY = dt.date(2026, 11, 23), dt.date(2026, 11, 20)
DEC, JAN = dt.date(2026, 12, 18), dt.date(2027, 1, 15)


def call(strike: float, **more: Any) -> dict[str, Any]:
    """The terms of an AAPL call."""
    return {"option_type": "call", "expiry": DEC, "strike": strike, **more}


def single(contracts: int = 1, cost: float = 5.0, *, symbol: str = "AAPL", **terms: Any) -> Position:
    """Return a single option, an AAPL 250 call by default."""
    return Position(
        id=terms.pop("id", "a"), symbol=symbol, contracts=contracts, cost_basis=cost, **(call(250) | terms)
    )


def leg(side: str, strike: float, contracts: int = 1, **terms: Any) -> Leg:
    """Return a leg of AAPL calls by default."""
    return Leg(side=side, contracts=contracts, **(call(strike) | terms))


def structure(*legs: Leg | StockLeg, debit: float | None, **more: Any) -> MultiLegPosition:
    """A structure on AAPL."""
    return MultiLegPosition(id="s", symbol="AAPL", legs=list(legs), net_debit=debit, **more)


def world(prices: dict[str, tuple[float | None, float | None]], ago: float = 1, **more: Any) -> LiveSnapshot:
    """An open market on running streams, with these bids and asks; short names are stocks."""
    at = more.get("as_of", AT)
    stamp = at - dt.timedelta(seconds=ago)
    quotes = {name: Quote(name, *sides, 1, 1, stamp, stamp) for name, sides in prices.items()}
    health = {
        name: StreamHealth(name, StreamState.RUNNING, last_heard_at=at - dt.timedelta(seconds=1))
        for name in StreamName
    }
    base: dict[str, Any] = {
        "as_of": at,
        "market_phase": "open",
        "options_feed": "opra",
        "stock_feed": "iex",
        "trading_date": dt.date(2026, 11, 24),
        "previous_trading_date": MONDAY,
        "health": health,
        "option_quotes": {name: quote for name, quote in quotes.items() if len(name) > 5},
        "stock_quotes": {name: quote for name, quote in quotes.items() if len(name) <= 5},
    }
    return LiveSnapshot(**(base | more))


def of(
    position: Any, live: LiveSnapshot, *others: Any, cash: float = 0
) -> tuple[pd.Series[Any], pd.DataFrame, LiveTotals]:
    """Return a position's row, the legs of all structures, and the totals with other positions."""
    portfolio = Portfolio(positions=[position, *others], cash=cash)
    rows = compute_live_position_rows(portfolio, live, stale_after_seconds=30)
    structures, legs = compute_live_multileg_rows(portfolio, live, stale_after_seconds=30)
    table = structures if isinstance(position, MultiLegPosition) else rows
    return table.iloc[0], legs, compute_live_totals(portfolio, rows, structures, legs)


C250, C260, C270 = "AAPL261218C00250000", "AAPL261218C00260000", "AAPL261218C00270000"


def test_a_twenty_minute_old_quote() -> None:
    """A quote is quiet on a live stream and stale on a dead one, with its warning, mark and P/L."""
    live = world({C250: (6.0, 6.2)}, ago=1200)
    row, _, totals = of(single(), live)
    assert (row["state"], row["warnings"], row["quote_age_seconds"]) == ("quiet", ["stale_quote"], 1200)
    assert (row["mark"], row["pnl_abs"]) == (pytest.approx(6.1), pytest.approx(110))
    assert (totals.live_legs, totals.states, totals.oldest_age_seconds) == (0, {"quiet": 1}, 1200)
    dead = StreamHealth(
        StreamName.OPTIONS, StreamState.RUNNING, last_heard_at=AT - dt.timedelta(seconds=10.1)
    )
    row, _, _ = of(single(), world({C250: (6.0, 6.2)}, ago=1200, health={StreamName.OPTIONS: dead}))
    assert (row["state"], row["warnings"]) == ("stale", ["stale_quote"])


def test_nobody_bids_and_the_last_trade_was_expensive() -> None:
    """With a bid of 0 and an ask of 0.05, ten calls are worth $25, although the last trade was at 3.10."""
    trade = {"option_trades": {C250: Trade(C250, 3.10, 1, AT - dt.timedelta(minutes=5))}}
    row, _, _ = of(single(10, 0.35), world({C250: (0.0, 0.05)}, **trade))
    assert (row["mark"], row["mark_method"], row["last"]) == (pytest.approx(0.025), "half_ask", 3.10)
    assert (row["market_value"], row["pnl_abs"]) == (pytest.approx(25), pytest.approx(-325))
    assert row["natural_value"] == 0, "closing them gets nothing"


@pytest.mark.parametrize(
    ("bid", "ask", "warning", "natural"),
    [(0.05, 10.0, "stub_quote", 0.05), (2.0, 1.0, "crossed", None), (0.0, 0.21, "zero_bid", 0.0)],
)
def test_a_stub_quote_withholds_the_total(
    bid: float, ask: float, warning: str, natural: float | None
) -> None:
    """Without a mark there is no P/L, despite yesterday's trade, and the total shows its coverage."""
    other = single(2, 4.0, id="b", strike=260)
    trade = {"option_trades": {C250: Trade(C250, 5.0, 1, AT)}}
    row, _, totals = of(single(), world({C250: (bid, ask), C260: (4.4, 4.6)}, **trade), other)
    assert (row["mark_method"], row["warnings"]) == ("none", [warning])
    assert row[["mark", "pnl_abs", "pnl_pct", "market_value"]].isna().all()
    assert row["natural"] == natural if natural is not None else pd.isna(row["natural"])
    assert (totals.open_pnl.value, totals.open_pnl.coverage) == (None, "1 of 2 legs")
    assert totals.open_pnl.partial == pytest.approx(100)
    assert totals.cost.value == pytest.approx(500 + 800), "what was paid is known"


@pytest.mark.parametrize(
    ("bid", "ask", "mark", "warnings"),
    [
        (0.07, 0.09, 0.08, []),  # 0.02 is 25 % of 0.08
        (1.05, 1.35, 1.20, []),  # 0.30 is 25 % of 1.20
        (1.05, 1.36, 1.205, ["wide_spread"]),
        (0.26, 0.76, 0.51, ["wide_spread"]),  # 0.50 apart
        (0.26, 0.78, 0.52, ["wide_spread"]),  # 0.52 apart, and 100 % of 0.52
        (0.26, 0.79, None, ["stub_quote"]),  # 0.53 apart, over 100 % of 0.525
        (0.0, 0.20, 0.10, ["zero_bid"]),
        (0.0, 0.21, None, ["zero_bid"]),
        (4.15, 4.15, 4.15, []),
    ],
)
def test_at_the_threshold_the_milder_rule_applies(
    bid: float, ask: float, mark: float | None, warnings: list[str]
) -> None:
    """Exactly 25 %, 0.50, 100 % and 0.20 still pass; a cent more does not."""
    row, _, _ = of(single(), world({C250: (bid, ask)}))
    assert row["warnings"] == warnings
    assert pd.isna(row["mark"]) if mark is None else row["mark"] == pytest.approx(mark)


def test_a_short_put_and_cash() -> None:
    """Two puts sold at 6.30 with a mark of 4.90 gained $280, owe $980, and cost $994 to close."""
    put = single(-2, 6.30, symbol="MSFT", option_type="put", strike=480)
    row, _, totals = of(put, world({"MSFT261218P00480000": (4.83, 4.97)}), cash=50_000)
    assert (row["contracts"], row["pnl_abs"]) == (-2, pytest.approx(280))
    assert (row["market_value"], row["natural_value"]) == (pytest.approx(-980), pytest.approx(-994))
    assert row["pnl_pct"] == pytest.approx(280 / 1260)
    assert row["max_loss"] == pytest.approx((480 - 6.30) * 200)
    assert totals.portfolio_value.value == pytest.approx(49_020)
    assert totals.premium_at_risk.value == 0, "a short put was paid for by somebody else"


def test_a_covered_call() -> None:
    """100 shares at 230.50 minus a call at 5.00 are worth $22,550; closing now yields $22,530."""
    covered = structure(StockLeg(side="long", shares=100), leg("short", 240), debit=22_000)
    live = world({"AAPL": (230.4, 230.6), "AAPL261218C00240000": (4.9, 5.1)})
    row, legs, _ = of(covered, live)
    assert (row["name"], row["units"]) == ("Covered call", 1)
    assert (row["net_mark"], row["net_pnl_abs"]) == (pytest.approx(22_550), pytest.approx(550))
    assert row["net_natural"] == pytest.approx(22_530)
    assert legs["leg_value"].tolist() == pytest.approx([23_050, -500])
    assert (row["max_profit"], row["max_loss"], row["break_evens"]) == (2000, 22_000, (220.0,))


def test_a_partly_missing_spread_has_no_partial_figure() -> None:
    """A spread with an unquoted leg has no mark, and the total covers the other position alone."""
    spread = structure(leg("long", 250), leg("short", 260), debit=300)
    row, legs, totals = of(spread, world({C250: (6.0, 6.2), C270: (1.0, 1.2)}), single(1, 1.0, strike=270))
    assert row[["net_mark", "net_natural", "net_pnl_abs", "net_pnl_pct"]].isna().all()
    assert (row["missing_legs"], row["legs_with_mark"]) == (1, "1 of 2")
    assert row["warnings"] == ["missing_quote", "missing_leg"]
    assert legs.iloc[0]["leg_value"] == pytest.approx(610)
    assert (totals.open_pnl.value, totals.open_pnl.coverage) == (None, "1 of 3 legs")
    assert (totals.market_value.partial, totals.market_value.coverage) == (pytest.approx(720), "2 of 3 legs")


def test_a_spread_of_mixed_ages_says_so() -> None:
    """Legs with quotes aged 2 s and 50 s give a mark with the older age and both warnings."""
    old = AT - dt.timedelta(seconds=50)
    live = world({C250: (6.0, 6.2)}, ago=2)
    quotes = {**live.option_quotes, C260: Quote(C260, 3.0, 3.2, 1, 1, old, old)}
    live = replace(live, option_quotes=quotes)
    row, _, _ = of(structure(leg("long", 250), leg("short", 260), debit=250), live)
    assert (row["net_mark"], row["net_pnl_abs"]) == (pytest.approx(300), pytest.approx(50))
    assert (row["quote_age_seconds_max"], row["state"]) == (50, "quiet")
    assert row["warnings"] == ["stale_quote", "mixed_ages"]


def test_a_net_debit_of_zero_and_a_credit() -> None:
    """A cost of zero has no percentage; a credit's percentage is relative to its size."""
    live = world({C250: (6.0, 6.2), C260: (3.0, 3.2)})
    row, _, totals = of(structure(leg("long", 250), leg("short", 260), debit=0), live)
    assert (row["net_pnl_abs"], pd.isna(row["net_pnl_pct"])) == (pytest.approx(300), True)
    assert totals.open_pnl_pct is None
    sold = structure(leg("short", 250), leg("long", 260), debit=-400)
    row, _, totals = of(sold, live)
    assert (row["name"], row["net_mark"]) == ("Credit call vertical", pytest.approx(-300))
    assert (row["net_pnl_abs"], row["net_pnl_pct"]) == (pytest.approx(100), pytest.approx(0.25))
    assert (row["width"], row["max_profit"], row["max_loss"]) == (10, 400, 600)
    assert (row["break_evens"], row["return_on_max_risk"]) == ((254.0,), pytest.approx(100 / 600))
    assert (totals.cost.value, totals.premium_at_risk.value) == (-400, 0)


def test_unlimited_is_infinite_and_undefined_is_null() -> None:
    """A short strangle's loss is unlimited; a calendar's extremes are undefined."""
    live = world({})
    strangle = structure(leg("short", 260), leg("short", 240, option_type="put"), debit=-500)
    row, _, _ = of(strangle, live)
    assert (row["max_profit"], row["max_loss"]) == (500, math.inf)
    assert row["break_evens"] == (235.0, 265.0)
    assert pd.isna(row["return_on_max_risk"])
    calendar = structure(leg("short", 250), leg("long", 250, expiry=JAN), debit=300)
    row, _, _ = of(calendar, live)
    assert row["name"] == "Long call calendar"
    assert pd.isna(row["max_profit"])
    assert pd.isna(row["max_loss"])
    assert row["break_evens"] == ()


@pytest.mark.parametrize(
    ("position", "symbol"),
    [
        (single(symbol="BRK.B", strike=500), "BRKB261218C00500000"),
        (single(symbol="BRK-B", strike=500), "BRKB261218C00500000"),
        (single(symbol="SPX", root="SPXW", strike=6700), "SPXW261218C06700000"),
        (single(symbol="CSGP", root="CSGP1", strike=1), "CSGP1261218C00001000"),
        (single(symbol="AAPL", strike=262.5), "AAPL261218C00262500"),
    ],
)
def test_special_roots_find_their_quotes(position: Position, symbol: str) -> None:
    """Class shares, index weeklies, adjusted roots and half-dollar strikes find their quotes."""
    row, _, _ = of(position, world({symbol: (6.0, 6.2)}))
    assert (row["contract_symbol"], row["pnl_abs"]) == (symbol, pytest.approx(110))
    assert ("adjusted_contract" in row["warnings"]) == (position.root == "CSGP1")


def test_the_day_counts_from_mondays_close_only() -> None:
    """6.10 against Monday's 5.60 is +$150 for three; against Friday's close, it is withheld."""
    live = world({C250: (6.0, 6.2)}, previous_closes={C250: PreviousClose(5.6, MONDAY)})
    row, _, totals = of(single(3), live, cash=170)
    assert (row["pnl_day"], row["pnl_day_pct"]) == (pytest.approx(150), pytest.approx(0.5 / 5.6))
    assert totals.day_pnl_pct == pytest.approx(150 / (170 + 1830 - 150))
    row, _, totals = of(
        single(3), world({C250: (6.0, 6.2)}, previous_closes={C250: PreviousClose(5.6, FRIDAY)})
    )
    assert (pd.isna(row["pnl_day"]), row["previous_close_date"]) == (True, FRIDAY)
    assert row["warnings"] == ["previous_close_old"]
    assert (totals.day_pnl.value, totals.day_pnl.coverage) == (None, "0 of 1 leg")


def test_positions_opened_today_count_from_their_cost() -> None:
    """A call bought today at 6.50 with a mark of 6.10 lost $40 today, whatever Monday's close was."""
    bought = single(1, 6.5, opened_at=dt.datetime(2026, 11, 24, 9, 45, tzinfo=NEW_YORK))
    for day in (MONDAY, FRIDAY):
        live = world({C250: (6.0, 6.2)}, previous_closes={C250: PreviousClose(5.6, day)})
        row, _, _ = of(bought, live)
        assert (row["pnl_day"], row["warnings"]) == (pytest.approx(-40), [])
    spread = structure(leg("long", 250), leg("short", 260), debit=250, opened_at=dt.date(2026, 11, 24))
    row, legs, _ = of(spread, world({C250: (6.0, 6.2), C260: (3.0, 3.2)}))
    assert (row["pnl_day"], row["pnl_day_pct"]) == (pytest.approx(50), pytest.approx(0.2))
    assert legs["pnl_day"].isna().all(), "what each leg cost is not in the file"


def test_after_a_holiday_the_previous_day_is_the_session_before() -> None:
    """On the half day after Thanksgiving, Wednesday's close counts."""
    noon = dt.datetime(2026, 11, 27, 12, 0, tzinfo=NEW_YORK).astimezone(dt.UTC)
    reported = {
        "as_of": noon,
        "trading_date": noon.date(),
        "previous_trading_date": dt.date(2026, 11, 25),
        "session_close": noon + dt.timedelta(hours=1),
    }
    closes = {"AAPL261127C00250000": PreviousClose(5.6, dt.date(2026, 11, 25))}
    today = single(expiry=noon.date())
    row, _, _ = of(today, world({"AAPL261127C00250000": (6.0, 6.2)}, previous_closes=closes, **reported))
    assert (row["pnl_day"], row["dte"], row["hours_left"]) == (pytest.approx(50), 0, 1)


def test_the_evening_before_expiry_nothing_has_expired() -> None:
    """At 20:30 in New York, the next day in UTC, one day is left and the last mark is shown as closed."""
    evening = dt.datetime(2026, 12, 17, 20, 30, tzinfo=NEW_YORK).astimezone(dt.UTC)
    reported = {"as_of": evening, "market_phase": "closed", "trading_date": dt.date(2026, 12, 17)}
    row, _, totals = of(single(), world({C250: (6.0, 6.2)}, ago=4.5 * 3600, **reported))
    assert (row["dte"], row["state"], row["pnl_abs"]) == (1, "closed", pytest.approx(110))
    assert totals.open_pnl.value == pytest.approx(110)


def test_a_contract_that_expired_long_ago_leaves_the_totals_incomplete() -> None:
    """The row says that the settlement is unknown, and the total shows its known part."""
    gone = single(id="gone", cost=9.0, expiry=FRIDAY)
    row, _, totals = of(
        gone, world({C250: (6.0, 6.2), "AAPL261120C00250000": (1.0, 1.1)}), single(), cash=100
    )
    assert (row["state"], "settlement_unknown" in row["warnings"]) == ("expired", True)
    assert pd.isna(row["mark"])
    assert (totals.legs, totals.expired, totals.settled) == (1, 1, 0)
    assert (totals.open_pnl.value, totals.open_pnl.coverage) == (None, "1 of 2 legs")
    assert totals.open_pnl.partial == pytest.approx(110)
    assert row["pnl_day"] == 0, "whatever it came to, it does not change any more"


def test_a_leg_from_an_earlier_day_does_not_withhold_its_structures_day() -> None:
    """If a calendar's near leg expired on Friday, its P/L Day is that of the far leg."""
    calendar = structure(leg("short", 250, expiry=FRIDAY), leg("long", 250), debit=120.0)
    closes = {C250: PreviousClose(5.9, MONDAY)}
    row, legs, totals = of(calendar, world({C250: (6.0, 6.2)}, previous_closes=closes))
    assert (row["pnl_day"], legs["pnl_day"].tolist()) == (pytest.approx(20), [0, pytest.approx(20)])
    assert (totals.day_pnl.value, totals.open_pnl.value) == (pytest.approx(20), None)


def _spread_0dte(root: str, long_strike: float = 6675) -> MultiLegPosition:
    """A put spread sold for 2.00 that expires today."""
    legs = [
        Leg(side=side, option_type="put", expiry=dt.date(2026, 11, 24), strike=strike, contracts=3, root=root)
        for side, strike in (("short", 6700.0), ("long", long_strike))
    ]
    return MultiLegPosition(
        id="ic", symbol=root.removesuffix("W"), legs=legs, net_debit=-600, opened_at="2026-11-24"
    )


def _after(root: str, hour: int, minute: int, spot: float | None, **more: Any) -> LiveSnapshot:
    """The afternoon of the expiry with the last quotes of both legs and the underlying at `spot`."""
    at = dt.datetime(2026, 11, 24, hour, minute, 2, tzinfo=NEW_YORK).astimezone(dt.UTC)
    close = dt.datetime(2026, 11, 24, 16, 0, tzinfo=NEW_YORK).astimezone(dt.UTC)
    prices: dict[str, tuple[float | None, float | None]] = {
        f"{root}261124P06700000": (54.8, 55.2),
        f"{root}261124P06675000": (30.0, 30.2),
        "XYZ": (50.99, 51.01),
    }
    if spot is not None:
        prices[root.removesuffix("W")] = (spot, spot)
    phase = "after" if at >= close else "open"
    return world(prices, **{"as_of": at, "market_phase": phase, "session_close": close, **more})


OTHER = EquityPosition(id="other", symbol="XYZ", shares=100, cost_basis=50)


def test_a_loss_at_expiry_stays_in_every_total() -> None:
    """At 16:00:02, the spread is settled at the spot, and its loss of 25 points stays in the totals."""
    _, _, before = of(_spread_0dte("SPXW"), _after("SPXW", 15, 59, 6645.0), OTHER, cash=50_000)
    row, legs, after = of(_spread_0dte("SPXW"), _after("SPXW", 16, 0, 6645.0), OTHER, cash=50_000)
    assert before.open_pnl.value == pytest.approx(-6770)
    assert after.open_pnl.value == pytest.approx(-6800)  # 3 x 100 x -25 + 600, and 100 of the shares
    assert after.portfolio_value.value == pytest.approx(50_000 - 7500 + 5100)
    assert (after.expired, after.settled, after.open_pnl.coverage) == (2, 2, "3 of 3 legs")
    assert (row["state"], row["warnings"]) == ("expired", ["expired", "settled_at_spot"])
    assert legs["mark"].tolist() == [55.0, 30.0]


def test_an_expiry_without_a_known_underlying_makes_totals_incomplete() -> None:
    """Without the index, the spread has no settlement, and P/L Open is not that of the shares alone."""
    _, _, totals = of(_spread_0dte("SPXW"), _after("SPXW", 16, 0, None), OTHER)
    assert (totals.open_pnl.value, totals.open_pnl.coverage) == (None, "1 of 3 legs")


def test_an_open_settled_index_option_has_no_settlement_here() -> None:
    """SPX settles at an opening price, which no stream carries."""
    row, _, totals = of(_spread_0dte("SPX"), _after("SPX", 11, 0, 6645.0), OTHER)
    assert (row["state"], "settlement_unknown" in row["warnings"]) == ("expired", True)
    assert totals.open_pnl.value is None


@pytest.mark.parametrize(
    ("hour", "minute", "session_close", "state"),
    [(16, 5, 16, "live"), (16, 15, 16, "expired"), (13, 5, 13, "live"), (13, 15, 13, "expired")],
)
def test_products_that_close_late_settle_at_their_own_time(
    hour: int, minute: int, session_close: int, state: str
) -> None:
    """SPY's contracts end at 16:15, and at 13:15 on a half day."""
    close = dt.datetime(2026, 11, 24, session_close, tzinfo=NEW_YORK).astimezone(dt.UTC)
    live = _after("SPY", hour, minute, 6645.0, session_close=close, market_phase="after")
    row, _, _ = of(_spread_0dte("SPY"), live)
    assert row["state"] == state


def test_the_day_after_the_official_close_settles_and_the_day_is_over() -> None:
    """On Tuesday, Monday's expiry is settled at Monday's close, and its P/L Day is zero."""
    gone = single(id="gone", cost=9.0, expiry=MONDAY)
    closes = {"AAPL": PreviousClose(262.5, MONDAY)}
    row, _, totals = of(gone, world({"AAPL": (280.0, 280.0)}, previous_closes=closes))
    assert (row["mark"], row["mark_method"]) == (12.5, "settled")
    assert row["warnings"] == ["expired", "settled_at_close"]
    assert (totals.open_pnl.value, totals.day_pnl.value) == (pytest.approx(350), 0)


def test_eleven_of_twelve_legs() -> None:
    """Ten calls that gain $100 each, one that gains $234 and one unquoted give a partial total of $1,234."""
    prices = {f"AAPL261218C00{strike}000": (5.9, 6.1) for strike in range(250, 260)}
    prices[C260] = (7.24, 7.44)
    calls = [single(id=str(strike), strike=strike) for strike in range(250, 262)]
    _, _, totals = of(calls[0], world(prices), *calls[1:])
    assert (totals.open_pnl.value, totals.open_pnl.coverage) == (None, "11 of 12 legs")
    assert totals.open_pnl.partial == pytest.approx(1234)


def test_outside_hours_the_last_marks_stay_without_alarm() -> None:
    """On Saturday, Friday's marks are shown as closed, and P/L Day is Friday's."""
    saturday = dt.datetime(2026, 11, 21, 12, 0, tzinfo=NEW_YORK).astimezone(dt.UTC)
    reported = {
        "as_of": saturday,
        "market_phase": "closed",
        "trading_date": FRIDAY,
        "previous_trading_date": dt.date(2026, 11, 19),
        "previous_closes": {C250: PreviousClose(5.6, dt.date(2026, 11, 19))},
    }
    shares = EquityPosition(id="q", symbol="AAPL", shares=-10, cost_basis=271)
    prices = {C250: (6.0, 6.2), "AAPL": (270.0, 270.2)}
    row, _, totals = of(single(), world(prices, ago=20 * 3600, **reported), shares)
    assert (row["state"], row["pnl_day"]) == ("closed", pytest.approx(50))
    assert totals.states == {"closed": 2}
    assert totals.open_pnl.value == pytest.approx(110 + 9)


def test_a_share_twenty_four_per_cent_apart_is_marked_at_its_recent_trade() -> None:
    """If one exchange quotes 180 x 230 and trades are at 190.02, the mark is the trade."""
    at = AT - dt.timedelta(seconds=1)
    shares = EquityPosition(id="s", symbol="XYZ", shares=500, cost_basis=195)
    live = world({"XYZ": (180.0, 230.0)}, stock_trades={"XYZ": Trade("XYZ", 190.02, 100, at, at)})
    row, _, totals = of(shares, live)
    assert (row["mark"], row["warnings"]) == (190.02, ["wide_spread", "last_trade_mark"])
    assert totals.open_pnl.value == pytest.approx(-2490)
    assert pd.isna(of(shares, world({"XYZ": (180.0, 230.0)}))[0]["mark"])


def test_the_morning_after_a_split_withholds_the_days_result() -> None:
    """After a split of 10 : 1, the earlier close does not count, and no fall of 90 % is shown."""
    shares = EquityPosition(id="s", symbol="XYZ", shares=400, cost_basis=61)
    closes = {"XYZ": PreviousClose(1208.5, MONDAY)}
    row, _, totals = of(shares, world({"XYZ": (121.98, 122.02)}, previous_closes=closes))
    assert (row["warnings"], totals.day_pnl.value) == (["previous_close_jump"], None)


def test_a_fall_of_exactly_sixty_per_cent_is_not_a_split() -> None:
    """The limit itself is within the range; float arithmetic does not decide."""
    shares = EquityPosition(id="s", symbol="XYZ", shares=400, cost_basis=2)
    closes = {"XYZ": PreviousClose(1.5, MONDAY)}
    row, _, totals = of(shares, world({"XYZ": (0.6, 0.6)}, previous_closes=closes))
    assert (row["warnings"], totals.day_pnl.value) == ([], pytest.approx(-360))


def test_a_close_that_is_one_early_trade_withholds_the_days_result() -> None:
    """A single trade at 09:36 is not a close."""
    early = dt.datetime(2026, 11, 23, 9, 36, tzinfo=NEW_YORK)
    closes = {C250: PreviousClose(1.0, MONDAY, trades=1, traded_at=early)}
    row, _, totals = of(single(), world({C250: (3.0, 3.1)}, previous_closes=closes))
    assert (row["warnings"], totals.day_pnl.value) == (["previous_close_early"], None)


def test_after_the_opening_yesterdays_quote_is_marked_as_such() -> None:
    """At 09:30:40, Monday's last quote is neither live nor quiet, although the stream is alive."""
    at = dt.datetime(2026, 11, 24, 9, 30, 40, tzinfo=NEW_YORK).astimezone(dt.UTC)
    opened, stamp = at - dt.timedelta(seconds=40), dt.datetime(2026, 11, 23, 15, 59, 58, tzinfo=NEW_YORK)
    health = StreamHealth(
        StreamName.OPTIONS,
        StreamState.RUNNING,
        connected_at=at - dt.timedelta(hours=2),
        complete_at=at - dt.timedelta(seconds=5),
        last_heard_at=at,
    )
    live = world({}, as_of=at, session_open=opened, health={StreamName.OPTIONS: health})
    old = replace(live, option_quotes={C250: Quote(C250, 6.0, 6.2, 1, 1, stamp, stamp)})
    row, _, totals = of(single(), old)
    assert (row["state"], row["warnings"]) == ("from_yesterday", ["stale_quote"])
    assert totals.states == {"from_yesterday": 1}
    early = opened + dt.timedelta(seconds=1)
    new = replace(live, option_quotes={C250: Quote(C250, 6.0, 6.2, 1, 1, early, early)})
    row, _, _ = of(single(), new)
    assert row["state"] == "quiet"


SATURDAY = dt.datetime(2026, 11, 28, 10, 0, 5, tzinfo=NEW_YORK).astimezone(dt.UTC)


@pytest.mark.parametrize("kind", ["option", "shares"])
def test_a_test_price_on_a_saturday_makes_no_mark(kind: str) -> None:
    """Quotes and trades of a day without a session make no mark, and no total uses them."""
    position = (
        single() if kind == "option" else EquityPosition(id="a", symbol="AAPL", shares=10, cost_basis=1)
    )
    symbol = C250 if kind == "option" else "AAPL"
    weekend = {"as_of": SATURDAY, "market_phase": "closed", "trading_date": dt.date(2026, 11, 27)}
    trade = Trade(symbol, 1.1, 1, SATURDAY, SATURDAY)
    of_kind = {"option_trades" if kind == "option" else "stock_trades": {symbol: trade}}
    row, _, totals = of(position, world({symbol: (1.10, 1.11)}, **weekend, **of_kind))
    assert (row["mark_method"], row["warnings"]) == ("none", ["outside_session"])
    assert (totals.open_pnl.value, totals.portfolio_value.value) == (None, None)
    row, _, _ = of(position, world({}, **weekend, **of_kind))
    assert (row["mark_method"], row["warnings"]) == ("none", ["missing_quote"])


def test_on_a_saturday_fridays_last_quote_still_counts() -> None:
    """The last session's quote keeps its mark, and an unknown calendar withholds nothing."""
    friday = {"as_of": SATURDAY, "market_phase": "closed", "trading_date": dt.date(2026, 11, 27)}
    row, _, _ = of(single(), world({C250: (6.0, 6.2)}, ago=18 * 3600, **friday))
    assert (row["state"], row["mark"], row["warnings"]) == ("closed", pytest.approx(6.1), ["stale_quote"])
    row, _, _ = of(single(), world({C250: (6.0, 6.2)}, **{**friday, "trading_date": None}))
    assert row["mark"] == pytest.approx(6.1)
