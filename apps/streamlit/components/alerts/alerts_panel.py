"""The alerts panel: the status of each alert, its buttons, the history, and a toast for each new alert."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial
from weakref import WeakKeyDictionary

import streamlit as st

from apps.streamlit.components.alerts.acknowledge import render_acknowledge
from apps.streamlit.components.alerts.alert_form import render_form
from apps.streamlit.components.alerts.alert_words import describe_status
from apps.streamlit.components.downloads import OfferedFile, offer_file
from apps.streamlit.components.headings import panel_heading
from apps.streamlit.components.plain_text import in_markdown, unbroken
from options_helper.analysis.alerts.records import AlertPhase, Alerts
from options_helper.analysis.alerts.rules import AlertRule
from options_helper.analysis.alerts.words import describe_event, subject_of
from options_helper.analysis.osi import stock_symbol
from options_helper.analysis.text.wording import count, format_time
from options_helper.files.alerts_file import ALERTS_FILE_NAME, dump_alert_rules
from options_helper.session.monitor import MonitorView, PortfolioMonitor

LISTED = 50  # each alert has several widgets; a page with thousands of them does not respond to clicks
TOASTS = 5
_HISTORY_SHOWN = 50
_SERIAL_KEY, _FORM_USED = "live-alerts-serial", "live-alerts-form-used"
_SIGNS = {
    AlertPhase.NORMAL: "\N{WHITE CIRCLE}",
    AlertPhase.PENDING: "\N{CIRCLE WITH LEFT HALF BLACK}",
    AlertPhase.RAISED: "\N{BLACK UP-POINTING TRIANGLE}",
    AlertPhase.ACKNOWLEDGED: "\N{CHECK MARK}",
}
_ABSENT = " :orange[· not in the portfolio]"
_URGENT = (AlertPhase.RAISED, AlertPhase.PENDING)


def render(monitor: PortfolioMonitor, *, zone: dt.tzinfo) -> None:
    """Draw a portfolio's alerts, and a toast for each alert raised since this session last looked."""
    view = monitor.view()
    _announce(monitor, view.alerts)
    with st.container(key="live-alerts", border=True):
        st.html(panel_heading("Alerts", _summary(view.alerts)))
        if view.alerts_problem:
            st.error(f"Alerts are not watched. {in_markdown(view.alerts_problem)}", icon=":material/error:")
        if monitor.state_problem:
            st.warning(in_markdown(monitor.state_problem), icon=":material/warning:")
        if monitor.notice_problem:
            st.warning(in_markdown(monitor.notice_problem), icon=":material/notifications_off:")
        # Above the list, so that alerts do not push the form out of the window.
        _render_more(monitor, view, zone)
        names = monitor.names
        positions = monitor.portfolio.positions
        held = {None, *names, *(stock_symbol(position.symbol) for position in positions)}
        held |= {tag for position in positions for tag in position.tag or ()}
        for rule in choose_listed(view.alerts):
            subject = stock_symbol(rule.symbol) if rule.symbol else rule.position or rule.tag
            _render_rule(monitor, rule, view, zone, name=subject_of(rule, names), is_held=subject in held)
        unlisted = len(view.alerts.rules) - LISTED
        if unlisted > 0:
            st.caption(f"{in_markdown(count(unlisted, 'more alert'))} watched but not listed.")
        # Saved beside the portfolio file, it keeps the alerts made here.
        write = partial(dump_alert_rules, view.alerts.rules)
        offer_file(
            "live-csv-alerts",
            OfferedFile(f"Alerts as {ALERTS_FILE_NAME}", ALERTS_FILE_NAME, write, "application/json"),
        )
        st.html('<div class="alert-calls" role="group" aria-label="When an alert is raised"></div>')


def newest_raised(monitor: PortfolioMonitor) -> dict[str, object]:
    """Return the newest raised alerts, which the browser can announce with a sound and a notification.

    Each monitor numbers its own events. The newest are sent every time, because a browser may miss a message.
    """
    names, history = monitor.names, monitor.view().alerts.history
    raised = [event for event in history if event.phase is AlertPhase.RAISED][-TOASTS:]
    words = [[event.serial, describe_event(event, names)] for event in raised]
    return {"of": str(id(monitor)), "raised": words}


def choose_listed(alerts: Alerts) -> list[AlertRule]:
    """Return at most `LISTED` rules in the file's order, dropping raised and pending ones last."""
    if len(alerts.rules) <= LISTED:
        return list(alerts.rules)
    phases = {rule.id: alerts.status_of(rule.id).phase for rule in alerts.rules}
    by_urgency = sorted(
        alerts.rules, key=lambda rule: _URGENT.index(phases[rule.id]) if phases[rule.id] in _URGENT else 2
    )
    chosen = {rule.id for rule in by_urgency[:LISTED]}
    return [rule for rule in alerts.rules if rule.id in chosen]


def _summary(alerts: Alerts) -> str:
    if not alerts.rules:
        return "none"
    return f"{len(alerts.rules):,} · {alerts.raised_count:,} raised"


def _announce(monitor: PortfolioMonitor, alerts: Alerts) -> None:
    """Show a toast for each of the newest alerts raised since this session last looked, and one for the rest.

    Each monitor numbers its own events, so the last number seen is kept per monitor.
    """
    seen = st.session_state.setdefault(_SERIAL_KEY, WeakKeyDictionary())
    before = seen.setdefault(monitor, alerts.serial)
    raised = [event for event in alerts.history if event.serial > before and event.phase is AlertPhase.RAISED]
    icon, names = ":material/notifications_active:", monitor.names
    if len(raised) > TOASTS:
        st.toast(f"{in_markdown(count(len(raised) - TOASTS, 'more alert'))} raised.", icon=icon)
    for event in raised[-TOASTS:]:
        st.toast(in_markdown(unbroken(describe_event(event, names))), icon=icon, duration="long")
    seen[monitor] = alerts.serial


def _render_rule(
    monitor: PortfolioMonitor,
    rule: AlertRule,
    view: MonitorView,
    zone: dt.tzinfo,
    *,
    name: str,
    is_held: bool,
) -> None:
    status = view.alerts.status_of(rule.id)
    words, button = st.columns([4, 1], vertical_alignment="center")
    text = view.alerts.event_text(rule.id)
    standing = unbroken(describe_status(status, rule, zone, view.as_of, text=text))
    words.markdown(
        f"{_SIGNS[status.phase]} **{in_markdown(name)}** "
        f"{in_markdown(unbroken(rule.condition))}  \n"
        f":small[{in_markdown(standing)}{'' if is_held else _ABSENT}]"
    )
    if status.phase is AlertPhase.RAISED:
        with button:
            render_acknowledge(monitor, rule.id, key=f"live-alert-ack-{rule.id}")
    else:
        button.button(
            "Remove",
            key=f"live-alert-remove-{rule.id}",
            type="tertiary",
            help="Stop watching this alert until the file changes; the file is not written",
            on_click=monitor.remove_rule,
            args=(rule.id,),
        )


def _render_more(monitor: PortfolioMonitor, view: MonitorView, zone: dt.tzinfo) -> None:
    with st.container(horizontal=True, gap="small"):
        new = st.popover(
            "New", icon=":material/add:", key="live-alert-new", type="tertiary", on_change="rerun"
        )
        # Drawn even while closed again, because Streamlit forgets the input of a form that is not drawn.
        if new.open or st.session_state.get(_FORM_USED):
            st.session_state[_FORM_USED] = True
            with new:
                render_form(monitor)
        history = st.popover(
            "History", icon=":material/history:", key="live-alert-history", type="tertiary", on_change="rerun"
        )
        if history.open:
            with history:
                _render_history(view, zone, monitor.names)


def _render_history(view: MonitorView, zone: dt.tzinfo, names: Mapping[str, str]) -> None:
    shown = view.alerts.history[: -_HISTORY_SHOWN - 1 : -1]
    for one in shown:
        line = f"{format_time(one.at, zone, view.as_of)} {one.phase} · {describe_event(one, names)}"
        st.markdown(in_markdown(line))
    if not shown:
        st.markdown(":gray[Nothing has happened yet.]")
