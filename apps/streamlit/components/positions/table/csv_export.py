"""The table as CSV files: positions (including structures) and legs, with their states and times."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from apps.streamlit.components.positions.table.records import Record, csv_figure, spread_dollars
from apps.streamlit.components.positions.table.row_words import MORE
from apps.streamlit.components.positions.table.rows import TableRows
from options_helper.analysis.osi import is_contract_symbol, parse_contract_symbol
from options_helper.analysis.tables.column_type import Column, Table
from options_helper.analysis.tables.columns import shown_columns, sources_of
from options_helper.analysis.text.csv_cells import plain_number, safe_text, write_csv

_MARK = next(column for column in shown_columns() if column.field == "mark")


def positions_csv(payload: TableRows, zone: dt.tzinfo) -> str:
    """Return CSV with one line per position or structure; percentages are fractions, times have an offset."""
    figures = _figures(Table.POSITIONS, Table.STRUCTURES, Table.RISK_LEGS, Table.RISK_POSITIONS)
    figures.insert(figures.index("spread") + 1, "spread_dollars")
    columns = ("id", "underlying", "position", "terms", *figures, "state", "quote_time", "warnings", "fills")
    return write_csv(columns, (_shown(row, payload, zone) for row in _rows(payload) if row["kind"] != "leg"))


def legs_csv(payload: TableRows, zone: dt.tzinfo) -> str:
    """Return CSV with one line per leg of a structure."""
    figures = _figures(Table.LEGS, Table.RISK_LEGS)
    columns = (
        "position_id",
        "underlying",
        "leg",
        "contract_symbol",
        "expiry",
        *figures,
        "state",
        "quote_time",
        "warnings",
    )
    return write_csv(columns, (_shown(row, payload, zone) for row in _rows(payload) if row["kind"] == "leg"))


def _figures(*tables: Table) -> list[str]:
    sourced = {field for table in tables for field in sources_of(table)}
    return [column.field for column in shown_columns() if column.field in sourced]


def _rows(payload: TableRows) -> Iterable[Record]:
    return (dict(zip(payload["fields"], values, strict=True)) for values in payload["rows"])


def _shown(row: Record, payload: TableRows, zone: dt.tzinfo) -> Record:
    return {
        **row,
        **{column.field: _figure(row[column.field], column) for column in shown_columns()},
        "spread_dollars": _figure(spread_dollars(row), _MARK) if row["kind"] == "structure" else None,
        "id": safe_text(row["id"]),
        "position_id": safe_text(row["parent"] or ""),
        "underlying": safe_text(row["group"]),
        "position": safe_text(row["name"]),
        "leg": safe_text(row["name"]),
        "contract_symbol": row["contract"],
        "expiry": _expiry(row["contract"]),
        "terms": row["sub"],
        "quote_time": _time_text(row["time"], zone),
        "warnings": ", ".join(payload["warnings"][code][0] for code in row["warning"] or []),
        "fills": safe_text((row["note"] or "").removesuffix(MORE)),
    }


def _expiry(contract: str | None) -> dt.date | None:
    return parse_contract_symbol(contract).expiry if contract and is_contract_symbol(contract) else None


def _figure(value: float | str | None, column: Column) -> float | str | None:
    """Return a figure without an exponent, so that any spreadsheet reads it: `0.000008765`."""
    if value is None or isinstance(value, str):
        return value
    figure = csv_figure(value, column)
    return figure if figure is None or "e" not in repr(figure) else plain_number(figure)


def _time_text(milliseconds: int | None, zone: dt.tzinfo) -> str:
    if milliseconds is None:
        return ""
    return dt.datetime.fromtimestamp(milliseconds / 1000, tz=zone).isoformat(timespec="milliseconds")
