"""The account's P/L today as traders count it, including positions opened and closed today.

A symbol's result is its value now, minus the value of its opening quantity at the previous close, minus the
dollars paid by the day's executions and events.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from options_helper.analysis.account.records import ZERO, Change, changes_of, price_of, size_of, when_of
from options_helper.analysis.text.wording import TODAY, name_day
from options_helper.analysis.valuation.previous_closes import choose_close
from options_helper.market import CashChange, LiveSnapshot
from options_helper.times import new_york_date


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolDay:
    """One symbol's quantities, payments and result today.

    Attributes:
        start, now: Signed quantities at the previous close and now.
        paid: Dollars paid by the day's executions and events; negative if received.
        result: Dollars; None if a price or the amount of a settlement is unknown.
    """

    symbol: str
    start: Decimal
    now: Decimal
    paid: Decimal
    result: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDay:
    """An account's result today.

    Attributes:
        symbols: One entry per symbol held or traded today.
        cash: Today's fees (negative), dividends and interest in dollars; None if unknown.
        deposits: Dollars deposited minus dollars withdrawn today, not part of the result; None if unknown.
        name: "today", or the weekday of the last session.
    """

    symbols: tuple[SymbolDay, ...]
    cash: Decimal | None = ZERO
    deposits: Decimal | None = ZERO
    name: str = TODAY

    @property
    def known(self) -> Decimal | None:
        """The sum of the known results in dollars; None if there are symbols but no known result."""
        if self.symbols and not self.covered:
            return None
        return sum((day.result for day in self.symbols if day.result is not None), self.cash or ZERO)

    @property
    def covered(self) -> int:
        """The number of symbols with a known result."""
        return sum(day.result is not None for day in self.symbols)

    @property
    def complete(self) -> bool:
        """True if the fees and every symbol's result are known."""
        return self.covered == len(self.symbols) and self.cash is not None


def sum_up_day(
    quantities: Mapping[str, Decimal],
    prices: Mapping[str, Decimal],
    closes: Mapping[str, Decimal],
    changes: Iterable[Change],
    cash: Iterable[CashChange] | None = (),
) -> AccountDay:
    """Compute an account's result today, symbol by symbol.

    Args:
        quantities: The broker's current signed quantities, keyed by symbol.
        prices: Current prices in dollars per share.
        closes: Previous closes in dollars per share.
        changes: Today's executions, assignments, exercises and expiries, including delivered shares.
        cash: Today's fees, dividends, interest and deposits; None if they are unknown.
    """
    moved: defaultdict[str, Decimal] = defaultdict(Decimal)
    paid: defaultdict[str, Decimal] = defaultdict(Decimal)
    unknown: set[str] = set()
    for one in changes:
        moved[one.symbol] += one.quantity
        price = price_of(one)
        if price is None:
            unknown.add(one.symbol)
        else:
            paid[one.symbol] += one.quantity * price * size_of(one.symbol)
    days = []
    for symbol in sorted({*quantities, *moved}):
        now = quantities.get(symbol, ZERO)
        start = now - moved[symbol]
        value, before = _value(symbol, now, prices), _value(symbol, start, closes)
        result = None
        if value is not None and before is not None and symbol not in unknown:
            result = value - before - paid[symbol]
        days.append(SymbolDay(symbol=symbol, start=start, now=now, paid=paid[symbol], result=result))
    if cash is None:
        return AccountDay(symbols=tuple(days), cash=None, deposits=None)
    sums = {True: ZERO, False: ZERO}
    for change in cash:
        sums[change.is_transfer] += change.amount
    return AccountDay(symbols=tuple(days), cash=sums[False], deposits=sums[True])


def _value(symbol: str, quantity: Decimal, prices: Mapping[str, Decimal]) -> Decimal | None:
    """Return the value in dollars, None if the price is unknown; a quantity of zero needs no price."""
    if not quantity:
        return ZERO
    price = prices.get(symbol)
    return None if price is None else quantity * price * size_of(symbol)


def day_of(live: LiveSnapshot) -> AccountDay | None:
    """Return the result of the account in a snapshot at the broker's prices.

    On a day without a session, the result is that of the last session. Return None until that day's
    positions and the history are known in full.
    """
    history = changes_of(live)
    today = live.trading_date or new_york_date(live.as_of)
    if live.broker_positions_at is None or history is None or new_york_date(live.broker_positions_at) < today:
        return None
    changes = [one for one in history if when_of(one)[0] >= today]
    held, since = live.broker_positions, live.broker_cash_since
    cash = None if since is None or since > today else [one for one in live.broker_cash if one.date >= today]
    closes = {symbol: choose_close(symbol, live) for symbol in {*held, *(one.symbol for one in changes)}}
    day = sum_up_day(
        {symbol: Decimal(repr(position.quantity)) for symbol, position in held.items()},
        {symbol: Decimal(repr(one.price)) for symbol, one in held.items() if one.price is not None},
        {symbol: Decimal(repr(close.price)) for symbol, close in closes.items() if close.price is not None},
        changes,
        cash,
    )
    return replace(day, name=day_name_of(live))


def day_name_of(live: LiveSnapshot) -> str:
    """Return "today", or without a session today the day of the last one, such as "Friday"."""
    today = new_york_date(live.as_of)
    return name_day(live.trading_date or today, today)
