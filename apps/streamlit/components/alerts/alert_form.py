"""The form that adds an alert."""

from __future__ import annotations

from typing import Any

import streamlit as st

from apps.streamlit.components.plain_text import in_markdown, visible
from options_helper.analysis.alerts.rules import (
    EVENTS,
    EXPOSURES,
    FRACTIONS,
    LARGEST_FRACTION,
    LONGEST_PENDING_SECONDS,
    LOWEST,
    OF_ALL,
    OF_POSITION,
    OF_UNDERLYING,
    WITHOUT_THRESHOLD,
    AlertMetric,
    AlertRule,
    Direction,
    pointless_words,
)
from options_helper.analysis.alerts.words import WHOLE, subject_of
from options_helper.analysis.osi import stock_symbol
from options_helper.analysis.text.figures import format_percent, format_quantity
from options_helper.session.monitor import PortfolioMonitor

_NEEDS_POSITION = "{} needs a position."
_NEEDS_UNDERLYING = "{} needs an underlying."
_TAG = "\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}"
_NEEDS_VALUE = "{} needs a value."
_HELD = "Held for (s)"
_DECIMALS = 6  # hides the error of dividing a percentage by 100


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
        st.segmented_control(
            "Raise when", sides, default=str(Direction.BELOW), required=True, key=_field("comparison")
        )
        st.number_input(
            "Value", value=None, help="Dollars, percent, shares, days or seconds", key=_field("threshold")
        )
        st.number_input(_HELD, value=0.0, step=5.0, key=_field("pending_seconds"))
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
    has_value = given["threshold"] is not None
    problem = _missing(metric, position, symbol, tag, has_value=has_value)
    fields = {**given, "position": position, "symbol": symbol, "tag": tag}
    if metric in WITHOUT_THRESHOLD:
        del fields["comparison"], fields["threshold"]
    if metric in EVENTS:
        del fields["pending_seconds"]
    if metric in FRACTIONS and has_value:
        fields["threshold"] = float(given["threshold"]) / 100
    problem = problem or _out_of_range(metric, fields)
    if not problem:
        rule = AlertRule.model_validate(fields)
        problem = _existing(rule, monitor)
        if not problem:
            monitor.add_rule(rule)
    st.session_state[_field("problem")] = problem


def _out_of_range(metric: AlertMetric, fields: dict[str, Any]) -> str:
    """Return which of the form's numbers is too small or too large as a sentence, or ""."""
    held, threshold = fields.get("pending_seconds"), fields.get("threshold")
    if "pending_seconds" in fields and (held is None or not 0 <= held <= LONGEST_PENDING_SECONDS):
        return f"{_HELD} takes a number from 0 to {LONGEST_PENDING_SECONDS:,}."
    if threshold is None:
        return ""
    if metric in FRACTIONS and abs(threshold) > LARGEST_FRACTION:
        ends = [format_percent(sign * LARGEST_FRACTION, signed=True, decimals=0) for sign in (-1, 1)]
        typed = format_quantity(round(100 * threshold, _DECIMALS))
        return f"{metric.label} takes a value from {ends[0]} to {ends[1]}, not {typed}%."
    pointless = pointless_words(metric, Direction(fields["comparison"]), threshold)
    if not pointless:
        return ""
    return f"{metric.label} is never below {metric.format_value(LOWEST[metric])}, {pointless}."


def _existing(rule: AlertRule, monitor: PortfolioMonitor) -> str:
    """Return a sentence if there is such an alert already, under whatever id, or ""."""
    others = monitor.view().alerts.rules
    if all(other.model_copy(update={"id": rule.id}) != rule for other in others):
        return ""
    return f"This alert already exists: {subject_of(rule, monitor.names)} · {rule.condition}."


def _missing(
    metric: AlertMetric, position: str | None, symbol: str | None, tag: str | None, *, has_value: bool
) -> str:
    """Return the first problem with the form's fields as a sentence, or ""."""
    is_exposure, label = metric in EXPOSURES, metric.label
    problems = (
        (not is_exposure and tag is not None, f"{label} cannot be watched for a tag."),
        (metric in OF_UNDERLYING and symbol is None, _NEEDS_UNDERLYING.format(label)),
        (
            not is_exposure and metric not in OF_UNDERLYING and symbol is not None,
            f"{label} cannot be watched for an underlying alone.",
        ),
        (metric in OF_POSITION and position is None, _NEEDS_POSITION.format(label)),
        (metric in OF_ALL and position is not None, f"{label} applies only to the whole portfolio."),
        (metric not in WITHOUT_THRESHOLD and not has_value, _NEEDS_VALUE.format(label)),
    )
    return next((words for is_so, words in problems if is_so), "")
