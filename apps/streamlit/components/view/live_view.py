"""The figures of one refresh, computed once per change and shared by every tab."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from apps.streamlit.components.view.quote_counts import count_quotes
from options_helper.analysis.live_portfolio_metrics import (
    compute_live_multileg_rows,
    compute_live_position_rows,
    compute_live_totals,
    compute_live_underlying_rows,
)
from options_helper.analysis.status.stream_diagnosis import QuoteCounts
from options_helper.analysis.tables.deadlines import circumstances, deadline
from options_helper.analysis.tables.totals import LiveTotals
from options_helper.market import LiveSnapshot
from options_helper.models import Portfolio

if TYPE_CHECKING:
    import pandas as pd

_SLOTS = 16
_MOMENT = dt.timedelta(seconds=0.25)


@dataclass(frozen=True, slots=True, eq=False)
class LiveView:
    """The tables of one portfolio at one snapshot; `at` is the snapshot they were computed from."""

    portfolio: Portfolio
    at: LiveSnapshot
    stale_after_seconds: float
    positions: pd.DataFrame
    structures: pd.DataFrame
    legs: pd.DataFrame
    underlyings: pd.DataFrame
    totals: LiveTotals
    quotes: QuoteCounts


@dataclass(frozen=True, slots=True)
class _Kept:
    told: tuple[object, ...]
    until: dt.datetime
    view: LiveView

    def serves(self, portfolio: Portfolio, snapshot: LiveSnapshot, told: tuple[object, ...]) -> bool:
        """Return whether the tables are valid for this snapshot, or for one that is slightly younger.

        This lets the parts of one refresh, and the tabs of one process, share their tables. If the clock went
        back nothing is reused: the tables would stand still until it has caught up.
        """
        if self.view.portfolio is not portfolio or self.told != told:
            return False
        if not self.view.at.as_of - _MOMENT <= snapshot.as_of < self.until:
            return False
        young = snapshot.as_of - self.view.at.as_of < _MOMENT
        return self.view.at.version == snapshot.version or young


_kept: dict[tuple[int, float], _Kept] = {}
_lock = threading.Lock()


def compute_live_view(portfolio: Portfolio, snapshot: LiveSnapshot, stale_after_seconds: float) -> LiveView:
    """Return every table of the page; the same object until there is new data, or a deadline passes."""
    slot, told = (id(portfolio), stale_after_seconds), circumstances(snapshot)
    with _lock:
        kept = _kept.get(slot)
        if kept is not None and kept.serves(portfolio, snapshot, told):
            return kept.view
        view = _compute(portfolio, snapshot, stale_after_seconds)
        until = deadline(snapshot, (view.positions, view.legs, view.underlyings), stale_after_seconds)
        while len(_kept) >= _SLOTS:
            del _kept[next(iter(_kept))]
        _kept[slot] = _Kept(told, until, view)
        return view


def _compute(portfolio: Portfolio, snapshot: LiveSnapshot, stale_after_seconds: float) -> LiveView:
    positions = compute_live_position_rows(portfolio, snapshot, stale_after_seconds=stale_after_seconds)
    structures, legs = compute_live_multileg_rows(
        portfolio, snapshot, stale_after_seconds=stale_after_seconds
    )
    return LiveView(
        portfolio,
        snapshot,
        stale_after_seconds,
        positions,
        structures,
        legs,
        compute_live_underlying_rows(
            portfolio, snapshot, positions, structures, legs, stale_after_seconds=stale_after_seconds
        ),
        compute_live_totals(portfolio, positions, structures, legs),
        count_quotes(positions, legs, stale_after_seconds),
    )
