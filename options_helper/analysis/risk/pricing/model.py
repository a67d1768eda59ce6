"""Prices and Greeks of one option, computed with QuantLib.

American exercise is priced by QuantLib's fixed-point engine `QdFpAmericanEngine` (Andersen, Lake and
Offengenden, "High Performance American Option Pricing", 2015), European exercise by its Black formula. An
American option that is never worth exercising early, a call without dividends or a put without interest, is
priced as a European one.

Prices depend on volatility, rate and yield only through their products with time. Every option is therefore
priced with exactly one year to expiry and with volatility, rate and yield scaled to its own time. QuantLib's
whole days then do not limit the precision: on an option's last day, prices are exact to the second.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import QuantLib as ql  # noqa: N813 - the library's own abbreviation

DAYS_PER_YEAR = 365.0
PERCENT = 0.01

# Steps of the finite differences: the engine is smooth, so curvature limits them, not noise.
_SPOT_STEP = 0.02  # of a standard deviation
_VOLATILITY_STEP = 1e-3  # of the volatility
_TIME_STEP = 1e-3  # of the time
_RATE_STEP = 1e-4


class OptionInputs(NamedTuple):
    """One option's terms and market, without its volatility.

    Attributes:
        spot, strike: Dollars per share, above zero.
        years: Calendar time to expiry in years of 365 days, above zero.
        rate, dividend_yield: Continuously compounded; not below zero for American exercise.
        european: True if it can be exercised only at expiry.
    """

    is_put: bool
    strike: float
    spot: float
    years: float
    rate: float
    dividend_yield: float
    european: bool

    @property
    def forward(self) -> float:
        """The forward price of the underlying at expiry."""
        return self.spot * math.exp((self.rate - self.dividend_yield) * self.years)

    @property
    def discount(self) -> float:
        """The present value of a dollar at expiry."""
        return math.exp(-self.rate * self.years)

    @property
    def intrinsic(self) -> float:
        """The payoff of an exercise now, in dollars per share."""
        return max(self.strike - self.spot if self.is_put else self.spot - self.strike, 0.0)

    @property
    def is_never_early(self) -> bool:
        """True if early exercise is impossible or never pays."""
        return self.european or (self.rate if self.is_put else self.dividend_yield) == 0


class PriceGrid(NamedTuple):
    """One option at one volatility and at some prices of its underlying, all above zero."""

    option: OptionInputs
    volatility: float
    spots: Sequence[float]


# Returns the prices of each grid, in their order.
PriceAll = Callable[[Sequence[PriceGrid]], Sequence[Sequence[float]]]


class ModelGreeks(NamedTuple):
    """The Greeks of one share of one long option.

    Attributes:
        delta, gamma: The change in price and in delta per dollar of the underlying.
        theta: Dollars per calendar day; on the last day, no more than the extrinsic value.
        vega: Dollars per point (0.01) of volatility.
        rho: Dollars per percentage point (0.01) of the rate.
    """

    delta: float
    gamma: float
    theta: float
    vega: float
    rho: float


class Model:
    """Prices options one at a time; not thread-safe, because it sets QuantLib's quotes in place."""

    def __init__(self) -> None:
        # A date that is never in QuantLib's past, so its global evaluation date does not matter.
        today = ql.Date(1, 1, 2150)
        self._spot, self._rate, self._yield, self._volatility = (ql.SimpleQuote(1.0) for _ in range(4))
        days = ql.Actual365Fixed()
        process = ql.BlackScholesMertonProcess(
            ql.QuoteHandle(self._spot),
            ql.YieldTermStructureHandle(ql.FlatForward(today, ql.QuoteHandle(self._yield), days)),
            ql.YieldTermStructureHandle(ql.FlatForward(today, ql.QuoteHandle(self._rate), days)),
            ql.BlackVolTermStructureHandle(
                ql.BlackConstantVol(today, ql.NullCalendar(), ql.QuoteHandle(self._volatility), days)
            ),
        )
        self._exercise = ql.AmericanExercise(today, today + 365)
        self._engine = ql.QdFpAmericanEngine(process, ql.QdFpAmericanEngine.fastScheme())

    def price(self, option: OptionInputs, volatility: float) -> float:
        """Return the price in dollars per share; `volatility` is a fraction above zero."""
        return self.pricer(option)(volatility)

    def pricer(self, option: OptionInputs) -> Callable[[float], float]:
        """Return the price as a function of volatility, valid until the model prices another option."""
        return self._black(option) if option.is_never_early else self._american(option)

    def price_all(self, grids: Sequence[PriceGrid]) -> list[list[float]]:
        """Return the prices of each grid, in their order."""
        return [self._price_grid(*grid) for grid in grids]

    def _price_grid(self, option: OptionInputs, volatility: float, spots: Sequence[float]) -> list[float]:
        if option.is_never_early:
            return [self._black(option._replace(spot=spot))(volatility) for spot in spots]
        price, found = self._american(option), []
        for spot in spots:
            self._spot.setValue(spot)
            found.append(price(volatility))
        return found

    def greeks(self, option: OptionInputs, volatility: float) -> ModelGreeks:
        """Return the Greeks at a volatility."""
        own = _black_greeks if option.is_never_early else self._american_greeks
        greeks = own(option, volatility)
        if option.years >= 1 / DAYS_PER_YEAR:
            return greeks
        # On its last day a contract cannot lose more than its extrinsic value.
        least = min(option.intrinsic - self.price(option, volatility), 0.0)
        return greeks._replace(theta=max(greeks.theta, least))

    def _black(self, option: OptionInputs) -> Callable[[float], float]:
        kind, root = _kind(option), math.sqrt(option.years)
        strike, forward, discount = option.strike, option.forward, option.discount

        def price(volatility: float) -> float:
            return float(ql.blackFormula(kind, strike, forward, volatility * root, discount))

        return price

    def _american(self, option: OptionInputs) -> Callable[[float], float]:
        contract = ql.VanillaOption(ql.PlainVanillaPayoff(_kind(option), option.strike), self._exercise)
        contract.setPricingEngine(self._engine)
        self._spot.setValue(option.spot)
        self._rate.setValue(option.rate * option.years)
        self._yield.setValue(option.dividend_yield * option.years)
        root = math.sqrt(option.years)

        def price(volatility: float) -> float:
            self._volatility.setValue(volatility * root)
            return float(contract.NPV())

        return price

    def _american_greeks(self, option: OptionInputs, volatility: float) -> ModelGreeks:
        """Return the Greeks, computed from differences of prices."""
        spot, rate, years = option.spot, option.rate, option.years
        price = self._american(option)
        step = _VOLATILITY_STEP * volatility
        here, vega = price(volatility), (price(volatility + step) - price(volatility - step)) / (2 * step)
        move = _SPOT_STEP * spot * volatility * math.sqrt(years)
        above = self.price(option._replace(spot=spot + move), volatility)
        below = self.price(option._replace(spot=spot - move), volatility)
        later = self.price(option._replace(years=years * (1 - _TIME_STEP)), volatility)
        dearer = self.price(option._replace(rate=rate + _RATE_STEP), volatility)
        return ModelGreeks(
            delta=(above - below) / (2 * move),
            gamma=(above - 2 * here + below) / move**2,
            theta=(later - here) / (_TIME_STEP * years) / DAYS_PER_YEAR,
            vega=vega * PERCENT,
            rho=(dearer - here) / _RATE_STEP * PERCENT,
        )


def _black_greeks(option: OptionInputs, volatility: float) -> ModelGreeks:
    payoff = ql.PlainVanillaPayoff(_kind(option), option.strike)
    deviation = volatility * math.sqrt(option.years)
    black = ql.BlackCalculator(payoff, option.forward, deviation, option.discount)
    return ModelGreeks(
        black.delta(option.spot),
        black.gamma(option.spot),
        black.theta(option.spot, option.years) / DAYS_PER_YEAR,
        black.vega(option.years) * PERCENT,
        black.rho(option.years) * PERCENT,
    )


def _kind(option: OptionInputs) -> int:
    return int(ql.Option.Put if option.is_put else ql.Option.Call)
