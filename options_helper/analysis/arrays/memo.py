"""A memo for values computed from parts of a snapshot that rarely change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class IdentityMemo:
    """The last value computed from a source, kept as long as the same source is passed.

    Use it for parts of a snapshot that nobody changes. Thread-safe: an entry is written whole, and at worst
    computed twice.
    """

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        self._entries: dict[str, tuple[object, float, Any]] = {}

    def get(self, key: str, source: object, compute: Callable[[], T], *, extent: float = 0) -> T:
        """Return the value kept under `key` for this same `source` and an equal `extent`, or compute it."""
        entry = self._entries.get(key)
        if entry is not None and entry[0] is source and entry[1] == extent:
            value: T = entry[2]
            return value
        fresh = compute()
        self._entries[key] = (source, extent, fresh)
        return fresh
