"""Rows of the metrics tables as plain Python values."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from options_helper.analysis.arrays import columns as arrays
from options_helper.analysis.tables.column import Column, Format
from options_helper.analysis.text.figures import round_dollars, round_half_up, round_percent, round_price
from options_helper.analysis.valuation.row_warnings import to_tuples

Record = dict[str, Any]  # a row of a table: column -> plain value, None if missing


# A DataFrame, or the columns of one whose warnings are still bits.
TableColumns = pd.DataFrame | Mapping[str, arrays.ColumnValues]


def plain_records(table: TableColumns, names: Iterable[str] | None = None) -> list[Record]:
    """Return rows as dictionaries of plain Python values, None for a missing one.

    Args:
        table: The rows.
        names: The columns to take, by default all; those that the table lacks are skipped.
    """
    chosen = [str(name) for name in (table if names is None else names) if name in table]
    columns = [_plain(table[name], name) for name in chosen]
    return [dict(zip(chosen, values, strict=True)) for values in zip(*columns, strict=True)]


def _plain(column: arrays.ColumnValues, name: str) -> list[object]:
    values: arrays.ColumnValues = column.array if isinstance(column, pd.Series) else column
    if isinstance(values, pd.arrays.NumpyExtensionArray):
        values = values.to_numpy()  # its own `tolist` would return NumPy's numbers
    if name == "warnings" and values.dtype == np.int64:
        return list(to_tuples(values))
    plain: list[object] = values.tolist()
    missing = pd.isna(values)
    if not missing.any():
        return plain
    return [None if gone else value for value, gone in zip(plain, missing.tolist(), strict=True)]


def finite(value: float | None) -> float | None:
    """Return a finite number unchanged, None for anything else."""
    return value if value is not None and math.isfinite(value) else None


def rounded(value: float | None, decimals: int) -> float | None:
    """Return a finite number with this many decimals, whole ones as integers; None for anything else."""
    if value is None or not math.isfinite(value):
        return None
    return _short(round_half_up(value, decimals))


def rounded_dollars(value: float | None) -> int | None:
    """Return finite dollars as whole ones, None for anything else."""
    return None if value is None or not math.isfinite(value) else round_dollars(value)


def _short(value: float) -> float:
    return int(value) if value.is_integer() else value


# Decimals of the CSV files by format, a little more than the page shows.
_DECIMALS = {
    Format.PNL: 2,
    Format.PERCENT: 5,
    Format.SIGNED_PERCENT: 5,
    Format.QUANTITY: 9,
}
_PRICE_DECIMALS = 4
PERCENT_DECIMALS = 1


def shown_figure(value: float, column: Column) -> float:
    """Return a finite figure as the page shows it, a fraction as its percentage."""
    match column.format:
        case Format.PRICE:
            return _short(round_price(value, 2))
        case Format.PNL:
            return round_dollars(value)
        case Format.PERCENT | Format.SIGNED_PERCENT:
            return _short(round_percent(value, PERCENT_DECIMALS))
        case Format.QUANTITY:
            return _short(round_half_up(value, _DECIMALS[Format.QUANTITY]))
        case Format.DECIMAL:
            return _short(round_half_up(value, column.decimals))


def csv_figure(value: float, column: Column) -> float | None:
    """Return a figure as the CSV files write it; a price below a cent keeps its significant digits."""
    if column.format is Format.PRICE and math.isfinite(value):
        return rounded(round_price(value, _PRICE_DECIMALS), 12)
    return rounded(value, _DECIMALS.get(column.format, column.decimals + 2 if column.decimals else 0))


def price_time(record: Record, as_of_us: int) -> int | None:
    """Return the time of the row's price in milliseconds, from its age, which allows for fast clocks."""
    for column in ("mark_age_seconds", "quote_age_seconds", "quote_age_seconds_max"):
        age: float | None = record.get(column)
        if age is not None:
            # Round to the microsecond first, so that equal prices have equal times in every snapshot.
            return (as_of_us - round(age * 1_000_000)) // 1000
    return None
