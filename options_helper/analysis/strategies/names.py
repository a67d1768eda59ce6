"""Traders' names for sets of legs.

"Long" and "short" have their usual meaning: a long butterfly is long its wings, a long calendar is long the
later expiry. Verticals, iron condors and iron butterflies are named "debit" or "credit" instead, which is
unambiguous. The word follows from the strikes, not from the cost.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from options_helper.models import OptionType


class StructureKind(StrEnum):
    """The family of a structure."""

    SINGLE = "single"
    SHARES = "shares"
    VERTICAL = "vertical"
    CALENDAR = "calendar"
    DIAGONAL = "diagonal"
    STRADDLE = "straddle"
    STRANGLE = "strangle"
    IRON_CONDOR = "iron condor"
    IRON_BUTTERFLY = "iron butterfly"
    CONDOR = "condor"
    BUTTERFLY = "butterfly"
    RATIO = "ratio"
    BOX = "box"
    SYNTHETIC = "synthetic"
    RISK_REVERSAL = "risk reversal"
    JADE_LIZARD = "jade lizard"
    COLLAR = "collar"
    COVERED_CALL = "covered call"
    COVERED_PUT = "covered put"
    COVERED_STRANGLE = "covered strangle"
    PROTECTIVE_PUT = "protective put"
    PROTECTIVE_CALL = "protective call"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class NetLeg:
    """The net position in one contract; `quantity` is signed contracts."""

    option_type: OptionType
    expiry: dt.date
    strike: float
    quantity: int
    multiplier: float


@dataclass(frozen=True, slots=True)
class StructureName:
    """The family of a structure, its name in words, and its width in dollars, if it has one."""

    kind: StructureKind
    words: str
    width: float | None = None


_LASTING_DAYS = 180  # a long call that expires this much later than the short one replaces shares
_TIMES = "\N{MULTIPLICATION SIGN}"
CUSTOM = StructureName(StructureKind.CUSTOM, "Custom")


def name_structure(legs: Sequence[NetLeg], shares: float) -> StructureName:
    """Return the name of a set of options (each contract once) and signed shares."""
    ordered = sorted(legs, key=lambda leg: (leg.expiry, leg.strike, leg.option_type))
    if shares:
        return _with_shares(ordered, shares)
    expiries = {leg.expiry for leg in ordered}
    types = {leg.option_type for leg in ordered}
    name = _NAMERS.get((len(ordered), len(expiries), len(types)))
    return CUSTOM if name is None else name(*ordered)


def _two_expiries(near: NetLeg, far: NetLeg) -> StructureName:
    if near.quantity != -far.quantity:
        return CUSTOM
    words = f"{_side(far.quantity)} {far.option_type}"
    is_lasting = (far.expiry - near.expiry).days >= _LASTING_DAYS
    if far.option_type == "call" and far.quantity > 0 and far.strike < near.strike and is_lasting:
        return StructureName(StructureKind.DIAGONAL, "Poor man's covered call", near.strike - far.strike)
    if near.strike == far.strike:
        return StructureName(StructureKind.CALENDAR, f"{words} calendar")
    return StructureName(StructureKind.DIAGONAL, f"{words} diagonal", abs(far.strike - near.strike))


def _two_strikes(low: NetLeg, high: NetLeg) -> StructureName:
    if low.quantity * high.quantity > 0 or low.strike == high.strike:
        return CUSTOM
    width = high.strike - low.strike
    if low.quantity == -high.quantity:
        dear = low if low.option_type == "call" else high
        paid = "Debit" if dear.quantity > 0 else "Credit"
        return StructureName(StructureKind.VERTICAL, f"{paid} {low.option_type} vertical", width)
    divisor = math.gcd(low.quantity, high.quantity)
    bought, sold = (max(low.quantity, high.quantity), -min(low.quantity, high.quantity))
    words = f"{low.option_type.capitalize()} ratio {bought // divisor}{_TIMES}{sold // divisor}"
    return StructureName(StructureKind.RATIO, words, width)


def _call_and_put(*legs: NetLeg) -> StructureName:
    call, put = sorted(legs, key=lambda leg: leg.option_type)
    side, width = _side(call.quantity), abs(call.strike - put.strike)
    if call.quantity == put.quantity:
        if not width:
            return StructureName(StructureKind.STRADDLE, f"{side} straddle")
        return StructureName(StructureKind.STRANGLE, f"{side} strangle", width)
    if call.quantity == -put.quantity:
        if not width:
            return StructureName(StructureKind.SYNTHETIC, f"{side} synthetic stock")
        return StructureName(StructureKind.RISK_REVERSAL, f"{side} risk reversal", width)
    return CUSTOM


def _butterfly(low: NetLeg, body: NetLeg, high: NetLeg) -> StructureName:
    if not (low.quantity == high.quantity and body.quantity == -2 * low.quantity):
        return CUSTOM
    if not low.strike < body.strike < high.strike:
        return CUSTOM
    left, right = body.strike - low.strike, high.strike - body.strike
    broken = "" if math.isclose(left, right) else "broken-wing "
    words = f"{_side(low.quantity)} {broken}{low.option_type} butterfly"
    return StructureName(StructureKind.BUTTERFLY, words, max(left, right))


def _jade_lizard(*legs: NetLeg) -> StructureName:
    """Return the name of a short put below a credit call vertical."""
    puts = [leg for leg in legs if leg.option_type == "put"]
    calls = [leg for leg in legs if leg.option_type == "call"]
    if len(puts) != 1:
        return CUSTOM
    (put,), (low, high) = puts, calls
    if not put.strike < low.strike < high.strike:
        return CUSTOM
    if not put.quantity == low.quantity == -high.quantity < 0:
        return CUSTOM
    return StructureName(StructureKind.JADE_LIZARD, "Jade lizard", high.strike - low.strike)


def _condor(first: NetLeg, second: NetLeg, third: NetLeg, fourth: NetLeg) -> StructureName:
    quantities = [second.quantity, third.quantity, fourth.quantity]
    if quantities != [-first.quantity, -first.quantity, first.quantity]:
        return CUSTOM
    if not first.strike < second.strike < third.strike < fourth.strike:
        return CUSTOM
    width = max(second.strike - first.strike, fourth.strike - third.strike)
    words = f"{_side(first.quantity)} {first.option_type} condor"
    return StructureName(StructureKind.CONDOR, words, width)


def _two_calls_two_puts(*legs: NetLeg) -> StructureName:
    puts = [leg for leg in legs if leg.option_type == "put"]
    calls = [leg for leg in legs if leg.option_type == "call"]
    if len(puts) != len(calls):
        return CUSTOM
    (low_put, high_put), (low_call, high_call) = puts, calls
    wing = low_put.quantity
    if [high_put.quantity, low_call.quantity, high_call.quantity] != [-wing, -wing, wing]:
        return CUSTOM
    width = max(high_put.strike - low_put.strike, high_call.strike - low_call.strike)
    if low_put.strike == low_call.strike and high_put.strike == high_call.strike:
        return StructureName(StructureKind.BOX, f"{_side(-wing)} box", width)
    paid = "Credit" if wing > 0 else "Debit"
    if high_put.strike == low_call.strike:
        return StructureName(StructureKind.IRON_BUTTERFLY, f"{paid} iron butterfly", width)
    if high_put.strike < low_call.strike:
        return StructureName(StructureKind.IRON_CONDOR, f"{paid} iron condor", width)
    return CUSTOM


def _with_shares(legs: Sequence[NetLeg], shares: float) -> StructureName:
    if len(legs) == 1:
        return _shares_and_one(legs[0], shares)
    if len(legs) == 2:  # noqa: PLR2004 - a collar's put and call
        call, put = sorted(legs, key=lambda leg: leg.option_type)
        covered = 0 < put.quantity == -call.quantity and -_amount(call) <= shares
        if (call.option_type, put.option_type) == ("call", "put"):
            if covered:
                return StructureName(StructureKind.COLLAR, "Collar", abs(call.strike - put.strike))
            if call.quantity == put.quantity < 0 and -_amount(call) <= shares and put.strike < call.strike:
                width = call.strike - put.strike
                return StructureName(StructureKind.COVERED_STRANGLE, "Covered strangle", width)
    return CUSTOM


def _shares_and_one(leg: NetLeg, shares: float) -> StructureName:
    """Return the name of shares with an option that they cover, or that covers all of them."""
    covered = abs(_amount(leg)) <= abs(shares)
    covering = abs(_amount(leg)) >= abs(shares)
    match leg.option_type, shares > 0, leg.quantity > 0:
        case "call", True, False if covered:
            return StructureName(StructureKind.COVERED_CALL, "Covered call")
        case "put", False, False if covered:
            return StructureName(StructureKind.COVERED_PUT, "Covered put")
        case "put", True, True if covering:
            return StructureName(StructureKind.PROTECTIVE_PUT, "Protective put")
        case "call", False, True if covering:
            return StructureName(StructureKind.PROTECTIVE_CALL, "Protective call")
        case _:
            return CUSTOM


def _amount(leg: NetLeg) -> float:
    return leg.quantity * leg.multiplier


def _side(quantity: float) -> str:
    return "Long" if quantity > 0 else "Short"


# Keyed by the number of contracts, expiries and option types.
_NAMERS: dict[tuple[int, int, int], Callable[..., StructureName]] = {
    (2, 2, 1): _two_expiries,
    (2, 1, 1): _two_strikes,
    (2, 1, 2): _call_and_put,
    (3, 1, 1): _butterfly,
    (3, 1, 2): _jade_lizard,
    (4, 1, 1): _condor,
    (4, 1, 2): _two_calls_two_puts,
}
