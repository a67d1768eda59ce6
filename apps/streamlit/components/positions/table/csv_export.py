"""The table as CSV: positions (structures among them) and legs, as seen, with states and times."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from apps.streamlit.components.positions.table.rows import TablePayload

_FIGURES = (
    "qty", "dte", "cost", "bid", "ask", "mark", "natural", "pnl_open", "pnl_pct", "pnl_day",
    "risk", "spread", "delta", "theta", "iv",
)  # fmt: skip
_OF_POSITIONS = (
    "id",
    "underlying",
    "position",
    "terms",
    *_FIGURES,
    "state",
    "quote_time",
    "warnings",
    "fills",
)
_LEG_FIGURES = tuple(
    name for name in _FIGURES if name not in {"cost", "pnl_open", "pnl_pct", "pnl_day", "risk"}
)
_OF_LEGS = ("position_id", "underlying", "leg", *_LEG_FIGURES, "state", "quote_time", "warnings")
_FORMULA_SIGNS = frozenset("=+-@\t\r")


def positions_csv(payload: TablePayload, zone: dt.tzinfo) -> str:
    """One line per position or structure; percentages are fractions, times carry the zone's offset."""
    rows = (row for row in _rows(payload) if row["kind"] != "leg")
    return _csv(_OF_POSITIONS, (_shown(row, payload, zone) for row in rows))


def legs_csv(payload: TablePayload, zone: dt.tzinfo) -> str:
    """One line per leg of a structure."""
    rows = (row for row in _rows(payload) if row["kind"] == "leg")
    return _csv(_OF_LEGS, (_shown(row, payload, zone) for row in rows))


def _rows(payload: TablePayload) -> Iterable[dict[str, Any]]:
    return (dict(zip(payload["fields"], values, strict=True)) for values in payload["rows"])


def _shown(row: dict[str, Any], payload: TablePayload, zone: dt.tzinfo) -> dict[str, Any]:
    return {
        **row,
        "id": _safe(row["id"]),
        "position_id": _safe(row["parent"] or ""),
        "underlying": _safe(row["group"]),
        "position": _safe(row["name"]),
        "leg": _safe(row["name"]),
        "terms": row["sub"],
        "quote_time": _moment(row["time"], zone),
        "warnings": ", ".join(payload["warnings"][code][0] for code in row["warning"] or []),
        "fills": _safe(row["note"] or ""),
    }


def _moment(milliseconds: int | None, zone: dt.tzinfo) -> str:
    if milliseconds is None:
        return ""
    return dt.datetime.fromtimestamp(milliseconds / 1000, tz=zone).isoformat(timespec="milliseconds")


def _csv(columns: tuple[str, ...], rows: Iterable[dict[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _safe(text: str) -> str:
    """Text that a spreadsheet takes as text, never as a formula."""
    return f"'{text}" if text[:1] in _FORMULA_SIGNS else text
