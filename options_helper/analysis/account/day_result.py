"""The account's result of the day as traders count it, including what was opened and closed today.

The result of a symbol is its value now, less its value at the previous close as the day began with it, less
what the day's executions and events paid.
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
    """The day of one symbol.

    Attributes:
        start, now: Signed quantities at the previous close and now.
        paid: Dollars that the day's executions and events paid, negative if received.
        result: Dollars, None if a price or a settlement's amount that it needs is unknown.
    """

    symbol: str
    start: Decimal
    now: Decimal
    paid: Decimal
    result: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDay:
    """The day of an account.

    Attributes:
        cash: Dollars of today's fees (negative), dividends and interest; None if they are unknown.
        deposits: Dollars deposited today less those withdrawn, which are no result; None if unknown.
        name: "today", or the day of the week on which the last session was.
    """

    symbols: tuple[SymbolDay, ...]
    cash: Decimal | None = ZERO
    deposits: Decimal | None = ZERO
    name: str = TODAY

    @property
    def known(self) -> Decimal | None:
        """The dollars of all that is known; None if no symbol's result is."""
        if self.symbols and not self.covered:
            return None
        return sum((day.result for day in self.symbols if day.result is not None), self.cash or ZERO)

    @property
    def covered(self) -> int:
        """The number of symbols in that sum."""
        return sum(day.result is not None for day in self.symbols)

    @property
    def complete(self) -> bool:
        """True if every symbol's result is known, and the fees are."""
        return self.covered == len(self.symbols) and self.cash is not None


def sum_up_day(
    quantities: Mapping[str, Decimal],
    prices: Mapping[str, Decimal],
    closes: Mapping[str, Decimal],
    changes: Iterable[Change],
    cash: Iterable[CashChange] | None = (),
) -> AccountDay:
    """Return the day of an account by symbol.

    Args:
        quantities: The broker's now, signed.
        prices: Now, dollars per share.
        closes: The previous closes, dollars per share.
        changes: Today's executions, assignments, exercises and expiries, with the shares they brought.
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
    """Return dollars; a quantity of zero is worth zero, whatever its price."""
    if not quantity:
        return ZERO
    price = prices.get(symbol)
    return None if price is None else quantity * price * size_of(symbol)


def day_of(live: LiveSnapshot) -> AccountDay | None:
    """Return the day of a snapshot's account at the broker's prices.

    Without a session today, it is the day of the last one. It is None until the positions are read in full
    on that day or later, and the history too.
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
    return replace(day, name=name_day(today, new_york_date(live.as_of)))
