"""The process's tables, fills and risk, shared by every reader.

Every tab, the alerts and the day's curves read the same objects: an unchanged snapshot costs a
look-up, and the first reader of a changed one computes the view.
"""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass

from options_helper.analysis.fills.by_position import PortfolioFills, fills_for_portfolio
from options_helper.analysis.fills.day import FillDay, FillDayBuilder
from options_helper.analysis.tables.view import TablesView, compute_view
from options_helper.market import LiveSnapshot, StreamName, StreamState
from options_helper.models import Portfolio
from options_helper.session.newest import keep_newest
from options_helper.session.risk.shared_risk import SharedRisk


@dataclass(frozen=True, slots=True, eq=False)
class FillsView:
    """The day's fills, and the positions that they affect.

    Attributes:
        known: True once fills have been requested; before Start nothing is known.
        off: True if the running streams exclude fills.
        not_in_file: The keys of the executions whose contract is not in the portfolio.
    """

    day: FillDay
    portfolio_fills: PortfolioFills
    known: bool
    off: bool
    not_in_file: frozenset[str]


class SharedViews:
    """The newest views, each computed once; thread-safe.

    Attributes:
        risk: The newest risk of each request.
    """

    def __init__(self) -> None:
        self.risk = SharedRisk()
        self._lock = threading.Lock()
        self._tables: dict[tuple[int, float], TablesView] = {}
        self._builder = FillDayBuilder()
        self._fills: dict[int, tuple[Portfolio, FillsView]] = {}

    def tables(
        self,
        portfolio: Portfolio,
        live: LiveSnapshot,
        stale_after_seconds: float,
        *,
        is_exact: bool = False,
    ) -> TablesView:
        """Return the tables of a portfolio; the same object until there is new data or a deadline passes.

        Only with `is_exact`, data of the last tenth of a second is always in it.
        """
        key = (id(portfolio), stale_after_seconds)
        with self._lock:
            kept = self._tables.get(key)
            may_keep = kept is not None and not (is_exact and kept.at.version != live.version)
            if may_keep and kept is not None and kept.portfolio is portfolio and kept.holds_for(live):
                return kept
            view = compute_view(portfolio, live, stale_after_seconds=stale_after_seconds)
            keep_newest(self._tables, key, view)
            return view

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
            keep_newest(self._fills, id(portfolio), (portfolio, view))
            return view


def _are_off(live: LiveSnapshot) -> bool:
    is_idle = (
        live.started_at is not None and live.status_by_stream[StreamName.FILLS] == StreamState.NOT_STARTED
    )
    return is_idle and not live.fills and not live.fill_gaps
