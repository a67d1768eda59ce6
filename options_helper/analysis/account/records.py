"""Records of the broker's account: its holdings and the history that led to them.

Quantities are signed, negative for short. Money and quantities are exact decimals.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from options_helper.analysis.contracts.products import INDEX_ROOTS
from options_helper.analysis.osi import contract_root, is_contract_symbol
from options_helper.analysis.streams.clock import clock_error
from options_helper.market import BrokerEvent, BrokerFill, EventKind, LiveSnapshot
from options_helper.times import new_york_date

Change = BrokerFill | BrokerEvent
ZERO = Decimal(0)
CONTRACT_SIZE = Decimal(100)
_DELIVERS_SHARES = frozenset({EventKind.ASSIGNMENT, EventKind.EXERCISE})
_ENDS_CONTRACTS = _DELIVERS_SHARES | {EventKind.EXPIRY}
_MOVES_CASH = frozenset({EventKind.CASH_SETTLEMENT, EventKind.CORPORATE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One row of the broker's positions.

    Attributes:
        quantity: Signed contracts or shares.
        entry_price: The broker's average price in dollars per share.
    """

    symbol: str
    quantity: Decimal
    entry_price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountHistory:
    """An account's holdings and the history that led to them.

    Attributes:
        unread: True if a position could not be read; the account may then hold more.
        cash: Dollars; None if unknown.
        parents: The id of the multi-leg order, keyed by the order id of its leg.
        underlyings: Known underlyings in Alpaca's spelling, keyed by contract root.
    """

    holdings: Sequence[Holding] = ()
    fills: Sequence[BrokerFill] = ()
    events: Sequence[BrokerEvent] = ()
    unread: bool = False
    cash: Decimal | None = None
    parents: Mapping[str, str] = field(default_factory=dict)
    underlyings: Mapping[str, str] = field(default_factory=dict)


def when_of(change: Change) -> tuple[dt.date, bool, dt.datetime]:
    """Return a change's sort key; events follow the day's executions, because they are booked at its end."""
    if isinstance(change, BrokerFill):
        return new_york_date(change.at), False, change.at
    return change.date, True, dt.datetime.max.replace(tzinfo=dt.UTC)


def in_order(fills: Iterable[BrokerFill], events: Iterable[BrokerEvent]) -> list[Change]:
    """Return executions and events, oldest first, with each event's separate cash row joined to it."""
    changes: list[Change] = [*fills, *_with_their_cash(events)]
    return sorted(changes, key=when_of)


def _with_their_cash(events: Iterable[BrokerEvent]) -> list[BrokerEvent]:
    """Return events, with a contract's event joined to the cash settlement reported in a separate row.

    Rows are joined only if the pair is certain: one of each kind per contract, date and group, one with only
    a quantity and the other with only an amount.
    """
    together: defaultdict[tuple[str, dt.date, str | None], list[BrokerEvent]] = defaultdict(list)
    for event in events:
        together[event.symbol, event.date, event.group_id].append(event)
    return [one for rows in together.values() for one in _joined(rows)]


def _joined(rows: list[BrokerEvent]) -> list[BrokerEvent]:
    cash = [one for one in rows if one.kind is EventKind.CASH_SETTLEMENT]
    moved = [one for one in rows if one.kind in _ENDS_CONTRACTS]
    if len(cash) != 1 or len(moved) != 1 or cash[0].quantity or not cash[0].amount or moved[0].amount:
        return rows
    left = [one for one in rows if one not in (*cash, *moved)]
    return [replace(cash[0], quantity=moved[0].quantity), *left]


def changes_of(live: LiveSnapshot) -> list[Change] | None:
    """Return the changes that led to the broker's positions, oldest first.

    Return None unless the positions and the activities of the last days are complete.
    """
    at = live.broker_positions_at
    if at is None or live.broker_history_since is None or live.broker_unread or live.backfill.get("history"):
        return None
    return in_order(held_fills(live), live.broker_events)


def held_fills(live: LiveSnapshot) -> list[BrokerFill]:
    """Return the executions included in the broker's positions, with symbols spelled as in the positions."""
    # Positions and activities come from two requests; a later fill is not in the positions yet. Even a clock
    # error too small to correct elsewhere matters here.
    at, offset = live.broker_positions_at, live.clock_offset_seconds
    if at is None:
        return []
    until = at + clock_error(offset) - dt.timedelta(seconds=offset or 0.0)
    return [_spelt_as_held(fill) for fill in live.broker_fills if fill.at <= until]


def _spelt_as_held(fill: BrokerFill) -> BrokerFill:
    """Return the execution with its symbol as positions spell it: `BTCUSD` for `BTC/USD`."""
    return replace(fill, symbol=fill.symbol.replace("/", "")) if "/" in fill.symbol else fill


def price_of(change: Change) -> Decimal | None:
    """Return the price of a change in dollars per share, or None if unknown."""
    if isinstance(change, BrokerFill):
        return change.price
    amount = change.amount
    if change.kind in _DELIVERS_SHARES and contract_root(change.symbol) in INDEX_ROOTS:
        amount = amount or None  # settled in cash; an amount of zero is a missing one
    elif change.kind not in _MOVES_CASH:
        return change.price or ZERO
    if amount is None or not change.quantity:
        return None
    return -amount / (change.quantity * size_of(change.symbol))


def size_of(symbol: str) -> Decimal:
    """Return the dollars per point of a symbol's price: 100 for a contract, 1 for a stock."""
    return CONTRACT_SIZE if is_contract_symbol(symbol) else Decimal(1)
