"""The figures of one refresh, computed once per change and shared by every tab."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from options_helper.analysis.live_portfolio_metrics import (
    compute_live_multileg_rows,
    compute_live_position_rows,
    compute_live_totals,
    compute_live_underlying_rows,
)
from options_helper.analysis.truth import is_heard
from options_helper.market import QuoteTable, StreamName, new_york_date, to_microseconds

if TYPE_CHECKING:
    import pandas as pd

    from options_helper.analysis.totals import LiveTotals
    from options_helper.market import LiveSnapshot
    from options_helper.models import Portfolio

_MICROSECONDS = 1_000_000
_KEPT = 16


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


_views: dict[tuple[int, float], tuple[tuple[object, ...], LiveView]] = {}
_lock = threading.Lock()


def compute_live_view(portfolio: Portfolio, snapshot: LiveSnapshot, stale_after_seconds: float) -> LiveView:
    """Every table of the page; the same object for as long as nothing that they show has changed."""
    slot, state = (id(portfolio), stale_after_seconds), _state(snapshot, stale_after_seconds)
    with _lock:
        kept = _views.get(slot)
        if kept is not None and kept[0] == state and kept[1].portfolio is portfolio:
            return kept[1]
        view = _compute(portfolio, snapshot, stale_after_seconds)
        while len(_views) >= _KEPT:
            del _views[next(iter(_views))]
        _views[slot] = (state, view)
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
    )


def _state(snapshot: LiveSnapshot, stale_after_seconds: float) -> tuple[object, ...]:
    """All that the tables depend on beside the portfolio: equal states make equal tables, ages apart.

    A deadline that passes (a quote turning stale, a stream unheard, a phase, a date) changes one of the
    entries; the minute is there for what remains, such as the hours to an expiry.
    """
    return (
        snapshot.started_at,
        snapshot.version,
        snapshot.market_phase,
        new_york_date(snapshot.as_of),
        to_microseconds(snapshot.as_of) // (60 * _MICROSECONDS),
        tuple(snapshot.status_by_stream.items()),
        snapshot.subscribed,
        is_heard(snapshot, StreamName.STOCKS),
        is_heard(snapshot, StreamName.OPTIONS),
        _young(snapshot.stock_quotes, snapshot, stale_after_seconds),
        _young(snapshot.option_quotes, snapshot, stale_after_seconds),
    )


def _young(quotes: Any, snapshot: LiveSnapshot, stale_after_seconds: float) -> int:  # noqa: ANN401
    """How many quotes are not over the threshold."""
    rows = QuoteTable.from_mapping(quotes).rows
    since = to_microseconds(snapshot.as_of) - int(stale_after_seconds * _MICROSECONDS)
    return int(np.count_nonzero(rows["timestamp"] >= since))
