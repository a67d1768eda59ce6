"""The process's views of tables, fills and risk, shared by every reader.

Every tab, the alerts and the day's curves read the same objects: an unchanged snapshot costs a
look-up, and the first reader of a changed one computes the view.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from options_helper.analysis.fills.by_position import PortfolioFills, fills_for_portfolio
from options_helper.analysis.fills.day import FillDay, FillDayBuilder
from options_helper.analysis.tables.view import TablesView, compute_view
from options_helper.error_guard import Guard
from options_helper.market import LiveSnapshot, StreamName, StreamState
from options_helper.models import Portfolio

if TYPE_CHECKING:
    from options_helper.analysis.risk.live_risk import LiveRisk
    from options_helper.analysis.risk.pricing.solver import Solver

logger = logging.getLogger(__name__)

_KEPT = 16  # portfolios and thresholds in use at the same time

# Risk is computed at most once per `_RISK_EVERY`, and stays valid for `_RISK_FOR` if no price changes.
_RISK_EVERY = dt.timedelta(seconds=1)
_RISK_FOR = dt.timedelta(seconds=60)
_RISK_SHOWN_FOR = dt.timedelta(seconds=5)  # beside newer prices; an older risk is waited for
_RISK_READ_WITHIN_SECONDS = 15.0  # a risk that nobody has read for longer is not kept current

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


class _RiskRequest(NamedTuple):
    """The inputs of a risk beside the snapshot."""

    portfolio: Portfolio
    stale_after_seconds: float
    rate: float | None
    iv_from_neighbours: bool

    @property
    def key(self) -> tuple[int, float, float | None, bool]:
        return (id(self.portfolio), *self[1:])


class SharedViews:
    """The newest views, each computed once; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tables: dict[tuple[int, float], TablesView] = {}
        self._builder = FillDayBuilder()
        self._fills: dict[int, tuple[Portfolio, FillsView]] = {}
        self._risk_lock = threading.Lock()
        self._risks: dict[tuple[int, float, float | None, bool], tuple[Portfolio, LiveRisk]] = {}
        self._risks_read: dict[tuple[int, float, float | None, bool], tuple[_RiskRequest, float]] = {}
        self._solver: Solver | None = None
        self._mishaps = Guard(logger, "; it is logged once.", with_traceback=True)

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
        """Return the portfolio's risk as of exactly this snapshot; only what moved is solved again."""
        request = _RiskRequest(portfolio, stale_after_seconds, rate, iv_from_neighbours)
        known = self._known_risk(request)
        if known is not None and known.at is live:
            return known
        with self._risk_lock:
            return self._solve(request, live)

    def risk_to_show(
        self,
        portfolio: Portfolio,
        live: LiveSnapshot,
        stale_after_seconds: float,
        rate: float | None,
        *,
        iv_from_neighbours: bool = False,
    ) -> LiveRisk:
        """Return the last risk, at most 5 seconds old, without waiting; compute it if there is none.

        `keep_risk_current` computes the next one.
        """
        request = _RiskRequest(portfolio, stale_after_seconds, rate, iv_from_neighbours)
        with self._lock:
            _keep(self._risks_read, request.key, (request, time.monotonic()))
        known = self._known_risk(request)
        return known if known is not None and _may_show(known, live) else self._compute_risk(request, live)

    def keep_risk_current(self, portfolio: Portfolio, live: LiveSnapshot) -> None:
        """Compute in a thread each risk of a portfolio that was shown lately and has become out of date."""
        since = time.monotonic() - _RISK_READ_WITHIN_SECONDS
        with self._lock:
            wanted = list(self._risks_read.values())
        requests = [
            request
            for request, read in wanted
            if read >= since and request.portfolio is portfolio and not self._is_current(request, live)
        ]
        if requests and not self._risk_lock.locked():
            run = threading.Thread(
                target=self._compute_risks, args=(requests, live), name="options-helper-risk", daemon=True
            )
            with self._mishaps.keep_going("The risk's thread"):  # a system without threads: the readers wait
                run.start()

    def _compute_risks(self, requests: Sequence[_RiskRequest], live: LiveSnapshot) -> None:
        for request in requests:
            with self._mishaps.keep_going("The risk"):  # a reader sees the error in 5 seconds
                self._compute_risk(request, live)

    def _known_risk(self, request: _RiskRequest) -> LiveRisk | None:
        kept = self._risks.get(request.key)
        return kept[1] if kept is not None and kept[0] is request.portfolio else None

    def _is_current(self, request: _RiskRequest, live: LiveSnapshot) -> bool:
        known = self._known_risk(request)
        return known is not None and _still_holds(known, live)

    def _compute_risk(self, request: _RiskRequest, live: LiveSnapshot) -> LiveRisk:
        known = self._known_risk(request)
        if known is not None and _still_holds(known, live):
            return known
        waits = known is None or not _may_show(known, live)
        if not self._risk_lock.acquire(blocking=waits) and known is not None:
            return known
        try:
            known = self._known_risk(request) if waits else None  # somebody may have computed it meanwhile
            return known if known is not None and _may_show(known, live) else self._solve(request, live)
        finally:
            self._risk_lock.release()

    def _solve(self, request: _RiskRequest, live: LiveSnapshot) -> LiveRisk:
        # QuantLib is slow to import, so it is imported when risk is first needed.
        from options_helper.analysis.risk.live_risk import RISK_FREE_RATE, solve_live_risk  # noqa: PLC0415
        from options_helper.analysis.risk.pricing.solver import Solver  # noqa: PLC0415 - the same
        from options_helper.session.solver_process import shared_process  # noqa: PLC0415 - the same

        self._solver = self._solver or Solver(shared_process().solve_many)
        found = solve_live_risk(
            request.portfolio,
            live,
            RISK_FREE_RATE if request.rate is None else request.rate,
            request.stale_after_seconds,
            self._solver,
            iv_from_neighbours=request.iv_from_neighbours,
        )
        _keep(self._risks, request.key, (request.portfolio, found))
        return found

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
    """Return whether a risk of the same run is recent enough for a snapshot, and not from a later one."""
    age = live.as_of - risk.at.as_of
    lasts = _RISK_EVERY if live.version != risk.at.version else _RISK_FOR
    return live.started_at == risk.at.started_at and -_RISK_EVERY < age < lasts


def _may_show(risk: LiveRisk, live: LiveSnapshot) -> bool:
    """Return whether a risk of the same run is near enough to a snapshot to be shown beside its prices."""
    is_near = abs(live.as_of - risk.at.as_of) < _RISK_SHOWN_FOR
    return (is_near and live.started_at == risk.at.started_at) or _still_holds(risk, live)


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
