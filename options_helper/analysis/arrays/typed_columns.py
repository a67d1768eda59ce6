"""Columns in their final types, so pandas infers nothing when it builds a table.

Words are pandas strings, whole numbers nullable `Int64`, prices float64 with NaN, times UTC datetimes, dates
`datetime.date` objects and lists Python lists. A missing value is null in every column.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from options_helper.analysis.arrays.types import Codes, Flags, Floats, Numbers, Objects

ColumnValues = Any  # an array of numpy or pandas

_UTC = pd.DatetimeTZDtype("us", "UTC")
_NO_TIME = np.iinfo(np.int64).min  # numpy's NaT


def texts(values: Sequence[str | None]) -> ColumnValues:
    """Return a column of words; None is null."""
    return pd.array(list(values), dtype=pd.StringDtype(na_value=np.nan))


def counts(values: Sequence[int | None]) -> ColumnValues:
    """Return a column of whole numbers; None is null."""
    return pd.array(list(values), dtype="Int64")


def whole_numbers(values: Numbers, missing: Flags) -> ColumnValues:
    """Return a column of whole numbers from an array; null in each row flagged as `missing`."""
    return pd.arrays.IntegerArray(values, missing)


def dates(values: Sequence[dt.date | None]) -> Objects:
    """Return a column of `datetime.date` objects."""
    return objects(values)


def objects(values: Sequence[object]) -> Objects:
    """Return a column of arbitrary objects, one per row, even if they are lists or tuples."""
    return np.fromiter(values, dtype=np.object_, count=len(values))


def flags(values: Iterable[bool]) -> Flags:
    """Return a column of booleans."""
    return np.array(list(values), dtype=np.bool_)


def integers(values: Iterable[int]) -> Numbers:
    """Return a column of whole numbers without missing values."""
    return np.array(list(values), dtype=np.int64)


def floats(values: Iterable[float | None]) -> Floats:
    """Return a column of numbers; None is NaN."""
    return np.array(list(values), dtype=np.float64)


def datetimes(microseconds: Numbers) -> ColumnValues:
    """Return a column of UTC datetimes from microseconds since 1970; 0 is null."""
    stamps = np.where(microseconds == 0, _NO_TIME, microseconds).view("M8[us]")
    return pd.array(stamps, dtype=_UTC)


def format_coverage(covered: Numbers, size: Numbers) -> ColumnValues:
    """Return a column of words such as `1 of 2`."""
    return _format_coverage(covered.tobytes(), size.tobytes())


# The coverage rarely changes, and a column of words costs as much as ten columns of numbers.
@lru_cache(maxsize=16)
def _format_coverage(covered: bytes, size: bytes) -> ColumnValues:
    pairs = np.frombuffer(covered + size, np.int64).reshape(2, -1).T.tolist()
    return texts([f"{n} of {m}" for n, m in pairs])


def category_type(values: Iterable[str]) -> pd.CategoricalDtype:
    """Return the dtype of a column with words from a fixed list."""
    return pd.CategoricalDtype([str(value) for value in values])


def categories(codes: Codes, dtype: pd.CategoricalDtype) -> ColumnValues:
    """Return a column of words from a fixed list, given their indices; -1 is null."""
    return pd.Categorical.from_codes(codes, dtype=dtype)
