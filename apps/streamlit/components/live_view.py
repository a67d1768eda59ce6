"""The figures of one refresh, computed once per version of the snapshot and shared by every tab."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from options_helper.analysis.live_portfolio_metrics import (
    compute_live_multileg_rows,
    compute_live_position_rows,
)

from options_helper.analysis.stream_diagnosis import QuoteCounts

if TYPE_CHECKING:
    import pandas as pd

    from options_helper.market import LiveSnapshot
    from options_helper.models import Portfolio


@dataclass(frozen=True, slots=True, eq=False)
class LiveView:
    """The tables of DESIGN's metrics for one portfolio and one snapshot."""

    portfolio: Portfolio
    snapshot: LiveSnapshot
    positions: pd.DataFrame
    structures: pd.DataFrame
    legs: pd.DataFrame
    quotes: QuoteCounts


def compute_live_view(portfolio: Portfolio, snapshot: LiveSnapshot, stale_after_seconds: float) -> LiveView:
    """Every table of the page."""
    positions = compute_live_position_rows(portfolio, snapshot, stale_after_seconds=stale_after_seconds)
    structures, legs = compute_live_multileg_rows(
        portfolio, snapshot, stale_after_seconds=stale_after_seconds
    )
    quotes = QuoteCounts(total=len(positions) + len(legs), stale_after_seconds=stale_after_seconds)
    return LiveView(portfolio, snapshot, positions, structures, legs, quotes)
