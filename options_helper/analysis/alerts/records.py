"""Records of alerts: their phases, the views that they watch, and all alerts as one value."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from options_helper.analysis.alerts.rules import AlertMetric, AlertRule

HISTORY_LENGTH = 200
KEPT_FOR = dt.timedelta(days=30)


class AlertPhase(StrEnum):
    """The phase of an alert."""

    NORMAL = "normal"
    PENDING = "pending"
    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"


class Outcome(StrEnum):
    """The result of one view for one condition; all but the first two leave it undecided."""

    NOT_MET = "not met"
    MET = "met"
    NO_DATA = "no data"
    MARKET_CLOSED = "market closed"
    NOT_WATCHED = "not watched"


@dataclass(frozen=True, slots=True)
class AlertFill:
    """One event that alerts can watch.

    Attributes:
        key: Permanent and unique among all events.
        at: The time of the event.
        positions: The ids of the positions it belongs to.
        text: The event in words.
        metric: `FILL`, `ORDER_REJECTED` or `ASSIGNMENT`.
        has_time: False if only the New York date is known; `at` is then its midnight.
    """

    key: str
    at: dt.datetime
    positions: frozenset[str] = frozenset()
    text: str = ""
    metric: AlertMetric = AlertMetric.FILL
    has_time: bool = True


@dataclass(frozen=True, slots=True)
class AlertView:
    """The inputs of all alerts at one time.

    Attributes:
        readings: A value, or the reason why there is none, keyed by `(AlertRule.subject, metric)`. A missing
            key means no data.
        fills: Every known execution, rejected order, assignment and exercise.
        has_account_events: True if every assignment and exercise that Alpaca has reported is known.
        is_running: False while the streams are stopped; only what the clock alone changes is then watched.
    """

    as_of: dt.datetime
    readings: Mapping[tuple[str | None, AlertMetric], float | Outcome] = field(default_factory=dict)
    fills: tuple[AlertFill, ...] = ()
    has_account_events: bool = False
    is_running: bool = True


@dataclass(frozen=True, slots=True)
class AlertStatus:
    """The current state of one alert.

    Attributes:
        since: The time the phase began.
        held_seconds: The observed time for which the condition has been met without a break, at most the
            rule's `pending_seconds`.
        value: The last known value, kept while there is no data.
        value_at: The time of `value`.
        raised_at, raised_value: The time the alert was raised, and the value that raised it.
        began_at: The time an alert on events was first evaluated; older events do not raise it.
        knows_account: True once a view of an alert on events had all assignments and exercises; each later
            one is new, whatever its date.
    """

    phase: AlertPhase = AlertPhase.NORMAL
    since: dt.datetime | None = None
    outcome: Outcome = Outcome.NO_DATA
    held_seconds: float = 0.0
    value: float | None = None
    raised_at: dt.datetime | None = None
    raised_value: float | None = None
    began_at: dt.datetime | None = None
    # A recording's digests are made of the fields above. A later time alone is not a reason to redraw.
    knows_account: bool = field(default=False, repr=False)
    value_at: dt.datetime | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """A change of phase; serials increase by one, so each reader can find the new ones."""

    serial: int
    at: dt.datetime
    rule: AlertRule
    phase: AlertPhase
    value: float | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Alerts:
    """All alerts, as an immutable value.

    Attributes:
        rules: The rules in order.
        status: The status of each evaluated rule, keyed by rule id.
        history: The newest `HISTORY_LENGTH` changes of phase, newest last.
        serial: The serial of the newest change.
        stepped_at: The last view's time.
        seen_fills: The keys of the New York day's fills and rejected orders that have been evaluated.
        seen_assignments: The keys of the assignments and exercises that have been evaluated, with their
            dates; kept for `KEPT_FOR`, because Alpaca lists them for a week.
    """

    rules: tuple[AlertRule, ...] = ()
    status: Mapping[str, AlertStatus] = field(default_factory=dict)
    history: tuple[AlertEvent, ...] = ()
    serial: int = 0
    stepped_at: dt.datetime | None = None
    seen_fills: frozenset[str] = frozenset()
    seen_assignments: Mapping[str, dt.date] = field(default_factory=dict)

    def status_of(self, rule_id: str) -> AlertStatus:
        """Return a rule's status, or a default status before its first evaluation."""
        return self.status.get(rule_id, AlertStatus())

    def event_text(self, rule_id: str) -> str:
        """Return the words of the event that raised an alert last, or "" if it was none or is forgotten."""
        of_rule = (event for event in reversed(self.history) if event.rule.id == rule_id)
        return next((event.text for event in of_rule if event.phase is AlertPhase.RAISED), "")

    @property
    def raised_count(self) -> int:
        """The number of raised alerts that are not acknowledged."""
        return sum(self.status_of(rule.id).phase is AlertPhase.RAISED for rule in self.rules)
