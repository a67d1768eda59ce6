"""Tables built from finished columns, with their warnings in words."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from options_helper.analysis.arrays.frames import build_frame
from options_helper.analysis.arrays.typed_columns import ColumnValues
from options_helper.analysis.tables.column_type import Table
from options_helper.analysis.tables.columns import names_of
from options_helper.analysis.valuation.row_warnings import to_lists, to_tuples


def build_table(table: Table, columns: Mapping[str, ColumnValues], *, frozen: bool = False) -> pd.DataFrame:
    """Return a table, with the bits in the column `warnings` converted to lists of words.

    Args:
        table: The table, which determines the columns and their order.
        columns: Finished columns, keyed by name.
        frozen: True to make the table read-only, with tuples of warnings; False to copy it, with a separate
            list in each row, so the caller may change it.
    """
    bits = columns["warnings"]
    words = to_tuples(bits) if frozen else to_lists(bits)
    return build_frame(names_of(table), {**columns, "warnings": words}, frozen=frozen)
