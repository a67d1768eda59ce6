"""Doubts about the file's entries: sentences on what was understood and what was probably meant.

Those of `holdings.plausibility` need no price. With prices, two more mistakes show: a cost of 50 times the
mark or more, or the reverse, and a call that cost more than twice the price of its stock. Options decay, so a
mark far below the cost is a doubt only if the cost is more than a fifth of the strike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from options_helper.analysis.arrays.columns import objects
from options_helper.analysis.holdings.plausibility import AnyPosition, find_doubts
from options_helper.analysis.holdings.portfolio_arrays import PortfolioArrays
from options_helper.analysis.text.figures import format_price
from options_helper.analysis.valuation.valuation import Valuation
from options_helper.models import EquityPosition, Position

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Doubts = NDArray[np.object_]  # of tuples of sentences

FAR_RATIO = 50.0
CALL_RATIO = 2.0
DECAYED_FRACTION = 0.2
_UNIT = 100.0


def doubt_positions(book: PortfolioArrays, now: Valuation, stocks: Valuation) -> Doubts:
    """Return a tuple of sentences for each single option and block of shares."""
    rows, cost = book.positions, np.abs(book.cost_basis)
    known = rows.memo.get("doubts", book.singles, lambda: _find(book.singles))
    spot = np.fmax(stocks.mark, stocks.closes.price)[rows.underlying_codes]
    mark = np.where(now.expired, np.nan, now.mark)
    is_call = ~rows.is_stock & ~rows.is_put & ~rows.adjusted
    above_spot = is_call & ~now.expired & (cost > CALL_RATIO * spot)
    can_decay = ~rows.is_stock & (cost <= DECAYED_FRACTION * rows.strike)
    too_high = (mark > 0) & (cost >= FAR_RATIO * mark) & ~can_decay
    said = above_spot | (rows.is_put & (cost > rows.strike))  # the second by `plausibility`
    far = ~said & (too_high | ((cost > 0) & (mark >= FAR_RATIO * cost)))
    found = known.copy()
    for number in np.flatnonzero(above_spot | far).tolist():
        position, price = book.singles[number], float(now.mark[number])
        if above_spot[number]:
            sentence = _say_above_spot(float(cost[number]), float(spot[number]))
        else:
            sentence = _say_far(position, float(cost[number]), price)
        found[number] = (*known[number], sentence)
    return found


def doubt_structures(book: PortfolioArrays, net_mark: Floats, expired: NDArray[np.bool_]) -> Doubts:
    """Return a tuple of sentences for each structure; `net_mark` is its value in dollars."""
    own = book.structures
    known = own.memo.get("doubts", own.positions, lambda: _find(own.positions))
    paid = np.abs(own.net_debit)
    far = ~expired & (paid > 0) & (np.abs(net_mark) >= FAR_RATIO * paid)
    found = known.copy()
    for number in np.flatnonzero(far).tolist():
        if not known[number]:
            found[number] = (_say_per_share(float(own.net_debit[number]), float(net_mark[number])),)
    return found


def has_any(doubts: Doubts) -> NDArray[np.bool_]:
    """Return flags for the rows that have a doubt."""
    return doubts.astype(np.bool_)


def _find(positions: Sequence[AnyPosition]) -> Doubts:
    return objects([tuple(find_doubts(position)) for position in positions])


def _say_above_spot(cost: float, spot: float) -> str:
    return (
        f"understood: {format_price(cost)} a share for a call on a stock at {format_price(spot)}, more than "
        f"it can be worth; cost_basis is in dollars per share, so {cost / _UNIT:,g} was probably meant"
    )


def _say_far(position: Position | EquityPosition, cost: float, mark: float) -> str:
    understood = f"understood: {format_price(cost)} a share, with a mark of {format_price(mark)}"
    if isinstance(position, EquityPosition) and cost > mark:
        meant = cost / abs(position.shares)
        return f"{understood}; cost_basis is per share, not for all shares, so {meant:,g} was probably meant"
    meant = cost / _UNIT if cost > mark else cost * _UNIT
    return f"{understood}; cost_basis is in dollars per share, so {meant:,g} was probably meant"


def _say_per_share(net_debit: float, net_mark: float) -> str:
    word, meant = "paid" if net_debit > 0 else "received", net_debit * _UNIT
    return (
        f"understood: {format_price(abs(net_debit))} {word} in all, with a value of "
        f"{format_price(abs(net_mark))}; net_debit is in total dollars, so {meant:,g} was probably meant"
    )
