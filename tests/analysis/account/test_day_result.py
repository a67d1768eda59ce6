"""The account's result today, including opened, closed, assigned and expired positions."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from options_helper.analysis.account.closed_today import find_closed_today
from options_helper.analysis.account.day_result import AccountDay, SymbolDay, sum_up_day
from options_helper.analysis.account.day_result import day_of as day_of_snapshot
from options_helper.analysis.account.panel_words import day_words
from options_helper.analysis.account.records import in_order, price_of
from options_helper.analysis.text.wording import name_day
from options_helper.market import (
    BrokerEvent,
    BrokerFill,
    BrokerPosition,
    CashChange,
    EventKind,
    LiveSnapshot,
)
from tests.ledger import OPTIONS, Ledger, ledgers, trade

NOW = dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 20)
CALL, PUT = "AAPL261218C00250000", "AAPL261218P00240000"


def fill(symbol: str, quantity: int, price: str) -> BrokerFill:
    """An execution today."""
    return BrokerFill(symbol=symbol, quantity=Decimal(quantity), price=Decimal(price), at=NOW, order_id="o")


def event(kind: EventKind, symbol: str, quantity: int, price: int | None = None) -> BrokerEvent:
    """An event that happened today."""
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
    """A holding without trades earns its price minus its previous close."""
    day = day_of({CALL: 2}, {CALL: "3.50"}, {CALL: "3.00"})
    assert (day.known, day.complete, day.deposits) == (100, True, 0)


def test_holdings_closed_today_count() -> None:
    """A holding sold today earns its sale price minus the close, and needs no current price."""
    day = day_of({}, {}, {CALL: "3.00"}, fill(CALL, -2, "3.40"))
    assert (only(day).start, only(day).result) == (2, 80)


def test_holdings_opened_today_count_from_their_price() -> None:
    """A holding bought today needs no previous close."""
    day = day_of({CALL: 1}, {CALL: "3.00"}, {}, fill(CALL, 1, "3.20"))
    assert (only(day).start, day.known) == (0, -20)


def test_an_assignment_moves_shares_at_the_strike() -> None:
    """The short put is closed at a price of 0, and its shares cost the strike."""
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


def settlement(**figures: Decimal) -> BrokerEvent:
    """A cash settlement of today."""
    return BrokerEvent(
        kind=EventKind.CASH_SETTLEMENT, symbol=PUT, date=TODAY, **{"quantity": Decimal(1), **figures}
    )


def test_a_cash_settlement_counts_its_amount() -> None:
    """A short put that was worth $500 at the close and is settled for $2,000 loses $1,500."""
    day = day_of({}, {}, {PUT: "5"}, settlement(amount=Decimal(-2000)))
    assert (only(day).start, only(day).paid, day.known, day.complete) == (-1, 2000, -1500, True)


@pytest.mark.parametrize(
    "event",
    [settlement(), settlement(amount=Decimal(-2000), quantity=Decimal(0))],
    ids=["amount", "quantity"],
)
def test_a_cash_settlement_that_lacks_a_figure_is_unknown(event: BrokerEvent) -> None:
    """If the settlement lacks a figure, the day is incomplete, and the line names the contract."""
    day = day_of({CALL: 1}, {CALL: "3"}, {PUT: "5", CALL: "2"}, event)
    assert (day.known, day.covered, day.complete) == (100, 1, False)
    assert "1 of 2 contracts and stocks · unknown for AAPL 18 Dec 2026 240 put" in day_words(day)
    alone = day_of({}, {}, {PUT: "5"}, event, fees="1")
    assert alone.known is None
    assert day_words(alone).startswith("P/L today — at the broker's prices · 0 of 1 contract or stock")


def snapshot(**changes: Any) -> LiveSnapshot:
    """One share bought today at 100, now 101, after a previous close of 90."""
    held = {"AAPL": BrokerPosition("AAPL", 1.0, price=101.0, previous_close=90.0)}
    known = LiveSnapshot(
        as_of=NOW,
        broker_positions=held,
        broker_positions_at=NOW,
        broker_history_since=TODAY,
        broker_fills=[fill("AAPL", 1, "100")],
        broker_cash_since=TODAY,
    )
    return replace(known, **changes)


def test_a_fill_after_the_positions_were_read_does_not_count_yet() -> None:
    """A fill after the positions were read does not count, because they do not include it yet."""
    later = replace(fill("AAPL", 5, "100"), at=NOW + dt.timedelta(seconds=1))
    for offset, start in ((None, 0), (0.5, 0), (-1.5, -5)):
        live = snapshot(broker_fills=[fill("AAPL", 1, "100"), later], clock_offset_seconds=offset)
        if offset == 0.5:
            live = replace(live, broker_positions_at=NOW + dt.timedelta(seconds=0.5))
        day = day_of_snapshot(live)
        assert day is not None
        assert only(day).start == start, offset


@pytest.mark.parametrize(
    "changes",
    [{"broker_history_since": None}, {"broker_unread": frozenset({""})}, {"backfill": {"history": "failed"}}],
    ids=repr,
)
def test_a_day_whose_history_is_not_known_in_full_is_withheld(changes: dict[str, Any]) -> None:
    """A missing fill would make the result wrong, not partial, so the line says what is missing."""
    assert day_of_snapshot(snapshot(**changes)) is None
    assert find_closed_today(snapshot(broker_fills=[fill("MSFT", -1, "9")], **changes)) == ()
    assert "—" in day_words(None)


def test_a_weekend_shows_the_day_of_the_last_session() -> None:
    """On Saturday, the result includes Friday's purchases, sales and fees."""
    saturday = NOW + dt.timedelta(days=1)
    live = snapshot(
        as_of=saturday,
        trading_date=TODAY,
        broker_positions_at=saturday,
        broker_fills=[fill("AAPL", 1, "100"), fill("MSFT", -1, "9")],
        broker_cash=[CashChange(amount=Decimal(-2), date=TODAY, is_transfer=False)],
        broker_cash_since=TODAY,
    )
    day = day_of_snapshot(live)
    assert day is not None
    assert (day.symbols[0].start, day.symbols[0].result, day.cash) == (0, 1, -2)
    assert day_words(day).startswith("P/L Friday ")
    assert [one.symbol for one in find_closed_today(live)] == ["MSFT"]


@pytest.mark.parametrize(
    ("days", "name"), [(0, "today"), (1, "Friday"), (3, "Friday"), (6, "Friday"), (7, "20 Nov 2026")]
)
def test_a_day_is_named(days: int, name: str) -> None:
    """A session is named by its weekday for a week; after that, or if the clock is behind, by its date."""
    assert name_day(TODAY, TODAY + dt.timedelta(days=days)) == name
    assert name_day(TODAY, TODAY - dt.timedelta(days=1)) == "20 Nov 2026"


def test_crypto_is_one_holding_in_both_spellings() -> None:
    """Crypto is one holding, although orders spell it BTC/USD and positions BTCUSD."""
    held = {"BTCUSD": BrokerPosition("BTCUSD", 0.5, price=90_000.0, previous_close=80_000.0)}
    day = day_of_snapshot(snapshot(broker_positions=held, broker_fills=[fill("BTC/USD", 0.5, "85000")]))
    assert day is not None
    assert (only(day).symbol, only(day).start, only(day).result) == ("BTCUSD", 0, 2500)


@pytest.mark.parametrize("kind", [EventKind.ASSIGNMENT, EventKind.EXERCISE])
@pytest.mark.parametrize(("amount", "price"), [(Decimal(-2000), 20), (Decimal(0), None), (None, None)])
def test_an_index_option_is_not_assigned_for_nothing(
    kind: EventKind, amount: Decimal | None, price: int | None
) -> None:
    """The price follows from the cash amount; without an amount, the price is unknown."""
    event = BrokerEvent(
        kind=kind, symbol="SPXW261120C06000000", quantity=Decimal(1), date=TODAY, amount=amount
    )
    assert price_of(event) == price
    assert price_of(replace(event, symbol=PUT)) == 0


def test_only_a_certain_pair_of_assignment_and_cash_is_joined() -> None:
    """One assignment and one cash row with the same contract, date and group are joined; others are not."""
    symbol = "SPXW261120C06000000"
    moved = replace(event(EventKind.ASSIGNMENT, symbol, 1), amount=Decimal(0), group_id="g")
    cash = replace(event(EventKind.CASH_SETTLEMENT, symbol, 0), amount=Decimal(-2000), group_id="g")
    [joined] = in_order([], [moved, cash])
    assert (joined.quantity, price_of(joined)) == (1, 20)
    for rows in (
        [moved, cash, cash],
        [moved, moved, cash],
        [moved, replace(cash, group_id="h")],
        [moved, replace(cash, group_id=None)],
        [moved, replace(cash, date=TODAY - dt.timedelta(days=1))],
        [moved, replace(cash, quantity=Decimal(1))],
        [moved, replace(cash, amount=None)],
        [replace(moved, amount=Decimal(-2000)), cash],
    ):
        assert sorted(in_order([], rows), key=repr) == sorted(rows, key=repr)


def test_positions_read_on_an_earlier_day_have_no_result_for_today() -> None:
    """Friday's positions give Monday no result, because their prices and closes are Friday's."""
    monday = NOW + dt.timedelta(days=3)
    live = snapshot(as_of=monday, trading_date=monday.date(), broker_fills=[fill("MSFT", -1, "9")])
    assert day_of_snapshot(live) is None
    assert find_closed_today(live) == ()


def test_fees_that_cannot_be_read_are_unknown() -> None:
    """Unreadable fees make today's cash unknown, unless they are dated the day before."""
    for since, complete in ((None, False), (TODAY + dt.timedelta(days=1), False), (TODAY, True)):
        day = day_of_snapshot(snapshot(broker_cash_since=since))
        assert day is not None
        assert (day.known, day.complete) == (1, complete)


def test_an_unknown_price_makes_the_result_partial() -> None:
    """The known part is summed, minus fees, with the number of symbols that it covers."""
    day = day_of({CALL: 1, PUT: 1}, {CALL: "2", PUT: "2"}, {CALL: "1"}, fees="0.65", deposit="400")
    assert (day.known, day.covered, day.complete) == (Decimal("99.35"), 1, False)
    assert (day.cash, day.deposits) == (Decimal("-0.65"), 400)
    unread = sum_up_day({}, {}, {}, [], None)
    assert (unread.known, unread.complete, unread.deposits) == (0, False, None)


@given(ledgers(), st.data())
@settings(max_examples=100, deadline=None)
def test_the_day_is_what_the_account_gained(before: Ledger, data: st.DataObject) -> None:
    """For any day of trades, the result is the account's value now minus its value at the start."""
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
            # A deposit of securities is not a result of the day, so it is counted as if held at the start.
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
