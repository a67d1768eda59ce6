"""The table's payload: portfolio and metrics as arrays that the widget shows. Pure, without Streamlit.

Numbers are rounded to a little more than what is shown and times are absolute, so that a snapshot which
changed nothing gives an equal payload.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypedDict

from apps.streamlit.components.positions_table.row_words import (
    describe_price,
    name_of,
    name_of_leg,
    spoken_warnings,
    terms_of,
    warning_words,
)
from options_helper.analysis.figures import format_pnl
from options_helper.analysis.osi import stock_symbol
from options_helper.market import to_microseconds
from options_helper.models import MultiLegPosition

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from options_helper.models import EquityPosition, Portfolio, Position

    AnyPosition = Position | EquityPosition | MultiLegPosition
    Record = dict[str, Any]

# Field of the payload -> (column of the metrics, decimals); the first column that is there is taken.
_POSITION_FIGURES = {
    "qty": ("quantity", 4),
    "dte": ("dte", 0),
    "cost": ("cost_basis", 4),
    "bid": ("bid", 4),
    "ask": ("ask", 4),
    "mark": ("mark", 4),
    "natural": ("natural", 4),
    "pnl_open": ("pnl_abs", 2),
    "pnl_pct": ("pnl_pct", 5),
    "pnl_day": ("pnl_day", 2),
    "spread": ("spread_pct", 5),
    "delta": ("delta", 4),
    "theta": ("theta", 4),
    "iv": ("iv", 5),
}
_STRUCTURE_FIGURES = _POSITION_FIGURES | {
    "qty": ("units", 4),
    "pnl_open": ("net_pnl_abs", 2),
    "pnl_pct": ("net_pnl_pct", 5),
    "delta": ("net_delta", 4),
    "theta": ("net_theta", 4),
}
_LEG_FIGURES = {
    field: column
    for field, column in _POSITION_FIGURES.items()
    if field not in {"cost", "pnl_open", "pnl_pct", "pnl_day"}
}
FIELDS = (
    "id",
    "kind",
    "group",
    "parent",
    "name",
    "sub",
    "warning",
    "note",
    *_POSITION_FIGURES,
    "state",
    "time",
)
GROUP_FIELDS = (
    "id", "name", "sub", "state", "time", "pnl_open", "pnl_day", "cover", "complete", "mark",
)  # fmt: skip


class TablePayload(TypedDict):
    """What the widget is given.

    Attributes:
        fields, group_fields: The names of each row's values.
        groups, rows: Arrays in the order of those names; a structure is followed by its legs.
        ids: Ids of positions and structures, which can be selected.
        warnings: Few words and a sentence for each code in `rows`.
        stale_after: Seconds, over which the browser itself calls a live row stale.
    """

    fields: tuple[str, ...]
    group_fields: tuple[str, ...]
    groups: list[list[Any]]
    rows: list[list[Any]]
    ids: list[str]
    warnings: dict[str, list[str]]
    stale_after: float


def build_table_rows(
    portfolio: Portfolio,
    positions: pd.DataFrame,
    structures: pd.DataFrame,
    legs: pd.DataFrame,
    underlyings: pd.DataFrame,
    fill_notes: Mapping[str, str] | None = None,
    *,
    as_of: dt.datetime,
    stale_after_seconds: float,
) -> TablePayload:
    """The payload of one refresh.

    Args:
        portfolio: Gives the order of the rows and the terms of the legs.
        positions: The metrics' table, as are the next three; an optional column may be missing.
        structures: One row per structure.
        legs: One row per leg of a structure.
        underlyings: One row per underlying.
        fill_notes: By position id, what today's fills say of it ("2 contracts sold 10:42, …").
        as_of: The snapshot's moment, from which the ages in the tables count.
        stale_after_seconds: The age above which a price is no longer live.
    """
    moment = to_microseconds(as_of)
    notes = fill_notes or {}
    single = {record["id"]: record for record in plain_records(positions)}
    multi = {record["id"]: record for record in plain_records(structures)}
    leg_records = _by_position(legs)
    rows: list[list[Any]] = []
    codes: list[str] = []
    for position in _grouped(portfolio):
        structured = isinstance(position, MultiLegPosition)
        record = (multi if structured else single).get(position.id, {})
        row = _position_row(position, record, moment, notes.get(position.id))
        rows.append(_values(row))
        codes += row["warning"] or []
        if isinstance(position, MultiLegPosition):
            for leg_row in _leg_rows(position, leg_records.get(position.id, {}), moment):
                rows.append(_values(leg_row))
                codes += leg_row["warning"] or []
    return TablePayload(
        fields=FIELDS,
        group_fields=GROUP_FIELDS,
        groups=_group_rows(portfolio, plain_records(underlyings), moment),
        rows=rows,
        ids=[position.id for position in _grouped(portfolio)],
        warnings=warning_words(codes),
        stale_after=stale_after_seconds,
    )


def _grouped(portfolio: Portfolio) -> list[AnyPosition]:
    """Positions by underlying in alphabetical order, within one in the file's order."""
    return sorted(portfolio.positions, key=lambda position: stock_symbol(position.symbol))


def _position_row(position: AnyPosition, record: Record, moment: int, note: str | None) -> Record:
    structured = isinstance(position, MultiLegPosition)
    figures = _figures(record, _STRUCTURE_FIGURES if structured else _POSITION_FIGURES)
    return {
        "id": position.id,
        "kind": "structure" if structured else "position",
        "group": stock_symbol(position.symbol),
        "name": name_of(position, record.get("name")),
        "sub": terms_of(position, days=figures["dte"]),
        "warning": spoken_warnings(record.get("warnings") or []) or None,
        "note": note,
        **figures,
        "state": record.get("state") or "no_data",
        "time": _time(record, moment),
    }


def _leg_rows(position: MultiLegPosition, records: dict[int, Record], moment: int) -> Iterator[Record]:
    with_expiry = len({leg.expiry for leg in position.option_legs}) > 1
    for number, leg in enumerate(position.legs):
        record = records.get(number, {})
        figures = _figures(record, _LEG_FIGURES)
        if not with_expiry:
            figures["dte"] = None
        yield {
            "id": f"{position.id}/{number}",
            "kind": "leg",
            "group": stock_symbol(position.symbol),
            "parent": position.id,
            "name": name_of_leg(leg, with_expiry=with_expiry),
            "warning": spoken_warnings(record.get("warnings") or []) or None,
            **figures,
            "state": record.get("state") or "no_data",
            "time": _time(record, moment),
        }


def _group_rows(portfolio: Portfolio, records: list[Record], moment: int) -> list[list[Any]]:
    by_group = {stock_symbol(str(record["underlying"])): record for record in records}
    groups = dict.fromkeys(stock_symbol(position.symbol) for position in _grouped(portfolio))
    return [_group_values(group, by_group.get(group, {}), moment) for group in groups]


def _group_values(group: str, record: Record, moment: int) -> list[Any]:
    complete = record.get("open_pnl") is not None
    cover = str(record.get("coverage") or "").removesuffix("s").removesuffix(" leg")
    if not complete and record.get("open_pnl_partial") is not None:
        cover += f": {format_pnl(record['open_pnl_partial'])}"
    row = {
        "id": group,
        "name": group,
        "sub": describe_price(record.get("price"), record.get("change_pct")),
        "state": record.get("state") or "no_data",
        "time": _time(record, moment),
        "pnl_open": _rounded(record.get("open_pnl"), 2),
        "pnl_day": _rounded(record.get("day_pnl"), 2),
        "cover": cover,
        "complete": complete,
    }
    return [row.get(field) for field in GROUP_FIELDS]


def _values(row: Record) -> list[Any]:
    return [row.get(field) for field in FIELDS]


def _figures(record: Record, columns: Mapping[str, tuple[str, int]]) -> Record:
    return {field: _rounded(record.get(column), decimals) for field, (column, decimals) in columns.items()}


def _rounded(value: float | None, decimals: int) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    rounded = round(float(value), decimals)
    return int(rounded) if rounded.is_integer() else rounded


def _time(record: Record, moment: int) -> int | None:
    """When the row's price was made, in milliseconds; from its age, which knows of clocks that are ahead."""
    for column in ("mark_age_seconds", "quote_age_seconds", "quote_age_seconds_max"):
        age: float | None = record.get(column)
        if age is not None:
            # To the microsecond first: only then do equal prices give equal times at every moment.
            return (moment - round(age * 1_000_000)) // 1000
    return None


def _by_position(legs: pd.DataFrame) -> dict[str, dict[int, Record]]:
    found: dict[str, dict[int, Record]] = {}
    for record in plain_records(legs):
        found.setdefault(record["position_id"], {})[int(record["leg_index"])] = record
    return found


def plain_records(frame: pd.DataFrame) -> list[Record]:
    """Rows as dictionaries of plain Python values, None where a value is missing."""
    columns = {str(name): _plain(frame[name]) for name in frame.columns}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _plain(column: pd.Series[Any]) -> list[Any]:
    values: list[Any] = column.tolist()
    missing = column.isna()
    if not missing.any():
        return values
    return [None if gone else value for value, gone in zip(values, missing.tolist(), strict=True)]
