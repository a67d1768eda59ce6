"""The comparison and the money in words."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from options_helper.analysis.account.compare import AccountComparison, Comparison
from options_helper.analysis.account.equity import EquityBridge
from options_helper.analysis.account.panel_words import (
    bridge_lines,
    cause_words,
    cents,
    difference_cells,
    not_held_words,
    note_line,
    summary,
)
from options_helper.analysis.text.figures import MINUS

NOW = dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC)
CALL = "AAPL261218C00250000"


def row(in_file: int, at_broker: int) -> Comparison:
    """One contract on both sides."""
    ids = ("one",) if in_file else ()
    return Comparison(symbol=CALL, in_file=Decimal(in_file), at_broker=Decimal(at_broker), position_ids=ids)


def compared(
    *rows: Comparison, not_held: frozenset[str] = frozenset(), left_out: int = 0
) -> AccountComparison:
    """A comparison with these rows."""
    return AccountComparison(rows=rows, discrepancies={}, not_held=not_held, left_out=left_out, as_of=NOW)


def test_a_difference_has_its_cells() -> None:
    """The cells are signed quantities with a true minus sign, and the cause if it is known."""
    since = dt.date(2026, 10, 21)
    assert difference_cells(row(-2, 0), since) == (
        "AAPL 18 Dec 2026 250 call",
        f"{MINUS}2",
        "0",
        "only in the file",
        "no execution or activity since 21 Oct 2026 explains it",
    )
    assert cause_words(row(1, 2), None) == "the account's recent history is incomplete"
    assert cause_words(row(2, 2), since) == ""


@pytest.mark.parametrize(
    ("rows", "left_out", "words"),
    [
        ((), 0, "nothing to compare"),
        ((row(1, 1), row(2, 2)), 0, "all 2 contracts and stocks agree"),
        ((row(1, 1), row(2, 1)), 1, "1 of 2 contracts and stocks differ · 1 position excluded"),
    ],
)
def test_the_summary_counts(rows: tuple[Comparison, ...], left_out: int, words: str) -> None:
    """The summary counts the rows that differ and the excluded positions."""
    assert summary(compared(*rows, left_out=left_out)) == words


def test_one_line_points_to_the_panel() -> None:
    """The note appears if anything differs, and is in the singular for one difference."""
    assert note_line(compared(row(1, 1)), "p.json") == ""
    assert note_line(compared(row(1, 2)), "p.json").endswith("differ in 1 contract or stock: see Account.")
    assert "2 contracts and stocks" in note_line(compared(row(1, 2), row(0, 1)), "p.json")


def test_totals_name_what_the_broker_does_not_hold() -> None:
    """The note has the number of positions that the broker does not hold, and their open P/L."""
    assert not_held_words(compared(row(1, 1)), 0.0) == ""
    words = not_held_words(compared(row(1, 0), not_held=frozenset({"a", "b"})), -790.0)
    assert words == f"2 positions are not held at the broker; P/L Open includes their {MINUS}$790"


def test_money_is_written_to_the_cent() -> None:
    """Amounts have a true minus sign, a plus sign on request, and no sign on zero."""
    assert cents(Decimal("-1234.5")) == f"{MINUS}$1,234.50"
    assert cents(Decimal("0.004"), signed=True) == "$0.00"
    assert cents(Decimal("3.1"), signed=True) == "+$3.10"


def test_the_difference_is_written_line_by_line() -> None:
    """The lines are the value, the equity, their difference and its seven parts."""
    names = ("only_in_file", "only_at_broker", "unmarked", "cash", "between", "rest")
    parts = dict.fromkeys(names, Decimal(0))
    bridge = EquityBridge(
        portfolio_value=Decimal(103), equity=Decimal(100), marks=Decimal(3), unpriced=0, **parts
    )
    lines = bridge_lines(bridge)
    assert lines[:4] == [
        ("Portfolio value", "$103.00"),
        ("Broker's equity", "$100.00"),
        ("Difference", "+$3.00"),
        ("Our marks minus the broker's prices", "+$3.00"),
    ]
    assert len(lines) == 10
