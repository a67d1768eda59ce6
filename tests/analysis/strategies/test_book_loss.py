"""The most that a portfolio can lose at expiry."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import pytest

from options_helper.analysis.strategies.book_loss import BookLoss, find_book_loss
from options_helper.models import Portfolio

TODAY = dt.date(2026, 11, 20)
DECEMBER, JUNE = "2026-12-18", "2027-06-18"


def option(kind: str, contracts: int, strike: float = 100, **more: Any) -> dict[str, Any]:
    """Return a single option on AAPL for $2 a share."""
    return {
        "symbol": "AAPL",
        "option_type": kind,
        "expiry": DECEMBER,
        "strike": strike,
        "contracts": contracts,
        "cost_basis": 2.0,
        **more,
    }


def shares(number: float, symbol: str = "AAPL") -> dict[str, Any]:
    """Return shares for $90 each."""
    return {"symbol": symbol, "shares": number, "cost_basis": 90.0}


CALENDAR = {
    "symbol": "AAPL",
    "net_debit": 300.0,
    "legs": [
        {"side": side, "option_type": "call", "expiry": expiry, "strike": 100, "contracts": 1}
        for side, expiry in (("short", DECEMBER), ("long", JUNE))
    ],
}
BOOKS: dict[str, tuple[list[dict[str, Any]], BookLoss]] = {
    "nothing": ([], BookLoss(0.0, 0, 0)),
    "a long call": ([option("call", 1)], BookLoss(200.0, 1, 1)),
    "a short put": ([option("put", -1)], BookLoss(9_800.0, 1, 1)),
    "a naked call": ([option("call", -1)], BookLoss(math.inf, 1, 1)),
    "a call that shares beside it cover": ([option("call", -1), shares(100)], BookLoss(8_800.0, 2, 2)),
    "half a cover": ([option("call", -2), shares(100)], BookLoss(math.inf, 2, 2)),
    "shares of another company": ([option("call", -1), shares(100, "MSFT")], BookLoss(math.inf, 2, 2)),
    "two rows of one vertical": ([option("call", -1), option("call", 1, 110)], BookLoss(1_000.0, 2, 2)),
    "shares cover two expiries": (
        [option("call", -1), option("call", -1, expiry=JUNE), shares(200)],
        BookLoss(17_600.0, 3, 3),
    ),
    "a later call covers": ([option("call", -1), option("call", 1, expiry=JUNE)], BookLoss(200.0, 1, 2)),
    "a calendar": ([CALENDAR, option("call", 1)], BookLoss(200.0, 1, 2)),
    "an expired call": ([option("call", -1, expiry="2026-11-13")], BookLoss(0.0, 0, 0)),
}


@pytest.mark.parametrize("name", BOOKS)
def test_the_most_that_can_be_lost(name: str) -> None:
    """It is unlimited only if nothing covers a short call, and says how many positions it contains."""
    positions, loss = BOOKS[name]
    document = {"positions": [{"id": str(number), **one} for number, one in enumerate(positions)]}
    found = find_book_loss(Portfolio.model_validate(document), TODAY)
    assert (found.covered, found.positions) == (loss.covered, loss.positions)
    assert found.value == pytest.approx(loss.value)
