"""Implied volatility and Greeks of a portfolio in one snapshot, and their sums, each with its coverage.

Every figure has the position's sign and counts its whole quantity: delta in shares, gamma in shares per
dollar, theta in dollars per calendar day, vega in dollars per point of volatility (0.01), rho in dollars per
percentage point. A share has a delta of 1 and no other Greek. A sum covers the known legs, `covered_legs` of
`legs`, and is NaN if there are none.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from options_helper.analysis.arrays.frames import build_frame
from options_helper.analysis.arrays.typed_columns import ColumnValues, dates, flags, floats, texts
from options_helper.analysis.arrays.types import Floats
from options_helper.analysis.holdings.instruments import NEVER
from options_helper.analysis.holdings.portfolio_arrays import PortfolioArrays, arrays_of
from options_helper.analysis.risk.greek_signs import scale_by_position
from options_helper.analysis.risk.inputs import RiskInputs, find_inputs
from options_helper.analysis.risk.legs import LegPrices, RiskLegs, legs_of, price_legs
from options_helper.analysis.risk.neighbours import fill_from_neighbours
from options_helper.analysis.risk.pricing.implied import Solution, unsolved
from options_helper.analysis.risk.pricing.reasons import Reason
from options_helper.analysis.risk.pricing.solver import OptionQuote, Solver
from options_helper.analysis.risk.probability import find_probabilities
from options_helper.analysis.risk.sums import GREEKS, SUMMED, first_reasons, sum_all, sum_by
from options_helper.analysis.tables.column_type import Table
from options_helper.analysis.tables.columns import names_of
from options_helper.analysis.valuation.quote_state import OLD, STALE_AFTER_SECONDS
from options_helper.market import LiveSnapshot
from options_helper.models import Portfolio

if TYPE_CHECKING:
    import pandas as pd


# The middle of the target range for the federal funds rate, 3.50 to 3.75 % (28 January 2026).
RISK_FREE_RATE = 0.03625
RISK_FREE_RATE_DATE = dt.date(2026, 1, 28)

_EXTRINSIC_DECIMALS = 6


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LiveRisk:
    """The risk of one portfolio in one snapshot.

    Attributes:
        at: The snapshot.
        rate: The risk-free rate, continuously compounded.
        legs: One row per leg in the file's order; a single option or a block of shares is leg 0 of its
            position.
        positions: One row per position in the file's order.
        underlyings, expiries, tags: One row per underlying, expiry or tag, in ascending order. Shares have no
            expiry and come last; a position with several tags counts in each of them.
        total: The sums over the portfolio, with the same names.
        terms, prices, inputs, solutions: The legs' terms and prices, and the model's inputs and results, in
            the order of `legs`.
    """

    at: LiveSnapshot
    rate: float
    legs: pd.DataFrame
    positions: pd.DataFrame
    underlyings: pd.DataFrame
    expiries: pd.DataFrame
    tags: pd.DataFrame
    total: pd.Series
    terms: RiskLegs
    prices: LegPrices
    inputs: RiskInputs
    solutions: tuple[Solution, ...]


def compute_live_risk(
    portfolio: Portfolio,
    live: LiveSnapshot,
    *,
    risk_free_rate: float = RISK_FREE_RATE,
    stale_after_seconds: float = STALE_AFTER_SECONDS,
    iv_from_neighbours: bool = False,
) -> LiveRisk:
    """Compute the risk of a portfolio in one snapshot.

    Args:
        portfolio: The positions.
        live: The snapshot; all times are relative to its `as_of`.
        risk_free_rate: A fraction per year, continuously compounded.
        stale_after_seconds: The age above which a price is no longer live.
        iv_from_neighbours: True to interpolate the volatility of a strike without an honest mark from its
            neighbours in the same expiry; its row is then marked as modelled.

    Raises:
        ValueError: The rate is not a fraction from 0 to below 1, or the threshold is not above zero.
    """
    return solve_live_risk(
        portfolio,
        live,
        risk_free_rate,
        stale_after_seconds,
        Solver(),
        iv_from_neighbours=iv_from_neighbours,
    )


def solve_live_risk(
    portfolio: Portfolio,
    live: LiveSnapshot,
    rate: float,
    stale_after_seconds: float,
    solver: Solver,
    *,
    iv_from_neighbours: bool = False,
) -> LiveRisk:
    """Compute the risk as `compute_live_risk` does, with a solver that reuses solutions of unmoved quotes."""
    if not 0 <= rate < 1:
        raise ValueError(f"the risk-free rate must be a fraction from 0 to below 1, not {rate}")
    arrays = arrays_of(portfolio)
    legs = legs_of(portfolio, arrays)
    prices = price_legs(legs, arrays, live, stale_after_seconds)
    inputs = find_inputs(legs, prices, live, rate, stale_after_seconds)
    solutions = _solve(legs, prices, inputs, solver)
    if iv_from_neighbours:
        solutions = fill_from_neighbours(legs, inputs, solutions, solver.model)
    columns = _leg_columns(legs, prices, inputs, solutions)
    columns["beta_delta"] = columns["dollar_delta"] * _beta_factors(legs, live)
    return LiveRisk(
        at=live,
        rate=rate,
        legs=build_frame(names_of(Table.RISK_LEGS), columns, frozen=True),
        positions=_position_sums(
            portfolio,
            legs,
            columns,
            find_probabilities(portfolio, arrays, live, prices, inputs, solutions),
        ),
        underlyings=_underlying_sums(arrays, legs, columns),
        expiries=_expiry_sums(legs, columns),
        tags=_tag_sums(portfolio, legs, columns),
        total=sum_all(columns),
        terms=legs,
        prices=prices,
        inputs=inputs,
        solutions=solutions,
    )


def _solve(legs: RiskLegs, prices: LegPrices, inputs: RiskInputs, solver: Solver) -> tuple[Solution, ...]:
    sides = zip(prices.bid.tolist(), prices.mark.tolist(), prices.ask.tolist(), strict=True)
    quotes = [
        OptionQuote(symbol, option, quote) if option is not None and reason is None else None
        for symbol, option, reason, quote in zip(
            legs.symbols, inputs.options, inputs.reasons, sides, strict=True
        )
    ]
    solved = iter(solver.solve_all([each for each in quotes if each is not None]))
    return tuple(
        unsolved(reason or Reason.NO_MARK) if quote is None else next(solved)
        for quote, reason in zip(quotes, inputs.reasons, strict=True)
    )


def _leg_columns(
    legs: RiskLegs, prices: LegPrices, inputs: RiskInputs, solutions: tuple[Solution, ...]
) -> dict[str, ColumnValues]:
    greeks = _position_greeks(legs, prices, solutions)
    return {
        "position_id": texts(legs.position_ids),
        "leg_index": legs.leg_index,
        "contract_symbol": texts(
            [None if s else n or None for s, n in zip(legs.is_stock, legs.symbols, strict=True)]
        ),
        "iv": floats(each.iv for each in solutions),
        "bid_iv": floats(each.bid_iv for each in solutions),
        "ask_iv": floats(each.ask_iv for each in solutions),
        "modelled": flags(each.is_modelled for each in solutions),
        "stale": np.isin(prices.states, OLD),
        **greeks,
        "dollar_delta": greeks["delta"] * inputs.spot,
        "dollar_gamma": greeks["gamma"] * inputs.spot**2 / 100,
        **_distances(legs, prices, inputs, solutions),
        "spot": inputs.spot,
        "spot_source": texts([source or None for source in inputs.sources]),
        "years": inputs.years,
        "dividends": inputs.dividends,
        "european": legs.european,
        "reason": texts([None if each.reason is None else str(each.reason) for each in solutions]),
    }


def _position_greeks(legs: RiskLegs, prices: LegPrices, solutions: tuple[Solution, ...]) -> dict[str, Floats]:
    """Return each Greek for the legs' whole quantity; shares have only a delta."""
    by_share = {name: floats(getattr(each.greeks, name) for each in solutions) for name in GREEKS}
    of_stock = {name: 1.0 if name == "delta" else 0.0 for name in GREEKS}
    either = {name: np.where(legs.is_stock, of_stock[name], by_share[name]) for name in GREEKS}
    return scale_by_position(either, prices.scale)


def _beta_factors(legs: RiskLegs, live: LiveSnapshot) -> Floats:
    """Return the benchmark's shares per dollar of delta; NaN without a beta."""
    betas = live.betas
    if betas is None:
        return np.full(len(legs), np.nan)
    by_stock = betas.values  # noqa: PD011 - a mapping
    return floats(map(by_stock.get, legs.stocks)) / betas.price


def _distances(
    legs: RiskLegs, prices: LegPrices, inputs: RiskInputs, solutions: tuple[Solution, ...]
) -> dict[str, ColumnValues]:
    """Return each contract's extrinsic value, moneyness and expected move."""
    inside = np.where(legs.is_put, legs.strike - inputs.spot, inputs.spot - legs.strike)
    apart = np.array([each.reason is Reason.APART for each in solutions], dtype=np.bool_)
    unknown = legs.is_stock | legs.adjusted | prices.expired
    inside = np.where(unknown, np.nan, inside)
    iv = floats(each.iv for each in solutions)
    # Without rounding, a contract at its payoff would have some 1e-14 dollars of extrinsic value.
    extrinsic = np.round(prices.mark - np.maximum(inside, 0.0), _EXTRINSIC_DECIMALS)
    return {
        "extrinsic": np.where(apart, np.nan, extrinsic),
        "moneyness": inside / inputs.spot,
        "expected_move": (move := inputs.spot * iv * np.sqrt(inputs.years)),
        "moneyness_moves": inside / move,
    }


def _position_sums(
    portfolio: Portfolio, legs: RiskLegs, columns: dict[str, ColumnValues], probabilities: Floats
) -> pd.DataFrame:
    size = len(portfolio.positions)
    known = (~np.isnan(columns["delta"])).tolist()
    sums = {
        "id": texts([position.id for position in portfolio.positions]),
        **sum_by(legs.position_codes, size, columns),
        "probability_of_profit": probabilities,
        "reason": first_reasons(legs.position_codes, size, columns["reason"].tolist(), known),
    }
    return build_frame(names_of(Table.RISK_POSITIONS), sums, frozen=True)


def _underlying_sums(
    arrays: PortfolioArrays, legs: RiskLegs, columns: dict[str, ColumnValues]
) -> pd.DataFrame:
    stocks = arrays.underlyings.symbols
    sums = {"symbol": texts(stocks), **sum_by(legs.underlying_codes, len(stocks), columns)}
    return build_frame(names_of(Table.RISK_UNDERLYINGS), sums, frozen=True)


def _expiry_sums(legs: RiskLegs, columns: dict[str, ColumnValues]) -> pd.DataFrame:
    days, groups = np.unique(np.where(legs.is_stock, NEVER, legs.expiry_days), return_inverse=True)
    expiries = [None if day == NEVER else dt.date.fromordinal(day) for day in days.tolist()]
    sums = {"expiry": dates(expiries), **sum_by(groups, len(days), columns)}
    return build_frame(names_of(Table.RISK_EXPIRIES), sums, frozen=True)


def _tag_sums(portfolio: Portfolio, legs: RiskLegs, columns: dict[str, ColumnValues]) -> pd.DataFrame:
    tagged = [position.tag or () for position in portfolio.positions]
    names = sorted({name for tags in tagged for name in tags})
    pairs = [
        (leg, names.index(name))
        for leg, code in enumerate(legs.position_codes.tolist())
        for name in dict.fromkeys(tagged[code])
    ]
    chosen, groups = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    own = {name: columns[name][chosen] for name in (*SUMMED, "modelled", "stale")}
    sums = {"tag": texts(names), **sum_by(groups, len(names), own)}
    return build_frame(names_of(Table.RISK_TAGS), sums, frozen=True)
