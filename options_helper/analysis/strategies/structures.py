"""A structure's name, width, and profit and loss at expiry.

Profit, loss and break-evens apply at expiry, in total dollars for the whole position. They are None if the
options expire on different days, because only a model could value the later ones then; if the file does not
state the cost; and if a contract is adjusted, because its deliverable is unknown. `math.inf` means unlimited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from options_helper.analysis.contracts.products import is_adjusted
from options_helper.analysis.osi import root_of
from options_helper.analysis.strategies.names import NetLeg, StructureKind, StructureName, name_structure
from options_helper.analysis.strategies.payoff import OptionAmount, Payoff, sum_options
from options_helper.models import (
    STANDARD_MULTIPLIER,
    AnyPosition,
    EquityPosition,
    Leg,
    MultiLegPosition,
    Position,
    StockLeg,
)

__all__ = ["Payoff", "Structure", "StructureKind", "describe_structure"]


@dataclass(frozen=True, slots=True)
class Structure:
    """The facts about a position that do not depend on prices.

    Attributes:
        kind, name: The family, and the name in words ("Credit iron condor").
        width: The distance between the strikes in dollars (of the wider wing); None if it has no meaning.
        max_profit, max_loss: Dollars at expiry, a loss as a positive figure; `math.inf` if unlimited, None if
            undefined.
        break_evens: Prices of the underlying, ascending; empty if undefined or if there are none.
        payoff: The P/L at expiry as a function of the price; None if undefined.
        adjusted: True if a contract is adjusted; its P/L at expiry is then unknown.
    """

    kind: StructureKind
    name: str
    width: float | None = None
    max_profit: float | None = None
    max_loss: float | None = None
    break_evens: tuple[float, ...] = ()
    payoff: Payoff | None = None
    adjusted: bool = False


def describe_structure(position: AnyPosition, multipliers: Sequence[float] | None = None) -> Structure:
    """Return the name, width and payoff of a structure, a single option or shares.

    Args:
        position: The position.
        multipliers: Dollars per point of each leg (or of a single option), in the file's order; the entry
            of a stock leg is ignored. By default, the file's multipliers or the standard 100.
    """
    payoff = _payoff(position, multipliers)
    name = _name(position, multipliers)
    if payoff is None:
        return Structure(name.kind, name.words, name.width, adjusted=_is_adjusted(position))
    return Structure(
        name.kind,
        name.words,
        name.width,
        payoff.max_profit,
        payoff.max_loss,
        payoff.break_evens,
        payoff,
    )


def _payoff(position: AnyPosition, multipliers: Sequence[float] | None) -> Payoff | None:
    if _is_adjusted(position):
        return None
    if isinstance(position, EquityPosition):
        return Payoff((), position.shares, position.cost_basis * position.shares)
    if isinstance(position, Position):
        amount = position.contracts * _multiplier(position, multipliers, 0)
        option = OptionAmount(position.option_type, position.strike, amount)
        return Payoff((option,), 0.0, position.cost_basis * amount)
    options = _options(position, multipliers)
    if position.net_debit is None or len({leg.expiry for leg, _ in options}) > 1:
        return None
    amounts = [
        OptionAmount(leg.option_type, leg.strike, leg.signed_contracts * each) for leg, each in options
    ]
    return Payoff(sum_options(amounts), _shares(position), position.net_debit)


def _is_adjusted(position: AnyPosition) -> bool:
    if isinstance(position, EquityPosition):
        return False
    terms = [position] if isinstance(position, Position) else position.option_legs
    return any(is_adjusted(root_of(position.symbol, each)) for each in terms)


def _name(position: AnyPosition, multipliers: Sequence[float] | None) -> StructureName:
    if isinstance(position, EquityPosition):
        return StructureName(StructureKind.SHARES, "Long shares" if position.shares > 0 else "Short shares")
    if isinstance(position, Position):
        side = "Long" if position.contracts > 0 else "Short"
        return StructureName(StructureKind.SINGLE, f"{side} {position.option_type}")
    return name_structure(_net_legs(_options(position, multipliers)), _shares(position))


def _net_legs(options: Sequence[tuple[Leg, float]]) -> list[NetLeg]:
    """Combine legs with the same contract, and drop those that cancel out."""
    quantities: dict[tuple[object, ...], int] = {}
    first: dict[tuple[object, ...], tuple[Leg, float]] = {}
    for leg, multiplier in options:
        key = (leg.option_type, leg.expiry, leg.strike, leg.root, multiplier)
        quantities[key] = quantities.get(key, 0) + leg.signed_contracts
        first.setdefault(key, (leg, multiplier))
    return [
        NetLeg(leg.option_type, leg.expiry, leg.strike, quantities[key], multiplier)
        for key, (leg, multiplier) in first.items()
        if quantities[key]
    ]


def _options(position: MultiLegPosition, multipliers: Sequence[float] | None) -> list[tuple[Leg, float]]:
    """Return the option legs, each with its multiplier."""
    return [
        (leg, _multiplier(leg, multipliers, number))
        for number, leg in enumerate(position.legs)
        if not isinstance(leg, StockLeg)
    ]


def _shares(position: MultiLegPosition) -> float:
    return sum(leg.signed_shares for leg in position.legs if isinstance(leg, StockLeg))


def _multiplier(terms: Position | Leg, multipliers: Sequence[float] | None, number: int) -> float:
    return multipliers[number] if multipliers is not None else terms.multiplier or STANDARD_MULTIPLIER
