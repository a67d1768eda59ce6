"""The risk that every reader of a process shares: computed at most once a second, and only what has moved."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from options_helper.error_guard import Guard
from options_helper.market import LiveSnapshot
from options_helper.models import Portfolio
from options_helper.session.newest import keep_newest

if TYPE_CHECKING:
    from options_helper.analysis.risk.live_risk import LiveRisk
    from options_helper.analysis.risk.pricing.solver import Solver

logger = logging.getLogger(__name__)

# Risk is computed at most once per `_EVERY`, and stays valid for `_UNCHANGED_FOR` if no price changes.
_EVERY = dt.timedelta(seconds=1)
_UNCHANGED_FOR = dt.timedelta(seconds=60)
_SHOWN_FOR = dt.timedelta(seconds=5)  # beside newer prices; an older risk is waited for

_Key = tuple[int, float, float | None, bool]


class RiskRequest(NamedTuple):
    """The request for a risk: everything that it is computed from besides the snapshot.

    Attributes:
        portfolio: The positions; another object is another request, even if it is equal.
        stale_after_seconds: The age above which a price is no longer live.
        rate: The risk-free rate, such as 0.036; None is the default.
        iv_from_neighbours: Model the volatility of a contract without an honest mark.
    """

    portfolio: Portfolio
    stale_after_seconds: float
    rate: float | None = None
    iv_from_neighbours: bool = False

    @property
    def key(self) -> _Key:
        """The request's key in a dictionary."""
        return (id(self.portfolio), *self[1:])


class SharedRisk:
    """The newest risk of each request; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._computing = threading.Lock()
        self._known: dict[_Key, tuple[Portfolio, LiveRisk]] = {}
        self._shown: dict[_Key, RiskRequest] = {}  # since their last computation
        self._solver: Solver | None = None
        self._guard = Guard(logger, "; it is logged once.", with_traceback=True)

    def exact(self, request: RiskRequest, live: LiveSnapshot) -> LiveRisk:
        """Return the risk of exactly this snapshot."""
        known = self._known_risk(request)
        if known is not None and known.at is live:
            return known
        with self._computing:
            found = self._solve(request, live)
            if live.stopped_at is None:  # else the page shows a frozen risk
                self._keep(request, found)
            return found

    def to_show(self, request: RiskRequest, live: LiveSnapshot) -> LiveRisk:
        """Return the last risk, at most 5 seconds old, without waiting; compute it if there is none.

        `keep_current` computes the next one.
        """
        with self._lock:
            keep_newest(self._shown, request.key, request)
        known = self._known_risk(request)
        return known if known is not None and _may_show(known, live) else self._compute(request, live)

    def keep_current(self, portfolio: Portfolio, live: LiveSnapshot) -> None:
        """Compute in a thread each risk of a portfolio that was shown and has become out of date.

        The next one is computed once this one is shown: pages that refresh every two seconds cost half as
        much as those that refresh every second, and a risk that nobody reads costs nothing.
        """
        with self._lock:
            requests = [
                request
                for request in self._shown.values()
                if request.portfolio is portfolio and not self._is_current(request, live)
            ]
        if requests and not self._computing.locked():
            run = threading.Thread(
                target=self._compute_next, args=(requests, live), name="options-helper-risk", daemon=True
            )
            with self._guard.keep_going("The risk's thread"):  # a system without threads: the readers wait
                run.start()

    def _compute_next(self, requests: Sequence[RiskRequest], live: LiveSnapshot) -> None:
        for request in requests:
            with self._lock:
                self._shown.pop(request.key, None)
            with self._guard.keep_going("The risk"):  # a reader sees the error in 5 seconds
                self._compute(request, live)

    def _known_risk(self, request: RiskRequest) -> LiveRisk | None:
        kept = self._known.get(request.key)
        return kept[1] if kept is not None and kept[0] is request.portfolio else None

    def _is_current(self, request: RiskRequest, live: LiveSnapshot) -> bool:
        known = self._known_risk(request)
        return known is not None and _still_holds(known, live)

    def _compute(self, request: RiskRequest, live: LiveSnapshot) -> LiveRisk:
        known = self._known_risk(request)
        if known is not None and _still_holds(known, live):
            return known
        waits = known is None or not _may_show(known, live)
        if not self._computing.acquire(blocking=waits) and known is not None:
            return known
        try:
            last = self._known_risk(request)  # somebody may have computed it meanwhile
            if waits and last is not None and _may_show(last, live):
                return last
            return self._keep(request, self._solve(request, _as_stopped(last, live)))
        finally:
            self._computing.release()

    def _solve(self, request: RiskRequest, live: LiveSnapshot) -> LiveRisk:
        # QuantLib is slow to import, so it is imported when risk is first needed.
        from options_helper.analysis.risk.live_risk import RISK_FREE_RATE, solve_live_risk  # noqa: PLC0415
        from options_helper.analysis.risk.pricing.solver import Solver  # noqa: PLC0415 - the same
        from options_helper.session.risk.solver_process import shared_process  # noqa: PLC0415 - the same

        self._solver = self._solver or Solver(shared_process().solve_many)
        return solve_live_risk(
            request.portfolio,
            live,
            RISK_FREE_RATE if request.rate is None else request.rate,
            request.stale_after_seconds,
            self._solver,
            iv_from_neighbours=request.iv_from_neighbours,
        )

    def _keep(self, request: RiskRequest, risk: LiveRisk) -> LiveRisk:
        keep_newest(self._known, request.key, (request.portfolio, risk))
        return risk


def _still_holds(risk: LiveRisk, live: LiveSnapshot) -> bool:
    """Return whether a risk of the same run is recent enough for a snapshot, and not from a later one.

    After Stop, only the risk of the last prices holds, and it is frozen with the other figures.
    """
    if live.stopped_at is not None and live.started_at == risk.at.started_at:
        return risk.at.version == live.version and risk.at.as_of > live.stopped_at - _SHOWN_FOR
    age = live.as_of - risk.at.as_of
    lasts = _EVERY if live.version != risk.at.version else _UNCHANGED_FOR
    return live.started_at == risk.at.started_at and -_EVERY < age < lasts


def _may_show(risk: LiveRisk, live: LiveSnapshot) -> bool:
    """Return whether a risk of the same run is near enough to a snapshot to be shown beside its prices."""
    newest = min(live.as_of, live.stopped_at or live.as_of)
    is_near = abs(newest - risk.at.as_of) < _SHOWN_FOR
    return (is_near and live.started_at == risk.at.started_at) or _still_holds(risk, live)


def _as_stopped(last: LiveRisk | None, live: LiveSnapshot) -> LiveSnapshot:
    """Return the last prices of a stopped run as they were when it stopped.

    The streams count as they did for the last risk, which knew that quiet quotes were unchanged.
    """
    if live.stopped_at is None or last is None or not _may_show(last, live):
        return live
    return replace(live, as_of=live.stopped_at, health=last.at.health)
