"""A portfolio and a snapshot in, tables and totals out: pure, with no clock and no I/O of its own.

What does not change is built once per portfolio (`book`), prices are gathered from the snapshot's columns by
row numbers found once per run (`gather`), and every figure is computed for all rows at once.

    book ─┐
          ├─▶ live_rows ─▶ position_rows, structure_rows ─▶ totals, underlying_rows, deadlines
    live ─┘   (marks, truth, reference)
"""

from __future__ import annotations

from options_helper.analysis.tables.deadlines import deadline
from options_helper.analysis.tables.positions import compute_live_position_rows
from options_helper.analysis.tables.schema import (
    LEG_COLUMNS,
    POSITION_COLUMNS,
    STRUCTURE_COLUMNS,
    UNDERLYING_COLUMNS,
)
from options_helper.analysis.tables.structures import compute_live_multileg_rows
from options_helper.analysis.tables.sums import Total
from options_helper.analysis.tables.totals import LiveTotals, compute_live_totals
from options_helper.analysis.tables.underlyings import compute_live_underlying_rows

__all__ = [
    "LEG_COLUMNS",
    "POSITION_COLUMNS",
    "STRUCTURE_COLUMNS",
    "UNDERLYING_COLUMNS",
    "LiveTotals",
    "Total",
    "compute_live_multileg_rows",
    "compute_live_position_rows",
    "compute_live_totals",
    "compute_live_underlying_rows",
    "deadline",
]
