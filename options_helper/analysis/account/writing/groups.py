"""Groups of lots that belong together, by the multi-leg order or the minute that opened them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from math import gcd

from options_helper.analysis.account.records import CONTRACT_SIZE, ZERO, size_of
from options_helper.analysis.account.writing.lots import Lot
from options_helper.analysis.osi import is_contract_symbol, underlying_of
from options_helper.times import new_york_date

TOGETHER = dt.timedelta(minutes=1)


class Evidence(Enum):
    """The reason why lots form a group."""

    ORDER = "a multi-leg order"
    MINUTE = "opened within one minute"
    ALONE = "alone"


@dataclass(frozen=True, slots=True)
class Part:
    """All lots of one symbol in a group, with a signed quantity and a price in dollars per share."""

    symbol: str
    quantity: Decimal
    price: Decimal

    @property
    def cost(self) -> Decimal:
        """Dollars paid; negative if received."""
        return self.quantity * self.price * size_of(self.symbol)


@dataclass(frozen=True, slots=True)
class Group:
    """The lots of one position; a group with several parts is a structure."""

    lots: tuple[Lot, ...]
    evidence: Evidence

    @property
    def parts(self) -> list[Part]:
        """The lots summed per symbol, options first, sorted by symbol."""
        by_symbol: defaultdict[str, list[Lot]] = defaultdict(list)
        for lot in self.lots:
            by_symbol[lot.symbol].append(lot)
        names = sorted(by_symbol, key=lambda name: (not is_contract_symbol(name), name))
        return [_part(name, by_symbol[name]) for name in names]

    @property
    def opened(self) -> dt.datetime | dt.date | None:
        """The time or date the first lot was opened; None if any lot's is unknown."""
        times = [lot.opened for lot in self.lots]
        return None if None in times else min((at for at in times if at is not None), key=sort_key)


def sort_key(opened: dt.datetime | dt.date) -> tuple[dt.date, dt.datetime]:
    """Return a sort key for times and dates; a date sorts after all times on that date."""
    if isinstance(opened, dt.datetime):
        return new_york_date(opened), opened
    return opened, dt.datetime.max.replace(tzinfo=dt.UTC)


def group_lots(lots: Sequence[Lot]) -> list[Group]:
    """Group lots into positions; equal structures are merged, and so are single lots of one symbol."""
    by_order: defaultdict[str, list[Lot]] = defaultdict(list)
    alone: list[Lot] = []
    for lot in lots:
        (by_order[lot.group] if lot.group else alone).append(lot)
    structures = []
    for members in by_order.values():
        if len({lot.symbol for lot in members}) > 1:
            structures.append(Group(tuple(members), Evidence.ORDER))
        else:
            alone += members
    found, alone = _by_minute(alone)
    singles: defaultdict[str, list[Lot]] = defaultdict(list)
    for lot in alone:
        singles[lot.symbol].append(lot)
    return [
        *_merged([*structures, *found]),
        *(Group(tuple(members), Evidence.ALONE) for members in singles.values()),
    ]


def _part(symbol: str, lots: Sequence[Lot]) -> Part:
    quantity = sum((lot.quantity for lot in lots), ZERO)
    return Part(symbol, quantity, sum((lot.quantity * lot.price for lot in lots), ZERO) / quantity)


def _by_minute(lots: Iterable[Lot]) -> tuple[list[Group], list[Lot]]:
    """Return the groups of lots in one underlying opened within a minute, and the remaining lots."""
    timed: defaultdict[str, list[tuple[dt.datetime, Lot]]] = defaultdict(list)
    left = []
    for lot in lots:
        if isinstance(lot.opened, dt.datetime):
            timed[underlying_of(lot.symbol)].append((lot.opened, lot))
        else:
            left.append(lot)
    groups = []
    for entries in timed.values():
        for cluster in _clusters(sorted(entries, key=lambda entry: entry[0])):
            options = [lot for lot in cluster if is_contract_symbol(lot.symbol)]
            members = options + [lot for lot in cluster if _covers(lot, options)]
            if len({lot.symbol for lot in members}) > 1:
                groups.append(Group(tuple(members), Evidence.MINUTE))
                left += [lot for lot in cluster if not any(lot is member for member in members)]
            else:
                left += cluster
    return groups, left


def _clusters(entries: Sequence[tuple[dt.datetime, Lot]]) -> Iterator[list[Lot]]:
    cluster: list[Lot] = []
    began: dt.datetime | None = None
    for at, lot in entries:
        if began is None or at - began > TOGETHER:
            if cluster:
                yield cluster
            cluster, began = [], at
        cluster.append(lot)
    if cluster:
        yield cluster


def _covers(lot: Lot, options: Sequence[Lot]) -> bool:
    """Return whether a lot is shares, exactly as many as one of the options delivers."""
    delivered = {abs(option.quantity) * CONTRACT_SIZE for option in options}
    return not is_contract_symbol(lot.symbol) and abs(lot.quantity) in delivered


def _merged(groups: Iterable[Group]) -> list[Group]:
    """Merge groups with the same contracts, sides and ratio."""
    alike: dict[tuple[Evidence, frozenset[tuple[str, Decimal]]], Group] = {}
    for group in groups:
        shape = (group.evidence, shape_of(group.parts))
        before = alike.get(shape)
        alike[shape] = Group((*before.lots, *group.lots) if before else group.lots, group.evidence)
    return list(alike.values())


def shape_of(parts: Sequence[Part]) -> frozenset[tuple[str, Decimal]]:
    """Return the contracts, sides and ratio of the parts, regardless of size."""
    whole = [int(part.quantity) for part in parts if part.quantity == int(part.quantity)]
    unit = Decimal(gcd(*whole)) if len(whole) == len(parts) else Decimal(1)
    if len(parts) == 1:
        unit = abs(parts[0].quantity)  # shares may be fractions
    return frozenset((part.symbol, part.quantity / unit) for part in parts)
