"""The portfolio's risk in words, and its sums as tables."""

from __future__ import annotations

import math
from typing import Any

import pytest

pytest.importorskip("streamlit")

from apps.streamlit.components.risk.risk_panel import sums_html
from options_helper.analysis.risk import LiveRisk, compute_live_risk
from options_helper.analysis.risk.words import input_words, missing_words, total_of, total_words
from options_helper.models import EquityPosition, Portfolio
from tests.builders import CALL, quote, single, snapshot


def _risk(*positions: Any, **changes: Any) -> LiveRisk:
    quotes = [quote(CALL, 24.8, 25.2)]
    live = snapshot(*quotes, stock_quotes={"AAPL": quote("AAPL", 271.99, 272.01)}, **changes)
    return compute_live_risk(Portfolio(positions=list(positions)), live)


def test_the_line_has_signs_units_and_coverage() -> None:
    """Delta in shares, theta in dollars a day, vega in dollars a point, and how many legs that covers."""
    total = {"delta": 212.4, "gamma": -3.124, "theta": 84.2, "vega": -310.0, "covered_legs": 55, "legs": 56}
    assert total_words(total) == (
        "Δ +212 sh · Γ \N{MINUS SIGN}3.12 · Θ +$84/day · V \N{MINUS SIGN}$310/pt · 55 of 56 legs"
    )
    unknown = dict.fromkeys(("delta", "gamma", "theta", "vega"), math.nan)
    assert total_words({**unknown, "covered_legs": 0, "legs": 1}) == ("Δ — · Γ — · Θ — · V — · 0 of 1 leg")


def test_the_line_says_what_is_missing() -> None:
    """The reasons of the legs without Greeks are counted; shares miss nothing."""
    shares = EquityPosition(id="s", symbol="AAPL", shares=10, cost_basis=1)
    risk = _risk(single(), single(id="b", strike=300.0), single(id="c", strike=310.0), shares)
    assert missing_words(risk) == "2 no honest mark"
    assert total_words(total_of(risk)).endswith("2 of 4 legs")


def test_the_inputs_are_named_with_their_dates() -> None:
    """The rate has its source, and unknown dividends are not called none."""
    words = input_words(_risk(single()))
    assert "rate 3.63% (constant of 28 Jan 2026)" in words
    assert "dividends not known" in words
    assert "0 declared dividends" in input_words(_risk(single(), dividends=()))


def test_every_sum_has_its_coverage() -> None:
    """Each row of the tables ends with its coverage, and one without any known leg has no figure."""
    page = sums_html(_risk(single(), single(id="b", symbol="MSFT")), "OH_RISK_FREE_RATE must be a fraction.")
    assert "<td>1 of 1 leg</td>" in page
    assert "<td>—</td><td>0 of 1 leg</td>" in page
    assert "<td>1 of 2 legs</td>" in page
    assert "OH_RISK_FREE_RATE must be a fraction." in page
