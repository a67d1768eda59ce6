"""The two spellings of a symbol."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_helper.data.alpaca_symbols import to_alpaca_symbol, to_repo_symbol

stocks = st.from_regex(r"[A-Za-z]{1,5}([.\-/][A-Za-z]{1,3})?", fullmatch=True)


@pytest.mark.parametrize(
    ("symbol", "alpaca", "repo"),
    [
        ("AAPL", "AAPL", "AAPL"),
        (" aapl ", "AAPL", "AAPL"),
        ("BRK-B", "BRK.B", "BRK-B"),
        ("BRK.B", "BRK.B", "BRK-B"),
        ("brk/b", "BRK.B", "BRK-B"),
        ("BRK B", "BRK.B", "BRK-B"),
        ("BRKB261218C00500000", "BRKB261218C00500000", "BRKB261218C00500000"),
        ("BRKB  261218C00500000", "BRKB261218C00500000", "BRKB261218C00500000"),
        ("BRK.B261218C00500000", "BRKB261218C00500000", "BRKB261218C00500000"),
        ("BRK-B 261218C00500000", "BRKB261218C00500000", "BRKB261218C00500000"),
        ("CSGP1251017P00001000", "CSGP1251017P00001000", "CSGP1251017P00001000"),
        ("AAPL261399C00500000", "AAPL261399C00500000", "AAPL261399C00500000"),
        ("", "", ""),
    ],
)
def test_each_symbol_has_one_spelling_per_side(symbol: str, alpaca: str, repo: str) -> None:
    """Class shares change their separator; contracts lose padding and separators on both sides."""
    assert to_alpaca_symbol(symbol) == alpaca
    assert to_repo_symbol(symbol) == repo


@given(stocks)
def test_both_directions_are_idempotent_and_inverse(symbol: str) -> None:
    """Converting either spelling repeatedly gives the same pair."""
    alpaca, repo = to_alpaca_symbol(symbol), to_repo_symbol(symbol)
    assert to_alpaca_symbol(alpaca) == to_alpaca_symbol(repo) == alpaca
    assert to_repo_symbol(repo) == to_repo_symbol(alpaca) == repo
    assert "-" not in alpaca
    assert "." not in repo
