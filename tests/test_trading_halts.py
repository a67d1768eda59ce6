"""Trading statuses, read for halts."""

from __future__ import annotations

import pytest

from options_helper.data.streaming.trading_halts import read_halts


@pytest.mark.parametrize(
    ("code", "halted"), [("2", True), ("3", False), ("H", True), ("P", True), ("T", False), (2, True)]
)
def test_codes_of_both_tapes_tell_a_halt(code: object, halted: object) -> None:
    """Halts, pauses and resumptions of both tapes are understood."""
    assert read_halts([{"T": "s", "S": "AAPL", "sc": code}]) == {"AAPL": halted}


def test_the_newest_status_wins() -> None:
    """A resumption after a halt ends it."""
    assert read_halts([{"S": "AAPL", "sc": "H"}, {"S": "AAPL", "sc": "T"}]) == {"AAPL": False}


@pytest.mark.parametrize("status", [None, {}, {"S": "AAPL"}, {"S": "AAPL", "sc": "Q"}, {"S": 3, "sc": "H"}])
def test_what_says_nothing_of_a_halt_is_passed_over(status: object) -> None:
    """Other codes and broken messages neither halt nor resume."""
    assert read_halts([status]) == {}
