"""Tables put together from finished columns."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from options_helper.analysis.arrays.columns import Column


def build_frame(names: tuple[str, ...], columns: Mapping[str, Column]) -> pd.DataFrame:
    """Return a table of these columns in this order.

    All tables of a kind share the index by which pandas finds a column's name; building it in every refresh
    would cost as much as the table itself.
    """
    frame = pd.DataFrame(dict(enumerate(columns[name] for name in names)))
    frame.columns = _index_of(names).view()
    return frame


@cache
def _index_of(names: tuple[str, ...]) -> pd.Index[str]:
    return pd.Index(names)
