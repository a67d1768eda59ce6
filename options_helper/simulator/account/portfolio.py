"""The demo portfolio, dated relative to a day, as plain JSON values; and the holdings of any portfolio."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from options_helper.simulator.market.contracts import Contract, contract_symbol, parse_contract, root_of
from options_helper.simulator.market.holidays import is_trading_day
from options_helper.simulator.market.market import Market, price_step
from options_helper.simulator.market.mid_session import NEW_YORK, MidSession
from options_helper.simulator.wire import JsonObject

_FRIDAY = 4
_SHARES_PER_CONTRACT = 100
_STRIKE_STEP = 5.0
_NO_NEW_EXPIRY_TODAY = dt.time(
    15
)  # in New York: today's contracts end at 16:00, whenever the demo's session does


class _Writer:
    """A writer of positions at multiples of yesterday's simulated prices, so that some gain and some lose."""

    def __init__(self, today: dt.date, seed: int) -> None:
        self._today = today
        self._market = Market(seed, today)

    def friday(self, weeks: int) -> str:
        """Return the Friday of this week or the next, plus a number of weeks; never today or a holiday."""
        ahead = (_FRIDAY - self._today.weekday()) % 7 or 7
        day = self._today + dt.timedelta(days=ahead, weeks=weeks)
        while not is_trading_day(day):
            day += dt.timedelta(weeks=1)
        return day.isoformat()

    def opened(self, weeks: int) -> str:
        """Return a weekday a number of weeks ago."""
        day = self._today - dt.timedelta(weeks=weeks)
        return (day - dt.timedelta(days=max(day.weekday() - _FRIDAY, 0))).isoformat()

    def strike(self, underlying: str, share: float) -> float:
        """Return the strike nearest to a multiple of the price."""
        return round(self._market.previous_close(underlying) * share / _STRIKE_STEP) * _STRIKE_STEP

    def shares_price(self, underlying: str, factor: float) -> float:
        """Return a purchase price per share."""
        return round(self._market.previous_close(underlying) * factor, 2)

    def terms(self, underlying: str, kind: str, weeks: int, share: float) -> JsonObject:
        """Return the terms of a contract, as a portfolio file spells them."""
        return {
            "option_type": kind,
            "expiry": self.friday(weeks),
            "strike": self.strike(underlying, share),
        }

    def leg(self, side: str, terms: JsonObject, contracts: int = 1) -> JsonObject:
        """Return one leg of a structure."""
        return {"side": side, **terms, "contracts": contracts}

    def close(self, underlying: str, terms: JsonObject) -> float:
        """Return yesterday's close of a contract, or of the shares if the terms name some."""
        if "shares" in terms:
            return self._market.previous_close(underlying)
        contract = _contract(underlying, terms)
        close = None if contract is None else self._market.previous_option_close(contract)
        return 0.01 if close is None else close

    def single(
        self,
        name: str,
        symbol: str,
        terms: JsonObject,
        *,
        contracts: int,
        factor: float,
        weeks_ago: int,
    ) -> JsonObject:
        """Return a single option, bought or sold at a multiple of yesterday's close."""
        price = self.close(symbol, terms) * factor
        step = price_step(price)
        return {
            "id": name,
            "symbol": symbol,
            **terms,
            "contracts": contracts,
            "cost_basis": round(max(round(price / step), 1) * step, 2),
            "opened_at": self.opened(weeks_ago),
        }

    def structure(
        self, name: str, symbol: str, legs: list[JsonObject], *, factor: float, weeks_ago: int
    ) -> JsonObject:
        """Return a structure; its net debit in dollars is a multiple of its value at yesterday's close."""
        net = sum(self._leg_value(symbol, leg) for leg in legs)
        # Prices have cents, so the legs of three contracts come to a multiple of three dollars.
        units = min(leg["contracts"] for leg in legs if "contracts" in leg)
        return {
            "id": name,
            "symbol": symbol,
            "legs": legs,
            "net_debit": float(round(net * factor / units) * units),
            "opened_at": self.opened(weeks_ago),
        }

    def _leg_value(self, symbol: str, leg: JsonObject) -> float:
        size = float(leg["shares"]) if "shares" in leg else float(leg["contracts"]) * _SHARES_PER_CONTRACT
        return (1 if leg["side"] == "long" else -1) * size * self.close(symbol, leg)


def demo_portfolio(today: dt.date, *, seed: int = 7) -> JsonObject:
    """Return a portfolio of common positions that expire on future Fridays, with strikes near the prices."""
    write = _Writer(today, seed)
    return {
        "base_currency": "USD",
        "cash": 12_400.0,
        "positions": [*_singles(write), *_spreads(write), *_share_positions(write)],
    }


def whole_demo_portfolio(today: dt.date, now: dt.datetime) -> JsonObject:
    """Return the demo's whole portfolio, including positions that expire next and one that has expired."""
    return with_expired(with_nearest_expiry(demo_portfolio(today), now), today)


def with_expired(portfolio: JsonObject, today: dt.date, *, seed: int = 7) -> JsonObject:
    """Return the portfolio with a put that expired worthless on a recent Friday."""
    write, day = _Writer(today, seed), today
    while day == today or day.weekday() != _FRIDAY or not is_trading_day(day):
        day -= dt.timedelta(days=1)
    expired = {
        "id": "aapl-expired-put",
        "symbol": "AAPL",
        "option_type": "put",
        "expiry": day.isoformat(),
        "strike": write.strike("AAPL", 0.92),
        "contracts": -1,
        "cost_basis": 0.85,
        "opened_at": write.opened(4),
    }
    return portfolio | {"positions": [*portfolio["positions"], expired]}


def with_nearest_expiry(portfolio: JsonObject, now: dt.datetime, *, seed: int = 7) -> JsonObject:
    """Return the portfolio with two positions that expire today, or on the next trading day if it is late."""
    here = now.astimezone(NEW_YORK)
    write, day = _Writer(here.date(), seed), here.date()
    if not is_trading_day(day) or here.time() >= _NO_NEW_EXPIRY_TODAY:
        day = MidSession.settlement(day)

    def terms(kind: str, share: float) -> JsonObject:
        return {"option_type": kind, "expiry": day.isoformat(), "strike": write.strike("QQQ", share)}

    legs = [write.leg("short", terms("put", 0.995)), write.leg("long", terms("put", 0.985))]
    nearest = [
        write.single("qqq-nearest-call", "QQQ", terms("call", 1.0), contracts=1, factor=0.9, weeks_ago=1),
        write.structure("qqq-nearest-put-spread", "QQQ", legs, factor=1.1, weeks_ago=1),
    ]
    return portfolio | {"positions": [*nearest, *portfolio["positions"]]}


def _singles(write: _Writer) -> Iterator[JsonObject]:
    call = write.terms("AAPL", "call", 7, 1.02)
    yield write.single("aapl-call", "AAPL", call, contracts=2, factor=0.86, weeks_ago=3)
    call = write.terms("BRK.B", "call", 11, 0.98)
    yield write.single("brkb-call", "BRK.B", call, contracts=1, factor=1.09, weeks_ago=2)
    put = write.terms("MSFT", "put", 3, 0.95)
    yield write.single("msft-short-put", "MSFT", put, contracts=-2, factor=1.22, weeks_ago=1)


def _spreads(write: _Writer) -> Iterator[JsonObject]:
    legs = [
        write.leg("long", write.terms("AAPL", "put", 3, 0.90)),
        write.leg("short", write.terms("AAPL", "put", 3, 0.94)),
        write.leg("short", write.terms("AAPL", "call", 3, 1.06)),
        write.leg("long", write.terms("AAPL", "call", 3, 1.10)),
    ]
    yield write.structure("aapl-iron-condor", "AAPL", legs, factor=1.15, weeks_ago=2)
    legs = [
        write.leg("short", write.terms("MSFT", "call", 3, 1.01)),
        write.leg("long", write.terms("MSFT", "call", 11, 1.01)),
    ]
    yield write.structure("msft-calendar", "MSFT", legs, factor=0.95, weeks_ago=2)
    legs = [
        write.leg("long", write.terms("NVDA", "call", 5, 1.0), 3),
        write.leg("short", write.terms("NVDA", "call", 5, 1.08), 3),
    ]
    yield write.structure("nvda-call-vertical", "NVDA", legs, factor=0.9, weeks_ago=3)
    legs = [
        write.leg("short", write.terms("TSLA", "put", 3, 0.86)),
        write.leg("short", write.terms("TSLA", "call", 3, 1.16)),
    ]
    yield write.structure("tsla-short-strangle", "TSLA", legs, factor=0.93, weeks_ago=1)


def _share_positions(write: _Writer) -> Iterator[JsonObject]:
    yield {
        "id": "spy-shares",
        "symbol": "SPY",
        "shares": 25,
        "cost_basis": write.shares_price("SPY", 0.955),
        "opened_at": write.opened(20),
    }
    legs = [
        {"side": "long", "shares": 100},
        write.leg("short", write.terms("AMZN", "call", 4, 1.05)),
    ]
    yield write.structure("amzn-covered-call", "AMZN", legs, factor=1.02, weeks_ago=6)


def _contract(underlying: str, terms: JsonObject) -> Contract | None:
    root = str(terms.get("root") or root_of(underlying))
    expiry = dt.date.fromisoformat(str(terms["expiry"]))
    return parse_contract(
        contract_symbol(root, expiry, str(terms["option_type"]).lower(), float(terms["strike"]))
    )


def holdings(portfolio: JsonObject, today: dt.date, *, seed: int = 7) -> dict[str, tuple[float, float]]:
    """Return the holdings of a portfolio file: signed quantity and entry price by symbol."""
    held: dict[str, tuple[float, float]] = {}
    for position in portfolio.get("positions", ()):
        for symbol, quantity, price in opening_trades(position, today, seed=seed):
            before, entry = held.get(symbol, (0.0, 0.0))
            after = before + quantity
            paid = before * entry + quantity * price
            held[symbol] = after, abs(round(paid / after, 4)) if after else 0.0
    return held


def opening_trades(position: JsonObject, today: dt.date, *, seed: int = 7) -> list[tuple[str, float, float]]:
    """Return the symbol, signed quantity and price of each part of a position of the file.

    The file has no prices for the legs of a structure, so yesterday's closes are scaled to its net debit.
    """
    write, underlying = _Writer(today, seed), str(position["symbol"]).replace("-", ".")
    parts = [
        (*_part(underlying, part), float(part.get("cost_basis") or write.close(underlying, part)))
        for part in position.get("legs", (position,))
    ]
    net_debit = float(position.get("net_debit") or 0.0)
    dollars = [
        quantity * (1 if symbol == underlying else _SHARES_PER_CONTRACT) for symbol, quantity, _ in parts
    ]
    net = sum(amount * price for amount, (_, _, price) in zip(dollars, parts, strict=True))
    if net * net_debit <= 0:
        return parts
    prices = [max(round(price * net_debit / net, 2), 0.01) for _, _, price in parts]
    # The most expensive part absorbs the rounding.
    dearest = prices.index(max(prices))
    rest = net_debit - sum(a * p for a, p in zip(dollars, prices, strict=True))
    prices[dearest] = max(round(prices[dearest] + rest / dollars[dearest], 2), 0.01)
    return [(symbol, quantity, price) for (symbol, quantity, _), price in zip(parts, prices, strict=True)]


def _part(underlying: str, part: JsonObject) -> tuple[str, float]:
    sign = -1 if str(part.get("side", "long")).lower() == "short" else 1
    if "shares" in part:
        return underlying, sign * float(part["shares"])
    contract = _contract(underlying, part)
    return "" if contract is None else contract.symbol, sign * float(part["contracts"])
