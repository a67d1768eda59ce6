"""An alert's status in words."""

from __future__ import annotations

import datetime as dt

from options_helper.analysis.alerts.records import AlertPhase, AlertStatus, Outcome
from options_helper.analysis.alerts.rules import EVENTS, EXPOSURES, AlertMetric, AlertRule
from options_helper.analysis.text.wording import format_time

_SUMS = EXPOSURES | {AlertMetric.PNL_ABS, AlertMetric.PNL_PCT, AlertMetric.DAY_PNL}
_UNDECIDED = frozenset(Outcome) - {Outcome.NOT_MET, Outcome.MET}


def describe_status(
    status: AlertStatus,
    rule: AlertRule,
    zone: dt.tzinfo,
    as_of: dt.datetime | None = None,
    *,
    text: str = "",
) -> str:
    """Return the status of an alert: `raised 10:42:07 at +$812`, `normal · now +$120`, `not watched`.

    An alert whose figure is unknown is never called normal. `text` is the raising event in words, if it was
    one. A time on a different day than `as_of` includes the day.
    """
    now = rule.metric.format_value(status.value) if status.value is not None else ""
    is_undecided = status.outcome in _UNDECIDED
    parts = [_describe_phase(status, rule, zone, as_of, text)]
    if is_undecided:
        at = f" at {format_time(status.value_at, zone, as_of)}" if status.value_at is not None else ""
        has_last = now and rule.metric not in EVENTS
        parts.append(_describe_outcome(status, rule) + (f", last {now}{at}" if has_last else ""))
    elif now and rule.metric not in EVENTS:
        parts.append(f"now {now}")
    return " · ".join(parts[1:] if is_undecided and status.phase is AlertPhase.NORMAL else parts)


def _describe_outcome(status: AlertStatus, rule: AlertRule) -> str:
    if status.outcome is Outcome.NO_DATA and rule.position is None and rule.metric in _SUMS:
        return f"{status.outcome}: some positions lack this figure"
    return str(status.outcome)


def _describe_phase(
    status: AlertStatus, rule: AlertRule, zone: dt.tzinfo, as_of: dt.datetime | None, text: str
) -> str:
    match status.phase:
        case AlertPhase.RAISED if status.raised_at is not None:
            value = rule.metric.format_value(status.raised_value)
            by = f": {text}" if text else f" at {value}" if value else ""
            return f"raised {format_time(status.raised_at, zone, as_of)}{by}"
        case AlertPhase.PENDING:
            return f"pending for {status.held_seconds:.0f} of {rule.pending_seconds:.0f} s"
        case phase:
            return str(phase)
