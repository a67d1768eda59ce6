"""Builds a table from its columns."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from options_helper.analysis.arrays.columns import ColumnValues
from options_helper.analysis.arrays.frames import build_frame
from options_helper.analysis.tables.column import Table
from options_helper.analysis.tables.schema import names_of
from options_helper.analysis.valuation.row_warnings import to_lists, to_tuples


def build_table(table: Table, columns: Mapping[str, ColumnValues], *, frozen: bool = False) -> pd.DataFrame:
    """Return a table; the bits in the column `warnings` become words.

    Args:
        table: Which columns to take, and in which order.
        columns: Finished columns by name.
        frozen: Whether writing into the table raises, and a row's warnings are a tuple. Otherwise the table
            belongs to the caller, and each row has a list of its own.
    """
    bits = columns["warnings"]
    words = to_tuples(bits) if frozen else to_lists(bits)
    return build_frame(names_of(table), {**columns, "warnings": words}, frozen=frozen)
