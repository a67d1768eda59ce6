"""The account's day: with what was opened, closed, assigned and expired today."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from options_helper.analysis.account.day_result import AccountDay, SymbolDay, sum_up_day
from options_helper.market import BrokerEvent, BrokerFill, CashChange, EventKind
from tests.ledger import OPTIONS, Ledger, ledgers, trade

NOW = dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 20)
CALL, PUT = "AAPL261218C00250000", "AAPL261218P00240000"


def fill(symbol: str, quantity: int, price: str) -> BrokerFill:
    """An execution today."""
    return BrokerFill(symbol=symbol, quantity=Decimal(quantity), price=Decimal(price), at=NOW, order_id="o")


def event(kind: EventKind, symbol: str, quantity: int, price: int | None = None) -> BrokerEvent:
    """An event of today."""
    cost = None if price is None else Decimal(price)
    return BrokerEvent(kind=kind, symbol=symbol, quantity=Decimal(quantity), date=TODAY, price=cost)


def day_of(
    quantities: dict[str, int],
    prices: dict[str, str],
    closes: dict[str, str],
    *changes: BrokerFill | BrokerEvent,
    fees: str = "0",
    deposit: str = "0",
) -> AccountDay:
    """The day of an account."""
    return sum_up_day(
        {symbol: Decimal(quantity) for symbol, quantity in quantities.items()},
        {symbol: Decimal(price) for symbol, price in prices.items()},
        {symbol: Decimal(price) for symbol, price in closes.items()},
        changes,
        [
            CashChange(amount=-Decimal(fees), date=TODAY, is_transfer=False),
            CashChange(amount=Decimal(deposit), date=TODAY, is_transfer=True),
        ],
    )


def only(day: AccountDay) -> SymbolDay:
    """The one symbol."""
    [found] = day.symbols
    return found


def test_a_quiet_holding_earns_its_change() -> None:
    """Held all day, it earns price less close."""
    day = day_of({CALL: 2}, {CALL: "3.50"}, {CALL: "3.00"})
    assert (day.known, day.complete, day.deposits) == (100, True, 0)


def test_what_was_closed_today_counts() -> None:
    """Sold today, it earns its price less the close, and it needs no price now."""
    day = day_of({}, {}, {CALL: "3.00"}, fill(CALL, -2, "3.40"))
    assert (only(day).start, only(day).result) == (2, 80)


def test_what_was_opened_today_counts_from_its_price() -> None:
    """Bought today, it needs no close."""
    day = day_of({CALL: 1}, {CALL: "3.00"}, {}, fill(CALL, 1, "3.20"))
    assert (only(day).start, day.known) == (0, -20)


def test_an_assignment_moves_shares_at_the_strike() -> None:
    """The short put is gone at no price, and the shares cost the strike."""
    day = day_of(
        {"AAPL": 100},
        {"AAPL": "238"},
        {PUT: "3.00", "AAPL": "241"},
        event(EventKind.ASSIGNMENT, PUT, 1),
        event(EventKind.SHARES, "AAPL", 100, 240),
    )
    assert {one.symbol: one.result for one in day.symbols} == {PUT: 300, "AAPL": -200}


def test_an_expiry_loses_the_close() -> None:
    """A long contract that expires worthless loses what it was worth at the close."""
    assert day_of({}, {}, {CALL: "0.40"}, event(EventKind.EXPIRY, CALL, -1)).known == -40


def test_an_unknown_price_leaves_a_part() -> None:
    """The known part is summed, with the number of symbols that it covers; fees are taken off."""
    day = day_of({CALL: 1, PUT: 1}, {CALL: "2", PUT: "2"}, {CALL: "1"}, fees="0.65", deposit="400")
    assert (day.known, day.covered, day.complete) == (Decimal("99.35"), 1, False)
    assert (day.cash, day.deposits) == (Decimal("-0.65"), 400)
    unread = sum_up_day({}, {}, {}, [], None)
    assert (unread.known, unread.complete, unread.deposits) == (0, False, None)


@given(ledgers(), st.data())
@settings(max_examples=100, deadline=None)
def test_the_day_is_what_the_account_gained(before: Ledger, data: st.DataObject) -> None:
    """Over any day of trades, the result is the account's value now less its value at the start."""
    before.cash = Decimal(0)
    closes = {symbol: data.draw(st.integers(1, 900)) for symbol in (*OPTIONS, "AAPL", "BRK.B")}
    start = dict(before.held)
    fills, events = len(before.fills), len(before.events)
    received = dict.fromkeys(closes, Decimal(0))
    for _ in range(data.draw(st.integers(0, 5))):
        moved = {symbol: quantity for symbol, (quantity, _) in before.held.items()}
        counted = (len(before.fills), len(before.events))
        trade(data.draw, before)
        if counted == (len(before.fills), len(before.events)):
            # A deposit of securities is no result of the day, so it is counted as if held at the start.
            for symbol, (quantity, _) in before.held.items():
                received[symbol] += quantity - moved.get(symbol, Decimal(0))
    prices = {symbol: data.draw(st.integers(1, 900)) for symbol in closes}
    size = {symbol: 100 if symbol in OPTIONS else 1 for symbol in closes}
    cash = sum(
        (-one.quantity * (one.price or 0) * size[one.symbol] for one in before.fills[fills:]), Decimal(0)
    ) + sum(
        (-one.quantity * (one.price or 0) * size[one.symbol] for one in before.events[events:]), Decimal(0)
    )
    value_now = sum((q * prices[s] * size[s] for s, (q, _) in before.held.items()), Decimal(0))
    value_then = sum(
        ((start.get(s, (Decimal(0), 0))[0] + received[s]) * closes[s] * size[s] for s in closes),
        Decimal(0),
    )
    day = sum_up_day(
        {symbol: quantity for symbol, (quantity, _) in before.held.items()},
        {symbol: Decimal(price) for symbol, price in prices.items()},
        {symbol: Decimal(price) for symbol, price in closes.items()},
        [*before.fills[fills:], *before.events[events:]],
    )
    assert day.complete
    assert day.known == value_now + cash - value_then
