"""Dictionaries that hold only what was stored last."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeVar

_KEPT = 16  # portfolios and settings in use at the same time

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


def keep_newest(kept: dict[Key, Value], key: Key, value: Value) -> None:
    """Store a value as the newest, and drop the oldest if there are more than 16."""
    kept.pop(key, None)
    while len(kept) >= _KEPT:
        del kept[next(iter(kept))]
    kept[key] = value
