"""The portfolio's risk in words, and its sums as tables."""

from __future__ import annotations

import datetime as dt
import math
import re
from decimal import Decimal
from typing import Any

import pytest

pytest.importorskip("streamlit")

from streamlit.testing.v1 import AppTest

from apps.streamlit.components.detail.greeks_table import greeks_html
from apps.streamlit.components.risk.heat_map import heat_map_html
from apps.streamlit.components.risk.risk_panel import sums_html, tile_html
from apps.streamlit.components.risk.scenario_panel import scenario_of
from options_helper.analysis.risk import LiveRisk, compute_live_risk
from options_helper.analysis.risk.pricing.model import Model
from options_helper.analysis.risk.words import (
    beta_words,
    coverage_words,
    greek_words,
    input_words,
    missing_words,
    total_words,
)
from options_helper.analysis.strategies.structures import describe_structure
from options_helper.market import Betas, Dividend, Trade
from options_helper.models import EquityPosition, Portfolio
from tests.builders import AT, CALL, JAN, leg, quote, single, snapshot, vertical


def _risk(*positions: Any, **changes: Any) -> LiveRisk:
    quotes = [quote(CALL, 24.8, 25.2)]
    live = snapshot(*quotes, stock_quotes={"AAPL": quote("AAPL", 271.99, 272.01)}, **changes)
    return compute_live_risk(Portfolio(positions=list(positions)), live)


def test_the_line_has_signs_units_and_coverage() -> None:
    """Delta is in shares, theta in dollars a day, vega in dollars a point, with the number of legs."""
    total = {"delta": 212.4, "gamma": -3.124, "theta": 84.2, "vega": -310.0}
    coverage = {"covered_legs": 55, "legs": 56, "modelled_legs": 0, "stale_legs": 0}
    assert greek_words(total, "β-Δ +96 SPY") == (
        "Δ +212 sh · β-Δ +96 SPY · Γ \N{MINUS SIGN}3.12 · Θ +$84/day · V \N{MINUS SIGN}$310/pt"
    )
    assert coverage_words(coverage) == "55 of 56 legs"
    assert coverage_words({**coverage, "modelled_legs": 2}) == "55 of 56 legs, 2 modelled"
    assert coverage_words({**coverage, "stale_legs": 3}) == "55 of 56 legs, 3 stale"
    assert coverage_words({**coverage, "modelled_legs": 2, "stale_legs": 55}) == (
        "55 of 56 legs, 2 modelled, all stale"
    )
    assert coverage_words({**coverage, "covered_legs": 1, "stale_legs": 1}) == "1 of 56 legs, 1 stale"
    unknown = dict.fromkeys(("delta", "gamma", "theta", "vega"), math.nan)
    assert greek_words(unknown, "β-Δ —") == "Δ — · β-Δ — · Γ — · Θ — · V —"


def test_beta_weights_the_dollars_of_each_underlying() -> None:
    """The sum is dollar delta times beta over the fund's close, and what is missing is named."""
    shares = [
        EquityPosition(id=symbol, symbol=symbol, shares=100, cost_basis=1) for symbol in ("AAPL", "MSFT")
    ]
    stocks = {symbol: quote(symbol, 271.99, 272.01) for symbol in ("AAPL", "MSFT")}

    def words(values: dict[str, float] | None) -> str:
        known = {"benchmark": "SPY", "price": 680.0, "until": dt.date(2026, 11, 20), "returns": 251}
        betas = None if values is None else Betas(values=values, **known)
        live = snapshot(stock_quotes=stocks, betas=betas)
        return beta_words(compute_live_risk(Portfolio(positions=shares), live))

    assert words({"AAPL": 1.5, "MSFT": 1.0}) == "β-Δ +100 SPY"
    assert words({"AAPL": 1.5}) == "β-Δ +60 SPY (1 of 2)"
    assert words(None) == words({}) == "β-Δ —"


def test_the_line_says_what_is_missing() -> None:
    """The reasons of legs without Greeks are counted; shares lack nothing."""
    shares = EquityPosition(id="s", symbol="AAPL", shares=10, cost_basis=1)
    risk = _risk(single(), single(id="b", strike=300.0), single(id="c", strike=310.0), shares)
    assert missing_words(risk) == "no mark from bid and ask: 2"
    assert "<b>2 of 4 legs</b> <small>no mark from bid and ask: 2</small>" in tile_html(risk)
    assert total_words(risk).endswith("2 of 4 legs")
    many = _risk(*(single(id=f"p{number}", strike=300.0) for number in range(1200)))
    assert missing_words(many) == "no mark from bid and ask: 1,200"
    unpriced = total_words(_risk(single(id="b", strike=300.0), shares))
    assert "Γ — · Θ — · V — · 1 of 2 legs" in unpriced, "zeros of shares alone say nothing about options"
    assert "Γ 0 · Θ $0/day" in total_words(_risk(shares))


def test_the_inputs_are_named_with_their_dates() -> None:
    """The rate has its source, and unknown dividends do not count as none."""
    words = input_words(_risk(single()))
    assert "rate 3.625% (default from 28 Jan 2026)" in words
    assert "dividends unknown" in words
    assert "Declared dividends are not known yet" in greeks_html(_risk(single()), [0])
    assert "ividends" not in greeks_html(_risk(single(), dividends=()), [0])
    paid = Dividend(symbol="AAPL", amount=Decimal("0.26"), ex_date=dt.date(2026, 12, 4))
    reported = greeks_html(_risk(single(), dividends=[paid]), [0])
    assert f"{CALL}: $0.26 of declared dividends per share until expiry." in reported
    assert "forward" not in greeks_html(_risk(single()), [0]), "a stock's spot is its mark"
    assert "$272.00 <small>mark, 1 s</small>" in reported
    assert "1 declared dividend ·" in input_words(_risk(single(), dividends=[paid]))
    assert "0 declared dividends" in input_words(_risk(single(), dividends=()))


def test_the_extrinsic_value_is_written_as_the_mark_is() -> None:
    """Out of the money, extrinsic value equals the mark, half cents included; float noise counts as zero."""
    symbol = "AAPL261218C00300000"
    stocks = {"AAPL": quote("AAPL", 272.09, 272.11)}
    live = snapshot(quote(symbol, 7.05, 7.20), quote(CALL, 22.0, 22.2), stock_quotes=stocks)
    held = Portfolio(positions=[single(strike=300.0), single(id="b")])
    risk = compute_live_risk(held, live)
    assert "<td>$7.13</td>" in greeks_html(risk, [0])
    assert "<td>$0.00</td>" in greeks_html(risk, [1])


def _payoff(position: object, structure: object, risk: object) -> None:
    """Run inside the harness, which needs the imports here."""
    from apps.streamlit.components.detail.payoff_panel import render_payoff

    render_payoff(position, structure, risk, 272.0)


def test_a_payoff_without_todays_line_counts_the_known_legs() -> None:
    """One of two legs is known, although the model values neither without the other."""
    risk, spread = _risk(vertical()), vertical()
    args = (spread, describe_structure(spread), risk)
    test = AppTest.from_function(_payoff, args=args, default_timeout=20).run()
    assert not test.exception
    assert "the model knows 1 of 2 legs" in test.markdown[-1].value


def test_an_expired_position_lacks_no_line() -> None:
    """After expiry there is only the payoff, and the page does not report the model's line as missing."""
    over = single(expiry=dt.date(2026, 11, 20))
    risk = _risk(over)
    args = (over, describe_structure(over), risk)
    test = AppTest.from_function(_payoff, args=args, default_timeout=20).run()
    assert not test.exception
    assert "at expiry" in test.markdown[-1].value
    assert "before expiry" not in test.markdown[-1].value


def test_the_curves_of_a_calendar_show_the_spot(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line at the current price is drawn even without a payoff at expiry."""
    from apps.streamlit.components.detail import payoff_panel

    kinds: set[str] = set()
    monkeypatch.setattr(payoff_panel, "draw", lambda table, *_, **__: kinds.update(table["kind"]))
    calendar = vertical(legs=[leg("short", "call", 250), leg("long", "call", 250, expiry=JAN)])
    quotes = [quote(CALL, 24.8, 25.2), quote("AAPL270115C00250000", 27.8, 28.2)]
    live = snapshot(*quotes, stock_quotes={"AAPL": quote("AAPL", 271.99, 272.01)})
    risk = compute_live_risk(Portfolio(positions=[calendar]), live)
    test = AppTest.from_function(_payoff, args=(calendar, describe_structure(calendar), risk)).run()
    assert not test.exception
    assert kinds == {"payoff", "today", "spot"}


def test_every_sum_has_its_coverage() -> None:
    """Each row of the tables ends with its coverage, and one without a known leg has no figure."""
    page = sums_html(_risk(single(), single(id="b", symbol="MSFT")), "OH_RISK_FREE_RATE must be a fraction.")
    assert "<td>1 of 1 leg</td>" in page
    assert "<td>—</td><td>0 of 1 leg</td>" in page
    assert "<td>1 of 2 legs</td>" in page
    assert "OH_RISK_FREE_RATE must be a fraction." in page


def _curves(risk: object, numbers: list[int], base: float | None) -> None:
    """Run inside the harness, which needs the imports here."""
    import datetime as dt

    from apps.streamlit.components.risk.move_curves import render_move_curves

    render_move_curves(risk, numbers, base, getattr(risk, "at"), dt.UTC, key="curves")  # noqa: B009


def test_an_underlying_and_the_portfolio_have_their_curves() -> None:
    """One underlying has the spread's break-even at expiry; several have a curve by the market's move."""
    spread = vertical(
        symbol="XYZ", net_debit=250.0, legs=[leg("long", "call", 100), leg("short", "call", 110)]
    )
    shares = EquityPosition(id="s", symbol="ABC", shares=10, cost_basis=90.0)
    quotes = [quote("XYZ261218C00100000", 3.39, 3.41), quote("XYZ261218C00110000", 0.59, 0.61)]
    stocks = {name: quote(name, 99.995, 100.005) for name in ("XYZ", "ABC")}
    betas = Betas(
        benchmark="SPY",
        price=680.0,
        until=dt.date(2026, 11, 20),
        values={"XYZ": 1.5, "ABC": 1.0},
        returns=251,
    )
    live = snapshot(*quotes, stock_quotes=stocks, betas=betas)
    risk = compute_live_risk(Portfolio(positions=[spread, shares]), live)

    def words(numbers: list[int], base: float | None, risk: LiveRisk = risk) -> str:
        test = AppTest.from_function(_curves, args=(risk, numbers, base), default_timeout=20).run()
        assert not test.exception
        return test.markdown[-1].value.removeprefix(":small[:gray[").removesuffix("]]").replace("\\", "")

    own = r"—— at expiry, 18 Dec 2026: break-even 102.50 · - - today: break-even \d+\.\d\d$"
    assert re.match(own, words([0, 1], 30.0))
    whole = words([0, 1, 2], None)
    assert "by the move of SPY" in whole
    assert whole.endswith("P/L from now on")
    assert "first expiry" not in whole
    unknown = compute_live_risk(Portfolio(positions=[spread, shares]), snapshot(stock_quotes=stocks))
    assert words([0, 1, 2], 30.0, unknown).endswith("covers 1 of 3 legs · P/L from now on")


def test_an_index_option_names_its_forward() -> None:
    """With a pair of quotes, the detail has the forward; without one, it says that the yield is unknown."""
    call = single(symbol="SPX", root="SPXW", strike=6_700.0, contracts=1)
    put = call.model_copy(update={"id": "p", "option_type": "put"})
    stamp = AT - dt.timedelta(seconds=2)
    quotes = [quote(f"SPXW261218{side}06700000", 99.9, 100.1) for side in "CP"]
    index = {"stock_trades": {"SPX": Trade("SPX", 6_690.0, None, stamp, stamp, True)}}
    pair = compute_live_risk(Portfolio(positions=[call, put]), snapshot(*quotes, **index))
    assert "forward $6,700.00 by put-call parity of quoted pairs" in greeks_html(pair, [0])
    assert "index value, yield by put-call parity, 2 s" in greeks_html(pair, [0])
    alone = compute_live_risk(Portfolio(positions=[call]), snapshot(*quotes, **index))
    assert "no pair of quotes shows the index&#x27;s dividend yield" in greeks_html(alone, [0])


def test_a_cell_that_lacks_a_leg_says_so() -> None:
    """Each cell without all legs has an asterisk, and each figure a sign, so colour is not needed."""
    shares = [EquityPosition(id=name, symbol=name, shares=10, cost_basis=1) for name in ("AAPL", "MSFT")]
    risk = _risk(*shares)
    for numbers, sign in (([0], ""), ([0, 1], " *")):
        page = heat_map_html(scenario_of(risk, numbers, 0.0, Model().price_all, None), "Scenarios")
        cells = re.findall(r"<td class=[^>]*>([^<]*)</td>", page)
        assert len(cells) >= 21
        assert all(
            cell == f"$0{sign}" or re.fullmatch(r"[+\u2212]\$[\d,]+" + re.escape(sign), cell)
            for cell in cells
        )
        assert ("* Covers 1 of 2 legs." in page) is bool(sign)
