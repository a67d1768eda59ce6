"""Doubts about entries: how they were understood and what was probably meant, with and without prices."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from options_helper.analysis.tables.view import compute_view
from options_helper.market import LiveSnapshot, Quote
from options_helper.models import Portfolio

pytestmark = pytest.mark.slow

AT = dt.datetime(2026, 11, 24, 16, 0, tzinfo=dt.UTC)
CALL, PUT = "XYZ261218C00050000", "XYZ261218P00050000"
TERMS = {"expiry": "2026-12-18", "strike": 50, "symbol": "XYZ"}
SPOT = (47.99, 48.01)


def doubts_of(entry: dict[str, Any], **quotes: tuple[float, float]) -> tuple[list[str], tuple[str, ...]]:
    """Return the warnings and the doubts of a portfolio's one entry."""
    portfolio = Portfolio.model_validate({"positions": [{"id": "a", **entry}]})
    seen = {name: Quote(name, *prices, timestamp=AT, received_at=AT) for name, prices in quotes.items()}
    live = LiveSnapshot(
        as_of=AT,
        market_phase="open",
        option_quotes={name: quote for name, quote in seen.items() if len(name) > 8},
        stock_quotes={name: quote for name, quote in seen.items() if len(name) <= 8},
    )
    view = compute_view(portfolio, live, stale_after_seconds=30.0)
    row = (view.positions if len(view.positions) else view.structures).iloc[0]
    return row["warnings"], row["doubts"]


def single(kind: str, cost: float, contracts: int = 2) -> dict[str, Any]:
    """Return an option's entry."""
    return {**TERMS, "option_type": kind, "contracts": contracts, "cost_basis": cost}


def spread(net_debit: float) -> dict[str, Any]:
    """Return the entry of two short put spreads, five dollars wide."""
    legs = [
        {"side": side, "option_type": "put", "expiry": "2026-12-18", "strike": strike, "contracts": 2}
        for side, strike in (("short", 50), ("long", 45))
    ]
    return {"symbol": "XYZ", "net_debit": net_debit, "legs": legs}


SPREAD_QUOTES = {PUT: (1.40, 1.44), "XYZ261218P00045000": (0.40, 0.44)}
SHARES = {"symbol": "XYZ", "shares": 200}


@pytest.mark.parametrize(
    ("entry", "quotes", "words"),
    [
        (single("put", 310), {PUT: (3.0, 3.2)}, ("$310.00", "so 3.1 was probably meant")),
        (single("put", 45), {PUT: (0.44, 0.46)}, ("$45.00", "$0.45", "so 0.45 was probably meant")),
        (single("put", 45, -2), {PUT: (0.44, 0.46)}, ("so 0.45 was probably meant",)),
        (single("call", 0.031), {CALL: (3.0, 3.2)}, ("$3.10", "so 3.1 was probably meant")),
        (single("call", 9.0), {CALL: (0.07, 0.09)}, ("so 0.09 was probably meant, unless it lost 99 %",)),
        (single("put", 30, -2), {PUT: (0.29, 0.31)}, ("so 0.3 was probably meant, unless it gained 99 %",)),
        (single("call", 310), {CALL: (3.0, 3.2), "XYZ": SPOT}, ("$48.00", "so 3.1 was probably meant")),
        ({**SHARES, "cost_basis": 9600}, {"XYZ": SPOT}, ("not the total", "so 48 was probably meant")),
        ({**SHARES, "cost_basis": 0.48}, {"XYZ": SPOT}, ("so 48 was probably meant",)),
        (spread(300), SPREAD_QUOTES, ("$300.00 paid", "write -300")),
        (spread(-3), SPREAD_QUOTES, ("$3.00 received", "$200.00", "so -300 was probably meant")),
    ],
)
def test_a_doubtful_entry_is_questioned_in_its_row(
    entry: dict[str, Any], quotes: dict[str, tuple[float, float]], words: tuple[str, ...]
) -> None:
    """A sentence says how the entry was understood and what was probably meant."""
    warnings, doubts = doubts_of(entry, **quotes)
    assert "doubtful_entry" in warnings
    (sentence,) = doubts
    assert sentence.startswith("understood: ")
    for word in words:
        assert word in sentence


@pytest.mark.parametrize(
    ("entry", "quotes"),
    [
        (single("call", 3.1), {CALL: (3.0, 3.2), "XYZ": SPOT}),
        (single("call", 9.0), {CALL: (0.04, 0.05), "XYZ": SPOT}),  # it decayed
        (single("call", 3.0, -2), {CALL: (0.02, 0.03), "XYZ": SPOT}),
        (single("call", 5.0), {CALL: (0.07, 0.09), "XYZ": SPOT}),
        (single("call", 3.1), {CALL: (0.0, 0.05)}),
        (single("call", 60), {CALL: (3.0, 3.2), "XYZ": SPOT}),  # the stock may have halved
        ({**SHARES, "cost_basis": 4.8}, {"XYZ": SPOT}),
        ({**SHARES, "cost_basis": 0.0}, {"XYZ": SPOT}),
        (spread(-300), SPREAD_QUOTES),
    ],
)
def test_a_plausible_entry_raises_no_doubt(
    entry: dict[str, Any], quotes: dict[str, tuple[float, float]]
) -> None:
    """Gains, losses and decay raise no doubt."""
    warnings, doubts = doubts_of(entry, **quotes)
    assert doubts == ()
    assert "doubtful_entry" not in warnings


EXPIRIES = ("2026-12-18", "2027-01-15")
MARKS = {
    "XYZ261218C00045000": 4.2, "XYZ261218C00050000": 1.2, "XYZ261218C00055000": 0.3,
    "XYZ261218P00045000": 0.5, "XYZ261218P00050000": 2.6, "XYZ261218P00055000": 7.1,
    "XYZ270115C00045000": 5.1, "XYZ270115C00050000": 2.1, "XYZ270115C00055000": 0.8,
    "XYZ270115P00045000": 1.1, "XYZ270115P00050000": 3.4,
}  # fmt: skip
STRUCTURES = {
    "long straddle": "+1 C50 0, +1 P50 0",
    "short straddle": "-1 C50 0, -1 P50 0",
    "long strangle": "+2 C55 0, +2 P45 0",
    "short strangle": "-2 C55 0, -2 P45 0",
    "call debit spread": "+3 C45 0, -3 C50 0",
    "call credit spread": "-3 C50 0, +3 C55 0",
    "put debit spread": "+1 P50 0, -1 P45 0",
    "put credit spread": "-1 P50 0, +1 P45 0",
    "butterfly": "+1 C45 0, -2 C50 0, +1 C55 0",
    "iron butterfly": "-1 C50 0, -1 P50 0, +1 C55 0, +1 P45 0",
    "iron condor": "-1 C50 0, +1 C55 0, -1 P50 0, +1 P45 0",
    "calendar": "-1 C50 0, +1 C50 1",
    "short calendar": "+1 C50 0, -1 C50 1",
    "diagonal": "-1 C55 0, +1 C45 1",
    "put calendar": "-4 P45 0, +4 P45 1",
    "double calendar": "-1 C55 0, +1 C55 1, -1 P45 0, +1 P45 1",
}


def legs_of(words: str) -> list[dict[str, Any]]:
    """Return the legs written as `+1 C50 0, -1 C55 0`: side, contracts, terms and the expiry's index."""
    legs = []
    for word in words.split(", "):
        count, terms, expiry = word.split()
        kind = {"C": "call", "P": "put"}[terms[0]]
        side = "long" if count[0] == "+" else "short"
        legs.append(
            {"side": side, "option_type": kind, "expiry": EXPIRIES[int(expiry)], "strike": int(terms[1:])}
            | {"contracts": int(count[1:])}
        )
    return legs


@pytest.mark.parametrize("factor", [1, 0.8, 1.25, -1, 100, 0.01, -100, -0.01])
@pytest.mark.parametrize("words", STRUCTURES.values(), ids=STRUCTURES)
def test_a_net_debit_of_the_wrong_sign_or_unit_is_doubted(words: str, factor: float) -> None:
    """A net debit near the value raises no doubt; the opposite sign or a factor of 100 does."""
    legs = legs_of(words)
    symbols = [
        f"XYZ{leg['expiry'][2:].replace('-', '')}{leg['option_type'][0].upper()}{leg['strike'] * 1000:08d}"
        for leg in legs
    ]
    value = sum(
        MARKS[symbol] * 100 * leg["contracts"] * (1 if leg["side"] == "long" else -1)
        for symbol, leg in zip(symbols, legs, strict=True)
    )
    entry = {"symbol": "XYZ", "net_debit": round(value * factor, 4), "legs": legs}
    quotes = {name: (mark - 0.01, mark + 0.01) for name, mark in MARKS.items()}
    _, doubts = doubts_of(entry, XYZ=SPOT, **quotes)
    assert bool(doubts) == (factor not in {1, 0.8, 1.25})
