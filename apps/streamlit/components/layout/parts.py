"""The contents of each part of the page, and how it is drawn.

Each part is a fragment, so that a refresh draws and sends only those that changed. A part that
prices move shows the whole view; any other part names the few values that it shows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from functools import partial

import streamlit as st

from apps.streamlit.components.account.account_panel import (
    OPENED_ACCOUNT,
    account_note,
    render_account,
)
from apps.streamlit.components.account.account_view import AccountView, build_account_view
from apps.streamlit.components.alerts import alerts_panel
from apps.streamlit.components.alerts.alert_bar import render_alert_bar
from apps.streamlit.components.charts.pnl_charts import (
    CHOSEN_CURVE,
    describe_curve,
    pnl_bars_html,
    render_chosen_curve,
    render_portfolio_curve,
)
from apps.streamlit.components.detail import position_detail
from apps.streamlit.components.downloads import describe_offers, render_offers
from apps.streamlit.components.fills.fills_panel import render_fills
from apps.streamlit.components.inputs.page_context import PageContext
from apps.streamlit.components.layout.empty_states import (
    render_account_portfolio,
    render_empty_portfolio,
    render_no_portfolio,
)
from apps.streamlit.components.layout.head import describe_head
from apps.streamlit.components.positions.position_tables import (
    offer_downloads,
    render_positions,
    selected_position,
)
from apps.streamlit.components.positions.totals import render_totals
from apps.streamlit.components.positions.underlying_sums import OPENED_SUMS, render_underlying_sums
from apps.streamlit.components.risk.computed import describe_computed
from apps.streamlit.components.risk.risk_panel import (
    OPENED_RISK,
    render_risk_sums,
    render_risk_tile,
    tile_html,
)
from apps.streamlit.components.risk.scenario_panel import OPENED_SCENARIOS, render_scenarios
from apps.streamlit.components.status.health_panel import HealthWords, describe_health, render_health
from apps.streamlit.components.status.notes import list_notes, render_notes
from apps.streamlit.components.status.recording_line import has_last_minutes, render_last_minutes
from apps.streamlit.components.view.page_view import (
    PageView,
    describe_alerts,
    describe_view,
    minute_of,
    taken_page,
)
from apps.streamlit.components.view.part import OF_POSITIONS, Part
from apps.streamlit.components.view.redraw import mark_drawn
from options_helper.analysis.account.day_result import day_name_of
from options_helper.analysis.arrays.memo import IdentityMemo
from options_helper.analysis.history.observation import PORTFOLIO
from options_helper.analysis.status.stream_lines import describe_mix
from options_helper.analysis.strategies.portfolio_loss import PortfolioLoss, find_portfolio_loss
from options_helper.files.account_portfolio import ExistingFile
from options_helper.models import Portfolio
from options_helper.times import new_york_date

_memo = IdentityMemo()


def describe_parts(context: PageContext, page: PageView | None) -> dict[str, object]:
    """Return everything that each part shows in comparable form; equal descriptions look the same."""
    head, zone = describe_head(context), context.zone
    if page is None:
        source = context.model.source
        why = (source.version, str(source.error), minute_of(context.snapshot))
        return {Part.HEAD: head, Part.NOTES: why}
    whole, alerts = describe_view(context, page), describe_alerts(context, page)
    account, selected = _account_of(context, page), selected_position(page.view.portfolio)
    today = context.snapshot.as_of.astimezone(zone).date()
    computed = describe_computed()
    shown = {  # in the order in which they are drawn again: prices first
        Part.HEAD: head,
        Part.TABLE: whole,
        Part.NOTES: (alerts, list_notes(context), account.compared),
        Part.TOTALS: whole,
        Part.RISK: tile_html(page.risk),
        Part.DAY: (describe_curve(page.day, PORTFOLIO, len(page.charted)), zone),
        Part.DOWNLOADS: describe_offers(),
        Part.DETAIL: selected and (selected, whole, computed),
        Part.BARS: pnl_bars_html(page.view),
        Part.CURVE: (describe_curve(page.day, _chosen_curve(), len(page.charted)), zone),
        Part.SUMS: (whole, computed) if _is_open(OPENED_SUMS, OPENED_RISK, OPENED_SCENARIOS) else None,
        Part.ACCOUNT: (_account_shown(account), whole if _is_open(*OPENED_ACCOUNT) else None, zone, today),
        Part.FILLS: (page.fills, zone),
        Part.ALERTS: alerts,
        Part.STREAMS: describe_health(context),
        Part.LAST_MINUTES: has_last_minutes(),
    }
    return {
        part: each
        for part, each in shown.items()
        if page.view.portfolio.positions or part not in OF_POSITIONS
    }


def describe_shapes(context: PageContext, shown: Mapping[str, object]) -> dict[str, object]:
    """Return what decides the number and kinds of some parts' elements; other parts may draw any.

    Args:
        context: The context of `shown`.
        shown: The result of `describe_parts`.
    """
    if Part.BARS not in shown:
        return {}
    health = shown[Part.STREAMS]
    return {
        Part.TABLE: True,  # always one table
        Part.TOTALS: context.snapshot.started_at is not None,
        Part.RISK: True,
        Part.BARS: True,
        Part.STREAMS: [bool(words) for words in health] if isinstance(health, HealthWords) else None,
    }


def draw_part(part: Part) -> None:
    """Draw one part of what the last refresh took; without a portfolio, why there is none."""
    context, page = taken_page()
    if page is None:
        render_no_portfolio(context)
    else:
        _DRAW[part](context, page)
    mark_drawn(part)


def _account_of(context: PageContext, page: PageView) -> AccountView:
    return build_account_view(page.view, context.model.source.saved_at)


def _account_shown(account: AccountView) -> tuple[object, ...]:
    """Return what the panel shows outside its collapsed sections."""
    return (
        account.compared,
        account.money,
        account.day,
        account.closed,
        account.history_since,
        account.has_bridge,
    )


def _chosen_curve() -> str:
    return str(st.session_state.get(CHOSEN_CURVE, PORTFOLIO))


def _is_open(*keys: str) -> bool:
    """Return whether any of these expanders is open."""
    return any(st.session_state.get(key) for key in keys)


def _draw_notes(context: PageContext, page: PageView) -> None:
    render_alert_bar(page.monitor, context.zone)
    of_account = account_note(_account_of(context, page), context.model.source.name)
    render_notes(list_notes(context), of_account)
    render_account_portfolio(context)


def _draw_totals(context: PageContext, page: PageView) -> None:
    account, portfolio, live = _account_of(context, page), page.view.portfolio, page.view.at
    render_totals(
        page.view.totals,
        portfolio.cash,
        describe_mix(live),
        loss=_portfolio_loss(portfolio, live.as_of),
        not_held=account.not_held_words,
        day=account.day,
        day_name=day_name_of(live),
        has_account=live.started_at is not None,
    )


def _draw_risk(_context: PageContext, page: PageView) -> None:
    render_risk_tile(page.risk)


def _portfolio_loss(portfolio: Portfolio, at: dt.datetime) -> PortfolioLoss:
    today = new_york_date(at)
    compute = partial(find_portfolio_loss, portfolio, today)
    return _memo.get("loss", portfolio, compute, extent=today.toordinal())


def _draw_day(context: PageContext, page: PageView) -> None:
    render_portfolio_curve(page.day, page.charted, zone=context.zone, key="live-curve", height=149)


def _draw_table(context: PageContext, page: PageView) -> None:
    if not page.view.portfolio.positions:
        render_empty_portfolio(context.model.source)
        return
    render_positions(
        page.view,
        page.risk,
        page.fills,
        _account_of(context, page).compared,
        context.zone,
        raised=page.raised,
        stopped=context.snapshot.stopped_at is not None,
        now=context.snapshot.as_of,
    )
    offer_downloads(page.view.at.as_of, context.zone)


def _draw_downloads(_context: PageContext, _page: PageView) -> None:
    render_offers()


def _draw_detail(context: PageContext, page: PageView) -> None:
    selected = selected_position(page.view.portfolio)
    if selected is None:
        position_detail.render_none()
    else:
        position_detail.render(
            selected,
            tables=page.view,
            risk=page.risk,
            view=page.day,
            fills=page.fills.day.leaf_fills,
            zone=context.zone,
            now=context.snapshot.as_of,
        )


def _draw_bars(_context: PageContext, page: PageView) -> None:
    st.html(pnl_bars_html(page.view))


def _draw_curve(context: PageContext, page: PageView) -> None:
    render_chosen_curve(page.day, page.charted, zone=context.zone)


def _draw_sums(context: PageContext, page: PageView) -> None:
    render_underlying_sums(page.view)
    render_risk_sums(page.risk, context.model.credentials.rate_problem)
    render_scenarios(page.risk, page.view, context.zone)


def _draw_account(context: PageContext, page: PageView) -> None:
    if context.snapshot.started_at is not None:
        source = context.model.source
        file = ExistingFile(source.content, page.view.portfolio)
        account, now = _account_of(context, page), context.snapshot.as_of
        render_account(account, file, page.view.at, context.zone, now=now)


def _draw_fills(context: PageContext, page: PageView) -> None:
    render_fills(page.fills, context.zone)


def _draw_alerts(context: PageContext, page: PageView) -> None:
    alerts_panel.render(page.monitor, zone=context.zone)


def _draw_streams(context: PageContext, _page: PageView) -> None:
    render_health(context)


def _draw_last_minutes(context: PageContext, _page: PageView) -> None:
    render_last_minutes(context.snapshot.as_of)


_DRAW: Mapping[Part, Callable[[PageContext, PageView], None]] = {
    Part.NOTES: _draw_notes,
    Part.TOTALS: _draw_totals,
    Part.RISK: _draw_risk,
    Part.DAY: _draw_day,
    Part.TABLE: _draw_table,
    Part.DOWNLOADS: _draw_downloads,
    Part.DETAIL: _draw_detail,
    Part.BARS: _draw_bars,
    Part.CURVE: _draw_curve,
    Part.SUMS: _draw_sums,
    Part.ACCOUNT: _draw_account,
    Part.FILLS: _draw_fills,
    Part.ALERTS: _draw_alerts,
    Part.STREAMS: _draw_streams,
    Part.LAST_MINUTES: _draw_last_minutes,
}
