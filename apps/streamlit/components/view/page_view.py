"""Everything computed for one refresh, and a description of it, so that an unchanged page is not redrawn."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from apps.streamlit.components.inputs.page_context import PageContext
from options_helper.analysis.fills.records import Execution
from options_helper.analysis.risk import LiveRisk
from options_helper.analysis.tables.view import TablesView
from options_helper.launch.log_file import LOG_FILE_VARIABLE
from options_helper.market import LiveSnapshot
from options_helper.models import Portfolio
from options_helper.session.monitor import MonitorView, PortfolioMonitor
from options_helper.session.registry import monitor_for
from options_helper.session.risk.shared_risk import RiskRequest
from options_helper.session.views import FillsView

NEIGHBOURS_KEY = "live-risk-neighbours"  # the switch for volatilities from neighbouring strikes
_TAKEN = "live-taken"
_MINUTE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class PageView:
    """Tables, risk, fills, and the day so far of one portfolio."""

    view: TablesView
    risk: LiveRisk
    fills: FillsView
    monitor: PortfolioMonitor
    day: MonitorView

    @property
    def charted(self) -> list[Execution]:
        """The executions up to the charts' time, which is a few seconds old."""
        return [one for one in self.fills.day.leaf_fills if one.at <= self.day.as_of]

    @property
    def raised(self) -> int:
        """The number of raised alerts now; `day` may be a few seconds old."""
        return self.monitor.view().alerts.raised_count


def take_page(context: PageContext) -> PageView | None:
    """Return everything that this refresh shows, and keep it for its parts; None without a portfolio."""
    portfolio = context.model.source.portfolio
    page = None if portfolio is None else compute_page_view(context, portfolio)
    st.session_state[_TAKEN] = context, page
    return page


def taken_page() -> tuple[PageContext, PageView | None]:
    """Return what the last refresh of this session took: all parts show the same snapshot."""
    taken: tuple[PageContext, PageView | None] = st.session_state[_TAKEN]
    return taken


def take_again() -> None:
    """Compute the last refresh's page again, after one of its settings has changed."""
    context, _ = taken_page()
    take_page(context)


def compute_page_view(context: PageContext, portfolio: Portfolio) -> PageView:
    """Return everything that one refresh shows; unchanged parts are the same object in every tab."""
    source, settings = context.model.source, context.model.settings
    stale_after = settings.stale_after_seconds
    monitor = monitor_for(
        source.path,
        portfolio,
        context.hub.manager.snapshot,
        stale_after_seconds=stale_after,
        state_folder=_state_folder(),
    )
    request = RiskRequest(
        portfolio,
        stale_after,
        context.model.credentials.risk_free_rate,
        iv_from_neighbours=bool(st.session_state.get(NEIGHBOURS_KEY)),
    )
    return PageView(
        monitor.views.tables(portfolio, context.snapshot, stale_after),
        monitor.views.risk.to_show(request, context.snapshot),
        monitor.views.fills(portfolio, context.snapshot, source.saved_at),
        monitor,
        monitor.charts(context.snapshot.as_of),
    )


def _state_folder() -> Path | None:
    """Return the log's folder, where alerts are kept too; None without a log."""
    log = os.environ.get(LOG_FILE_VARIABLE)
    return Path(log).parent if log else None


def describe_view(context: PageContext, page: PageView) -> tuple[object, ...]:
    """Return a description of all that prices move; pages with equal descriptions show the same there.

    The minute stands for slow changes: the countdown to the close, and flat curves.
    """
    snapshot = context.snapshot
    return (
        page.view,
        page.risk,
        page.fills,
        snapshot.stopped_at,
        describe_alerts(context, page),
        context.hub.last_action,
        context.hours.phase,
        tuple(snapshot.backfill.items()),
        minute_of(snapshot),
    )


def describe_alerts(context: PageContext, page: PageView) -> tuple[object, ...]:
    """Return everything that is shown about the alerts, in comparable form."""
    seen = page.monitor.view()
    return (
        page.monitor,
        tuple(seen.alerts.status.items()),
        seen.alerts.rules,
        seen.alerts.serial,
        seen.alerts_problem,
        page.monitor.notice_problem,
        context.zone,
        minute_of(context.snapshot),
    )


def minute_of(snapshot: LiveSnapshot) -> int:
    """Return the minute of the snapshot's time."""
    return int(snapshot.as_of.timestamp()) // _MINUTE_SECONDS
