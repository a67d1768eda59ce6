"""All legs of a portfolio in the file's order, with their terms and their prices in one snapshot."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from options_helper.analysis.arrays.typed_columns import flags, integers
from options_helper.analysis.arrays.types import Flags, Floats, Numbers
from options_helper.analysis.contracts.products import FUTURE_ROOTS, is_european, is_index
from options_helper.analysis.osi import contract_root
from options_helper.analysis.valuation.quote_state import CODE, QuoteState
from options_helper.analysis.valuation.reference import find_polled
from options_helper.analysis.valuation.value_rows import Valuation, compute_live_rows
from options_helper.market import LiveSnapshot
from options_helper.models import MultiLegPosition, Portfolio

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from options_helper.analysis.holdings.instruments import Instruments
    from options_helper.analysis.holdings.portfolio_arrays import PortfolioArrays


@dataclass(frozen=True, slots=True)
class RiskLegs:
    """The static part of n legs; a single option or a block of shares is leg 0 of its position.

    Attributes:
        order: Each leg's index in the portfolio's singles followed by the structures' legs.
        position_codes: The index of each leg's position in the file.
        pairs: A number per root and expiry, which share a forward; -1 for shares.
        european: True if exercise is possible only at expiry.
        on_future: True if the underlying is a future, so the index is not the spot.
        on_index: True if the underlying is an index.
    """

    position_ids: tuple[str, ...]
    stocks: tuple[str, ...]
    symbols: tuple[str, ...]
    order: Numbers
    position_codes: Numbers
    leg_index: Numbers
    pairs: Numbers
    european: Flags
    on_future: Flags
    on_index: Flags
    underlying_codes: Numbers
    expiry_days: Numbers
    is_stock: Flags
    is_put: Flags
    strike: Floats
    quantity: Floats
    adjusted: Flags

    def __len__(self) -> int:
        return len(self.symbols)


class LegPrices(NamedTuple):
    """The prices of the same legs and of their underlyings in one snapshot.

    Attributes:
        scale: Dollars per point for the whole signed quantity.
        methods, states: Codes, as in the valuation.
        ages, spot_ages: Seconds since the price was last known to be current; NaN if unknown.
        expires_at: Microseconds since 1970 UTC.
    """

    bid: Floats
    mark: Floats
    ask: Floats
    methods: NDArray[np.int8]
    states: NDArray[np.int8]
    ages: Floats
    scale: Floats
    multiplier: Floats
    expired: Flags
    expires_at: Numbers
    spot: Floats
    spot_ages: Floats


def legs_of(portfolio: Portfolio, arrays: PortfolioArrays) -> RiskLegs:
    """Return the legs of a portfolio, cached in its `arrays`."""
    return arrays.structures.memo.get("risk", arrays, lambda: _build(portfolio, arrays))


def _build(portfolio: Portfolio, arrays: PortfolioArrays) -> RiskLegs:
    order = _order_of(portfolio, len(arrays.positions))
    sizes = [len(each.legs) if isinstance(each, MultiLegPosition) else 1 for each in portfolio.positions]
    codes = np.repeat(np.arange(len(sizes)), sizes)
    both = (arrays.positions, arrays.legs)

    def take(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(rows, name) for rows in both])[order]

    every_symbol = (*arrays.positions.symbols, *arrays.legs.symbols)
    every_stock = (*arrays.positions.underlyings, *arrays.legs.underlyings)
    symbols = tuple(every_symbol[place] for place in order.tolist())
    stocks = tuple(every_stock[place] for place in order.tolist())
    is_stock, days = take("is_stock"), take("expiry_days")
    roots = ["" if shares else contract_root(each) for shares, each in zip(is_stock, symbols, strict=True)]
    return RiskLegs(
        position_ids=tuple(portfolio.positions[code].id for code in codes.tolist()),
        stocks=stocks,
        symbols=symbols,
        order=order,
        position_codes=codes,
        leg_index=integers(number for size in sizes for number in range(size)),
        pairs=_number_pairs(roots, days),
        european=flags(map(is_european, roots)),
        on_future=flags(root in FUTURE_ROOTS for root in roots),
        on_index=flags(map(is_index, stocks)),
        underlying_codes=take("underlying_codes"),
        expiry_days=days,
        is_stock=is_stock,
        is_put=take("is_put"),
        strike=take("strike"),
        quantity=take("quantity"),
        adjusted=take("adjusted"),
    )


def _number_pairs(roots: list[str], days: Numbers) -> Numbers:
    """Return a number per root and expiry, the same for all their contracts; -1 for shares."""
    pairs = list(zip(roots, days.tolist(), strict=True))
    numbers = {pair: number for number, pair in enumerate(dict.fromkeys(pairs))}
    return integers(numbers[pair] if pair[0] else -1 for pair in pairs)


def _order_of(portfolio: Portfolio, singles: int) -> Numbers:
    """Return the index of each leg, in the file's order, in the singles followed by the structures' legs."""
    places: list[int] = []
    single, leg = 0, singles
    for position in portfolio.positions:
        if isinstance(position, MultiLegPosition):
            places += range(leg, leg + len(position.legs))
            leg += len(position.legs)
        else:
            places.append(single)
            single += 1
    return integers(places)


def price_legs(
    legs: RiskLegs, arrays: PortfolioArrays, live: LiveSnapshot, stale_after_seconds: float
) -> LegPrices:
    """Return the prices of the legs in one snapshot.

    Raises:
        ValueError: `stale_after_seconds` is not above zero.
    """
    stocks = compute_live_rows(arrays.underlyings, live, stale_after_seconds)
    both = [compute_live_rows(rows, live, stale_after_seconds) for rows in (arrays.positions, arrays.legs)]

    def take(arrays: list[NDArray[Any]]) -> NDArray[Any]:
        return np.concatenate(arrays)[legs.order]

    codes = legs.underlying_codes
    return LegPrices(
        bid=take([each.marks.bid for each in both]),
        mark=take([each.mark for each in both]),
        ask=take([each.marks.ask for each in both]),
        methods=take([each.methods for each in both]),
        states=take([each.states for each in both]),
        ages=take(
            [
                _known_ages(each, rows, live)
                for each, rows in zip(both, (arrays.positions, arrays.legs), strict=True)
            ]
        ),
        scale=take([each.scale for each in both]),
        multiplier=take([each.multiplier for each in both]),
        expired=take([each.expired for each in both]),
        expires_at=take([each.ends.expires_at for each in both]),
        spot=stocks.mark[codes],
        spot_ages=_known_ages(stocks, arrays.underlyings, live)[codes],
    )


def _known_ages(now: Valuation, rows: Instruments, live: LiveSnapshot) -> Floats:
    """Return the seconds since each price was last known to be current.

    That is 0 for a streamed price in the quiet state, and at most the last response's age for a polled one.
    """
    answers = [
        (live.as_of - each.polled_at).total_seconds() for each in live.health.values() if each.polled_at
    ]
    as_known = np.where(find_polled(rows, live), max(answers, default=math.nan), 0.0)
    return np.where(now.states == CODE[QuoteState.QUIET], np.fmin(now.mark_ages, as_known), now.mark_ages)
