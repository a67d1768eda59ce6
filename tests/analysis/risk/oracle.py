"""A second opinion on option prices: the binomial tree of Leisen and Reimer in plain NumPy.

Source: Leisen and Reimer, "Binomial models for option valuation - examining and improving convergence",
Applied Mathematical Finance 3 (1996), with the Peizer-Pratt inversion. It shares no code with the product.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

_AT_ONCE = 100  # trees that fit into the processor's cache together


class Options(NamedTuple):
    """n options; prices in dollars, times in years, rates continuously compounded."""

    is_put: np.ndarray
    european: np.ndarray
    spot: np.ndarray
    strike: np.ndarray
    years: np.ndarray
    rate: np.ndarray
    dividend_yield: np.ndarray
    volatility: np.ndarray


def tree_prices(options: Options, steps: int = 401) -> np.ndarray:
    """Return the prices from a tree with an odd number of steps."""
    parts = range(0, len(options.spot), _AT_ONCE)
    return np.concatenate(
        [_tree(Options(*(each[start : start + _AT_ONCE] for each in options)), steps) for start in parts]
    )


def tree_greeks(options: Options, steps: int = 401) -> dict[str, np.ndarray]:
    """Return the Greeks per share: theta per day, vega and rho per point."""
    price = tree_prices(options, steps)
    deviation = options.volatility * np.sqrt(options.years)
    move = 0.05 * options.spot * deviation
    up, down = (tree_prices(options._replace(spot=options.spot + side * move), steps) for side in (1, -1))
    vols = [tree_prices(options._replace(volatility=options.volatility * f), steps) for f in (1.01, 0.99)]
    rates = [tree_prices(options._replace(rate=options.rate + shift), steps) for shift in (1e-3, -1e-3)]
    times = [tree_prices(options._replace(years=options.years * f), steps) for f in (1.01, 0.99)]
    return {
        "delta": (up - down) / (2 * move),
        "gamma": (up - 2 * price + down) / move**2,
        "theta": -(times[0] - times[1]) / (0.02 * options.years) / 365,
        "vega": (vols[0] - vols[1]) / (0.02 * options.volatility) / 100,
        "rho": (rates[0] - rates[1]) / 2e-3 / 100,
    }


def _tree(options: Options, steps: int) -> np.ndarray:
    assert steps % 2 == 1
    put, european, spot, strike, years, rate, dividends, volatility = options
    dt = years / steps
    deviation = volatility * np.sqrt(years)
    d1 = (np.log(spot / strike) + (rate - dividends) * years) / deviation + deviation / 2
    up_under_share, up = (_peizer_pratt(d, steps) for d in (d1, d1 - deviation))
    growth = np.exp((rate - dividends) * dt)
    rise = growth * up_under_share / up
    fall = growth * (1 - up_under_share) / (1 - up)
    sign = np.where(put, -1.0, 1.0)[:, None]
    discount = np.exp(-rate * dt)[:, None]
    chance = up[:, None]
    heights = np.arange(steps + 1)
    log_spot, log_rise, log_fall = (np.log(each)[:, None] for each in (spot, rise, fall))
    prices = np.exp(log_spot + heights * log_rise + (steps - heights) * log_fall)
    values = np.maximum(sign * (prices - strike[:, None]), 0)
    early = ~european[:, None]
    for _ in range(steps):
        values = discount * (chance * values[:, 1:] + (1 - chance) * values[:, :-1])
        prices = prices[:, :-1] / np.exp(log_fall)
        values = np.where(early, np.maximum(values, sign * (prices - strike[:, None])), values)
    return values[:, 0]


def _peizer_pratt(d: np.ndarray, steps: int) -> np.ndarray:
    inside = d / (steps + 1 / 3 + 0.1 / (steps + 1))
    return 0.5 + np.sign(d) * 0.5 * np.sqrt(1 - np.exp(-(inside**2) * (steps + 1 / 6)))
