"""Functions that turn a portfolio and a snapshot into tables and totals, without a clock or I/O.

The static part of a portfolio is built once (`holdings`). Prices are taken from the snapshot's columns at row
numbers found once per run (`valuation.latest_prices`), and each figure is computed for all rows at once.

    holdings ─┐
              ├─▶ valuation ─▶ positions, structures ─▶ totals, underlyings, deadlines
    snapshot ─┘   (marks, quote states, reference data)
"""

from __future__ import annotations

from options_helper.analysis.tables.positions import compute_live_position_rows
from options_helper.analysis.tables.structures import compute_live_multileg_rows
from options_helper.analysis.tables.sums import Total
from options_helper.analysis.tables.totals import LiveTotals, compute_live_totals
from options_helper.analysis.tables.underlyings import compute_live_underlying_rows

__all__ = [
    "LiveTotals",
    "Total",
    "compute_live_multileg_rows",
    "compute_live_position_rows",
    "compute_live_totals",
    "compute_live_underlying_rows",
]
