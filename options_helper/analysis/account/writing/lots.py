"""The open lots of an account: the executions that its current holdings consist of.

A closing execution takes from the lots of the structure that its own multi-leg order closes, else from single
lots, and from the oldest first. Alpaca averages the trades of one day and goes by FIFO over the days, so the
broker's own average decides the price if the lots come to a different cost.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from options_helper.analysis.account.records import ZERO, AccountHistory, Change, Holding, in_order
from options_helper.market import BrokerEvent, BrokerFill, EventKind

_ROUNDED_OFF = Decimal("0.0000005")  # dollars a share: what the broker may have rounded off its average
_COMPUTED = Decimal("1e-12")  # what our own division may have


@dataclass(slots=True, kw_only=True)
class Lot:
    """A part of a holding.

    Attributes:
        quantity: Signed.
        price: Dollars per share.
        opened: The time of its first execution, or the date of an event; None if it was not found.
        group: The multi-leg order that it belongs to, "" for none.
        order_id: "" for what no order opened.
        averaged: The price is the broker's average, because the executions do not come to its cost.
        rolled: It replaced another contract of its group.
        event: Why there is a lot without an order.
    """

    symbol: str
    quantity: Decimal
    price: Decimal
    opened: dt.datetime | dt.date | None = None
    group: str = ""
    order_id: str = ""
    averaged: bool = False
    rolled: bool = False
    event: EventKind | None = None


def find_lots(history: AccountHistory) -> list[Lot]:
    """Return the lots of the current holdings, oldest first; their quantities sum to the broker's."""
    book = _LotBook(history.parents, history.fills)
    for change in in_order(history.fills, history.events):
        book.apply(change)
    book.join_rolled()
    return [lot for holding in history.holdings for lot in _fitted(book.lots[holding.symbol], holding)]


class _LotBook:
    """The lots by symbol while the account's past is read."""

    def __init__(self, parents: Mapping[str, str], fills: Sequence[BrokerFill]) -> None:
        self.lots: defaultdict[str, list[Lot]] = defaultdict(list)
        self._parents = parents
        self._joined: dict[str, str] = {}
        self._symbols_of: defaultdict[str, set[str]] = defaultdict(set)
        for fill in fills:
            if fill.order_id in parents:
                self._symbols_of[parents[fill.order_id]].add(fill.symbol)

    def apply(self, change: Change) -> None:
        """Open and close lots by one execution or event."""
        group = self._parents.get(change.order_id, "") if isinstance(change, BrokerFill) else ""
        left = self._close(change.symbol, change.quantity, group)
        if left and (isinstance(change, BrokerFill) or change.kind is EventKind.SHARES):
            self._open(change, left, group)

    def join_rolled(self) -> None:
        """Move what a multi-leg order opened into the structure whose legs it closed."""
        for lots in self.lots.values():
            for lot in lots:
                joined = self._joined.get(lot.group, lot.group)
                if joined and joined != lot.group:
                    lot.group, lot.rolled = joined, True

    def _close(self, symbol: str, change: Decimal, group: str) -> Decimal:
        """Take from opposite lots, and return the remainder of the change."""
        lots = self.lots[symbol]
        while change and any(lot.quantity * change < 0 for lot in lots):
            opposite = [lot for lot in lots if lot.quantity * change < 0]
            lot = max(opposite, key=lambda lot: self._fit(lot, group))
            taken = min(abs(change), abs(lot.quantity))
            lot.quantity += taken if change > 0 else -taken
            change += -taken if change > 0 else taken
            if group and lot.group:
                self._joined.setdefault(group, self._group_of(lot))
            if not lot.quantity:
                lots.remove(lot)
        return change

    def _fit(self, lot: Lot, group: str) -> int:
        """Return how many contracts of a closing order the lot's structure holds; singles go first."""
        if not group:
            return 0 if lot.group else 1
        mine = self._group_of(lot)
        return sum(
            any(self._group_of(other) == mine for other in self.lots[symbol])
            for symbol in self._symbols_of[group]
            if mine
        )

    def _group_of(self, lot: Lot) -> str:
        return self._joined.get(lot.group, lot.group)

    def _open(self, change: Change, quantity: Decimal, group: str) -> None:
        lots = self.lots[change.symbol]
        if isinstance(change, BrokerEvent):
            lots.append(
                Lot(
                    symbol=change.symbol,
                    quantity=quantity,
                    price=change.price or ZERO,
                    opened=change.date,
                    event=change.kind,
                )
            )
            return
        same = next((lot for lot in lots if lot.order_id == change.order_id), None)
        if same is None:
            lots.append(
                Lot(
                    symbol=change.symbol,
                    quantity=quantity,
                    price=change.price,
                    opened=change.at,
                    group=group,
                    order_id=change.order_id,
                )
            )
            return
        paid = same.quantity * same.price + quantity * change.price
        same.quantity += quantity
        same.price = paid / same.quantity


def _fitted(lots: list[Lot], holding: Holding) -> list[Lot]:
    """Return lots that sum to the broker's quantity and cost, whatever the executions say."""
    kept = [lot for lot in lots if lot.quantity * holding.quantity > 0]
    total = sum((lot.quantity for lot in kept), ZERO)
    excess = abs(total) - abs(holding.quantity)
    while excess > 0:
        oldest = kept[0]
        taken = min(excess, abs(oldest.quantity))
        oldest.quantity -= taken if oldest.quantity > 0 else -taken
        excess -= taken
        if not oldest.quantity:
            kept.pop(0)
    price = holding.entry_price
    if excess < 0:
        missing = holding.quantity - total
        kept.insert(0, Lot(symbol=holding.symbol, quantity=missing, price=price, averaged=True))
    cost = sum((lot.quantity * lot.price for lot in kept), ZERO)
    # An average with more decimals is rounded off by less.
    rounded_off = max(_COMPUTED, min(_ROUNDED_OFF, Decimal((0, (1,), int(price.as_tuple().exponent)))))
    if abs(cost / holding.quantity - price) > rounded_off:
        for lot in kept:
            lot.price, lot.averaged = price, True
    return kept
