"""The account's result of the day as traders count it, including what was opened and closed today.

The result of a symbol is its value now, less its value at the previous close as the day began with it, less
what the day's executions and events paid.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from options_helper.analysis.account.previous_close import choose_close
from options_helper.analysis.account.records import ZERO, size_of
from options_helper.market import BrokerEvent, BrokerFill, LiveSnapshot
from options_helper.times import new_york_date


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolDay:
    """The day of one symbol.

    Attributes:
        start, now: Signed quantities at the previous close and now.
        paid: Dollars that the day's executions and events paid, negative if received.
        result: Dollars, None if a price that it needs is unknown.
    """

    symbol: str
    start: Decimal
    now: Decimal
    paid: Decimal
    result: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDay:
    """The day of an account; `known` is the sum of the known results."""

    symbols: tuple[SymbolDay, ...]
    fees: Decimal

    @property
    def known(self) -> Decimal:
        """The dollars of all symbols whose result is known, less fees."""
        return sum((day.result for day in self.symbols if day.result is not None), -self.fees)

    @property
    def covered(self) -> int:
        """The number of symbols in that sum."""
        return sum(day.result is not None for day in self.symbols)

    @property
    def complete(self) -> bool:
        """True if every symbol's result is known."""
        return self.covered == len(self.symbols)

    @property
    def closed(self) -> tuple[SymbolDay, ...]:
        """The symbols that were held or opened today and are no longer held."""
        return tuple(day for day in self.symbols if not day.now)


def sum_up_day(
    quantities: Mapping[str, Decimal],
    prices: Mapping[str, Decimal],
    closes: Mapping[str, Decimal],
    fills: Iterable[BrokerFill],
    events: Iterable[BrokerEvent],
    *,
    fees: Decimal = ZERO,
) -> AccountDay:
    """Return the day of an account by symbol.

    Args:
        quantities: The broker's now, signed.
        prices: Now, dollars per share.
        closes: The previous closes, dollars per share.
        fills: Today's executions.
        events: Today's assignments, exercises and expiries, with the shares they brought.
        fees: What today's fees cost, above zero.
    """
    moved: defaultdict[str, Decimal] = defaultdict(Decimal)
    paid: defaultdict[str, Decimal] = defaultdict(Decimal)
    changes = [(one.symbol, one.quantity, one.price) for one in fills]
    changes += [(one.symbol, one.quantity, one.price or ZERO) for one in events]
    for symbol, quantity, price in changes:
        moved[symbol] += quantity
        paid[symbol] += quantity * price * size_of(symbol)
    days = []
    for symbol in sorted({*quantities, *moved}):
        now = quantities.get(symbol, ZERO)
        start = now - moved[symbol]
        value, before = _value(symbol, now, prices), _value(symbol, start, closes)
        result = None if value is None or before is None else value - before - paid[symbol]
        days.append(SymbolDay(symbol=symbol, start=start, now=now, paid=paid[symbol], result=result))
    return AccountDay(symbols=tuple(days), fees=fees)


def _value(symbol: str, quantity: Decimal, prices: Mapping[str, Decimal]) -> Decimal | None:
    """Return dollars; a quantity of zero is worth zero, whatever its price."""
    if not quantity:
        return ZERO
    price = prices.get(symbol)
    return None if price is None else quantity * price * size_of(symbol)


def day_of(live: LiveSnapshot) -> AccountDay | None:
    """Return the day of a snapshot's account at the broker's prices, None before its history is read."""
    if live.broker_positions_at is None or live.broker_history_since is None:
        return None
    today = new_york_date(live.broker_positions_at)
    fills = [one for one in live.broker_fills if new_york_date(one.at) == today]
    events = [one for one in live.broker_events if one.date == today]
    held = live.broker_positions
    symbols = {*held, *(one.symbol for one in fills), *(one.symbol for one in events)}
    closes = {symbol: choose_close(symbol, live) for symbol in symbols}
    return sum_up_day(
        {symbol: Decimal(repr(position.quantity)) for symbol, position in held.items()},
        {symbol: Decimal(repr(one.price)) for symbol, one in held.items() if one.price is not None},
        {symbol: close.price for symbol, close in closes.items() if close is not None},
        fills,
        events,
    )
