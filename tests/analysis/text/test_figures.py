"""Figures in words."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_helper.analysis.text import figures
from options_helper.analysis.text.figures import (
    price_decimals,
    round_dollars,
    round_half_up,
    round_percent,
    round_price,
)

MINUS = "\N{MINUS SIGN}"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (23.366, "$23.37"),
        (0.0, "$0.00"),
        (-1.18, f"{MINUS}$1.18"),
        (1234.5, "$1,234.50"),
        (0.0051, "$0.0051"),
        (-0.00001, f"{MINUS}$0.00001"),
        (0.000008765, "$0.000008765"),
        (2.7e-17, "$0.00"),
        (0.0333333333, "$0.03"),
        (0.00333333333, "$0.00333333"),
        (1.005, "$1.01"),
        (None, "\N{EM DASH}"),
        (math.nan, "\N{EM DASH}"),
    ],
)
def test_prices_have_cents_and_a_true_minus(value: float | None, words: str) -> None:
    """A price below a cent keeps its significant digits; halves round away from zero."""
    assert figures.format_price(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1491.4, "+$1,491"),
        (2.5, "+$3"),
        (-0.5, f"{MINUS}$1"),
        (-265.0, f"{MINUS}$265"),
        (0.0, "$0"),
        (-0.4, "$0"),
        (math.inf, "\N{EM DASH}"),
    ],
)
def test_profit_and_loss_has_a_sign_and_zero_has_none(value: float, words: str) -> None:
    """Profit and loss is written in whole dollars with a sign; zero has none."""
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
    """A percentage has one decimal."""
    assert figures.format_percent(value, signed=signed) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (3, "+3"),
        (-2.5, f"{MINUS}2.5"),
        (0, "0"),
        (1_234_567, "+1,234,567"),
        (-123_456.75, f"{MINUS}123,456.75"),
        (0.000000001, "+0.000000001"),
        (None, "\N{EM DASH}"),
    ],
)
def test_quantities_are_signed(value: float | None, words: str) -> None:
    """A quantity has a sign, and decimals only if needed."""
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


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_every_float_has_words_and_none_is_in_scientific_notation(value: float) -> None:
    """Every float is written out in full, or as missing."""
    for write in (
        figures.format_price,
        figures.format_bare_price,
        figures.format_pnl,
        figures.format_percent,
        figures.format_quantity,
        figures.format_count,
    ):
        assert "e" not in write(value).lower()


@given(st.floats(0.000000001, 0.0099))
def test_a_small_price_is_never_written_as_zero(value: float) -> None:
    """A written price keeps six significant digits."""
    assert float(figures.format_price(value).lstrip("$")) == pytest.approx(value, rel=5e-6)
    assert float(figures.format_bare_price(value, most_decimals=4)) == pytest.approx(value, rel=5e-6)


@given(
    st.one_of(
        st.floats(allow_nan=False, allow_infinity=False),
        st.integers(-(10**7), 10**7).map(lambda thousandths: thousandths / 1000),
        st.integers(-(10**12), 10**12).map(lambda each: each / 10**6),
    ),
    st.integers(0, 6),
)
def test_figures_are_rounded_as_their_decimals_are(value: float, decimals: int) -> None:
    """Halves are rounded away from zero, exactly as in decimal arithmetic."""
    exact = Decimal(repr(value))

    def to(number: Decimal, places: int) -> Decimal:
        return number.quantize(Decimal(1).scaleb(-places), context=Context(prec=700, rounding=ROUND_HALF_UP))

    assert round_half_up(value, decimals) == float(to(exact, decimals))
    assert round_dollars(value) == int(to(Decimal(repr(float(to(exact, 2)))), 0))
    percent = to(to(exact, 5) * 100, min(decimals, 3))
    assert round_percent(value, min(decimals, 3)) == float(percent)
    assert round_price(value, decimals) == float(to(exact, max(decimals, price_decimals(value))))
