"""The form that adds an alert."""

from __future__ import annotations

import streamlit as st
from pydantic import ValidationError

from apps.streamlit.components.alerts.alert_words import WHOLE
from apps.streamlit.components.plain_text import in_markdown, visible
from options_helper.analysis.alerts.step import AlertMetric, AlertRule, Comparison
from options_helper.session.monitor import PortfolioMonitor

_FRACTIONS = frozenset({AlertMetric.PNL_PCT, AlertMetric.SPREAD_PCT})


def render_form(monitor: PortfolioMonitor) -> None:
    """Draw the form, with the reason below it if the last submission made no alert."""
    with st.form("live-alert-form", border=False, clear_on_submit=False):
        ids = [position.id for position in monitor.portfolio.positions]
        st.selectbox("Watch", [WHOLE, *ids], format_func=visible, key=_field("position"))
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
        st.error(in_markdown(problem))


def _field(name: str) -> str:
    return f"live-alert-{name}"


def _add(monitor: PortfolioMonitor) -> None:
    """Add the form's fields as a rule, or keep the reason why they are not valid."""
    fields = {name: st.session_state.get(_field(name)) for name in AlertRule.model_fields if name != "id"}
    if fields["position"] == WHOLE:
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
