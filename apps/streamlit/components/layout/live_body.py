"""Everything below the head: status, totals, tables, fills and streams. Imported after the title is drawn."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from apps.streamlit.components.account.account_panel import render_account, render_account_note
from apps.streamlit.components.account.account_view import AccountView, build_account_view
from apps.streamlit.components.alerts import alerts_panel
from apps.streamlit.components.alerts.alert_bar import render_alert_bar
from apps.streamlit.components.charts.pnl_charts import render_pnl_pictures, render_portfolio_curve
from apps.streamlit.components.detail import position_detail
from apps.streamlit.components.fills.fills_panel import render_fills
from apps.streamlit.components.headings import name_region
from apps.streamlit.components.inputs.page_context import PageContext
from apps.streamlit.components.layout.empty_states import (
    find_all_expired,
    find_portfolio_diagnosis,
    render_account_book,
    render_empty_portfolio,
    render_no_portfolio,
)
from apps.streamlit.components.positions.position_tables import render_positions
from apps.streamlit.components.positions.totals import render_meanings, render_totals
from apps.streamlit.components.positions.underlying_sums import render_underlying_sums
from apps.streamlit.components.risk.risk_panel import render_risk_sums, render_risk_tile
from apps.streamlit.components.risk.scenario_panel import WHOLE, render_scenarios
from apps.streamlit.components.status.health_panel import render_health
from apps.streamlit.components.status.notes import render_notes
from apps.streamlit.components.status.status_line import announce_change, find_diagnosis, render_status
from apps.streamlit.components.view.page_view import PageView, compute_page_view, describe_view, minute_of
from apps.streamlit.components.view.redraw import mark_drawn, redraw_if_changed
from options_helper.analysis.account.day_result import day_name_of
from options_helper.analysis.arrays.memo import IdentityMemo
from options_helper.analysis.status.diagnosis import Level
from options_helper.analysis.status.stream_lines import describe_mix
from options_helper.analysis.strategies.book_loss import BookLoss, find_book_loss
from options_helper.analysis.tables.quote_counts import grown_older
from options_helper.files.account_portfolio import ExistingFile
from options_helper.models import Portfolio
from options_helper.times import new_york_date

_memo = IdentityMemo()
_ALARMS = frozenset({Level.WARNING, Level.ERROR})


def render_status_part(context: PageContext, *, parts: Sequence[str]) -> bool:
    """Draw the status line, request the other parts if they changed, and return whether they are overdue."""
    source, pace = context.model.source, context.model.settings.refresh_seconds
    if source.portfolio is None:
        shown = (source.version, str(source.error), minute_of(context.snapshot))
        spoken = render_status(find_portfolio_diagnosis(source))
        return redraw_if_changed(shown, parts, pace_seconds=pace, now=context.snapshot.as_of, spoken=spoken)
    page = compute_page_view(context, source.portfolio)
    quotes = grown_older(page.view.quotes, page.view.at.as_of, context.snapshot.as_of)
    diagnosis = find_diagnosis(context, quotes)
    if diagnosis.level not in _ALARMS:
        diagnosis = find_all_expired(source, page.view.totals) or diagnosis
    spoken = render_status(diagnosis)
    announce_change(context.snapshot.status, diagnosis)
    return redraw_if_changed(
        describe_view(context, page),
        parts,
        pace_seconds=pace,
        now=context.snapshot.as_of,
        spoken=spoken,
        raised=alerts_panel.newest_raised(page.monitor),
    )


def render_live_body(context: PageContext) -> None:
    """Draw everything below the status line."""
    source = context.model.source
    if source.portfolio is None:
        render_no_portfolio(context)
        mark_drawn()
        return
    page = compute_page_view(context, source.portfolio)
    account = build_account_view(page.view, source.saved_at)
    _render_summary(context, page, account)
    wide, narrow = _two_columns("live-columns")
    with wide:
        if source.portfolio.positions:
            _render_positions(context, page, account)
        else:
            render_empty_portfolio(source)
        if context.snapshot.started_at is not None:
            file = ExistingFile(source.content, source.portfolio)
            render_account(account, file, page.view.at, context.zone)
        render_meanings()
    with narrow:
        alerts_panel.render(page.monitor, zone=context.zone)
        render_fills(page.fills, context.zone)
        render_health(context)
    mark_drawn()


def _book_loss(portfolio: Portfolio, at: dt.datetime) -> BookLoss:
    today = new_york_date(at)
    compute = partial(find_book_loss, portfolio, today)
    return _memo.get("loss", portfolio, compute, extent=today.toordinal())


def _two_columns(key: str) -> list[DeltaGenerator]:
    """Return a wide and a narrow column; the style sheet puts one below the other if they do not fit."""
    with st.container(key=key):
        return st.columns([3.2, 1], gap="small")


def _render_summary(context: PageContext, page: PageView, account: AccountView) -> None:
    """Draw the notes, the totals, and the day's curve."""
    # This container is always there, invisible while empty. If it came and went, the parts below would change
    # places, and the browser would show them twice until the run ends.
    with st.container():
        render_alert_bar(page.monitor, context.zone)
        render_notes(context)
        render_account_note(account, context.model.source.name)
        render_account_book(context)
    tiles, curve = _two_columns("live-summary")
    with tiles:
        name_region("Totals")
        mix, apart = describe_mix(page.view.at), account.not_held_words
        cash = page.view.portfolio.cash
        loss = _book_loss(page.view.portfolio, page.view.at.as_of)
        name = day_name_of(page.view.at)
        render_totals(page.view.totals, cash, mix, loss=loss, not_held=apart, day=account.day, day_name=name)
        name_region("Risk")
        render_risk_tile(page.risk)
    with curve:
        name_region("Day")
        render_portfolio_curve(page.day, page.charted, zone=context.zone, key="live-curve", height=96)


def _render_positions(context: PageContext, page: PageView, account: AccountView) -> None:
    """Draw the table, the detail of the selected row, and the charts by underlying."""
    view, executions = page.view, page.fills.day.leaf_fills
    name_region("Positions")
    selected = render_positions(
        view,
        page.risk,
        page.fills,
        account.compared,
        context.zone,
        raised=page.raised,
        now=context.snapshot.as_of,
    )
    with st.container():  # always there, like the one for the notes
        if selected is not None:
            position_detail.render(
                selected,
                portfolio=view.portfolio,
                positions=view.positions,
                structures=view.structures,
                legs=view.legs,
                risk=page.risk,
                view=page.day,
                fills=executions,
                zone=context.zone,
            )
    with st.container(key="live-underlyings", border=True):
        name_region("Profit, loss and risk by underlying")
        render_pnl_pictures(page.day, view.underlyings, page.charted, zone=context.zone, key="live-pictures")
        render_underlying_sums(view)
        render_risk_sums(page.risk, context.model.credentials.rate_problem)
        totals = {WHOLE: view.totals.open_pnl.value}
        pairs = zip(view.underlyings["underlying"], view.underlyings["open_pnl"], strict=True)
        known = {name: None if pnl != pnl else pnl for name, pnl in pairs}  # noqa: PLR0124 - NaN
        render_scenarios(page.risk, known | totals, context.zone)
