"""The maximum loss of a portfolio at expiry."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from typing import Any

import pytest

from options_helper.analysis.strategies import portfolio_loss
from options_helper.analysis.strategies.payoff import OptionAmount, sum_options
from options_helper.analysis.strategies.portfolio_loss import PortfolioLoss, find_cover, find_portfolio_loss
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
BOOKS: dict[str, tuple[list[dict[str, Any]], PortfolioLoss]] = {
    "nothing": ([], PortfolioLoss(0.0, 0, 0)),
    "a long call": ([option("call", 1)], PortfolioLoss(200.0, 1, 1)),
    "a short put": ([option("put", -1)], PortfolioLoss(9_800.0, 1, 1)),
    "a naked call": ([option("call", -1)], PortfolioLoss(math.inf, 1, 1)),
    "a call that shares beside it cover": ([option("call", -1), shares(100)], PortfolioLoss(8_800.0, 2, 2)),
    "half a cover": ([option("call", -2), shares(100)], PortfolioLoss(math.inf, 2, 2)),
    "shares of another company": ([option("call", -1), shares(100, "MSFT")], PortfolioLoss(math.inf, 2, 2)),
    "two rows of one vertical": ([option("call", -1), option("call", 1, 110)], PortfolioLoss(1_000.0, 2, 2)),
    "shares cover two expiries": (
        [option("call", -1), option("call", -1, expiry=JUNE), shares(200)],
        PortfolioLoss(17_600.0, 3, 3),
    ),
    "a later call covers": ([option("call", -1), option("call", 1, expiry=JUNE)], PortfolioLoss(200.0, 1, 2)),
    "a calendar": ([CALENDAR, option("call", 1)], PortfolioLoss(200.0, 1, 2)),
    "an expired call": ([option("call", -1, expiry="2026-11-13")], PortfolioLoss(0.0, 0, 0)),
}


def portfolio_of(positions: list[dict[str, Any]]) -> Portfolio:
    """Return a portfolio of these positions."""
    document = {"positions": [{"id": str(number), **one} for number, one in enumerate(positions)]}
    return Portfolio.model_validate(document)


@pytest.mark.parametrize("name", BOOKS)
def test_the_most_that_can_be_lost(name: str) -> None:
    """The loss is unlimited only if a short call is uncovered; the positions that it includes are counted."""
    positions, loss = BOOKS[name]
    found = find_portfolio_loss(portfolio_of(positions), TODAY)
    assert (found.covered, found.positions) == (loss.covered, loss.positions)
    assert found.value == pytest.approx(loss.value)


@pytest.mark.parametrize(
    ("positions", "shares_and_loss"),
    [
        ([option("call", -1), shares(150)], (100.0, 8_800.0)),
        ([option("call", -1), shares(60)], (60.0, None)),
        ([option("call", -1), shares(100, "MSFT")], None),
        ([option("call", -1)], None),
        ([option("call", 1), shares(100)], None),
        ([option("put", -1), shares(100)], None),
    ],
)
def test_shares_beside_a_call_cover_it(
    positions: list[dict[str, Any]], shares_and_loss: tuple[float, float | None] | None
) -> None:
    """The number of covering shares is known, and if they cover the whole call, its loss is limited."""
    portfolio = portfolio_of(positions)
    cover = find_cover(portfolio, portfolio.positions[0])
    found = cover and (cover.shares, cover.payoff and cover.payoff.max_loss)
    assert found == shares_and_loss


def test_a_share_covers_one_call() -> None:
    """The first of two calls takes its shares, and the second takes the remaining ones."""
    portfolio = portfolio_of([shares(150), option("call", -1), option("call", -1, 110)])
    covers = [find_cover(portfolio, one) for one in portfolio.positions[1:]]
    assert [cover and (cover.shares, cover.needed) for cover in covers] == [(100.0, 100.0), (50.0, 100.0)]


def test_the_work_grows_with_the_number_of_positions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each option is added once, however many positions have the same expiry."""
    added: list[OptionAmount] = []

    def add(options: Iterable[OptionAmount]) -> tuple[OptionAmount, ...]:
        kept = tuple(options)
        added.extend(kept)
        return sum_options(kept)

    monkeypatch.setattr(portfolio_loss, "sum_options", add)
    portfolio = Portfolio.model_validate(
        {"positions": [option("call", 1, 100 + n, id=f"c{n}") for n in range(50)]}
    )
    assert find_portfolio_loss(portfolio, TODAY) == PortfolioLoss(10_000.0, 50, 50)
    assert len(added) == 50
