"""A memo for values computed from parts of a snapshot that rarely change."""

from __future__ import annotations

from collections.abc import Callable
from operator import is_
from typing import Any, TypeVar

T = TypeVar("T")


class IdentityMemo:
    """The last value computed from some sources, kept while the same objects are passed.

    Use it for parts of a snapshot that nobody changes. Thread-safe: an entry is written whole, and at worst
    computed twice.
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
        """Return the value kept under `key` if its sources and `extent` are the same, else compute it."""
        entry, sources = self._entries.get(key), (source, *also)
        if entry is not None and entry[1] == extent and all(map(is_, entry[0], sources)):
            value: T = entry[2]
            return value
        fresh = compute()
        self._entries[key] = (sources, extent, fresh)
        return fresh
