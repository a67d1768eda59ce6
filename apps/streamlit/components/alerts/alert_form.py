"""The form that adds an alert."""

from __future__ import annotations

from typing import Any

import streamlit as st
from pydantic import ValidationError

from apps.streamlit.components.plain_text import in_markdown, visible
from options_helper.analysis.alerts.rules import (
    EVENTS,
    EXPOSURES,
    FRACTIONS,
    OF_ALL,
    OF_POSITION,
    OF_UNDERLYING,
    WITHOUT_THRESHOLD,
)
from options_helper.analysis.alerts.step import AlertMetric, AlertRule, Direction
from options_helper.analysis.alerts.words import WHOLE
from options_helper.analysis.osi import stock_symbol
from options_helper.session.monitor import PortfolioMonitor

_NEEDS_POSITION = "{} needs a position."
_NEEDS_UNDERLYING = "{} needs an underlying."
_TAG = "\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}"
_NEEDS_CONDITION = "{} needs a comparison, above or below, and a value."


def render_form(monitor: PortfolioMonitor) -> None:
    """Draw the form and, if the last submission was rejected, the reason below it."""
    names = monitor.names
    symbols = sorted({stock_symbol(position.symbol) for position in monitor.portfolio.positions})
    tags = sorted({tag for position in monitor.portfolio.positions for tag in position.tag or ()})
    shown = names | {_symbol_key(symbol): f"{symbol} or all positions on it" for symbol in symbols}
    shown |= {f"{_TAG}{tag}": f"Tag {tag}" for tag in tags}
    subjects = [WHOLE, *shown]
    with st.form("live-alert-form", border=False, clear_on_submit=False):
        st.selectbox(
            "Watch",
            subjects,
            format_func=lambda key: visible(shown.get(str(key), str(key))),
            key=_field("subject"),
        )
        metrics = [str(metric) for metric in AlertMetric]
        st.selectbox(
            "Figure", metrics, format_func=lambda name: AlertMetric(name).label, key=_field("metric")
        )
        sides = [str(side) for side in Direction]
        st.segmented_control("Raise when", sides, default=str(Direction.BELOW), key=_field("comparison"))
        st.number_input(
            "Value", value=None, help="Dollars, percent, shares, days or seconds", key=_field("threshold")
        )
        st.number_input("Held for (s)", min_value=0.0, value=0.0, step=5.0, key=_field("pending_seconds"))
        st.form_submit_button("Add alert", on_click=_add, args=(monitor,))
    problem = st.session_state.get(_field("problem"))
    if problem:
        st.error(in_markdown(problem))


def _symbol_key(symbol: str) -> str:
    """Return the choice for an underlying, in a form that no position's id can have."""
    return f"\N{NO-BREAK SPACE}{symbol}"


def _field(name: str) -> str:
    return f"live-alert-{name}"


def _add(monitor: PortfolioMonitor) -> None:
    """Add a rule made of the form's fields, or store why they are invalid."""
    names = ("subject", "metric", "comparison", "threshold", "pending_seconds")
    given: dict[str, Any] = {name: st.session_state.get(_field(name)) for name in names}
    metric, subject = AlertMetric(given["metric"]), str(given.pop("subject"))
    position = subject if subject in monitor.names else None
    tag = subject.removeprefix(_TAG) if position is None and subject.startswith(_TAG) else None
    symbol = subject[1:] if position is None and tag is None and subject != WHOLE else None
    has_value = None not in (given["comparison"], given["threshold"])
    problem = _missing(metric, position, symbol, tag, has_value=has_value)
    fields = {**given, "position": position, "symbol": symbol, "tag": tag}
    if metric in WITHOUT_THRESHOLD:
        del fields["comparison"], fields["threshold"]
    if metric in EVENTS:
        del fields["pending_seconds"]
    if not problem:
        if metric in FRACTIONS:
            fields["threshold"] = float(given["threshold"]) / 100
        try:
            monitor.add_rule(AlertRule.model_validate(fields))
        except ValidationError as error:
            problem = error.errors()[0]["msg"].removeprefix("Value error, ")
    st.session_state[_field("problem")] = problem


def _missing(
    metric: AlertMetric, position: str | None, symbol: str | None, tag: str | None, *, has_value: bool
) -> str:
    """Return the first problem with the form's fields as a sentence, or ""."""
    is_exposure, label = metric in EXPOSURES, metric.label
    problems = (
        (not is_exposure and tag is not None, f"{label} cannot be watched on a tag."),
        (metric in OF_UNDERLYING and symbol is None, _NEEDS_UNDERLYING.format(label)),
        (
            not is_exposure and metric not in OF_UNDERLYING and symbol is not None,
            f"{label} cannot be watched on an underlying alone.",
        ),
        (metric in OF_POSITION and position is None, _NEEDS_POSITION.format(label)),
        (metric in OF_ALL and position is not None, f"{label} applies only to the whole portfolio."),
        (metric not in WITHOUT_THRESHOLD and not has_value, _NEEDS_CONDITION.format(label)),
    )
    return next((words for is_so, words in problems if is_so), "")
