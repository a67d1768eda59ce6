"""The table's group rows, one per underlying: its price, its sums and their coverage."""

from __future__ import annotations

import math
from collections.abc import Sequence

from apps.streamlit.components.positions.table.records import (
    AGES,
    Record,
    TableColumns,
    plain_records,
    price_time,
    rounded_dollars,
    shown_column,
)
from apps.streamlit.components.positions.table.row_words import describe_price
from options_helper.analysis.osi import stock_symbol
from options_helper.analysis.tables.columns import shown_columns
from options_helper.analysis.text.figures import format_pnl

GREEK_FIELDS = ("delta", "gamma", "theta", "vega", "rho", "delta_dollars", "gamma_dollars")
GROUP_FIELDS = (
    "id", "name", "sub", "state", "time", "pnl_open", "pnl_day", "cover", "day_cover", "partial",
    *GREEK_FIELDS, "greeks_cover",
)  # fmt: skip
_READ = (
    "underlying", "price", "change_pct", "state", "legs", "coverage", *AGES,
    "open_pnl", "open_pnl_covered", "open_pnl_partial", "day_pnl", "day_pnl_covered", "day_pnl_partial",
)  # fmt: skip
_GREEKS = [column for column in shown_columns() if column.field in GREEK_FIELDS]


def build_group_rows(
    groups: Sequence[str], underlyings: TableColumns, greeks: Sequence[Record], as_of_us: int
) -> list[list[object]]:
    """Return one array of `GROUP_FIELDS` per group.

    Args:
        groups: Alpaca's symbols of the underlyings, in alphabetical order.
        underlyings: The underlyings' table.
        greeks: The result of `sum_greeks` for the groups.
        as_of_us: The snapshot's time, in microseconds.
    """
    records = {stock_symbol(str(each["underlying"])): each for each in plain_records(underlyings, _READ)}
    return [
        _group_values(group, records.get(group, {}), sums, as_of_us)
        for group, sums in zip(groups, greeks, strict=True)
    ]


def sum_greeks(groups: Sequence[Sequence[Record]]) -> list[Record]:
    """Return the sums of each group's Greeks, each None if a position lacks it, and their coverage.

    A Greek that no position has, such as the theta of shares, is "".
    """
    sums: list[Record] = [{"greeks_cover": _greeks_cover(rows)} for rows in groups]
    for column in _GREEKS:
        totals = shown_column([_total(rows, column.field) for rows in groups], column)
        for row, total in zip(sums, totals, strict=True):
            row[column.field] = total
    return sums


def _total(rows: Sequence[Record], field: str) -> float | str | None:
    values = [value for row in rows if (value := row.get(field, "")) != ""]
    if not values:
        return ""
    return None if None in values else math.fsum(values)


def _greeks_cover(rows: Sequence[Record]) -> str:
    count = sum(row.get("delta") not in {None, ""} for row in rows)
    return "" if count == len(rows) else f"Greeks {count:,} of {len(rows):,}"


def _group_values(group: str, record: Record, greeks: Record, as_of_us: int) -> list[object]:
    complete, known = record.get("open_pnl") is not None, bool(record.get("open_pnl_covered"))
    # If no P/L is known, the coverage is shown only once, under P/L Open.
    silent = record.get("day_pnl") is not None or not (known or record.get("day_pnl_covered"))
    row = {
        "id": group,
        "name": group,
        "sub": describe_price(record.get("price"), record.get("change_pct")),
        "state": record.get("state") or "no_data",
        "time": price_time(record, as_of_us),
        "pnl_open": rounded_dollars(record.get("open_pnl")),
        "pnl_day": rounded_dollars(record.get("day_pnl")),
        "cover": record.get("coverage") or "" if complete else _part(record, "open_pnl"),
        "day_cover": "" if silent else _part(record, "day_pnl"),
        "partial": known and not complete,
        **greeks,
    }
    return [row.get(field) for field in GROUP_FIELDS]


def _part(record: Record, name: str) -> str:
    """Return how many legs a sum covers, and its known part: `3 of 4: +$1,150`."""
    covered, partial = record.get(f"{name}_covered"), record.get(f"{name}_partial")
    if covered is None:
        return ""
    words = f"{covered:,} of {record['legs']:,}"
    return f"{words}: {format_pnl(partial)}" if covered else words
