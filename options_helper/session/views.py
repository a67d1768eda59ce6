"""The process's views of tables, fills and risk, shared by every reader.

Every tab, the alerts and the day's curves read the same objects: an unchanged snapshot costs a
look-up, and the first reader of a changed one computes the view.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from options_helper.analysis.fills.by_position import PortfolioFills, fills_for_portfolio
from options_helper.analysis.fills.day import FillDay, FillDayBuilder
from options_helper.analysis.tables.view import TablesView, compute_view
from options_helper.market import LiveSnapshot, StreamName, StreamState
from options_helper.models import Portfolio

if TYPE_CHECKING:
    from options_helper.analysis.risk.live_risk import LiveRisk
    from options_helper.analysis.risk.pricing.solver import Solver

_KEPT = 16  # portfolios and thresholds in use at the same time

# Risk is computed at most once per `_RISK_EVERY`, and stays valid for `_RISK_FOR` if no price changes.
_RISK_EVERY = dt.timedelta(seconds=1)
_RISK_FOR = dt.timedelta(seconds=60)

Key = TypeVar("Key", bound=Hashable)
Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True, eq=False)
class FillsView:
    """The day's fills, and the positions that they affect.

    Attributes:
        known: True once fills were requested; before Start nothing is known.
        off: True if the running streams exclude fills.
        not_in_file: The keys of the executions whose contract is not in the portfolio.
    """

    day: FillDay
    portfolio_fills: PortfolioFills
    known: bool
    off: bool
    not_in_file: frozenset[str]


class SharedViews:
    """The newest views, each computed once; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tables: dict[tuple[int, float], TablesView] = {}
        self._builder = FillDayBuilder()
        self._fills: dict[int, tuple[Portfolio, FillsView]] = {}
        self._risk_lock = threading.Lock()
        self._risks: dict[tuple[int, float, float, bool], tuple[Portfolio, LiveRisk]] = {}
        self._solver: Solver | None = None

    def tables(
        self,
        portfolio: Portfolio,
        live: LiveSnapshot,
        stale_after_seconds: float,
        *,
        is_exact: bool = False,
    ) -> TablesView:
        """Return the tables of a portfolio; the same object until there is new data or a deadline passes.

        Only with `is_exact`, data of the last quarter of a second is always in it.
        """
        key = (id(portfolio), stale_after_seconds)
        with self._lock:
            kept = self._tables.get(key)
            may_keep = kept is not None and not (is_exact and kept.at.version != live.version)
            if may_keep and kept is not None and kept.portfolio is portfolio and kept.holds_for(live):
                return kept
            view = compute_view(portfolio, live, stale_after_seconds=stale_after_seconds)
            _keep(self._tables, key, view)
            return view

    def risk(
        self,
        portfolio: Portfolio,
        live: LiveSnapshot,
        stale_after_seconds: float,
        rate: float | None,
        *,
        iv_from_neighbours: bool = False,
    ) -> LiveRisk:
        """Return the portfolio's risk, at most about a second old while prices move.

        Only contracts with changed inputs are solved again. While one reader computes, others get the last
        result.
        """
        # QuantLib is slow to import, so it is imported when risk is first needed.
        from options_helper.analysis.risk.live_risk import RISK_FREE_RATE, solve_live_risk  # noqa: PLC0415
        from options_helper.analysis.risk.pricing.solver import Solver  # noqa: PLC0415 - the same
        from options_helper.session.solver_process import shared_process  # noqa: PLC0415 - the same

        chosen = RISK_FREE_RATE if rate is None else rate
        key = (id(portfolio), stale_after_seconds, chosen, iv_from_neighbours)
        kept = self._risks.get(key)
        known = kept[1] if kept is not None and kept[0] is portfolio else None
        if known is not None and _still_holds(known, live):
            return known
        if not self._risk_lock.acquire(blocking=known is None) and known is not None:
            return known
        try:
            self._solver = self._solver or Solver(shared_process().solve_many)
            found = solve_live_risk(
                portfolio,
                live,
                chosen,
                stale_after_seconds,
                self._solver,
                iv_from_neighbours=iv_from_neighbours,
            )
            _keep(self._risks, key, (portfolio, found))
            return found
        finally:
            self._risk_lock.release()

    def fill_day(self, live: LiveSnapshot) -> FillDay:
        """Return the day's fills; the same object until something new is known about them."""
        with self._lock:
            return self._builder.build_from(live)

    def fills(self, portfolio: Portfolio, live: LiveSnapshot, saved_at: dt.datetime | None) -> FillsView:
        """Return the day's fills, matched with a portfolio from a file saved at `saved_at`.

        It is the same object until something new is known about the fills.
        """
        known, off = live.started_at is not None, _are_off(live)
        with self._lock:
            day = self._builder.build_from(live)
            kept = self._fills.get(id(portfolio))
            if kept is not None and kept[0] is portfolio:
                view = kept[1]
                if view.day is day and (view.known, view.off) == (known, off):
                    return view
            facts = fills_for_portfolio(day, portfolio, saved_at)
            view = FillsView(day, facts, known, off, frozenset(one.key for one in facts.not_in_file))
            _keep(self._fills, id(portfolio), (portfolio, view))
            return view


def _still_holds(risk: LiveRisk, live: LiveSnapshot) -> bool:
    """Return whether a risk is recent enough for a snapshot, and not from a later one."""
    age = live.as_of - risk.at.as_of
    moved = live.version != risk.at.version or live.started_at != risk.at.started_at
    return -_RISK_EVERY < age < (_RISK_EVERY if moved else _RISK_FOR)


def _are_off(live: LiveSnapshot) -> bool:
    is_idle = (
        live.started_at is not None and live.status_by_stream[StreamName.FILLS] == StreamState.NOT_STARTED
    )
    return is_idle and not live.fills and not live.fill_gaps


def _keep(kept: dict[Key, Kept], key: Key, value: Kept) -> None:
    """Store a value as the newest, and drop the oldest if there are too many."""
    kept.pop(key, None)
    while len(kept) >= _KEPT:
        del kept[next(iter(kept))]
    kept[key] = value
