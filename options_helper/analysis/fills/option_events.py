"""Assignments, exercises and expiries: facts about a position that are not fills.

They never come on the stream, only as activities, in the evening or on the next day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from options_helper.analysis.text.fills import option_event_words
from options_helper.order_rows import OptionEventRow
from options_helper.times import start_of_day


class OptionEventType(StrEnum):
    """The kinds of option activities; a share trade stands alone only if its event is not known."""

    ASSIGNMENT = "assignment"
    EXERCISE = "exercise"
    EXPIRY = "expiry"
    CORPORATE_ACTION = "corporate_action"
    CASH_SETTLEMENT = "cash_settlement"
    SHARE_TRADE = "share_trade"


_SHARE_TRADE = "optrd"
_TYPES = {
    "opasn": OptionEventType.ASSIGNMENT,
    "opexc": OptionEventType.EXERCISE,
    "opexp": OptionEventType.EXPIRY,
    "opca": OptionEventType.CORPORATE_ACTION,
    "opcsh": OptionEventType.CASH_SETTLEMENT,
    _SHARE_TRADE: OptionEventType.SHARE_TRADE,
}


class ShareTrade(NamedTuple):
    """The shares that an assignment or exercise delivered; the quantity is signed."""

    symbol: str
    quantity: float
    price: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionEvent:
    """One option activity.

    Attributes:
        symbol: The contract; of a share trade by itself, the stock.
        quantity: Contracts, never negative; None if Alpaca reports none.
        date: Alpaca's date of it, in New York.
        booked_at: When Alpaca booked it, None if only the date is known.
        shares: What it delivered.
        amount: The cash that it moved, None for nothing.
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
        """Return when Alpaca booked it, or New York's midnight if only the date is known."""
        return self.booked_at or start_of_day(self.date)

    @property
    def words(self) -> str:
        """Return what happened: `Assigned: … AAPL 255 put → +200 AAPL at 255.00`."""
        return option_event_words(
            self.type, self.symbol, self.quantity, self.shares, amount=self.amount, subtype=self.subtype
        )


def build_option_events(rows: Iterable[OptionEventRow]) -> tuple[OptionEvent, ...]:
    """Return the events, newest first.

    Args:
        rows: As `normalize_option_event` makes them; share trades are paired with their event by `group_id`.
    """
    activities, trades = [], dict[str, list[OptionEventRow]]()
    for row in rows:
        if row["type"] == _SHARE_TRADE and row["group_id"]:
            trades.setdefault(row["group_id"], []).append(row)
        elif row["type"] in _TYPES:
            activities.append(row)
    events = [_event(row, trades.pop(row["group_id"] or "", ())) for row in activities]
    events += [_event(row, ()) for group in trades.values() for row in group]
    return tuple(sorted(events, key=lambda event: (event.at, event.symbol), reverse=True))


def _event(row: OptionEventRow, trades: Iterable[OptionEventRow]) -> OptionEvent:
    quantity, own = row["qty"], [row] if row["type"] == _SHARE_TRADE else ()
    return OptionEvent(
        type=_TYPES[row["type"]],
        symbol=row["symbol"],
        quantity=None if quantity is None else abs(quantity),
        date=row["date"],
        booked_at=row["timestamp"],
        shares=tuple(ShareTrade(one["symbol"], one["qty"] or 0.0, one["price"]) for one in (*own, *trades)),
        amount=row.get("amount") or None,
        subtype=row.get("subtype") or "",
        activity_id=row["activity_id"],
    )
