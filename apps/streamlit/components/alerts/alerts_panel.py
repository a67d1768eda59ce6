"""Alerts on the page: where each stands, acknowledging, making one, downloading them all, and the toast."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import streamlit as st
from pydantic import ValidationError

from options_helper.analysis.alerts.step import (
    AlertEvent,
    AlertMetric,
    AlertPhase,
    AlertRule,
    Alerts,
    AlertStatus,
    Comparison,
    Outcome,
)
from options_helper.analysis.text.wording import format_time
from options_helper.files.alerts_file import ALERTS_FILE_NAME, dump_alert_rules

if TYPE_CHECKING:
    from options_helper.session.monitor import MonitorView, PortfolioMonitor

_TOLD_KEY = "live-alerts-told"
_WHOLE = "Whole portfolio"
_MINUS = "\N{MINUS SIGN}"
_SIGNS = {
    AlertPhase.NORMAL: "\N{WHITE CIRCLE}",
    AlertPhase.PENDING: "\N{CIRCLE WITH LEFT HALF BLACK}",
    AlertPhase.RAISED: "\N{BLACK UP-POINTING TRIANGLE}",
    AlertPhase.ACKNOWLEDGED: "\N{CHECK MARK}",
}
_HISTORY_SHOWN = 50
_FRACTIONS = frozenset({AlertMetric.PNL_PCT, AlertMetric.SPREAD_PCT})


def render(monitor: PortfolioMonitor, *, zone: dt.tzinfo) -> None:
    """Draw the alerts of a portfolio, and tell of those that were raised since this session last looked."""
    view = monitor.view()
    _tell(monitor, view.alerts)
    with st.container(key="live-alerts", border=True):
        st.markdown(f"**Alerts** :gray[{_summary(view.alerts)}]")
        if view.alerts_problem:
            st.error(f"Alerts are not watched. {view.alerts_problem}", icon=":material/error:")
        held = frozenset(position.id for position in monitor.portfolio.positions)
        for rule in view.alerts.rules:
            _render_rule(monitor, rule, view, zone, is_held=rule.position is None or rule.position in held)
        _render_more(monitor, view, zone)


def describe_status(
    status: AlertStatus, rule: AlertRule, zone: dt.tzinfo, as_of: dt.datetime | None = None
) -> str:
    """Where an alert stands in words: `raised 10:42:07 at +$812`, `normal · now +$120`, `no data`.

    A time of another day than `as_of` has its day with it.
    """
    now = rule.metric.format_value(status.value) if status.value is not None else ""
    match status.phase:
        case AlertPhase.RAISED if status.raised_at is not None:
            at = rule.metric.format_value(status.raised_value)
            parts = [f"raised {format_time(status.raised_at, zone, as_of)}" + (f" at {at}" if at else "")]
        case AlertPhase.PENDING:
            parts = [f"pending for {status.held_seconds:.0f} of {rule.pending_seconds:.0f} s"]
        case phase:
            parts = [str(phase)]
    if status.outcome in {Outcome.NO_DATA, Outcome.MARKET_CLOSED}:
        parts.append(str(status.outcome) + (f", last {now}" if now else ""))
    elif now and rule.metric is not AlertMetric.FILL:
        parts.append(f"now {now}")
    return " · ".join(parts)


def describe_event(event: AlertEvent) -> str:
    """What happened in words: `spy-put · P/L Open above +$800 · +$812`."""
    what = event.text or (event.rule.metric.format_value(event.value) if event.value is not None else "")
    return " · ".join(part for part in (event.rule.position or _WHOLE, event.rule.condition, what) if part)


def _summary(alerts: Alerts) -> str:
    if not alerts.rules:
        return "none"
    return f"{len(alerts.rules)} · {alerts.raised_count} raised"


def _tell(monitor: PortfolioMonitor, alerts: Alerts) -> None:
    """A toast for each alert raised since this browser session last looked; none for what was before it.

    Each monitor, of one portfolio file, counts its own events.
    """
    told = st.session_state.setdefault(_TOLD_KEY, WeakKeyDictionary())
    before = told.setdefault(monitor, alerts.serial)
    for event in alerts.history:
        if event.serial > before and event.phase is AlertPhase.RAISED:
            st.toast(
                _plain_text(describe_event(event)), icon=":material/notifications_active:", duration="long"
            )
    told[monitor] = alerts.serial


def _render_rule(
    monitor: PortfolioMonitor, rule: AlertRule, view: MonitorView, zone: dt.tzinfo, *, is_held: bool
) -> None:
    status = view.alerts.status_of(rule.id)
    words, button = st.columns([4, 1], vertical_alignment="center")
    name = f"{_SIGNS[status.phase]} **{_plain_text(rule.position or _WHOLE)}** {_plain_text(rule.condition)}"
    stand = _plain_text(describe_status(status, rule, zone, view.as_of))
    if not is_held:
        stand += " :orange[· no such position in the portfolio]"
    words.markdown(_unbroken(f"{name}  \n:small[{stand}]"))
    if status.phase is AlertPhase.RAISED:
        button.button(
            "Ack",
            key=f"live-alert-ack-{rule.id}",
            help="Acknowledge; it can be raised again once its condition has passed",
            on_click=monitor.acknowledge,
            args=(rule.id,),
        )
    else:
        button.button(
            "Remove",
            key=f"live-alert-remove-{rule.id}",
            type="tertiary",
            help="Stop watching it until the file changes; the file is not written",
            on_click=monitor.remove_rule,
            args=(rule.id,),
        )


def _render_more(monitor: PortfolioMonitor, view: MonitorView, zone: dt.tzinfo) -> None:
    with st.container(horizontal=True, gap="small"):
        with st.popover("New", icon=":material/add:", key="live-alert-new", type="tertiary"):
            _render_form(monitor)
        with st.popover("History", icon=":material/history:", key="live-alert-history", type="tertiary"):
            shown = view.alerts.history[: -_HISTORY_SHOWN - 1 : -1]
            lines = [
                f"{format_time(one.at, zone, view.as_of)} {one.phase} · {_plain_text(describe_event(one))}"
                for one in shown
            ]
            st.markdown("  \n".join(lines) if lines else ":gray[Nothing has happened yet.]")
        st.download_button(
            "Download",
            data=dump_alert_rules(view.alerts.rules),
            file_name=ALERTS_FILE_NAME,
            mime="application/json",
            icon=":material/download:",
            type="tertiary",
            key="live-alerts-download",
            on_click="ignore",
            help="As alerts.json, which keeps alerts made here if it lies beside the portfolio",
        )


def _render_form(monitor: PortfolioMonitor) -> None:
    with st.form("live-alert-form", border=False, clear_on_submit=False):
        ids = [position.id for position in monitor.portfolio.positions]
        st.selectbox("Watch", [_WHOLE, *ids], key=_field("position"))
        metrics = [str(metric) for metric in AlertMetric]
        st.selectbox(
            "Figure", metrics, format_func=lambda name: AlertMetric(name).label, key=_field("metric")
        )
        sides = [str(side) for side in Comparison]
        st.segmented_control("Raise when", sides, default=str(Comparison.BELOW), key=_field("comparison"))
        st.number_input(
            "Threshold", value=0.0, help="Dollars, percent, days or seconds", key=_field("threshold")
        )
        st.number_input("Held for (s)", min_value=0.0, value=0.0, step=5.0, key=_field("pending_seconds"))
        st.form_submit_button("Add alert", on_click=_add, args=(monitor,))
    problem = st.session_state.get(_field("problem"))
    if problem:
        st.error(problem)


def _field(name: str) -> str:
    return f"live-alert-{name}"


def _add(monitor: PortfolioMonitor) -> None:
    """The form's fields as one rule more; or, below the form, why they make none."""
    fields = {name: st.session_state.get(_field(name)) for name in AlertRule.model_fields if name != "id"}
    if fields["position"] == _WHOLE:
        fields["position"] = None
    if fields["metric"] == AlertMetric.FILL:
        fields = {name: fields[name] for name in ("metric", "position")}
    elif fields["metric"] in _FRACTIONS:
        fields["threshold"] = float(fields["threshold"] or 0.0) / 100
    try:
        monitor.add_rule(AlertRule.model_validate(fields))
        st.session_state[_field("problem")] = ""
    except ValidationError as error:
        st.session_state[_field("problem")] = error.errors()[0]["msg"].removeprefix("Value error, ")


def _unbroken(text: str) -> str:
    """A minus sign stays on the line of its dollars."""
    return text.replace(_MINUS, f"{_MINUS}\N{WORD JOINER}")


def _plain_text(text: str) -> str:
    """Text that Markdown leaves as it is."""
    return "".join(f"\\{letter}" if letter in r"\`*_{}[]<>()#+!|~$:" else letter for letter in text)
