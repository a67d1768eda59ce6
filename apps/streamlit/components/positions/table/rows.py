"""The table's rows as arrays, for the widget and the CSV files. Pure, without Streamlit.

Times are absolute, so a snapshot without changes gives equal rows. A figure that does not apply to a row is
"", an unknown one is None.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypedDict

from apps.streamlit.components.positions.table.group_rows import GROUP_FIELDS, build_group_rows
from apps.streamlit.components.positions.table.portfolio_rows import PortfolioRows, rows_of
from apps.streamlit.components.positions.table.records import (
    AGES,
    Record,
    TableColumns,
    plain_column,
    price_time,
    shown_column,
    spread_dollars,
)
from apps.streamlit.components.positions.table.risk_records import risk_columns
from apps.streamlit.components.positions.table.row_words import (
    is_far,
    split_warnings,
    warning_words,
)
from options_helper.analysis.holdings.portfolio_arrays import PortfolioArrays, arrays_of
from options_helper.analysis.risk import LiveRisk
from options_helper.analysis.tables.column_type import Table
from options_helper.analysis.tables.columns import shown_columns, sources_of
from options_helper.analysis.text.figures import format_price
from options_helper.models import Portfolio
from options_helper.times import to_microseconds

_MICROSECONDS_PER_HOUR = 3_600_000_000

_HEAD = (
    "id",
    "kind",
    "group",
    "parent",
    "name",
    "sub",
    "warning",
    "note",
    "not_held",
    "named",
    "tags",
    "contract",
    "spread_note",
)
_TAIL = ("state", "said", "time", "iv_note", "moves", "ends")

_TABLES = (Table.POSITIONS, Table.STRUCTURES, Table.LEGS)
_JUDGED = ("state", "mark", "doubts", "warnings", "previous_close_date")  # read by `split_warnings`


class TableRows(TypedDict):
    """The table of one refresh.

    Attributes:
        fields, group_fields: The names of each row's values.
        groups, rows: Arrays in the order of those names; a structure is followed by its legs.
        shown: The rows, with figures as the page shows them.
        ids: Ids of positions and structures, the rows that can be selected.
        warnings: A few words and a sentence for each code in `rows`. Codes in the field `warning` appear
            below the name; those in `said` repeat what the state already expresses.
        stale_after: Seconds after which the browser itself calls a live row stale.
    """

    fields: tuple[str, ...]
    group_fields: tuple[str, ...]
    groups: list[list[object]]
    rows: list[list[object]]
    shown: list[list[object]]
    ids: list[str]
    warnings: dict[str, list[str]]
    stale_after: float


def build_table_rows(  # noqa: PLR0913 - one argument per table
    portfolio: Portfolio,
    positions: TableColumns,
    structures: TableColumns,
    legs: TableColumns,
    underlyings: TableColumns,
    notes: Mapping[str, str] | None = None,
    *,
    risk: LiveRisk | None = None,
    not_held: frozenset[str] = frozenset(),
    as_of: dt.datetime,
    stale_after_seconds: float,
) -> TableRows:
    """Return the table of one refresh.

    Args:
        portfolio: The portfolio, for the rows' order and terms.
        positions: One row per option or stock position. All four tables have all of the portfolio's rows in
            the file's order; an optional column may be missing.
        structures: One row per structure.
        legs: One row per leg of a structure.
        underlyings: One row per underlying.
        notes: Sentences about today's fills or the broker's quantity, by position id.
        risk: Volatilities and Greeks; without it they are unknown.
        not_held: Ids of positions that the broker does not hold.
        as_of: The snapshot's time, at which the ages in the tables were measured.
        stale_after_seconds: The age above which a price is no longer live.
    """
    as_of_us, own = to_microseconds(as_of), rows_of(portfolio)
    figures = {column.field: column for column in shown_columns()}
    fields = (*_HEAD, *figures, *_TAIL)
    tables = _Tables((positions, structures, legs), arrays_of(portfolio), own)
    of_risk = risk_columns(risk, own)
    columns: dict[str, list[Any]] = {
        **own.columns,
        **_text_columns(tables, notes or {}, not_held),
        **_figure_columns(tables),
        **_truth_columns(tables, as_of_us),
        **of_risk.figures,
    }
    shown = {
        name: of_risk.shown[name] if name in of_risk.shown else shown_column(columns[name], column)
        for name, column in figures.items()
    }
    codes = chain.from_iterable(filter(None, (*columns["warning"], *columns["said"])))
    return TableRows(
        fields=fields,
        group_fields=GROUP_FIELDS,
        groups=build_group_rows(own.groups, underlyings, of_risk.sums, as_of_us),
        rows=_in_rows(fields, columns),
        shown=_in_rows(fields, {**columns, **shown}),
        ids=own.ids,
        warnings=warning_words(codes),
        stale_after=stale_after_seconds,
    )


def _in_rows(fields: Iterable[str], columns: Mapping[str, list[Any]]) -> list[list[object]]:
    return [list(row) for row in zip(*(columns[name] for name in fields), strict=True)]


@dataclass(frozen=True, slots=True)
class _Tables:
    """The tables of positions, structures and legs, and the rows that they fill."""

    tables: tuple[TableColumns, TableColumns, TableColumns]
    arrays: PortfolioArrays
    own: PortfolioRows

    def read(self, *names: str | None) -> list[Any]:
        """Return a column of the rows, given its name in each table; "" in a table's rows without one."""
        sizes = len(self.arrays.positions), len(self.arrays.structures), len(self.arrays.legs)
        values: list[object] = []
        for table, name, size in zip(self.tables, names, sizes, strict=True):
            if name is None:
                values += [""] * size
            elif name in table:
                values += plain_column(table, name, only_finite=True)
            else:
                values += [None] * size
        return [values[place] for place in self.own.places]

    def read_all(self, name: str) -> list[Any]:
        """Return a column that has the same name in all tables."""
        return self.read(name, name, name)


def _text_columns(
    tables: _Tables, notes: Mapping[str, str], not_held: frozenset[str]
) -> dict[str, list[object]]:
    own = tables.own.columns
    kinds, owners = own["kind"], [key[0] for key in tables.own.keys]
    found = tables.read(None, "name", None)
    spreads = zip(kinds, tables.read(None, "mark", None), tables.read(None, "natural", None), strict=True)
    return {
        "name": [structure or name for structure, name in zip(found, own["name"], strict=True)],
        "note": [
            None if kind == "leg" else notes.get(owner) for kind, owner in zip(kinds, owners, strict=True)
        ],
        "not_held": [owner in not_held or None for owner in owners],
        "contract": [symbol or None for symbol in tables.read(None, None, "contract_symbol")],
        "spread_note": [_spread_note(*pair) if kind == "structure" else None for kind, *pair in spreads],
    }


def _spread_note(mark: float | None, natural: float | None) -> str | None:
    dollars = spread_dollars({"mark": mark, "natural": natural})
    return None if dollars is None else format_price(dollars)


def _figure_columns(tables: _Tables) -> dict[str, list[object]]:
    sources = [sources_of(table) for table in _TABLES]
    read = {name for each in sources for name in each}
    columns = {name: tables.read(*(each.get(name) for each in sources)) for name in read}
    rows = list(zip(tables.own.rows, columns["dte"], strict=True))
    columns["sub"] = [row.terms and row.terms[is_far(days)] for row, days in rows]
    # Only expired rows have negative days.
    columns["dte"] = [(None if days and days < 0 else days) if row.has_days else "" for row, days in rows]
    return columns


def _truth_columns(tables: _Tables, as_of_us: int) -> dict[str, list[object]]:
    """Return the rows' states, warnings and times."""
    split = _split_warnings(tables)
    ages = zip(*map(tables.read_all, AGES), strict=True)
    return {
        "warning": [spoken or None for spoken, _ in split],
        "said": [said or None for _, said in split],
        "state": [state or "no_data" for state in tables.read_all("state")],
        "time": [price_time(dict(zip(AGES, each, strict=True)), as_of_us) for each in ages],
        "ends": [
            None if hours is None else (as_of_us + round(hours * _MICROSECONDS_PER_HOUR)) // 1000
            for hours in tables.read_all("hours_left")
        ],
    }


def _split_warnings(tables: _Tables) -> list[tuple[list[str], list[str]]]:
    """Return each row's warnings in two parts, with details from the row and its legs."""
    columns = [tables.read_all(name) for name in _JUDGED]
    records: list[Record] = [dict(zip(_JUDGED, row, strict=True)) for row in zip(*columns, strict=True)]
    return [
        split_warnings(record["warnings"], records[number : number + 1 + row.legs])
        if record["warnings"]
        else ([], [])
        for number, (row, record) in enumerate(zip(tables.own.rows, records, strict=True))
    ]
