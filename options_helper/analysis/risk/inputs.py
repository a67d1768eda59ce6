"""The model's inputs for every leg in one snapshot, or the reason why a leg has none.

| input | source |
| --- | --- |
| spot | the mark of the shares, or the index's value |
| spot of contracts on a future (VIX), or of an index without a recent value | put-call parity |
| time | calendar time to the contract's expiry, in years of 365 days |
| rate | the caller |
| dividends | the yield equivalent to the declared dividends with an ex-date up to expiry |
| dividends of an index | the yield at which its value has the forward of put-call parity |

Parity needs a European call and put with the same root, expiry and strike and with marks between a bid and an
ask. The pair with the strike nearest to the forward is used.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from options_helper.analysis.arrays.types import Flags, Floats
from options_helper.analysis.contracts.products import is_index
from options_helper.analysis.risk.legs import LegPrices, RiskLegs
from options_helper.analysis.risk.pricing.model import DAYS_PER_YEAR, OptionInputs
from options_helper.analysis.risk.pricing.reasons import Reason
from options_helper.analysis.valuation.marks import MARK_METHODS, MarkMethod
from options_helper.analysis.valuation.quote_state import CODE, QuoteState
from options_helper.market import Dividend, LiveSnapshot
from options_helper.times import new_york_date, to_microseconds

SECONDS_PER_YEAR = DAYS_PER_YEAR * 86_400
_MICROSECONDS = 1_000_000
_TWO_SIDED = tuple(MARK_METHODS.index(method) for method in (MarkMethod.MID, MarkMethod.LOCKED))
_FRESH = tuple(int(CODE[state]) for state in (QuoteState.LIVE, QuoteState.QUIET, QuoteState.CLOSED))
_CLOSED = int(CODE[QuoteState.CLOSED])

# Index values arrive every 15 seconds.
_LEAST_SECONDS_APART = 30.0
# After the close, shares keep trading while the contracts' quotes stay as they are.
_CLOSED_SECONDS_APART = 1_800.0


class SpotSource(StrEnum):
    """The source of an underlying's price."""

    MARK = "mark"
    INDEX = "index value"
    INDEX_WITH_YIELD = "index value, yield by put-call parity"
    PARITY = "put-call parity"
    NONE = ""


class RiskInputs(NamedTuple):
    """The inputs of n legs.

    Attributes:
        options: The model's inputs; None if one is missing. A contract may have inputs without an honest
            mark.
        reasons: The reason why a leg cannot have a volatility, `SHARES` for shares; None if it may have one.
        spot: Dollars per share; NaN if unknown.
        sources: The source of each spot.
        years: Calendar time to expiry; NaN for shares and expired contracts.
        dividends: The declared dividends up to expiry in dollars per share; NaN if unknown, and the model
            then assumes none.
    """

    options: Sequence[OptionInputs | None]
    reasons: Sequence[Reason | None]
    spot: Floats
    sources: Sequence[SpotSource]
    years: Floats
    dividends: Floats


def find_inputs(
    legs: RiskLegs, prices: LegPrices, live: LiveSnapshot, rate: float, stale_after_seconds: float
) -> RiskInputs:
    """Return the model's inputs for every leg in one snapshot."""
    honest = np.isin(prices.methods, _TWO_SIDED) & ~np.isnan(prices.mark)
    seconds = (prices.expires_at - to_microseconds(live.as_of)) / _MICROSECONDS
    years = np.where(legs.is_stock | prices.expired, np.nan, seconds / SECONDS_PER_YEAR)
    own = np.where(legs.on_future & ~legs.is_stock, np.nan, prices.spot)
    fresh = np.isin(prices.states, _FRESH)
    parity = _parity_spots(legs, prices, honest & fresh, years, rate)
    apart = _are_apart(prices, stale_after_seconds)
    from_parity = ~np.isnan(parity) & (np.isnan(own) | apart)
    spot = np.where(from_parity, parity, own)
    # If the index has a value, parity's forward determines its yield instead of its spot.
    with np.errstate(divide="ignore", invalid="ignore"):
        carried = np.where(from_parity, np.nan, -np.log(parity / spot) / years)
    reasons = _reasons(legs, prices, honest, spot, np.where(from_parity, ~fresh, apart))
    terms = zip(reasons, spot.tolist(), years.tolist(), carried.tolist(), strict=True)
    options, paid = _build_options(legs, terms, _Dividends(live, rate), rate)
    sources = _sources(legs, spot, from_parity, ~np.isnan(carried))
    return RiskInputs(options, reasons, spot, sources, years, paid)


def _build_options(
    legs: RiskLegs,
    terms: Iterable[tuple[Reason | None, float, float, float]],
    dividends: _Dividends,
    rate: float,
) -> tuple[list[OptionInputs | None], Floats]:
    """Return each leg's inputs and dividends; `terms` has a reason, spot, years and yield per leg."""
    options: list[OptionInputs | None] = []
    paid = np.full(len(legs), np.nan)
    for number, (reason, spot, years, carried) in enumerate(terms):
        if reason is not None and not (reason is Reason.NO_MARK and spot > 0):
            options.append(None)
            continue
        expiry_day = int(legs.expiry_days[number])
        paid[number], declared = dividends.until(legs.stocks[number], expiry_day, spot, years)
        options.append(
            OptionInputs(
                bool(legs.is_put[number]),
                float(legs.strike[number]),
                spot,
                years,
                rate,
                declared if math.isnan(carried) else carried,
                bool(legs.european[number]),
            )
        )
    return options, paid


def _reasons(
    legs: RiskLegs, prices: LegPrices, honest: Flags, spot: Floats, apart: Flags
) -> list[Reason | None]:
    found = np.full(len(legs), None, dtype=object)
    checks = (
        (apart, Reason.APART),
        (~(spot > 0), Reason.NO_SPOT),
        (~honest, Reason.NO_MARK),
        (legs.adjusted, Reason.ADJUSTED),
        (prices.expired, Reason.EXPIRED),
        (legs.is_stock, Reason.SHARES),
    )
    for mask, reason in checks:
        found[mask] = reason
    return list(found)


def _are_apart(prices: LegPrices, stale_after_seconds: float) -> Flags:
    """Return flags for quotes too far in time from the spot; their volatility would mix two markets."""
    limit = np.where(
        prices.states == _CLOSED,
        _CLOSED_SECONDS_APART,
        max(stale_after_seconds, _LEAST_SECONDS_APART),
    )
    # NaN, an unknown age, counts as apart.
    return ~(np.abs(prices.ages - prices.spot_ages) <= limit)


def _parity_spots(legs: RiskLegs, prices: LegPrices, honest: Flags, years: Floats, rate: float) -> Floats:
    """Return the discounted forward from put-call parity per contract; NaN for shares and without a pair."""
    usable = honest & legs.on_index & legs.european & ~prices.expired & (years > 0)
    marks: dict[tuple[int, float], dict[bool, tuple[float, float]]] = {}
    for number in np.flatnonzero(usable).tolist():
        key = (int(legs.pairs[number]), float(legs.strike[number]))
        side = bool(legs.is_put[number])
        marks.setdefault(key, {})[side] = float(prices.mark[number]), float(years[number])
    nearest: dict[int, tuple[float, float]] = {}
    for (pair, strike), sides in marks.items():
        if len(sides) == 2:  # noqa: PLR2004 - a call and a put
            (call, time), (put, _) = sides[False], sides[True]
            far, spot = abs(call - put), call - put + strike * math.exp(-rate * time)
            if pair not in nearest or far < nearest[pair][0]:
                nearest[pair] = far, spot
    return np.array([nearest.get(pair, (0.0, math.nan))[1] for pair in legs.pairs.tolist()])


def _sources(legs: RiskLegs, spot: Floats, from_parity: Flags, carried: Flags) -> list[SpotSource]:
    found = np.array([SpotSource.MARK] * len(legs), dtype=object)  # np.full would make plain texts
    for mask, source in (
        (legs.on_index, SpotSource.INDEX),
        (carried, SpotSource.INDEX_WITH_YIELD),
        (from_parity, SpotSource.PARITY),
        (np.isnan(spot), SpotSource.NONE),
    ):
        found[mask] = source
    return list(found)


class _Dividends:
    """The declared dividends per stock, converted to yields up to an expiry."""

    def __init__(self, live: LiveSnapshot, rate: float) -> None:
        self._rate, self._today = rate, new_york_date(live.as_of).toordinal()
        self._are_known = live.dividends is not None
        self._by_stock: dict[str, list[Dividend]] = {}
        for each in live.dividends or ():
            self._by_stock.setdefault(each.symbol, []).append(each)

    def until(self, stock: str, expiry_day: int, spot: float, years: float) -> tuple[float, float]:
        """Return the dividends per share with an ex-date after today and up to expiry, and their yield.

        If dividends are unknown, and for an index, the dollars are NaN and the yield is 0.
        """
        if not self._are_known or is_index(stock):
            return math.nan, 0.0
        total = present = 0.0
        for each in self._by_stock.get(stock, ()):
            days = each.ex_date.toordinal() - self._today
            if days > 0 and each.ex_date.toordinal() <= expiry_day:
                amount = float(each.amount)
                total += amount
                present += amount * math.exp(-self._rate * days / DAYS_PER_YEAR)
        if not 0 < present < spot:
            return total, 0.0
        return total, -math.log1p(-present / spot) / years
