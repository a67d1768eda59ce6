"""The day's fills and option events, assigned to the positions of the portfolio file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from options_helper.analysis.arrays.memo import IdentityMemo
from options_helper.analysis.fills.day import FillDay
from options_helper.analysis.fills.option_events import OptionEvent
from options_helper.analysis.fills.records import Execution, FillFact
from options_helper.analysis.osi import contract_symbol, is_contract_symbol, normalize_underlying
from options_helper.errors import ContractSymbolError
from options_helper.models import (
    AnyPosition,
    EquityPosition,
    Leg,
    MultiLegPosition,
    Portfolio,
    Position,
    StockLeg,
)

_memo = IdentityMemo()  # all tabs show the same portfolio


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioFills:
    """The day's fills and option events by position.

    Attributes:
        by_position: Facts about the day's fills, keyed by position id.
        events: Option events, keyed by position id; earlier days are included, because an expired contract
            may still be in the file.
        not_in_file: Fills in contracts and stocks that the file does not hold, newest first.
    """

    by_position: Mapping[str, tuple[FillFact, ...]]
    events: Mapping[str, tuple[OptionEvent, ...]]
    not_in_file: tuple[Execution, ...]


def fills_for_portfolio(
    day: FillDay, portfolio: Portfolio, saved_at: dt.datetime | None = None
) -> PortfolioFills:
    """Assign the day's fills and option events to positions.

    Args:
        day: The day's fills.
        portfolio: The loaded portfolio file.
        saved_at: The aware time the file was last saved, if known.
    """
    held = positions_by_symbol(portfolio)
    mine: dict[str, list[Execution]] = {}
    not_in_file = []
    for one in day.leaf_fills:
        holders = held.get(normalize_underlying(one.symbol))
        if holders is None:
            not_in_file.append(one)
        for position_id in holders or ():
            mine.setdefault(position_id, []).append(one)
    by_position = {
        position.id: facts
        for position in portfolio.positions
        if (facts := _facts(mine.get(position.id, ()), position, saved_at, held))
    }
    return PortfolioFills(
        by_position=by_position, events=_events_by_position(day, held), not_in_file=tuple(not_in_file)
    )


def _events_by_position(
    day: FillDay, held: Mapping[str, frozenset[str]]
) -> dict[str, tuple[OptionEvent, ...]]:
    events: dict[str, tuple[OptionEvent, ...]] = {}
    for event in (*day.events, *day.earlier_events):
        for position_id in held.get(normalize_underlying(event.symbol), ()):
            events[position_id] = (*events.get(position_id, ()), event)
    return events


def positions_by_symbol(portfolio: Portfolio) -> dict[str, frozenset[str]]:
    """Return the ids of the positions that contain each contract or stock, keyed by normalized symbol."""
    return _memo.get("held", portfolio, lambda: _positions_by_symbol(portfolio))


def _positions_by_symbol(portfolio: Portfolio) -> dict[str, frozenset[str]]:
    held: dict[str, set[str]] = {}
    for position in portfolio.positions:
        for symbol in symbols_of(position):
            held.setdefault(symbol, set()).add(position.id)
    return {symbol: frozenset(ids) for symbol, ids in held.items()}


def symbols_of(position: AnyPosition) -> frozenset[str]:
    """Return the normalized symbols of a position, without contracts that no symbol can express."""
    if isinstance(position, EquityPosition):
        return frozenset({normalize_underlying(position.symbol)})
    terms: Iterable[Position | Leg | StockLeg] = (
        position.legs if isinstance(position, MultiLegPosition) else [position]
    )
    symbols = (_symbol(position.symbol, part) for part in terms)
    return frozenset(symbol for symbol in symbols if symbol)


def _symbol(underlying: str, part: Position | Leg | StockLeg) -> str | None:
    if isinstance(part, StockLeg):
        return normalize_underlying(underlying)
    try:
        return contract_symbol(underlying, part)
    except ContractSymbolError:
        return None


def _facts(
    fills: Iterable[Execution],
    position: AnyPosition,
    saved_at: dt.datetime | None,
    held: Mapping[str, frozenset[str]],
) -> tuple[FillFact, ...]:
    """Return one fact per symbol, direction and time (before or after the file was saved), newest first."""
    groups: dict[tuple[str, bool, bool | None], list[Execution]] = {}
    for one in fills:
        if one.busted or one.side is None or not one.quantity:
            continue
        after_save = None if saved_at is None else one.at > saved_at
        groups.setdefault((one.symbol, one.side.startswith("buy"), after_save), []).append(one)
    of_several = len(symbols_of(position)) > 1 if groups else False
    facts = [
        replace(_fact(key, group, of_several=of_several), shared_with=_others(key[0], position, held))
        for key, group in groups.items()
    ]
    return tuple(sorted(facts, key=lambda fact: fact.at, reverse=True))


def _others(symbol: str, position: AnyPosition, held: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    return tuple(sorted(held.get(normalize_underlying(symbol), frozenset()) - {position.id}))


def _fact(key: tuple[str, bool, bool | None], group: list[Execution], *, of_several: bool) -> FillFact:
    symbol, bought, after_save = key
    return FillFact(
        symbol=symbol,
        is_contract=is_contract_symbol(symbol),
        bought=bought,
        quantity=sum(one.quantity or 0.0 for one in group),
        at=max(one.at for one in group),
        after_save=after_save,
        fills=len(group),
        of_several=of_several,
    )
