"""Contracts closed today: the gain by average cost, and since the previous close."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from options_helper.analysis.account.closed_today import ClosedToday, find_closed_today
from options_helper.analysis.account.panel_words import closed_lines
from options_helper.market import (
    BrokerEvent,
    BrokerFill,
    BrokerPosition,
    EventKind,
    LiveSnapshot,
    PreviousClose,
)

NOW = dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC)
TODAY, BEFORE = dt.date(2026, 11, 20), dt.date(2026, 11, 19)
CALL, PUT = "AAPL261218C00250000", "AAPL261218P00240000"


def fill(quantity: str, price: str, *, days_ago: int = 0, symbol: str = CALL) -> BrokerFill:
    """Return an execution from a few days ago."""
    at = NOW - dt.timedelta(days=days_ago)
    return BrokerFill(symbol=symbol, quantity=Decimal(quantity), price=Decimal(price), at=at, order_id="o")


def closed(
    *changes: BrokerFill, held: BrokerPosition | None = None, close: float | None = 2.0
) -> ClosedToday:
    """The one symbol that was closed."""
    [found] = find_closed_today(
        LiveSnapshot(
            as_of=NOW,
            trading_date=TODAY,
            previous_trading_date=BEFORE,
            previous_closes={} if close is None else {CALL: PreviousClose(close, BEFORE)},
            broker_positions={} if held is None else {held.symbol: held},
            broker_positions_at=NOW,
            broker_history_since=BEFORE,
            broker_fills=changes,
        )
    )
    return found


def test_a_closed_contract_realizes_its_price_less_its_average() -> None:
    """Bought 1 at 1.00 and 1 at 2.00, sold 2 at 3.00: +$300 by cost, +$200 since the close of 2.00."""
    found = closed(fill("1", "1", days_ago=9), fill("1", "2", days_ago=2), fill("-2", "3"))
    assert (found.quantity, found.realized, found.of_today) == (2, 300, 200)
    assert closed_lines([found]) == [("AAPL 18 Dec 2026 250 call", "+2", "+$300.00", "+$200.00")]


def test_a_short_that_was_opened_and_closed_today_needs_no_close() -> None:
    """Three sold at 2.50, two bought back at 2.00: +$100, both by cost and since the previous close."""
    held = BrokerPosition(CALL, -1.0, 2.1, -210.0, 2.5)
    found = closed(fill("-3", "2.5"), fill("2", "2"), held=held, close=None)
    assert (found.quantity, found.realized, found.of_today) == (-2, 100, 100)


def test_a_cost_from_before_the_history_is_not_invented() -> None:
    """The broker knows the cost of what is still held; the cost of what was closed is unknown."""
    held = BrokerPosition(CALL, 1.0, 3.0, 300.0, 1.5)
    found = closed(fill("-1", "3"), held=held)
    assert (found.quantity, found.realized, found.of_today) == (1, 150, 100)
    gone = closed(fill("-1", "3"), close=None)
    assert (gone.quantity, gone.realized, gone.of_today) == (1, None, None)
    assert closed_lines([gone])[0][2:] == ("—", "—")


def test_an_assignment_realizes_the_premium() -> None:
    """The short put is closed at a price of 0, so it earns its premium; its shares are not closed."""
    events = [
        BrokerEvent(kind=EventKind.ASSIGNMENT, symbol=PUT, quantity=Decimal(1), date=TODAY),
        BrokerEvent(
            kind=EventKind.SHARES, symbol="AAPL", quantity=Decimal(100), date=TODAY, price=Decimal(240)
        ),
    ]
    live = LiveSnapshot(
        as_of=NOW,
        broker_positions={"AAPL": BrokerPosition("AAPL", 100.0, 238.0, 23800.0, 240.0)},
        broker_positions_at=NOW,
        broker_history_since=BEFORE,
        broker_fills=[fill("-1", "3.1", days_ago=4, symbol=PUT)],
        broker_events=events,
    )
    [found] = find_closed_today(live)
    assert (found.symbol, found.quantity, found.realized) == (PUT, -1, 310)
    assert find_closed_today(LiveSnapshot()) == ()


def test_a_cash_settlement_realizes_its_amount() -> None:
    """A short sold at 31 and settled for $2,000 earned $1,100; without an amount, the result is unknown."""

    def settled(**figures: Decimal) -> tuple[ClosedToday, ...]:
        event = {"quantity": Decimal(1), **figures}
        return find_closed_today(
            LiveSnapshot(
                as_of=NOW,
                broker_positions_at=NOW,
                broker_history_since=BEFORE,
                broker_fills=[fill("-1", "31", days_ago=4, symbol=PUT)],
                broker_events=[BrokerEvent(kind=EventKind.CASH_SETTLEMENT, symbol=PUT, date=TODAY, **event)],
            )
        )

    [found] = settled(amount=Decimal(-2000))
    assert (found.quantity, found.realized, found.of_today) == (-1, 1100, None)
    assert settled()[0].realized is None
    unknown = settled(amount=Decimal(-2000), quantity=Decimal(0))
    assert closed_lines(unknown) == [("AAPL 18 Dec 2026 240 put", "—", "—", "—")]


def test_holdings_before_a_settlement_without_a_quantity_are_unknown() -> None:
    """A sale on that day still has its quantity and its result since the close, but no cost."""
    event = BrokerEvent(kind=EventKind.CORPORATE, symbol=CALL, quantity=Decimal(0), date=BEFORE)
    live = LiveSnapshot(
        as_of=NOW,
        trading_date=TODAY,
        previous_trading_date=BEFORE,
        previous_closes={CALL: PreviousClose(2.0, BEFORE)},
        broker_positions_at=NOW,
        broker_history_since=BEFORE,
        broker_fills=[fill("5", "1", days_ago=9), fill("-1", "3")],
        broker_events=[event],
    )
    [found] = find_closed_today(live)
    assert (found.quantity, found.realized, found.of_today) == (1, None, 100)
