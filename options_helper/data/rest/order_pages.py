"""Reads all pages of the orders route; each page starts after a submission time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence

from options_helper.data.rest.http import Json
from options_helper.data.rest.open_order_groups import submitted_at

_MOST_PAGES = 10_000
_LARGEST_ORDER = 5  # a multi-leg order with four legs, the most allowed
_OVERLAP = dt.timedelta(milliseconds=1)


def read_pages(
    fetch: Callable[[dt.datetime | None], Sequence[object]], after: dt.datetime | None, *, size: int
) -> tuple[list[object], bool]:
    """Return the rows of all pages, and whether they are complete.

    Each order appears once; rows without an id come last.

    Args:
        fetch: Returns a page of the orders submitted after a time, oldest first.
        after: The submission time after which to begin, or None for the first order.
        size: The largest number of orders per page.
    """
    found: dict[str, Json] = {}
    unreadable: list[object] = []
    for _ in range(_MOST_PAGES):
        page = fetch(after)
        rows = [row for row in page if isinstance(row, dict) and isinstance(row.get("id"), str)]
        readable = set(map(id, rows))  # comparing the rows would take hours for an answer of 16 MB
        unreadable += [row for row in page if id(row) not in readable]
        fresh = [row for row in rows if row["id"] not in found]
        found.update((row["id"], row) for row in rows)
        # It is not documented whether the limit counts legs. A page with room for one more order and all its
        # legs, counted either way, is the last one.
        counted = len(page) + sum(len(row.get("legs") or ()) for row in rows)
        if counted <= size - _LARGEST_ORDER:
            return [*found.values(), *unreadable], True
        last = _submitted(rows)
        if not fresh or last is None:
            break
        after = last - _OVERLAP  # `after` is exclusive, and orders may have the same time
    return [*found.values(), *unreadable], False


def _submitted(rows: Iterable[Json]) -> dt.datetime | None:
    """Return the latest submission time on a page."""
    times = (submitted_at(row) for row in rows)
    return max((at for at in times if at is not None), default=None)
