"""The state file that keeps alerts across restarts, and the notices sent when they are raised."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from options_helper.analysis.alerts.records import AlertEvent, Alerts
from options_helper.analysis.alerts.rules import AlertRule
from options_helper.analysis.alerts.step import with_rules
from options_helper.analysis.alerts.words import position_names
from options_helper.files.alerts_state import AlertsState
from options_helper.models import Portfolio
from options_helper.session.notices import Notices

logger = logging.getLogger(__name__)


class AlertOutlet:
    """The state file and the notices of one monitor; each is optional."""

    def __init__(self, state: AlertsState | None = None, notices: Notices | None = None) -> None:
        self._state, self._notices = state, notices
        self._saved: tuple[object, ...] = ()

    def restore(self, rules: Sequence[AlertRule]) -> Alerts:
        """Return the saved alerts, with the given rules of the file and those created on the page."""
        kept = self._state.load() if self._state is not None else None
        if kept is None:
            return with_rules(Alerts(), rules)
        named = {rule.id for rule in rules}
        own = [rule for rule in kept.alerts.rules if rule.id in kept.own and rule.id not in named]
        return with_rules(kept.alerts, [*rules, *own])

    @property
    def state_problem(self) -> str:
        """The reason why `restore` could not use all of the state file, or ""."""
        return self._state.problem if self._state is not None else ""

    @property
    def notice_problem(self) -> str:
        """The reason why the last notice was not delivered, or ""."""
        return self._notices.problem if self._notices is not None else ""

    def send(self, raised: Sequence[AlertEvent], portfolio: Portfolio) -> None:
        """Queue a notice of these alerts; return immediately."""
        if raised and self._notices is not None:
            self._notices.offer(raised, position_names(portfolio))

    def keep(self, alerts: Alerts, read_rules: Sequence[AlertRule]) -> None:
        """Save the alerts if they changed; figures that change every second do not count.

        Do not hold a lock while calling it, because a disk may be slow.
        """
        steady = [(key, one.knows_account) for key, one in alerts.status.items()]
        parts = (alerts.serial, alerts.rules, alerts.seen_fills, alerts.seen_assignments, steady)
        if self._state is None or parts == self._saved:
            return
        self._saved = parts
        try:
            self._state.save(alerts, [rule.id for rule in alerts.rules if rule not in read_rules])
        except OSError as error:
            logger.warning("The alerts' state cannot be saved (%s).", error.strerror or type(error).__name__)
