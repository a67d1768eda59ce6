"""An alert's status in words."""

from __future__ import annotations

import datetime as dt

from options_helper.analysis.alerts.rules import EVENTS
from options_helper.analysis.alerts.step import (
    AlertPhase,
    AlertRule,
    AlertStatus,
    Outcome,
)
from options_helper.analysis.text.wording import format_time


def describe_status(
    status: AlertStatus, rule: AlertRule, zone: dt.tzinfo, as_of: dt.datetime | None = None
) -> str:
    """Return the status of an alert: `raised 10:42:07 at +$812`, `normal · now +$120`, `not watched`.

    A time on a different day than `as_of` includes the day.
    """
    now = rule.metric.format_value(status.value) if status.value is not None else ""
    parts = [_describe_phase(status, rule, zone, as_of)]
    if status.outcome not in {Outcome.NOT_MET, Outcome.MET}:
        at = f" at {format_time(status.value_at, zone, as_of)}" if status.value_at is not None else ""
        has_last = now and rule.metric not in EVENTS
        parts.append(str(status.outcome) + (f", last {now}{at}" if has_last else ""))
    elif now and rule.metric not in EVENTS:
        parts.append(f"now {now}")
    return " · ".join(parts)


def _describe_phase(status: AlertStatus, rule: AlertRule, zone: dt.tzinfo, as_of: dt.datetime | None) -> str:
    match status.phase:
        case AlertPhase.RAISED if status.raised_at is not None:
            at = rule.metric.format_value(status.raised_value)
            return f"raised {format_time(status.raised_at, zone, as_of)}" + (f" at {at}" if at else "")
        case AlertPhase.PENDING:
            return f"pending for {status.held_seconds:.0f} of {rule.pending_seconds:.0f} s"
        case phase:
            return str(phase)
