"""A day's rows, grouped by related orders.

A family is an order with its legs and its replacements. A report about one family never changes another.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from options_helper.analysis.fills.order_facts import Row


class Family(NamedTuple):
    """All reports about one family, each part in its given order."""

    stream_rows: tuple[Row, ...]
    rest_fills: tuple[Row, ...]
    rest_orders: tuple[Row, ...]


def group_by_family(
    stream_rows: Sequence[Row], rest_fills: Sequence[Row], rest_orders: Sequence[Row]
) -> dict[str, Family]:
    """Return every row that names an order, by family; a family has the id of one of its orders."""
    sources, names = (stream_rows, rest_fills, rest_orders), _Names()
    for row in itertools.chain(*sources):
        for relative in _relatives(row):
            names.join(row.get("order_id") or relative, relative)
    gathered: dict[str, tuple[list[Row], list[Row], list[Row]]] = {}
    for number, rows in enumerate(sources):
        for row in rows:
            if order_id := row.get("order_id"):
                gathered.setdefault(names.of(order_id), ([], [], []))[number].append(row)
    return {name: Family(*map(tuple, parts)) for name, parts in gathered.items()}


def _relatives(row: Row) -> Iterator[str]:
    """Return the other orders that a row names."""
    for name in ("replaces", "replaced_by"):
        if row.get(name):
            yield row[name]
    for leg in row.get("legs") or ():
        if leg.get("order_id"):
            yield leg["order_id"]


class _Names:
    """One name for all joined orders; an order by itself is its own."""

    def __init__(self) -> None:
        self._leading_to: dict[str, str] = {}

    def of(self, order_id: str) -> str:
        while (name := self._leading_to.get(order_id)) is not None:
            self._leading_to[order_id] = self._leading_to.get(name, name)  # path halving
            order_id = name
        return order_id

    def join(self, one: str, other: str) -> None:
        name, joined = self.of(one), self.of(other)
        if name != joined:
            self._leading_to[joined] = name
