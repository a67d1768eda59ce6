"""Unreadable REST rows: counted, dated, and logged with their ids masked."""

from __future__ import annotations

import datetime as dt
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from options_helper.data.masking import masked_text
from options_helper.market import UnreadableRows

logger = logging.getLogger(__name__)

_MOST_LOGGED = 50  # the other rows are only counted


@dataclass(frozen=True, slots=True)
class UnreadableRow:
    """A row that could not be read, with its kind and date if known, and when it was first seen."""

    seen_at: dt.datetime
    kind: str = ""
    date: dt.date | None = None


class UnreadableLog:
    """The unreadable rows, remembered from one fetch to the next.

    A row counts until a complete fetch no longer returns it.
    """

    def __init__(self) -> None:
        self._known: dict[str, UnreadableRow] = {}
        self._seen: dict[str, UnreadableRow] = {}
        self._alike: Counter[str] = Counter()
        self._logged = 0

    def begin_look(self) -> None:
        """Begin a fetch; the rows of a failed one are kept."""
        self._known.update(self._seen)
        self._seen, self._alike = {}, Counter()

    def add(
        self, route: str, row: object, now: dt.datetime, *, kind: str = "", date: dt.date | None = None
    ) -> None:
        """Count one row, and log its text if it is new."""
        text = masked_text(row)
        name = row.get("id") if isinstance(row, Mapping) else None
        self._alike[route + text] += not name  # rows without an id are distinguished by number
        key = f"id {name}" if name else f"{route} {self._alike[route + text]} {text}"
        known = self._known.get(key) or self._seen.get(key)
        if known is None and self._logged < _MOST_LOGGED:
            self._logged += 1
            logger.warning("A row of %s could not be read: %s", route, text)
        self._seen[key] = UnreadableRow(known.seen_at if known else now, kind, date)

    def end_look(self) -> None:
        """End a complete fetch; only the rows it returned still count."""
        self._known, self._seen = self._seen, {}

    @property
    def rows(self) -> list[UnreadableRow]:
        """The rows that count."""
        return list({**self._seen, **self._known}.values())


def count_rows(rows: Iterable[UnreadableRow]) -> UnreadableRows:
    """Return the number of rows, and when the first was seen."""
    times = [row.seen_at for row in rows]
    return UnreadableRows(len(times), min(times, default=None))
