"""Doubts about the file's entries: how an entry was understood, and what was probably meant.

The doubts of `holdings.plausibility` need no price. Prices reveal three more mistakes: a cost of 50 times the
mark or more, or the reverse; a call that cost more than twice the price of its stock; and the wrong sign of
`net_debit` in a structure with an unknown payoff, because its legs expire on different days.

Options decay, so a mark far below the cost proves less. It raises a doubt only if the cost is more than a
fifth of the strike, or about a hundred times a mark of at least five cents, which suggests a wrong unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from options_helper.analysis.arrays.typed_columns import flags, floats, objects
from options_helper.analysis.arrays.types import Flags, Floats, Objects
from options_helper.analysis.holdings.plausibility import find_doubts
from options_helper.analysis.holdings.portfolio_arrays import PortfolioArrays
from options_helper.analysis.text.figures import format_price
from options_helper.analysis.valuation.value_rows import Valuation
from options_helper.models import (
    STANDARD_MULTIPLIER,
    AnyPosition,
    EquityPosition,
    MultiLegPosition,
    Position,
)

Doubts = Objects  # of tuples of sentences

FAR_RATIO = 50.0
CALL_RATIO = 2.0
DECAYED_FRACTION = 0.2
_UNIT = 100.0
_LEAST_HUNDREDFOLD, _MOST_HUNDREDFOLD = _UNIT / 1.5, _UNIT * 1.5
_PENNIES = 0.05  # dollars per share; below this mark, a loss of 99 % is common


def doubt_positions(arrays: PortfolioArrays, now: Valuation, stocks: Valuation) -> Doubts:
    """Return a tuple of sentences for each single option and block of shares."""
    rows, cost = arrays.positions, np.abs(arrays.cost_basis)
    known = rows.memo.get("doubts", arrays.singles, lambda: _find(arrays.singles))
    spot = np.fmax(stocks.mark, stocks.closes.price)[rows.underlying_codes]
    mark = np.where(now.expired, np.nan, now.mark)
    is_call = ~rows.is_stock & ~rows.is_put & ~rows.adjusted
    above_spot = is_call & ~now.expired & (cost > CALL_RATIO * spot)
    can_decay = ~rows.is_stock & (cost <= DECAYED_FRACTION * rows.strike)
    too_high = (mark > 0) & (cost >= FAR_RATIO * mark) & ~can_decay
    too_high |= (mark >= _PENNIES) & _is_hundredfold(cost, mark)
    said = above_spot | (rows.is_put & (cost > rows.strike))  # `plausibility` reports the second case
    far = ~said & (too_high | ((cost > 0) & (mark >= FAR_RATIO * cost)))
    found = known.copy()
    for number in np.flatnonzero(above_spot | far).tolist():
        position, price = arrays.singles[number], float(now.mark[number])
        if above_spot[number]:
            sentence = _say_above_spot(float(cost[number]), float(spot[number]))
        else:
            sentence = _say_far(position, float(cost[number]), price)
        found[number] = (*known[number], sentence)
    return found


def doubt_structures(arrays: PortfolioArrays, net_mark: Floats, expired: Flags) -> Doubts:
    """Return a tuple of sentences for each structure; `net_mark` is its value in dollars."""
    own = arrays.structures
    known = own.memo.get("doubts", own.positions, lambda: _find(own.positions))
    size = own.memo.get("doubted sizes", own.positions, lambda: _sizes(own.positions))
    paid, value = np.abs(own.net_debit), np.abs(net_mark)
    cheap = (paid > 0) & (value >= FAR_RATIO * paid)
    dear = (value > 0) & (paid >= FAR_RATIO * value) & (paid > DECAYED_FRACTION * size.notional)
    dear |= (value >= _PENNIES * size.smallest) & _is_hundredfold(paid, value)
    turned = size.ends_apart & (own.net_debit * net_mark < 0) & (2 * value >= paid)
    found = known.copy()
    for number in np.flatnonzero((cheap | dear | turned) & ~expired).tolist():
        is_unit = cheap[number] or dear[number]  # a price is better evidence than the terms alone
        if is_unit or not known[number]:
            debit, mark = float(own.net_debit[number]), float(net_mark[number])
            say = _say_unit if is_unit else _say_sign
            found[number] = (say(debit, mark),)
    return found


class _Sizes(NamedTuple):
    """Facts about n structures that do not depend on prices.

    Attributes:
        smallest: Dollars per point of the smallest option leg.
        notional: Dollars at the strike of the largest leg.
        ends_apart: True if the options expire on different days.
    """

    smallest: Floats
    notional: Floats
    ends_apart: Flags


def _sizes(positions: tuple[MultiLegPosition, ...]) -> _Sizes:
    legs = [position.option_legs for position in positions]
    sizes = [[leg.contracts * (leg.multiplier or STANDARD_MULTIPLIER) for leg in each] for each in legs]
    strikes = [[leg.strike for leg in each] for each in legs]
    return _Sizes(
        floats(min(each, default=0.0) for each in sizes),
        floats(
            max((size * strike for size, strike in zip(*pair, strict=True)), default=0.0)
            for pair in zip(sizes, strikes, strict=True)
        ),
        flags(len({leg.expiry for leg in each}) > 1 for each in legs),
    )


def _is_hundredfold(cost: Floats, mark: Floats) -> Flags:
    """Return flags for costs that are about a hundred times the mark."""
    found: Flags = (cost >= _LEAST_HUNDREDFOLD * mark) & (cost <= _MOST_HUNDREDFOLD * mark)
    return found


def has_any(doubts: Doubts) -> Flags:
    """Return flags for the rows that have a doubt."""
    return doubts.astype(np.bool_)


def _find(positions: Sequence[AnyPosition]) -> Doubts:
    return objects([tuple(find_doubts(position)) for position in positions])


def _say_above_spot(cost: float, spot: float) -> str:
    return (
        f"understood: {format_price(cost)} a share for a call on a stock at {format_price(spot)}, more than "
        f"it can ever be worth; cost_basis is in dollars per share, so {cost / _UNIT:,g} was probably meant"
    )


def _say_far(position: Position | EquityPosition, cost: float, mark: float) -> str:
    understood = f"understood: {format_price(cost)} a share, with a mark of {format_price(mark)}"
    if isinstance(position, EquityPosition) and cost > mark:
        meant = cost / abs(position.shares)
        return f"{understood}; cost_basis is per share, not the total, so {meant:,g} was probably meant"
    meant = cost / _UNIT if cost > mark else cost * _UNIT
    unless = "" if isinstance(position, EquityPosition) else _unless(position.contracts, cost, mark)
    return f"{understood}; cost_basis is in dollars per share, so {meant:,g} was probably meant{unless}"


def _unless(side: float, cost: float, mark: float) -> str:
    """Return a clause with the other explanation of a mark far below the cost, or ""."""
    if cost <= mark:
        return ""
    return f", unless it {'lost' if side > 0 else 'gained'} {100 * (1 - mark / cost):.0f} %"


def _say_unit(net_debit: float, net_mark: float) -> str:
    paid, value = abs(net_debit), abs(net_mark)
    meant = net_debit / _UNIT if paid > value else net_debit * _UNIT
    return (
        f"{_understood(net_debit, net_mark)}; net_debit is in total dollars, "
        f"so {meant:,g} was probably meant{_unless(net_debit, paid, value)}"
    )


def _say_sign(net_debit: float, net_mark: float) -> str:
    word = "a credit" if net_debit > 0 else "a debit"
    return f"{_understood(net_debit, net_mark)}; if it was {word}, write {-net_debit:g}"


def _understood(net_debit: float, net_mark: float) -> str:
    word = "paid" if net_debit > 0 else "received"
    debit = format_price(abs(net_debit))
    return f"understood: {debit} {word} in total, with a value of {format_price(net_mark)}"
