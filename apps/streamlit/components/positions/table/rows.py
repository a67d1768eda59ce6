"""The table's rows as arrays, for the widget and the CSV files. Pure, without Streamlit.

Times are absolute, so a snapshot without changes gives equal rows. A figure that does not apply to a row is
"", an unknown one is None.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypedDict

from apps.streamlit.components.positions.table.group_rows import GROUP_FIELDS, build_group_rows
from apps.streamlit.components.positions.table.records import (
    Record,
    TableColumns,
    plain_records,
    price_time,
    shown_column,
    spread_dollars,
)
from apps.streamlit.components.positions.table.risk_records import RiskRecords
from apps.streamlit.components.positions.table.row_words import (
    name_of,
    name_of_leg,
    split_warnings,
    terms_of,
    warning_words,
)
from options_helper.analysis.osi import stock_symbol
from options_helper.analysis.risk import LiveRisk
from options_helper.analysis.tables.column_type import Table
from options_helper.analysis.tables.columns import shown_columns, sources_of
from options_helper.analysis.text.figures import format_price
from options_helper.models import AnyPosition, MultiLegPosition, Portfolio
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

# The columns that are read for the rows, besides those of the figures shown.
_READ = (
    "id", "position_id", "leg_index", "name", "contract_symbol", "state", "warnings", "doubts", "mark",
    "natural", "previous_close_date", "hours_left", "dte",
    "mark_age_seconds", "quote_age_seconds", "quote_age_seconds_max",
)  # fmt: skip


_NO_FIGURES = dict.fromkeys((column.field for column in shown_columns()), "")


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
        portfolio: The portfolio, for the rows' order and the legs' terms.
        positions: One row per option or stock position. In all four tables an optional column may be missing.
        structures: One row per structure.
        legs: One row per leg of a structure.
        underlyings: One row per underlying.
        notes: Sentences about today's fills or the broker's quantity, by position id.
        risk: Volatilities and Greeks; without it they are unknown.
        not_held: Ids of positions that the broker does not hold.
        as_of: The snapshot's time, at which the ages in the tables were measured.
        stale_after_seconds: The age above which a price is no longer live.
    """
    as_of_us = to_microseconds(as_of)
    fields = (*_HEAD, *(column.field for column in shown_columns()), *_TAIL)
    read = {
        record["id"]: record
        for table, kind in ((positions, Table.POSITIONS), (structures, Table.STRUCTURES))
        for record in plain_records(table, {*_READ, *sources_of(kind).values()}, only_finite=True)
    }
    found = RiskRecords.of(risk)
    rows = list(_rows(portfolio, read, _by_position(legs), found, notes or {}, as_of_us))
    for row in rows:
        row["not_held"] = (row.get("parent") or row["id"]) in not_held or None
    arrays = [[*map(row.get, fields)] for row in rows]
    return TableRows(
        fields=fields,
        group_fields=GROUP_FIELDS,
        groups=build_group_rows(portfolio, plain_records(underlyings), rows, as_of_us),
        rows=arrays,
        shown=shown_rows(fields, arrays),
        ids=[position.id for position in _grouped(portfolio)],
        warnings=warning_words(
            code for row in rows for code in (*(row["warning"] or ()), *(row["said"] or ()))
        ),
        stale_after=stale_after_seconds,
    )


def shown_rows(fields: Sequence[str], rows: Iterable[Sequence[object]]) -> list[list[object]]:
    """Return rows with figures as the page shows them."""
    figures = {column.field: column for column in shown_columns()}
    columns = [
        shown_column(values, figures[field]) if field in figures else values
        for field, values in zip(fields, zip(*rows, strict=True), strict=False)  # no values without rows
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _rows(
    portfolio: Portfolio,
    records: Mapping[str, Record],
    legs: Mapping[str, dict[int, Record]],
    risk: RiskRecords,
    notes: Mapping[str, str],
    as_of_us: int,
) -> Iterator[Record]:
    """Yield the row of each position and, after a structure's, those of its legs."""
    for position in _grouped(portfolio):
        own_legs = legs.get(position.id, {})
        record = records.get(position.id, {})
        row = _position_row(position, record, [*own_legs.values()], as_of_us, notes.get(position.id))
        if not isinstance(position, MultiLegPosition):
            yield row | risk.figures(position.id, 0)
            continue
        yield row | risk.figures(position.id, None)
        for number, leg_row in enumerate(_leg_rows(position, own_legs, as_of_us)):
            yield leg_row | risk.figures(position.id, number)


def _grouped(portfolio: Portfolio) -> list[AnyPosition]:
    """Return positions by underlying in alphabetical order, each group in the file's order."""
    return sorted(portfolio.positions, key=lambda position: stock_symbol(position.symbol))


def _position_row(
    position: AnyPosition, record: Record, legs: list[Record], as_of_us: int, note: str | None
) -> Record:
    structured = isinstance(position, MultiLegPosition)
    figures = _figures(record, Table.STRUCTURES if structured else Table.POSITIONS)
    terms = terms_of(position, days=figures["dte"])
    _forget_past_days(figures)
    return {
        "id": position.id,
        "kind": "structure" if structured else "position",
        "group": stock_symbol(position.symbol),
        "name": name_of(position, record.get("name")),
        "sub": terms,
        "note": note,
        "named": position.name,
        "tags": " ".join(position.tag or ()) or None,
        "spread_note": _spread_note(record) if structured else None,
        **figures,
        **_truth(record, [record, *legs], as_of_us),
    }


def _leg_rows(position: MultiLegPosition, records: dict[int, Record], as_of_us: int) -> Iterator[Record]:
    with_expiry = len({leg.expiry for leg in position.option_legs}) > 1
    for number, leg in enumerate(position.legs):
        record = records.get(number, {})
        figures = _figures(record, Table.LEGS)
        _forget_past_days(figures)
        if not with_expiry:
            figures["dte"] = ""
        yield {
            "id": f"{position.id}/{number}",
            "kind": "leg",
            "group": stock_symbol(position.symbol),
            "parent": position.id,
            "name": name_of_leg(leg, with_expiry=with_expiry),
            "contract": record.get("contract_symbol"),
            **figures,
            **_truth(record, [record], as_of_us),
        }


def _spread_note(record: Record) -> str | None:
    dollars = spread_dollars(record)
    return None if dollars is None else format_price(dollars)


def _forget_past_days(figures: Record) -> None:
    """Remove negative days to expiry, which only expired rows have."""
    if figures["dte"] and figures["dte"] < 0:
        figures["dte"] = None


def _truth(record: Record, sources: list[Record], as_of_us: int) -> Record:
    """Return a row's state, warnings and times, with the details of warnings from the row and its legs."""
    spoken, said = split_warnings(record.get("warnings") or [], sources)
    hours = record.get("hours_left")
    return {
        "warning": spoken or None,
        "state": record.get("state") or "no_data",
        "said": said or None,
        "time": price_time(record, as_of_us),
        "ends": None if hours is None else (as_of_us + round(hours * _MICROSECONDS_PER_HOUR)) // 1000,
    }


def _figures(record: Record, table: Table) -> Record:
    return {**_NO_FIGURES, **{field: record.get(name) for field, name in sources_of(table).items()}}


def _by_position(legs: TableColumns) -> dict[str, dict[int, Record]]:
    found: dict[str, dict[int, Record]] = {}
    for record in plain_records(legs, {*_READ, *sources_of(Table.LEGS).values()}, only_finite=True):
        found.setdefault(record["position_id"], {})[int(record["leg_index"])] = record
    return found
