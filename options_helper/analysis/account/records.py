"""The broker's account as records: its holdings, and the history that led to them.

Quantities are signed, negative for short; money and quantities are exact decimals.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from options_helper.analysis.osi import is_contract_symbol
from options_helper.analysis.streams.clock import clock_error
from options_helper.market import BrokerEvent, BrokerFill, EventKind, LiveSnapshot
from options_helper.times import new_york_date

Change = BrokerFill | BrokerEvent
ZERO = Decimal(0)
CONTRACT_SIZE = Decimal(100)
_MOVES_CASH = frozenset({EventKind.CASH_SETTLEMENT, EventKind.CORPORATE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One row of the broker's positions.

    Attributes:
        entry_price: The broker's average, dollars per share.
    """

    symbol: str
    quantity: Decimal
    entry_price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountHistory:
    """An account's holdings and the history that led to them.

    Attributes:
        unread: True if a position could not be read, so that more may be held.
        cash: Dollars, None if unknown.
        parents: The multi-leg order of each leg's order.
        underlyings: The underlying in Alpaca's spelling by contract root, where it is known.
    """

    holdings: Sequence[Holding] = ()
    fills: Sequence[BrokerFill] = ()
    events: Sequence[BrokerEvent] = ()
    unread: bool = False
    cash: Decimal | None = None
    parents: Mapping[str, str] = field(default_factory=dict)
    underlyings: Mapping[str, str] = field(default_factory=dict)


def when_of(change: Change) -> tuple[dt.date, bool, dt.datetime]:
    """Return the sort key of changes: an event, booked at the end of its day, follows the executions."""
    if isinstance(change, BrokerFill):
        return new_york_date(change.at), False, change.at
    return change.date, True, dt.datetime.max.replace(tzinfo=dt.UTC)


def in_order(fills: Iterable[BrokerFill], events: Iterable[BrokerEvent]) -> list[Change]:
    """Return executions and events in the order in which they count."""
    changes: list[Change] = [*fills, *events]
    return sorted(changes, key=when_of)


def changes_of(live: LiveSnapshot) -> list[Change] | None:
    """Return the changes that led to the broker's positions, in order; None unless all are known.

    The positions and the last days' activities must be complete.
    """
    at = live.broker_positions_at
    if at is None or live.broker_history_since is None or live.broker_unread or live.backfill.get("history"):
        return None
    # Positions and activities are two answers; a later fill is not in the positions yet. A small difference
    # of the clocks, which no other time is corrected for, would count here.
    offset = live.clock_offset_seconds
    until = at + clock_error(offset) - dt.timedelta(seconds=offset or 0.0)
    return in_order((fill for fill in live.broker_fills if fill.at <= until), live.broker_events)


def price_of(change: Change) -> Decimal | None:
    """Return the dollars per share at which a change moved its quantity, None if they are unknown."""
    if isinstance(change, BrokerEvent) and change.kind in _MOVES_CASH:
        if change.amount is None or not change.quantity:
            return None
        return -change.amount / (change.quantity * size_of(change.symbol))
    return change.price or ZERO


def size_of(symbol: str) -> Decimal:
    """Return the dollars per point of a symbol's price: 100 for a contract, 1 for a share."""
    return CONTRACT_SIZE if is_contract_symbol(symbol) else Decimal(1)
