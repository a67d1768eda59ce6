"""Finds the orders that open legs belong to, if Alpaca lists the legs without their parent.

With `nested=true`, open orders omit a bracket with a filled entry: the entry is closed, and its legs are
listed only without nesting, in rows that do not name their parent. Legs are submitted with their parent,
so the first search looks among the symbol's orders of that second; later the parent is fetched by its id.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence

from options_helper.data.rest.http import Json


class OpenOrderGroups:
    """A finder of the orders that open legs belong to; it remembers them between calls.

    Args:
        list_flat: Returns the open orders without nesting.
        fetch: Returns an order by its id, with legs nested.
        list_near: Returns a symbol's orders submitted around a time, with legs nested.
    """

    def __init__(
        self,
        *,
        list_flat: Callable[[], Sequence[object]],
        fetch: Callable[[str], Json],
        list_near: Callable[[str, dt.datetime], Sequence[object]],
    ) -> None:
        self._list_flat, self._fetch, self._list_near = list_flat, fetch, list_near
        self._parents: dict[str, str] = {}

    def find(self, listed: Iterable[object]) -> list[Json]:
        """Return the orders that have open legs but are not among the listed ones.

        Each order is returned once, with all its legs; a leg without a known parent is returned by itself.
        """
        known = set(_ids_of(listed))
        found: list[Json] = []
        for row in self._list_flat():
            name = row.get("id") if isinstance(row, dict) else None
            if not isinstance(row, dict) or not isinstance(name, str) or name in known:
                continue
            group = self._group_of(name, row)
            known.update(_ids_of([group]))
            found.append(group)
        return found

    def _group_of(self, name: str, leg: Json) -> Json:
        parent = self._parents.get(name)
        if parent is not None:
            return self._fetch(parent)
        at, symbol = submitted_at(leg), leg.get("symbol")
        if at is None or not isinstance(symbol, str) or not symbol:
            return leg
        for order in self._list_near(symbol, at):
            ids = list(_ids_of([order]))
            if isinstance(order, dict) and name in ids[1:]:
                self._parents.update(dict.fromkeys(ids[1:], ids[0]))
                return order
        return leg


def submitted_at(row: Json) -> dt.datetime | None:
    """Return an order's submission time, else its creation time; None if neither can be read."""
    text = row.get("submitted_at") or row.get("created_at")
    try:
        at = dt.datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return at if at is not None and at.tzinfo is not None else None


def _ids_of(orders: Iterable[object]) -> Iterator[str]:
    """Yield the ids of orders, each followed by those of its legs."""
    for order in orders:
        rows = [order, *(order.get("legs") or ())] if isinstance(order, dict) else []
        yield from (row["id"] for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str))
