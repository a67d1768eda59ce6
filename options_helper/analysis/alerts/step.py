"""The state machine of alerts: pure functions of a sequence of views, without a clock or I/O.

    normal ──met──▶ pending ──met for pending_seconds──▶ raised ──acknowledge──▶ acknowledged
      ▲               │ not met                                                      │ not met
      └───────────────┴──────────────────────────────────────────────────────────────┘  re-armed

Without data, in a closed market or after Stop, every phase stays as it is and no time is counted. A raised
alert stays raised until it is acknowledged. A fill is an event, not a level: each new fill raises its alert,
which re-arms once acknowledged. Fills in an alert's first view do not raise it, and neither do earlier ones
that are reported later. An assignment or exercise is often known only by its date and reported hours later,
so it raises an alert that began on that date or earlier, or whose account was already read without it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace

from options_helper.analysis.alerts.records import (
    HISTORY_LENGTH,
    KEPT_FOR,
    AlertEvent,
    AlertFill,
    AlertPhase,
    Alerts,
    AlertStatus,
    AlertView,
    Outcome,
)
from options_helper.analysis.alerts.rules import EVENTS, OF_CLOCK, AlertMetric, AlertRule
from options_helper.times import new_york_date, start_of_day

# A longer pause between two views, such as a sleeping computer, was not observed, so only this much counts.
LONGEST_STEP_SECONDS = 5.0


def with_rules(alerts: Alerts, rules: Iterable[AlertRule]) -> Alerts:
    """Return the alerts with these rules; unchanged rules keep their status, the others start over."""
    kept = {rule.id: rule for rule in alerts.rules}
    unique = {rule.id: rule for rule in rules}
    status = {key: alerts.status_of(key) for key, rule in unique.items() if kept.get(key) == rule}
    return replace(alerts, rules=tuple(unique.values()), status=status)


def acknowledge(alerts: Alerts, rule_id: str, at: dt.datetime) -> Alerts:
    """Return the alerts with a raised alert acknowledged, or unchanged if it is not raised."""
    status = alerts.status_of(rule_id)
    rule = next((rule for rule in alerts.rules if rule.id == rule_id), None)
    if rule is None or status.phase is not AlertPhase.RAISED:
        return alerts
    changed = replace(status, phase=AlertPhase.ACKNOWLEDGED, since=at)
    alerts = replace(alerts, status={**alerts.status, rule_id: changed})
    return _recorded(alerts, [(rule, changed, "")], at)[0]


def step(alerts: Alerts, view: AlertView) -> tuple[Alerts, tuple[AlertEvent, ...]]:
    """Evaluate one view; return the next alerts and the events that raised one, in rule order."""
    elapsed = (view.as_of - (alerts.stepped_at or view.as_of)).total_seconds()
    elapsed = min(max(elapsed, 0.0), LONGEST_STEP_SECONDS)
    fresh = [
        fill for fill in view.fills if fill.key not in alerts.seen_fills | alerts.seen_assignments.keys()
    ]
    status = dict(alerts.status)
    changes = []
    for rule in alerts.rules:
        before = alerts.status_of(rule.id)
        after, text = _advanced(rule, before, view, fresh, elapsed)
        status[rule.id] = after
        if after.phase is not before.phase or text:
            changes.append((rule, after, text))
    alerts = replace(
        alerts,
        status=status,
        stepped_at=view.as_of,
        seen_fills=_seen_today(alerts, view),
        seen_assignments=_seen_assignments(alerts, view),
    )
    alerts, events = _recorded(alerts, changes, view.as_of)
    return alerts, tuple(event for event in events if event.phase is AlertPhase.RAISED)


def _seen_today(alerts: Alerts, view: AlertView) -> frozenset[str]:
    """Return the keys of the day's fills, including keys that disappear when two sources are merged."""
    keys = frozenset(fill.key for fill in view.fills if fill.metric is not AlertMetric.ASSIGNMENT)
    if alerts.stepped_at is None or new_york_date(alerts.stepped_at) != new_york_date(view.as_of):
        return keys
    return alerts.seen_fills if keys <= alerts.seen_fills else alerts.seen_fills | keys


def _seen_assignments(alerts: Alerts, view: AlertView) -> Mapping[str, dt.date]:
    """Return the keys and dates of the assignments and exercises seen, or the same object if none is new."""
    seen, oldest = alerts.seen_assignments, new_york_date(view.as_of) - KEPT_FOR
    new = {
        fill.key: new_york_date(fill.at)
        for fill in view.fills
        if fill.metric is AlertMetric.ASSIGNMENT and fill.key not in seen
    }
    return {key: day for key, day in {**seen, **new}.items() if day >= oldest} if new else seen


def _advanced(
    rule: AlertRule, status: AlertStatus, view: AlertView, fresh: list[AlertFill], elapsed: float
) -> tuple[AlertStatus, str]:
    """Return a rule's next status and, for an event, its words."""
    if rule.metric in EVENTS:
        return _advanced_by_fills(rule, status, view, fresh)
    reading = view.readings.get((rule.subject, rule.metric), Outcome.NO_DATA)
    if not view.is_running and rule.metric not in OF_CLOCK:
        reading = Outcome.NOT_WATCHED
    if isinstance(reading, Outcome):
        return replace(status, outcome=reading), ""
    outcome = Outcome.MET if rule.is_met_by(reading) else Outcome.NOT_MET
    held = 0.0
    if outcome is Outcome.MET:
        held = status.held_seconds + (elapsed if status.outcome is Outcome.MET else 0.0)
        held = min(held, rule.pending_seconds)  # the page would redraw a status that grows with every view
    status = replace(status, outcome=outcome, value=reading, value_at=view.as_of, held_seconds=held)
    return _entered(status, _next_phase(rule, status), view.as_of), ""


def _next_phase(rule: AlertRule, status: AlertStatus) -> AlertPhase:
    met = status.outcome is Outcome.MET
    if status.phase is AlertPhase.RAISED or (status.phase is AlertPhase.ACKNOWLEDGED and met):
        return status.phase
    if not met:
        return AlertPhase.NORMAL
    return AlertPhase.RAISED if status.held_seconds >= rule.pending_seconds else AlertPhase.PENDING


def _entered(status: AlertStatus, phase: AlertPhase, at: dt.datetime) -> AlertStatus:
    if phase is status.phase:
        return status
    status = replace(status, phase=phase, since=at)
    if phase is AlertPhase.RAISED:
        status = replace(status, raised_at=at, raised_value=status.value)
    return status


def _advanced_by_fills(
    rule: AlertRule, status: AlertStatus, view: AlertView, fresh: list[AlertFill]
) -> tuple[AlertStatus, str]:
    at = view.as_of
    # If the clock goes back, new events must not seem older than the alert.
    began_at = at if status.began_at is None else min(status.began_at, at)
    mine = [
        fill
        for fill in (fresh if status.began_at is not None else ())
        if fill.metric is rule.metric
        and (rule.position is None or rule.position in fill.positions)
        and _is_new(fill, began_at, knows_account=status.knows_account)
    ]
    knows_account = status.knows_account or view.has_account_events
    status = replace(status, began_at=began_at, knows_account=knows_account)
    if mine:
        status = replace(
            status,
            outcome=Outcome.MET,
            value=float(len(mine)),
            phase=AlertPhase.RAISED,
            since=at,
            raised_at=at,
            raised_value=float(len(mine)),
        )
        return status, "; ".join(fill.text for fill in mine if fill.text) or rule.metric.label.lower()
    status = replace(status, outcome=Outcome.NOT_MET if view.is_running else Outcome.NOT_WATCHED)
    rearmed = status.phase is AlertPhase.ACKNOWLEDGED
    return _entered(status, AlertPhase.NORMAL if rearmed else status.phase, at), ""


def _is_new(fill: AlertFill, began_at: dt.datetime, *, knows_account: bool) -> bool:
    if fill.metric is AlertMetric.ASSIGNMENT and knows_account:
        return True
    return fill.at >= (began_at if fill.has_time else start_of_day(new_york_date(began_at)))


def _recorded(
    alerts: Alerts, changes: list[tuple[AlertRule, AlertStatus, str]], at: dt.datetime
) -> tuple[Alerts, list[AlertEvent]]:
    events = [
        AlertEvent(alerts.serial + number, at, rule, status.phase, status.value, text)
        for number, (rule, status, text) in enumerate(changes, start=1)
    ]
    history = (*alerts.history, *events)[-HISTORY_LENGTH:]
    return replace(alerts, history=history, serial=alerts.serial + len(events)), events
