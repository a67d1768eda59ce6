"""Today's fills as alerts see them: each execution once, with the positions it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from options_helper.analysis.alerts import AlertFill
from options_helper.analysis.fills import build_fill_book
from options_helper.analysis.osi import normalize_underlying
from options_helper.analysis.portfolio_fills import symbols_of
from options_helper.market_time import new_york_date

if TYPE_CHECKING:
    from options_helper.analysis.fill_book import Execution
    from options_helper.market import LiveSnapshot
    from options_helper.models import Portfolio


def watch_fills(portfolio: Portfolio, live: LiveSnapshot) -> tuple[AlertFill, ...]:
    """Every execution of the day that moved a position, newest first."""
    if not live.fills and not live.rest_fills:
        return ()
    book = build_fill_book(live.fills, live.rest_fills, live.rest_orders, day=new_york_date(live.as_of))
    held = positions_by_symbol(portfolio)
    return tuple(_fill(one, held) for one in book.leaf_fills if not one.busted)


def positions_by_symbol(portfolio: Portfolio) -> dict[str, frozenset[str]]:
    """The ids of the positions that hold a contract or a stock, by its symbol in one spelling."""
    held: dict[str, set[str]] = {}
    for position in portfolio.positions:
        for symbol in symbols_of(position):
            held.setdefault(symbol, set()).add(position.id)
    return {symbol: frozenset(ids) for symbol, ids in held.items()}


def _fill(one: Execution, held: dict[str, frozenset[str]]) -> AlertFill:
    positions = held.get(normalize_underlying(one.symbol), frozenset())
    return AlertFill(
        key=one.key, at=one.at, positions=positions, text=f"{one.side_words} {one.words} {one.fill_words}"
    )
