"""Sentences that interpret a position of the file, and doubts about it; no market price is used."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator

from options_helper.analysis.contracts.holidays import is_trading_day
from options_helper.analysis.contracts.products import (
    AM_SETTLED_ROOTS,
    is_adjusted,
    is_european,
    is_index,
    is_vix_monthly_expiry,
    other_root,
)
from options_helper.analysis.osi import root_of, underlying_of
from options_helper.analysis.strategies.structures import describe_structure
from options_helper.analysis.text.figures import MINUS
from options_helper.analysis.text.wording import format_day
from options_helper.models import (
    STANDARD_MULTIPLIER,
    AnyPosition,
    EquityPosition,
    Leg,
    MultiLegPosition,
    Position,
    StockLeg,
)

_WEDNESDAY, _THURSDAY, _DAY = 2, 3, dt.timedelta(days=1)
_TIMES = "\u00d7"
_FEW_CENTS = 10  # per share; a smaller net debit that is not in whole cents is probably not a total
_NANOS = "NANOS"  # Cboe's Nanos on the S&P 500, the only index options with $1 per point
_LEAST_ADJUSTED, _MOST_ADJUSTED = 1.0, 1_000.0  # plausible dollars per point of an adjusted contract


def describe_position(position: AnyPosition) -> str:
    """Return a position in words, such as `long 40 shares of MSFT, paid $412.30 a share = $16,492.00`."""
    if isinstance(position, EquityPosition):
        side = _side(position.shares)
        price = _price_words(position.cost_basis, abs(position.shares))
        return (
            f"{side} {abs(position.shares):,g} shares of {position.symbol}, {_paid(position.shares)} {price}"
        )
    if isinstance(position, Position):
        multiplier = position.multiplier or STANDARD_MULTIPLIER
        quantity = f"{_side(position.contracts)} {abs(position.contracts):,} {_TIMES}"
        terms = _terms(position.symbol, position)
        price = _price_words(position.cost_basis, abs(position.contracts) * multiplier)
        return f"{quantity} {terms}, {_paid(position.contracts)} {price}"
    legs = "; ".join(_leg(position.symbol, leg) for leg in position.legs)
    if position.net_debit is None:
        return f"{legs}; net_debit not given"
    word = "received" if position.net_debit < 0 else "paid"
    return f"{legs}; {word} ${abs(position.net_debit):,.2f} in total"


def find_doubts(position: AnyPosition) -> list[str]:
    """Return a sentence for each value of the position that is valid but probably unintended."""
    doubts = [
        *_instrument_doubts(position),
        *_expiry_doubts(position),
        *_multiplier_doubts(position),
        *_price_doubts(position),
    ]
    return list(dict.fromkeys(doubts))


def _instrument_doubts(position: AnyPosition) -> Iterator[str]:
    if isinstance(position, EquityPosition) and is_index(position.symbol):
        yield f"{position.symbol} is an index, which has no shares"
    if isinstance(position, EquityPosition) and is_adjusted(position.symbol):
        yield f"{position.symbol} looks like the root of adjusted contracts, which has no shares"
    for terms in _options(position):
        root = terms.root or ""
        if root and underlying_of(root) != underlying_of(position.symbol):
            yield f"understood: a contract with the root {root} on the underlying {position.symbol}"
        if position.opened_on is not None and position.opened_on > terms.expiry:
            end = format_day(terms.expiry)
            yield f"opened on {format_day(position.opened_on)}, after its expiry on {end}"


def _price_words(cost_basis: float, shares: float) -> str:
    # A file may contain -0.0.
    return f"${abs(cost_basis):,.2f} a share = ${abs(cost_basis * shares):,.2f}"


def _expiry_doubts(position: AnyPosition) -> Iterator[str]:
    for terms in _options(position):
        root, day = root_of(position.symbol, terms), terms.expiry
        other = other_root(root, day)
        if not is_trading_day(day):
            yield f"no contract expires on {format_day(day)} ({day:%A}), which is not a trading day"
        elif other is not None:
            yield (
                f"{root} contracts expire once a month, and {day} is not that day; contracts with other "
                f'expiries have the root {other} (write "root": "{other}")'
            )
        elif root == "VIXW" and is_vix_monthly_expiry(day):
            yield f'the VIX contracts of {format_day(day)} have the root VIX (write "root": "VIX")'
        elif root == "VIXW" and not _is_wednesday(day):
            yield f"VIXW contracts settle on a Wednesday morning; {format_day(day)} is a {day:%A}"
        elif root in AM_SETTLED_ROOTS and day.weekday() == _THURSDAY and is_trading_day(day + _DAY):
            yield f"{root} contracts settle on Friday morning; their expiry is that Friday, not {day}"


def _is_wednesday(day: dt.date) -> bool:
    """Return whether a day is a Wednesday, or the day before a Wednesday that is a holiday."""
    following = day + _DAY
    return day.weekday() == _WEDNESDAY or (
        following.weekday() == _WEDNESDAY and not is_trading_day(following)
    )


def _multiplier_doubts(position: AnyPosition) -> Iterator[str]:
    for terms in _options(position):
        root, multiplier = root_of(position.symbol, terms), terms.multiplier or STANDARD_MULTIPLIER
        usual = is_adjusted(root) and _LEAST_ADJUSTED <= multiplier <= _MOST_ADJUSTED
        if root == _NANOS:
            if multiplier != 1:
                yield f'understood: ${multiplier:,g} per point; NANOS is $1 per point (write "multiplier": 1)'
        elif not usual and multiplier != STANDARD_MULTIPLIER:
            yield (
                f"understood: ${multiplier:,g} per point for {root} contracts; without the key multiplier, "
                f"it is ${STANDARD_MULTIPLIER:g}, as for all contracts that are not adjusted"
            )


def _price_doubts(position: AnyPosition) -> Iterator[str]:
    if isinstance(position, Position):
        if position.option_type == "put" and position.cost_basis > position.strike:
            yield (
                f"understood: ${position.cost_basis:,.2f} a share for a put with a strike of "
                f"{position.strike:,g}, more than it can ever be worth; cost_basis is in dollars per share, "
                f"so {position.cost_basis / STANDARD_MULTIPLIER:,g} was probably meant"
            )
    elif isinstance(position, MultiLegPosition) and position.net_debit:
        yield from _structure_doubts(position, position.net_debit)


def _structure_doubts(position: MultiLegPosition, net_debit: float) -> Iterator[str]:
    sizes = [_size(leg) for leg in position.option_legs]
    cents = 100 * abs(net_debit) / min(sizes) if sizes else math.inf
    if cents < 1 or (cents < _FEW_CENTS and not math.isclose(cents, round(cents), abs_tol=1e-6)):
        total = abs(net_debit) * min(sizes)
        small = "less than one cent a share" if cents < 1 else f"{cents:.3g} cents a share"
        yield (
            f"understood: ${abs(net_debit):,.2f} for the whole structure, {small}; "
            f"net_debit is in total dollars, so {math.copysign(total, net_debit):,g} was probably meant"
        )
    if _is_covered(position, net_debit):
        paid, received = ("paid", "loses", "a credit"), ("received", "makes", "a debit")
        word, sure, other = paid if net_debit > 0 else received
        yield (
            f"understood: ${abs(net_debit):,.2f} {word} in total; it then {sure} money at every price. "
            f"If it was {other}, write {-net_debit:g}."
        )
        return
    structure = describe_structure(position)
    best, worst = structure.max_profit, structure.max_loss
    if best is None or worst is None:
        return
    word = "paid" if net_debit > 0 else "received"
    understood = f"understood: ${abs(net_debit):,.2f} {word} in total; it then"
    if best < 0:
        yield f"{understood} loses money at every price at expiry. {_other_sign(position, net_debit)}"
    elif worst < 0:
        yield f"{understood} makes money at every price at expiry. {_other_sign(position, net_debit)}"


def _is_covered(position: MultiLegPosition, net_debit: float) -> bool:
    """Return whether a structure with several expiries can never lose, or never profit if it was paid for.

    Each option on one side must be covered by one on the other side with no earlier expiry and no worse
    strike.
    """
    legs = position.option_legs
    is_any_european = any(is_european(root_of(position.symbol, leg)) for leg in legs)
    if len(legs) < len(position.legs) or len({leg.expiry for leg in legs}) == 1 or is_any_european:
        return False
    owed = [leg for leg in legs if (leg.side == "short") == (net_debit < 0)]
    left = [(leg, _size(leg)) for leg in legs if leg not in owed]
    for leg in sorted(owed, key=lambda one: one.expiry, reverse=True):
        needed, rest = _size(leg), left
        left = []
        for other, size in rest:
            used = min(size, needed) if _covers(other, leg) else 0.0
            needed -= used
            left.append((other, size - used))
        if needed:
            return False
    return bool(owed)


def _covers(held: Leg, owed: Leg) -> bool:
    better = held.strike <= owed.strike if owed.option_type == "call" else held.strike >= owed.strike
    return held.option_type == owed.option_type and held.expiry >= owed.expiry and better


def _size(leg: Leg) -> float:
    return leg.contracts * (leg.multiplier or STANDARD_MULTIPLIER)


def _other_sign(position: MultiLegPosition, net_debit: float) -> str:
    """Return a sentence about the likely mistake: the sign of `net_debit`, or a price per share."""
    turned = describe_structure(position.model_copy(update={"net_debit": -net_debit}))
    best, worst = turned.max_profit, turned.max_loss
    if best is None or worst is None or best < 0 or worst < 0:
        return "net_debit is in total dollars for the whole structure, not per share."
    word = "a credit" if net_debit > 0 else "a debit"
    return f"If it was {word}, write {-net_debit:g}: at best {_money(best)}, at worst {_money(-worst)}."


def _money(value: float) -> str:
    if math.isinf(value):
        return "unlimited"
    return f"{MINUS if value < 0 else '+'}${abs(value):,.0f}"


def _options(position: AnyPosition) -> list[Position | Leg]:
    if isinstance(position, Position):
        return [position]
    return [*position.option_legs] if isinstance(position, MultiLegPosition) else []


def _leg(symbol: str, leg: Leg | StockLeg) -> str:
    if isinstance(leg, StockLeg):
        return f"{leg.side} {leg.shares:,g} shares of {symbol}"
    return f"{leg.side} {leg.contracts:,} {_TIMES} {_terms(symbol, leg)}"


def _terms(symbol: str, terms: Position | Leg) -> str:
    root = f" (root {terms.root}{', adjusted' if is_adjusted(terms.root) else ''})" if terms.root else ""
    return f"{symbol} {terms.strike:g} {terms.option_type}, {format_day(terms.expiry)}{root}"


def _side(quantity: float) -> str:
    return "long" if quantity > 0 else "short"


def _paid(quantity: float) -> str:
    return "paid" if quantity > 0 else "received"
