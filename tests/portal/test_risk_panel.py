"""The portfolio's risk in words, and its sums as tables."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Any

import pytest

pytest.importorskip("streamlit")

from streamlit.testing.v1 import AppTest

from apps.streamlit.components.detail.greeks_table import greeks_html
from apps.streamlit.components.risk.risk_panel import sums_html
from options_helper.analysis.risk import LiveRisk, compute_live_risk
from options_helper.analysis.risk.words import (
    beta_words,
    coverage_words,
    greek_words,
    input_words,
    missing_words,
    total_words,
)
from options_helper.market import Betas
from options_helper.models import EquityPosition, Portfolio
from tests.builders import CALL, leg, quote, single, snapshot, vertical


def _risk(*positions: Any, **changes: Any) -> LiveRisk:
    quotes = [quote(CALL, 24.8, 25.2)]
    live = snapshot(*quotes, stock_quotes={"AAPL": quote("AAPL", 271.99, 272.01)}, **changes)
    return compute_live_risk(Portfolio(positions=list(positions)), live)


def test_the_line_has_signs_units_and_coverage() -> None:
    """Delta in shares, theta in dollars a day, vega in dollars a point, and how many legs that covers."""
    total = {"delta": 212.4, "gamma": -3.124, "theta": 84.2, "vega": -310.0}
    coverage = {"covered_legs": 55, "legs": 56, "modelled_legs": 0}
    assert greek_words(total, "β-Δ +96 SPY") == (
        "Δ +212 sh · β-Δ +96 SPY · Γ \N{MINUS SIGN}3.12 · Θ +$84/day · V \N{MINUS SIGN}$310/pt"
    )
    assert coverage_words(coverage) == "55 of 56 legs"
    assert coverage_words({**coverage, "modelled_legs": 2}) == "55 of 56 legs, 2 modelled"
    unknown = dict.fromkeys(("delta", "gamma", "theta", "vega"), math.nan)
    assert greek_words(unknown, "β-Δ —") == "Δ — · β-Δ — · Γ — · Θ — · V —"


def test_beta_weights_the_dollars_of_each_underlying() -> None:
    """Dollar deltas times beta, over the fund's close; what is missing is said."""
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
    """The reasons of the legs without Greeks are counted; shares miss nothing."""
    shares = EquityPosition(id="s", symbol="AAPL", shares=10, cost_basis=1)
    risk = _risk(single(), single(id="b", strike=300.0), single(id="c", strike=310.0), shares)
    assert missing_words(risk) == "2 no honest mark"
    assert total_words(risk).endswith("2 of 4 legs")


def test_the_inputs_are_named_with_their_dates() -> None:
    """The rate has its source, and unknown dividends are not called none."""
    words = input_words(_risk(single()))
    assert "rate 3.63% (constant of 28 Jan 2026)" in words
    assert "dividends not known" in words
    assert "Declared dividends are not known yet" in greeks_html(_risk(single()), [0])
    assert "ividends" not in greeks_html(_risk(single(), dividends=()), [0])
    assert "0 declared dividends" in input_words(_risk(single(), dividends=()))


def test_every_sum_has_its_coverage() -> None:
    """Each row of the tables ends with its coverage, and one without any known leg has no figure."""
    page = sums_html(_risk(single(), single(id="b", symbol="MSFT")), "OH_RISK_FREE_RATE must be a fraction.")
    assert "<td>1 of 1 leg</td>" in page
    assert "<td>—</td><td>0 of 1 leg</td>" in page
    assert "<td>1 of 2 legs</td>" in page
    assert "OH_RISK_FREE_RATE must be a fraction." in page


def _curves(risk: object, numbers: list[int], base: float | None) -> None:
    """Runs inside the harness, so it imports for itself."""
    from apps.streamlit.components.risk.move_curves import render_move_curves

    render_move_curves(risk, numbers, base, key="curves")


def test_an_underlying_and_the_portfolio_have_their_curves() -> None:
    """One underlying has the spread's break-even at expiry, several a curve by the market's move."""
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
    assert words([0, 1, 2], 30.0, unknown).endswith("contains 1 of 3 legs · P/L from now on")
