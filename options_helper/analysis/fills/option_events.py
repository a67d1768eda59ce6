"""Assignments, exercises, expiries and other option events that are not fills.

Alpaca reports them only as account activities, in the evening or on the next day, never on the stream.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from options_helper.analysis.text.order_words import option_event_words
from options_helper.market import BrokerEvent, EventKind
from options_helper.times import start_of_day


class OptionEventType(StrEnum):
    """The kinds of option events; `SHARE_TRADE` is a delivery of shares by an unknown event."""

    ASSIGNMENT = "assignment"
    EXERCISE = "exercise"
    EXPIRY = "expiry"
    CORPORATE_ACTION = "corporate_action"
    CASH_SETTLEMENT = "cash_settlement"
    SHARE_TRADE = "share_trade"


_TYPES = {
    EventKind.ASSIGNMENT: OptionEventType.ASSIGNMENT,
    EventKind.EXERCISE: OptionEventType.EXERCISE,
    EventKind.EXPIRY: OptionEventType.EXPIRY,
    EventKind.CORPORATE: OptionEventType.CORPORATE_ACTION,
    EventKind.CASH_SETTLEMENT: OptionEventType.CASH_SETTLEMENT,
    EventKind.SHARES: OptionEventType.SHARE_TRADE,
}


class ShareTrade(NamedTuple):
    """Shares delivered by an assignment or exercise, with a signed quantity and a price per share."""

    symbol: str
    quantity: float
    price: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionEvent:
    """One option activity.

    Attributes:
        symbol: The contract; the stock for a share trade.
        quantity: Contracts, never negative; None if Alpaca reports none.
        date: Alpaca's New York date.
        booked_at: The time Alpaca booked the event; None if only the date is known.
        shares: The delivered shares.
        amount: The cash moved in dollars; None if there is none.
        subtype: Alpaca's word for the kind of corporate action, or "".
    """

    type: OptionEventType
    symbol: str
    quantity: float | None
    date: dt.date
    booked_at: dt.datetime | None = None
    shares: tuple[ShareTrade, ...] = ()
    amount: float | None = None
    subtype: str = ""
    activity_id: str | None = None

    @property
    def at(self) -> dt.datetime:
        """The time Alpaca booked the event, or midnight in New York if only the date is known."""
        return self.booked_at or start_of_day(self.date)

    @property
    def words(self) -> str:
        """The event in words, such as `Assigned: … AAPL 255 put → +200 AAPL at 255.00`."""
        return option_event_words(
            self.type, self.symbol, self.quantity, self.shares, amount=self.amount, subtype=self.subtype
        )


def build_option_events(broker_events: Iterable[BrokerEvent]) -> tuple[OptionEvent, ...]:
    """Return the option events, newest first, with share trades joined to the event of their `group_id`."""
    activities, trades = [], dict[str, list[BrokerEvent]]()
    for one in broker_events:
        if one.kind is EventKind.SHARES and one.group_id:
            trades.setdefault(one.group_id, []).append(one)
        else:
            activities.append(one)
    events = [_event(one, trades.pop(one.group_id or "", ())) for one in activities]
    events += [_event(one, ()) for group in trades.values() for one in group]
    return tuple(sorted(events, key=lambda event: (event.at, event.symbol), reverse=True))


def _event(event: BrokerEvent, trades: Iterable[BrokerEvent]) -> OptionEvent:
    own = [event] if event.kind is EventKind.SHARES else ()
    return OptionEvent(
        type=_TYPES[event.kind],
        symbol=event.symbol,
        quantity=float(abs(event.quantity)) or None,
        date=event.date,
        booked_at=event.booked_at,
        shares=tuple(
            ShareTrade(one.symbol, float(one.quantity), float(one.price or 0)) for one in (*own, *trades)
        ),
        amount=float(event.amount or 0) or None,
        subtype=event.subtype or "",
        activity_id=event.activity_id or None,
    )
