"""The broker's account as records: its holdings, and the history that made them.

Quantities are signed, negative for short; money and quantities are exact decimals.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from options_helper.analysis.osi import is_contract_symbol
from options_helper.market import BrokerEvent, BrokerFill
from options_helper.times import new_york_date

Change = BrokerFill | BrokerEvent
ZERO = Decimal(0)
CONTRACT_SIZE = Decimal(100)


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
    """An account's holdings and everything that led to them.

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


def size_of(symbol: str) -> Decimal:
    """Return the dollars per point of a symbol's price: 100 for a contract, 1 for a share."""
    return CONTRACT_SIZE if is_contract_symbol(symbol) else Decimal(1)
