"""Selects the REST rows to publish: one per symbol after each subscription acknowledgement."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Sequence
from typing import TypeVar

from options_helper.market import Quote, Trade

Row = TypeVar("Row", Quote, Trade)


class FirstRows:
    """The symbols of one data stream that REST has reported; used by one thread, except `begin_again`.

    Anything newer than a symbol's first row must come from the stream, or REST would hide that it fails.
    """

    def __init__(self) -> None:
        self._known: set[tuple[type[Quote | Trade], str]] = set()
        self._is_outdated = threading.Event()
        self._as_of: dt.datetime | None = None

    def begin_again(self) -> None:
        """Publish every symbol again, starting with the next fetch; one in progress began too early."""
        self._is_outdated.set()

    def begin(self, now: dt.datetime) -> dt.datetime:
        """Begin a fetch; return the time up to which it is complete once its rows are published."""
        if self._is_outdated.is_set():
            self._is_outdated.clear()
            self._known.clear()
            self._as_of = None
        self._as_of = self._as_of or now
        return self._as_of

    def select(self, rows: Sequence[Row]) -> list[Row]:
        """Return the rows of symbols not yet published, and mark them as published."""
        first = [row for row in rows if (type(row), row.symbol) not in self._known]
        self._known.update((type(row), row.symbol) for row in first)
        return first
