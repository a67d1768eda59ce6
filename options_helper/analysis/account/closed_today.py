"""The contracts and shares closed today, with their P/L at average cost and since the previous close."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from options_helper.analysis.account.records import ZERO, Change, changes_of, price_of, size_of, when_of
from options_helper.analysis.valuation.previous_closes import choose_close
from options_helper.market import LiveSnapshot
from options_helper.times import new_york_date


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedToday:
    """The contracts or shares of one symbol closed today by orders or events.

    Attributes:
        quantity: The closed quantity, signed as it was held; None if a settlement does not report it.
        realized: P/L in dollars at average cost; None if a cost or price is unknown.
        of_today: P/L in dollars since the previous close or today's opening; None if a price is unknown.
    """

    symbol: str
    quantity: Decimal | None
    realized: Decimal | None
    of_today: Decimal | None


class _Holding(NamedTuple):
    """A holding, its average price, and the quantity and P/L of its closed parts.

    `realized` is quantity times price difference, before the multiplier. `average` and `realized` are None if
    unknown.
    """

    quantity: Decimal
    average: Decimal | None
    closed: Decimal = ZERO
    realized: Decimal | None = ZERO


def find_closed_today(live: LiveSnapshot) -> tuple[ClosedToday, ...]:
    """Return what the account closed today, by symbol; empty while its positions or history are unknown."""
    history = changes_of(live)
    today = live.trading_date or new_york_date(live.as_of)
    if live.broker_positions_at is None or history is None or new_york_date(live.broker_positions_at) < today:
        return ()
    changes: defaultdict[str, list[Change]] = defaultdict(list)
    for change in history:
        changes[change.symbol].append(change)
    found = [_closed(symbol, own, today, live) for symbol, own in sorted(changes.items())]
    return tuple(one for one in found if one.quantity != 0)


def _closed(symbol: str, changes: list[Change], today: dt.date, live: LiveSnapshot) -> ClosedToday:
    # A settlement without a quantity hides what was held before it.
    hiding = [number for number, change in enumerate(changes) if not change.quantity]
    if hiding and when_of(changes[hiding[-1]])[0] >= today:
        return ClosedToday(symbol=symbol, quantity=None, realized=None, of_today=None)
    changes = changes[hiding[-1] + 1 :] if hiding else changes
    position = live.broker_positions.get(symbol)
    now = ZERO if position is None else Decimal(repr(position.quantity))
    first = now - sum((change.quantity for change in changes), ZERO)
    of_today = [change for change in changes if when_of(change)[0] >= today]
    earlier = _after(_Holding(first, None), [change for change in changes if when_of(change)[0] < today])
    average = earlier.average
    if average is None and position is not None and position.entry_price and _only_close(now, of_today):
        average = Decimal(repr(position.entry_price))  # a partial close does not change the average
    close = choose_close(symbol, live).price
    day = _after(_Holding(earlier.quantity, None if close is None else Decimal(repr(close))), of_today)
    cost = _after(_Holding(earlier.quantity, average), of_today)
    size = size_of(symbol)
    return ClosedToday(
        symbol=symbol,
        quantity=cost.closed,
        realized=None if cost.realized is None else cost.realized * size,
        of_today=None if day.realized is None else day.realized * size,
    )


def _only_close(now: Decimal, changes: Iterable[Change]) -> bool:
    """Return whether every change only reduced the holding."""
    return all(change.quantity * now < 0 for change in changes)


def _after(holding: _Holding, changes: Iterable[Change]) -> _Holding:
    """Return the holding after applying the changes in order."""
    quantity, average, closed, realized = holding
    for change in changes:
        price, left = price_of(change), change.quantity
        if quantity * left < 0:
            part = max(-left, quantity) if quantity < 0 else min(-left, quantity)
            gain = None if average is None or price is None else part * (price - average)
            realized = None if realized is None or gain is None else realized + gain
            closed += part
            quantity -= part
            left += part
        if left:
            average = _averaged(quantity, average, left, price)
            quantity += left
    return _Holding(quantity, average, closed, realized)


def _averaged(
    quantity: Decimal, average: Decimal | None, added: Decimal, price: Decimal | None
) -> Decimal | None:
    if not quantity:
        return price
    return (
        None
        if average is None or price is None
        else (quantity * average + added * price) / (quantity + added)
    )
