"""Figures in words."""

from __future__ import annotations

import math

import pytest

from options_helper.analysis.text import figures

MINUS = "\N{MINUS SIGN}"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (23.366, "$23.37"),
        (0.0, "$0.00"),
        (-1.18, f"{MINUS}$1.18"),
        (1234.5, "$1,234.50"),
        (0.0051, "$0.0051"),
        (-0.00001, "$0.0000"),
        (None, "\N{EM DASH}"),
        (math.nan, "\N{EM DASH}"),
    ],
)
def test_prices_have_cents_and_a_true_minus(value: float | None, words: str) -> None:
    """Below a cent there are four decimals; nothing is never zero."""
    assert figures.format_price(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(1491.4, "+$1,491"), (-265.0, f"{MINUS}$265"), (0.0, "$0"), (-0.4, "$0"), (math.inf, "\N{EM DASH}")],
)
def test_profit_and_loss_has_a_sign_and_zero_has_none(value: float, words: str) -> None:
    """Whole dollars."""
    assert figures.format_pnl(value) == words
    assert figures.format_dollars(value) == words.removeprefix("+")


@pytest.mark.parametrize(
    ("value", "signed", "words"),
    [
        (0.272, True, "+27.2%"),
        (0.03, False, "3.0%"),
        (-0.5, False, f"{MINUS}50.0%"),
        (-0.0001, True, "0.0%"),
        (None, True, "\N{EM DASH}"),
    ],
)
def test_fractions_are_written_as_percentages(value: float | None, signed: bool, words: str) -> None:
    """One decimal."""
    assert figures.format_percent(value, signed=signed) == words


@pytest.mark.parametrize(
    ("value", "words"), [(3, "+3"), (-2.5, f"{MINUS}2.5"), (0, "0"), (None, "\N{EM DASH}")]
)
def test_quantities_are_signed(value: float | None, words: str) -> None:
    """Decimals only where there are any."""
    assert figures.format_quantity(value) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "0 s"),
        (59.9, "59 s"),
        (60, "1 m"),
        (192, "3 m 12 s"),
        (8040, "2 h 14 m"),
        (7200, "2 h"),
        (90_000, "1 d 1 h"),
        (None, "\N{EM DASH}"),
    ],
)
def test_spans_are_written_in_their_two_largest_units(seconds: float | None, words: str) -> None:
    """A unit of zero is left out."""
    assert figures.format_span(seconds) == words
