"""The broker's account as records: its holdings, and the history that made them.

Quantities are signed, negative for short; money and quantities are exact decimals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from options_helper.analysis.osi import is_contract_symbol
from options_helper.market import BrokerEvent, BrokerFill

ZERO = Decimal(0)
CONTRACT_SIZE = Decimal(100)


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
class AccountHistory:
    """An account's holdings and everything that led to them.

    Attributes:
        cash: Dollars, None if unknown.
        parents: The multi-leg order of each leg's order.
        underlyings: The underlying in Alpaca's spelling by contract root, where it is known.
    """

    holdings: Sequence[Holding] = ()
    fills: Sequence[BrokerFill] = ()
    events: Sequence[BrokerEvent] = ()
    cash: Decimal | None = None
    parents: Mapping[str, str] = field(default_factory=dict)
    underlyings: Mapping[str, str] = field(default_factory=dict)


def size_of(symbol: str) -> Decimal:
    """Return the dollars per point of a symbol's price: 100 for a contract, 1 for a share."""
    return CONTRACT_SIZE if is_contract_symbol(symbol) else Decimal(1)
