"""The rows that one browser has, so that a refresh sends only what has changed.

Each update that changes a row gets a new version. A message has the fields and rows that changed since the
last one, and the words of new warnings. A browser without rows gets all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import msgspec

from apps.streamlit.components.positions.table.layout import build_layout
from apps.streamlit.components.positions.table.rows import TableRows

Values = Sequence[object]


class Changes(TypedDict):
    """Values of some fields of some rows; the first value of each row is its number."""

    fields: list[str]
    rows: list[list[object]]


class RowChanges:
    """Rows of values, and the version in which each row and each field last changed."""

    def __init__(self, fields: Sequence[str], rows: Sequence[Values], version: int) -> None:
        self._fields = fields
        self._rows = rows
        self._row_versions = [version] * len(rows)
        self._field_versions = [version] * len(fields)

    def update(self, rows: Sequence[Values], version: int) -> bool:
        """Replace the values of the same rows, and return whether any of them changed."""
        pairs = zip(self._rows, rows, strict=True)
        changed = [number for number, (old, new) in enumerate(pairs) if old != new]
        for number in changed:
            self._row_versions[number] = version
        before, after = (
            zip(*(each[number] for number in changed), strict=True) for each in (self._rows, rows)
        )
        for place, (old, new) in enumerate(zip(before, after, strict=True)):
            if old != new:
                self._field_versions[place] = version
        self._rows = rows
        return bool(changed)

    def since(self, version: int) -> Changes:
        """Return the fields and the rows that changed after this version; each row begins with its number."""
        places = [place for place, changed in enumerate(self._field_versions) if changed > version]
        return Changes(
            fields=[self._fields[place] for place in places],
            rows=[
                [number, *[row[place] for place in places]]
                for number, row in enumerate(self._rows)
                if self._row_versions[number] > version
            ],
        )


class SentTable:
    """The table as last sent to one browser session, which are the `newest` rows."""

    def __init__(self) -> None:
        self.newest: TableRows | None = None
        self.version = 0
        self._first_version = 0  # of the current layout and list of rows; changes before it do not count
        self._shape: tuple[object, ...] = ()
        self._content: tuple[object, ...] = ()
        self._message = b""

    def message(self, table: TableRows, known: int | None, *, now_ms: int, **more: object) -> bytes:
        """Return the widget's data as JSON.

        Equal content gives equal bytes, with the time of the first such message, so Streamlit sends less.

        Args:
            table: The newest rows.
            known: The version of the rows in the browser, if it has any.
            now_ms: The current time in milliseconds, from which the browser counts ages.
            more: Small values to send in every message.
        """
        self._take(table)
        since = known if known is not None and self._first_version <= known <= self.version else None
        content = (self.version, since, more)
        if content != self._content:
            self._content = content
            self._message = self._encode(table, since, {**more, "sent_at": now_ms})
        return self._message

    def _take(self, table: TableRows) -> None:
        self.newest = table
        rows = table["shown"]
        ids = [row[0] for row in rows], [group[0] for group in table["groups"]]
        shape = (table["fields"], table["group_fields"], table["stale_after"], *ids)
        version = self.version + 1
        if shape != self._shape:
            self._shape = shape
            self._rows = RowChanges(table["fields"], rows, version)
            self._groups = RowChanges(table["group_fields"], table["groups"], version)
            self._codes = dict.fromkeys(table["warnings"], version)
            self.version = self._first_version = version
            return
        # A code that returns counts as new: a browser reloaded in the meantime does not have its words.
        self._codes = {code: self._codes.get(code, version) for code in table["warnings"]}
        changed = (self._rows.update(rows, version), self._groups.update(table["groups"], version))
        if any(changed):
            self.version = version

    def _encode(self, table: TableRows, since: int | None, more: dict[str, object]) -> bytes:
        after = -1 if since is None else since
        message = {
            "version": self.version,
            "since": since,
            "layout": build_layout(table["stale_after"]) if since is None else None,
            "groups": self._groups.since(after),
            "rows": self._rows.since(after),
            "warnings": {
                code: words for code, words in table["warnings"].items() if self._codes[code] > after
            },
            **more,
        }
        return msgspec.json.encode(message)
