"""Which rows of REST's snapshots are told on: each symbol's first since its stream was acknowledged."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Sequence
from typing import TypeVar

from options_helper.market import Quote, Trade

Row = TypeVar("Row", Quote, Trade)


class FirstRows:
    """What REST told of one data stream's symbols; used by one thread, but for `tell_again`.

    What is newer than a symbol's first row must come by the stream, or REST would hide the stream's end.
    """

    def __init__(self) -> None:
        self._told: set[tuple[type[Quote | Trade], str]] = set()
        self._is_outdated = threading.Event()
        self._as_of: dt.datetime | None = None

    def tell_again(self) -> None:
        """Let the next look tell every symbol; one that is under way began too early to count."""
        self._is_outdated.set()

    def begin(self, now: dt.datetime) -> dt.datetime:
        """A look begins; the time as of which everything is told once its rows are."""
        if self._is_outdated.is_set():
            self._is_outdated.clear()
            self._told.clear()
            self._as_of = None
        self._as_of = self._as_of or now
        return self._as_of

    def select(self, rows: Sequence[Row]) -> list[Row]:
        """The rows of symbols not told of yet, which they are from now on."""
        first = [row for row in rows if (type(row), row.symbol) not in self._told]
        self._told.update((type(row), row.symbol) for row in first)
        return first
