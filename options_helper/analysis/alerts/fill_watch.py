"""Today's fills as alerts see them: each execution once, with the positions it belongs to."""

from __future__ import annotations

from options_helper.analysis.alerts.step import AlertFill
from options_helper.analysis.fills.by_position import positions_by_symbol
from options_helper.analysis.fills.day import FillDay
from options_helper.analysis.fills.records import Execution
from options_helper.analysis.fills.words import trade_words
from options_helper.analysis.osi import normalize_underlying
from options_helper.models import Portfolio


def watch_fills(portfolio: Portfolio, day: FillDay) -> tuple[AlertFill, ...]:
    """Return the day's executions that moved a position, newest first, busted ones left out."""
    held = positions_by_symbol(portfolio)
    return tuple(_fill(one, held) for one in day.leaf_fills if not one.busted)


def _fill(one: Execution, held: dict[str, frozenset[str]]) -> AlertFill:
    positions = held.get(normalize_underlying(one.symbol), frozenset())
    return AlertFill(key=one.key, at=one.at, positions=positions, text=trade_words(one))
