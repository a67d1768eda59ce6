"""Unreadable REST rows: counted, dated, and logged with their ids masked."""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from options_helper.data.settings import mask
from options_helper.market import UnreadableRows

logger = logging.getLogger(__name__)

_LONGEST_TEXT = 2000
_MOST_LOGGED = 50  # the other rows are only counted
_NAMES_AN_ID = re.compile(r"(^|_)(id|ids|account|account_number|replaces|replaced_by)$")
_LOOKS_LIKE_AN_ID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|\b[AP]K[A-Z0-9]{16,}\b|[A-Za-z0-9+/]{30,}")


@dataclass(frozen=True, slots=True)
class UnreadableRow:
    """A row that could not be read, what is known of it, and when it was first seen."""

    seen_at: dt.datetime
    kind: str = ""
    date: dt.date | None = None


class UnreadableLog:
    """The unreadable rows, remembered from one look at REST to the next.

    A row counts until a complete look no longer contains it.
    """

    def __init__(self) -> None:
        self._known: dict[str, UnreadableRow] = {}
        self._seen: dict[str, UnreadableRow] = {}
        self._alike: Counter[str] = Counter()
        self._logged = 0

    def begin_look(self) -> None:
        """Begin a look at REST; the rows of a failed look are kept."""
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
        """End a complete look; only the rows it saw still count."""
        self._known, self._seen = self._seen, {}

    @property
    def rows(self) -> list[UnreadableRow]:
        """The rows."""
        return list({**self._seen, **self._known}.values())


def count_rows(rows: Iterable[UnreadableRow]) -> UnreadableRows:
    """Return the number of rows, and when the first was seen."""
    times = [row.seen_at for row in rows]
    return UnreadableRows(len(times), min(times, default=None))


def masked_text(row: object) -> str:
    """Return a row as one line of ASCII JSON, shortened, with its ids masked."""
    try:
        text = json.dumps(_masked(row), default=repr)
    except (ValueError, RecursionError):
        text = f"a {type(row).__name__} that is not JSON"
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"


def _masked(value: object) -> object:
    if isinstance(value, Mapping):
        return {
            str(name): mask(str(held)) if held and _NAMES_AN_ID.search(str(name)) else _masked(held)
            for name, held in value.items()
        }
    if isinstance(value, list | tuple):
        return [_masked(one) for one in value]
    return _LOOKS_LIKE_AN_ID.sub(lambda found: mask(found[0]), value) if isinstance(value, str) else value
