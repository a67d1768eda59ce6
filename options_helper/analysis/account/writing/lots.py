"""The open lots of an account: the executions that make up its current holdings.

A closing execution reduces the lots of the structure that its multi-leg order closes, else single lots,
oldest first. Alpaca averages the trades within a day and applies FIFO across days, so the broker's average
price replaces the lots' prices if their cost differs.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from options_helper.analysis.account.records import ZERO, AccountHistory, Change, Holding, in_order
from options_helper.market import BrokerEvent, BrokerFill, EventKind
from options_helper.times import new_york_date

_ROUNDED_OFF = Decimal("0.0000005")  # dollars per share: the largest rounding error of the broker's average
_COMPUTED = Decimal("1e-12")  # the largest error of our own division


@dataclass(slots=True, kw_only=True)
class Lot:
    """A part of a holding.

    Attributes:
        quantity: Signed contracts or shares.
        price: Dollars per share.
        opened: The time of the first execution, or the date of the event; None if neither was found.
        group: The id of the multi-leg order that the lot belongs to, or "".
        order_id: The id of the order that opened the lot, or "".
        averaged: True if the price is the broker's average, because the executions cost something else.
        rolled: True if the lot replaced another contract of its group.
        event: The event that opened the lot, if no order did.
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
    """Return the lots of each current holding, oldest first; their quantities sum to the broker's."""
    lots = _OpenLots(history.parents, history.fills)
    for change in in_order(history.fills, history.events):
        lots.apply(change)
    lots.join_rolled()
    return [lot for holding in history.holdings for lot in _fitted(lots.lots[holding.symbol], holding)]


class _OpenLots:
    """The lots keyed by symbol, updated change by change."""

    def __init__(self, parents: Mapping[str, str], fills: Sequence[BrokerFill]) -> None:
        self.lots: defaultdict[str, list[Lot]] = defaultdict(list)
        self._parents = parents
        self._joined: dict[str, str] = {}
        self._symbols_of: defaultdict[str, set[str]] = defaultdict(set)
        for fill in fills:
            if fill.order_id in parents:
                self._symbols_of[parents[fill.order_id]].add(fill.symbol)

    def apply(self, change: Change) -> None:
        """Open or close lots for one execution or event."""
        group = self._parents.get(change.order_id, "") if isinstance(change, BrokerFill) else ""
        left = self._close(change.symbol, change.quantity, group)
        if left and (isinstance(change, BrokerFill) or change.kind is EventKind.SHARES):
            self._open(change, left, group)

    def join_rolled(self) -> None:
        """Move the lots that a rolling order opened into the structure with the legs that it closed."""
        for lots in self.lots.values():
            for lot in lots:
                joined = self._joined.get(lot.group, lot.group)
                if joined and joined != lot.group:
                    lot.group, lot.rolled = joined, True

    def _close(self, symbol: str, change: Decimal, group: str) -> Decimal:
        """Reduce opposite lots, and return the remainder of the change."""
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
        """Return a lot's rank for a closing order: the number of the order's symbols in the lot's structure.

        Without a multi-leg order, single lots rank above those in structures.
        """
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
        same = next((lot for lot in lots if _is_of_one_day(lot, change)), None)
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


def _is_of_one_day(lot: Lot, fill: BrokerFill) -> bool:
    """Return whether an execution belongs to a lot: the same order on the same day, which Alpaca averages."""
    return (
        lot.order_id == fill.order_id
        and isinstance(lot.opened, dt.datetime)
        and new_york_date(lot.opened) == new_york_date(fill.at)
    )


def _fitted(lots: list[Lot], holding: Holding) -> list[Lot]:
    """Return the lots adjusted to the broker's quantity and cost."""
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
    # An average with more decimals has a smaller rounding error.
    rounded_off = max(_COMPUTED, min(_ROUNDED_OFF, Decimal((0, (1,), int(price.as_tuple().exponent)))))
    if abs(cost / holding.quantity - price) > rounded_off:
        for lot in kept:
            lot.price, lot.averaged = price, True
    return kept
