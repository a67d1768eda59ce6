"""Tables built from finished columns."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import pandas as pd

from options_helper.analysis.arrays.typed_columns import ColumnValues


def build_frame(
    names: tuple[str, ...], columns: Mapping[str, ColumnValues], *, frozen: bool = False
) -> pd.DataFrame:
    """Return a table with the named columns in this order.

    Args:
        names: The columns to include.
        columns: Finished columns, keyed by name.
        frozen: True to share the columns without copying and make them read-only; False to copy them, so the
            caller may change the table.
    """
    chosen = [columns[name] for name in names]
    if frozen:
        for column in chosen:
            _freeze(column)
    # With an index given, pandas does not derive it from every column.
    rows = pd.RangeIndex(len(chosen[0]))
    frame = pd.DataFrame(dict(enumerate(chosen)), rows, copy=not frozen)
    # All tables with the same columns share one index of names: building it at every refresh would cost as
    # much as the table itself.
    frame.columns = _index_of(names).view()
    return frame


def _freeze(column: ColumnValues) -> None:
    if isinstance(column, np.ndarray):
        column.flags.writeable = False
        return
    # pandas marks its own read-only views this way; there is no public way. For times it makes new views,
    # which are read-only only if the underlying array is.
    column._readonly = True  # noqa: SLF001
    if isinstance(column, pd.arrays.DatetimeArray):
        column._ndarray.flags.writeable = False  # noqa: SLF001


@cache
def _index_of(names: tuple[str, ...]) -> pd.Index[str]:
    return pd.Index(names)
