"""The table as CSV: positions (structures among them) and legs, as seen, with states and times."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable
from typing import TYPE_CHECKING

from apps.streamlit.components.positions.table.records import Record
from options_helper.analysis.tables.schema import Table, shown_columns, sources_of

if TYPE_CHECKING:
    from apps.streamlit.components.positions.table.rows import TablePayload

_FORMULA_SIGNS = frozenset("=+-@\t\r")


def positions_csv(payload: TablePayload, zone: dt.tzinfo) -> str:
    """Return one line per position or structure; percentages are fractions, times carry the zone's offset."""
    figures = _figures(Table.POSITIONS, Table.STRUCTURES)
    columns = ("id", "underlying", "position", "terms", *figures, "state", "quote_time", "warnings", "fills")
    return _csv(columns, (_shown(row, payload, zone) for row in _rows(payload) if row["kind"] != "leg"))


def legs_csv(payload: TablePayload, zone: dt.tzinfo) -> str:
    """Return one line per leg of a structure."""
    figures = _figures(Table.LEGS)
    columns = ("position_id", "underlying", "leg", *figures, "state", "quote_time", "warnings")
    return _csv(columns, (_shown(row, payload, zone) for row in _rows(payload) if row["kind"] == "leg"))


def _figures(*tables: Table) -> list[str]:
    sourced = {field for table in tables for field in sources_of(table)}
    return [column.field for column in shown_columns() if column.field in sourced]


def _rows(payload: TablePayload) -> Iterable[Record]:
    return (dict(zip(payload["fields"], values, strict=True)) for values in payload["rows"])


def _shown(row: Record, payload: TablePayload, zone: dt.tzinfo) -> Record:
    return {
        **{name: _plain(value) for name, value in row.items()},
        "id": _safe(row["id"]),
        "position_id": _safe(row["parent"] or ""),
        "underlying": _safe(row["group"]),
        "position": _safe(row["name"]),
        "leg": _safe(row["name"]),
        "terms": row["sub"],
        "quote_time": _time_text(row["time"], zone),
        "warnings": ", ".join(payload["warnings"][code][0] for code in row["warning"] or []),
        "fills": _safe(row["note"] or ""),
    }


def _plain(value: object) -> object:
    """A float without an exponent, as a spreadsheet of any kind reads it: `0.000008765`."""
    if not isinstance(value, float) or "e" not in repr(value):
        return value
    return f"{value:.12f}".rstrip("0").rstrip(".")


def _time_text(milliseconds: int | None, zone: dt.tzinfo) -> str:
    if milliseconds is None:
        return ""
    return dt.datetime.fromtimestamp(milliseconds / 1000, tz=zone).isoformat(timespec="milliseconds")


def _csv(columns: tuple[str, ...], rows: Iterable[Record]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _safe(text: str) -> str:
    """Text that a spreadsheet takes as text, never as a formula."""
    return f"'{text}" if text[:1] in _FORMULA_SIGNS else text
