"""The broker's account as records: holdings, executions and what else changed a holding.

Quantities are signed, negative for short; money and quantities are exact decimals.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from options_helper.analysis.osi import is_contract_symbol

ZERO = Decimal(0)
CONTRACT_SIZE = Decimal(100)


class EventKind(StrEnum):
    """A change of a holding that no order made; the values are Alpaca's activity types in lower case."""

    ASSIGNMENT = "opasn"
    EXERCISE = "opexc"
    EXPIRY = "opexp"
    SHARES = "optrd"
    CORPORATE = "opca"
    CASH_SETTLEMENT = "opcsh"
    SPLIT = "split"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One row of the broker's positions.

    Attributes:
        entry_price: The broker's average, dollars per share.
        price: The broker's present price; `previous_close` the last session's.
        market_value: Dollars, signed.
    """

    symbol: str
    quantity: Decimal
    entry_price: Decimal
    price: Decimal | None = None
    previous_close: Decimal | None = None
    market_value: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution of an order, or of one leg of a multi-leg order; `order_id` is the leg's own."""

    symbol: str
    quantity: Decimal
    price: Decimal
    at: dt.datetime
    order_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change of a holding without an order; the shares of an assignment share its `group_id`.

    Attributes:
        price: Dollars per share, for shares only.
    """

    kind: EventKind
    symbol: str
    quantity: Decimal
    date: dt.date
    price: Decimal | None = None
    group_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountHistory:
    """The holdings of an account and everything that made them.

    Attributes:
        cash: Dollars, None if unknown.
        parents: The multi-leg order of each leg's order.
        underlyings: The underlying in Alpaca's spelling by contract root, where it is known.
    """

    holdings: Sequence[Holding] = ()
    fills: Sequence[Fill] = ()
    events: Sequence[Event] = ()
    cash: Decimal | None = None
    parents: Mapping[str, str] = field(default_factory=dict)
    underlyings: Mapping[str, str] = field(default_factory=dict)


def size_of(symbol: str) -> Decimal:
    """Return the dollars per point of a symbol's price: 100 for a contract, 1 for a share."""
    return CONTRACT_SIZE if is_contract_symbol(symbol) else Decimal(1)
