"""The bar of raised alerts below the status line, each with its time and a button that shows its row."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from apps.streamlit.components.alerts.acknowledge import render_acknowledge
from apps.streamlit.components.alerts.alert_words import describe_status
from apps.streamlit.components.plain_text import in_markdown, unbroken
from apps.streamlit.components.positions.table.reveal import reveal_row
from options_helper.analysis.alerts.records import AlertPhase
from options_helper.analysis.alerts.rules import AlertRule
from options_helper.analysis.alerts.words import subject_of
from options_helper.analysis.osi import stock_symbol
from options_helper.analysis.text.wording import count
from options_helper.models import Portfolio
from options_helper.session.monitor import PortfolioMonitor

_LISTED = 3


def render_alert_bar(monitor: PortfolioMonitor, zone: dt.tzinfo) -> None:
    """Draw the newest raised alerts, if there are any."""
    view, names = monitor.view(), monitor.names
    status = {rule.id: view.alerts.status_of(rule.id) for rule in view.alerts.rules}
    raised = [rule for rule in view.alerts.rules if status[rule.id].phase is AlertPhase.RAISED]
    if not raised:
        return
    raised.sort(key=lambda rule: status[rule.id].raised_at or view.as_of, reverse=True)
    with st.container(key="live-alert-bar"):
        for rule in raised[:_LISTED]:
            text = view.alerts.event_text(rule.id)
            words = describe_status(status[rule.id], rule, zone, view.as_of, text=text)
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(
                    f"\N{BLACK UP-POINTING TRIANGLE} **Alert: {in_markdown(subject_of(rule, names))}** "
                    f"{in_markdown(unbroken(f'{rule.condition} · {words}'))}",
                    width="stretch",
                )
                row = _row_of(rule, monitor.portfolio)
                if row is not None:
                    st.button("Show row", key=f"live-alert-show-{rule.id}", on_click=reveal_row, args=row)
                render_acknowledge(monitor, rule.id, key=f"live-alert-bar-ack-{rule.id}")
        if len(raised) > _LISTED:
            st.markdown(in_markdown(f"and {count(len(raised) - _LISTED, 'more alert')}, listed under Alerts"))


def _row_of(rule: AlertRule, portfolio: Portfolio) -> tuple[str, str | None] | None:
    """Return the watched position, or the first one on the watched underlying and its group; else None."""
    group = None if rule.symbol is None else stock_symbol(rule.symbol)
    for position in portfolio.positions:
        if position.id == rule.position or stock_symbol(position.symbol) == group:
            return position.id, group
    return None
