"""A seeded market: a random walk per underlying, options priced from it, and plausible spreads.

Everything is a function of the seed, the symbol, the step and the date, so two markets with the same seed
agree whatever was called before. A step is one tick of the simulator, with no fixed length of time.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from statistics import NormalDist

from options_helper.simulator.market.contracts import INDEX_SYMBOLS, Contract, parse_contract
from options_helper.simulator.market.pricing import OptionValue, value_option

# Prices in dollars and annual volatilities, close to the real ones of autumn 2026.
_KNOWN = {
    "AAPL": (272.0, 0.26),
    "MSFT": (499.0, 0.24),
    "NVDA": (188.0, 0.42),
    "SPY": (668.0, 0.15),
    "TSLA": (420.0, 0.55),
    "AMZN": (232.0, 0.32),
    "GOOGL": (291.0, 0.30),
    "META": (640.0, 0.34),
    "QQQ": (607.0, 0.20),
    "AMD": (247.0, 0.48),
    "BRK.B": (512.0, 0.17),
    "SPX": (6690.0, 0.15),
    "XSP": (669.0, 0.15),
    "NDX": (24900.0, 0.20),
    "RUT": (2410.0, 0.22),
    "VIX": (18.5, 0.90),
    "DJX": (468.0, 0.14),
    "OEX": (3350.0, 0.15),
    "XEO": (3350.0, 0.15),
}
_STEP_SCALE = 0.0008  # of the annual volatility: five cents a step for a 270-dollar stock
_STATIONARY_SHARE = 0.045  # of the annual volatility: how far the walk strays within the day
_NORMAL = NormalDist()
_YEAR_DAYS = 365.0
_HOURS_LEFT_TODAY = 3.0


@dataclass(frozen=True, slots=True)
class PricedQuote:
    """A bid and an ask in dollars, with sizes; a bid of 0 means that nobody bids."""

    bid: float
    ask: float
    bid_size: int
    ask_size: int


class Market:
    """Prices of any stock, index or well-formed contract symbol.

    Args:
        seed: Markets with the same seed have the same prices.
        today: The New York date from which the time to expiry is counted.
    """

    def __init__(self, seed: int, today: dt.date) -> None:
        self._seed = seed
        self.today = today
        self.step = 0
        self._walks: dict[str, tuple[int, float]] = {}
        self._pinned: dict[str, float] = {}
        self._split_ratios: dict[str, float] = {}

    def tick(self) -> None:
        """Advance by one step."""
        self.step += 1

    def pin(self, symbol: str, price: float) -> None:
        """Fix the price of an underlying."""
        self._pinned[symbol] = price

    def split(self, symbol: str, ratio: float) -> None:
        """Apply a split to a stock's prices, including yesterday's close."""
        self._split_ratios[symbol] = self._split_ratios.get(symbol, 1.0) * ratio

    def chance(self, symbol: str, what: str, step: int | None = None) -> float:
        """Draw a number in (0, 1), always the same for a symbol, a purpose and, if given, a step."""
        text = f"{self._seed}|{symbol}|{what}|{step}"
        number = int.from_bytes(blake2b(text.encode(), digest_size=6).digest(), "big")
        return (number + 0.5) / 2**48

    def base(self, symbol: str) -> tuple[float, float]:
        """Return yesterday's close and the annual volatility."""
        ratio = self._split_ratios.get(symbol, 1.0)
        if symbol in _KNOWN:
            price, volatility = _KNOWN[symbol]
            return price * (0.994 + 0.012 * self.chance(symbol, "close")) / ratio, volatility
        return 20 * 20 ** self.chance(symbol, "close") / ratio, 0.2 + 0.4 * self.chance(symbol, "volatility")

    def previous_close(self, symbol: str) -> float:
        """Return yesterday's close of a stock or index."""
        return round(self.base(symbol)[0], 2)

    def spot(self, symbol: str) -> float:
        """Return the price of a stock or index at the current step, unrounded."""
        if symbol in self._pinned:
            return self._pinned[symbol]
        close, volatility = self.base(symbol)
        gap = volatility * 0.02 * _NORMAL.inv_cdf(self.chance(symbol, "gap"))
        return close * math.exp(gap + self._displacement(symbol, volatility))

    def _displacement(self, symbol: str, volatility: float) -> float:
        at, value = self._walks.get(symbol, (0, 0.0))
        scale = volatility * _STEP_SCALE
        pull = (_STEP_SCALE / _STATIONARY_SHARE) ** 2 / 2
        while at < self.step:
            at += 1
            value += scale * _NORMAL.inv_cdf(self.chance(symbol, "walk", at)) - pull * value
        self._walks[symbol] = at, value
        return value

    def stock_quote(self, symbol: str) -> PricedQuote:
        """Return the current quote of a stock, in whole cents."""
        middle = self.spot(symbol)
        half = max(0.01, middle * 0.00004 * (0.5 + self.chance(symbol, "spread", self.step))) / 2
        bid = max(round(middle - half, 2), 0.01)
        return PricedQuote(bid, max(round(middle + half, 2), round(bid + 0.01, 2)), *self._sizes(symbol, 100))

    def option_value(self, contract: Contract, *, yesterday: bool = False) -> OptionValue | None:
        """Return the theoretical value now, or at yesterday's close; None once expired."""
        days = (contract.expiry - self.today).days
        if days < 0:
            return None
        spot = self.base(contract.underlying)[0] if yesterday else self.spot(contract.underlying)
        years = (days + (1.0 if yesterday else _HOURS_LEFT_TODAY / 24)) / _YEAR_DAYS
        return value_option(
            spot, contract.strike, years, self.implied_volatility(contract, years), is_call=contract.is_call
        )

    def implied_volatility(self, contract: Contract, years: float) -> float:
        """Return a contract's volatility: a smile, steeper below the price and near expiry."""
        close, volatility = self.base(contract.underlying)
        distance = math.log(contract.strike / close) / (volatility * math.sqrt(max(years, 0.02)))
        smile = 1 - 0.05 * distance + 0.03 * distance**2
        return volatility * min(max(smile, 0.6), 2.0)

    def option_quote(self, contract: Contract) -> PricedQuote | None:
        """Return the current quote of a contract, rounded to its price step; None once expired."""
        value = self.option_value(contract)
        if value is None:
            return None
        step = price_step(value.price)
        wide = 0.012 + 0.03 * self.chance(contract.symbol, "spread") ** 2
        noise = 0.7 + 0.6 * self.chance(contract.symbol, "spread", self.step)
        half = max(step, value.price * wide * noise) / 2
        bid = max(math.floor((value.price - half) / step + 1e-9) * step, 0.0)
        ask = max(math.ceil((value.price + half) / step - 1e-9) * step, bid + step)
        return PricedQuote(round(bid, 2), round(ask, 2), *self._sizes(contract.symbol, 1))

    def quote(self, symbol: str) -> PricedQuote | None:
        """Return the current quote of a stock or contract; None once expired."""
        contract = parse_contract(symbol)
        return self.stock_quote(symbol) if contract is None else self.option_quote(contract)

    def trade_price(self, symbol: str) -> float | None:
        """Return a trade price within the current quote; None once expired."""
        quote = self.quote(symbol)
        if quote is None:
            return None
        place = (0.0, 0.5, 1.0)[int(self.chance(symbol, "place", self.step) * 3)]
        inside = quote.bid + (quote.ask - quote.bid) * place
        step = 0.01 if parse_contract(symbol) is None else price_step(inside)
        return max(round(round(inside / step) * step, 2), step)

    def previous_option_close(self, contract: Contract) -> float | None:
        """Return yesterday's closing price of a contract."""
        value = self.option_value(contract, yesterday=True)
        if value is None:
            return None
        step = price_step(value.price)
        return max(round(round(value.price / step) * step, 2), 0.01)

    def _sizes(self, symbol: str, lot: int) -> Iterator[int]:
        for side in ("bid size", "ask size"):
            yield lot * (1 + int(60 * self.chance(symbol, side, self.step) ** 2))

    def is_quiet(self, symbol: str) -> bool:
        """Return whether a contract is one of the few that are rarely quoted."""
        return parse_contract(symbol) is not None and self.chance(symbol, "quiet") < 1 / 8

    def activity(self, symbol: str) -> float:
        """Return the fraction of steps in which a symbol is quoted."""
        if parse_contract(symbol) is None:
            return 0.8
        return 0.004 if self.is_quiet(symbol) else 0.15 + 0.6 * self.chance(symbol, "activity")

    def quotes_now(self, symbol: str) -> bool:
        """Return whether a symbol is quoted in this step."""
        return self.chance(symbol, "tick", self.step) < self.activity(symbol)

    def trades_now(self, symbol: str) -> bool:
        """Return whether a symbol is traded in this step."""
        return self.chance(symbol, "trade", self.step) < self.activity(symbol) / 8


def price_step(price: float) -> float:
    """Return the price step of an option: one cent below three dollars, else five cents."""
    return 0.01 if price < 3 else 0.05  # noqa: PLR2004 - the exchanges' own threshold


def is_index(symbol: str) -> bool:
    """Return whether a symbol is an index, which has values but no quotes or trades."""
    return symbol in INDEX_SYMBOLS
