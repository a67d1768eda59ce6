"""A memo for values computed from rarely changing parts of a snapshot."""

from __future__ import annotations

from collections.abc import Callable
from operator import is_
from typing import Any, TypeVar

T = TypeVar("T")


class IdentityMemo:
    """Keeps the last value per key while the same source objects are passed.

    The sources must be immutable. Thread-safe: entries are replaced whole; at worst, one is computed twice.
    """

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        self._entries: dict[str, tuple[tuple[object, ...], float, Any]] = {}

    def get(
        self,
        key: str,
        source: object,
        compute: Callable[[], T],
        *,
        also: tuple[object, ...] = (),
        extent: float = 0,
    ) -> T:
        """Return the value kept under `key`, or compute it if a source object or `extent` has changed."""
        entry, sources = self._entries.get(key), (source, *also)
        if entry is not None and entry[1] == extent and all(map(is_, entry[0], sources)):
            value: T = entry[2]
            return value
        fresh = compute()
        self._entries[key] = (sources, extent, fresh)
        return fresh
