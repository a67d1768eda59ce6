"""Rows of the metrics tables as plain Python values."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from options_helper.analysis.arrays import typed_columns as arrays
from options_helper.analysis.arrays.types import Flags, Floats
from options_helper.analysis.tables.column_type import Column, Format
from options_helper.analysis.text.figures import (
    round_dollars,
    round_dollars_all,
    round_half_up,
    round_half_up_all,
    round_percent,
    round_percent_all,
    round_price,
    round_price_all,
)
from options_helper.analysis.valuation.row_warnings import to_tuples

Record = dict[str, Any]  # a row of a table: column -> plain value, None if missing


# A DataFrame, or the columns of one whose warnings are still bits.
TableColumns = pd.DataFrame | Mapping[str, arrays.ColumnValues]


def plain_records(
    table: TableColumns, names: Iterable[str] | None = None, *, only_finite: bool = False
) -> list[Record]:
    """Return rows as dictionaries of plain Python values, None for a missing one.

    Args:
        table: The rows.
        names: The columns to take, by default all; those that the table lacks are skipped.
        only_finite: Whether an infinite figure counts as missing.
    """
    chosen = [str(name) for name in (table if names is None else names) if name in table]
    columns = [plain_column(table, name, only_finite=only_finite) for name in chosen]
    return [dict(zip(chosen, values, strict=True)) for values in zip(*columns, strict=True)]


def plain_column(table: TableColumns, name: str, *, only_finite: bool = False) -> list[Any]:
    """Return a column as plain Python values, None for a missing one."""
    column = table[name]
    values: arrays.ColumnValues = column.array if isinstance(column, pd.Series) else column
    if isinstance(values, pd.arrays.NumpyExtensionArray):
        values = values.to_numpy()  # its own `tolist` would return NumPy's numbers
    if name == "warnings" and values.dtype == np.int64:
        return list(to_tuples(values))
    plain: list[object] = values.tolist()
    is_float = only_finite and values.dtype.kind == "f"
    known = np.isfinite(np.asarray(values, np.float64)) if is_float else np.asarray(pd.notna(values))
    if known.all():
        return plain
    return [value if is_known else None for value, is_known in zip(plain, known.tolist(), strict=True)]


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
AGES = ("mark_age_seconds", "quote_age_seconds", "quote_age_seconds_max")  # the first known one counts


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


def shown_column(values: Sequence[object], column: Column) -> list[object]:
    """Return a column's values with its figures as the page shows them, all at once."""
    is_figure = [value.__class__ is float or value.__class__ is int for value in values]
    figures = np.array([value if known else math.nan for value, known in zip(values, is_figure, strict=True)])
    with np.errstate(invalid="ignore", over="ignore"):
        rounded_, certain = _round_all(figures, column)
        whole = certain & (rounded_ == np.floor(rounded_))
    pairs = zip(rounded_.tolist(), whole.tolist(), strict=True)
    shown = [int(figure) if short else figure for figure, short in pairs]
    for number in np.flatnonzero(~certain & ~np.isnan(figures)).tolist():
        shown[number] = shown_figure(float(figures[number]), column)
    return [new if known else old for old, new, known in zip(values, shown, is_figure, strict=True)]


def _round_all(figures: Floats, column: Column) -> tuple[Floats, Flags]:
    match column.format:
        case Format.PRICE:
            return round_price_all(figures, 2)
        case Format.PNL:
            return round_dollars_all(figures)
        case Format.PERCENT | Format.SIGNED_PERCENT:
            return round_percent_all(figures, PERCENT_DECIMALS)
        case Format.QUANTITY:
            return round_half_up_all(figures, _DECIMALS[Format.QUANTITY])
        case Format.DECIMAL:
            return round_half_up_all(figures, column.decimals)


def csv_figure(value: float, column: Column) -> float | None:
    """Return a figure as the CSV files write it; a price below a cent keeps its significant digits."""
    if column.format is Format.PRICE and math.isfinite(value):
        return rounded(round_price(value, _PRICE_DECIMALS), 12)
    return rounded(value, _DECIMALS.get(column.format, column.decimals + 2 if column.decimals else 0))


def price_time(record: Record, as_of_us: int) -> int | None:
    """Return the time of the row's price in milliseconds, from its age, which allows for fast clocks."""
    for column in AGES:
        age: float | None = record.get(column)
        if age is not None:
            # Round to the microsecond first, so that equal prices have equal times in every snapshot.
            return (as_of_us - round(age * 1_000_000)) // 1000
    return None


def spread_dollars(record: Record) -> float | None:
    """Return the cost of closing a unit at its natural price instead of its mark, in dollars per share."""
    mark, natural = finite(record.get("mark")), finite(record.get("natural"))
    return None if mark is None or natural is None else abs(mark - natural)
