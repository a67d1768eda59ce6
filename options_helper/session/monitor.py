"""The state that accumulates: the day's curves and the alerts.

A process has one `PortfolioMonitor` per portfolio path. Its thread takes a snapshot every second, even if no
browser is connected, and every tab reads the same frozen `MonitorView`. It runs until `registry.close_all`.
While the streams are stopped, this costs almost nothing, and alerts on ages continue.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from options_helper.analysis.alerts.exposure_readings import read_exposures
from options_helper.analysis.alerts.fill_watch import watch_fills
from options_helper.analysis.alerts.readings import AccountWatch, read_watched
from options_helper.analysis.alerts.records import AlertFill, Alerts
from options_helper.analysis.alerts.rules import EVENTS, AlertRule
from options_helper.analysis.alerts.step import acknowledge, step, with_rules
from options_helper.analysis.alerts.words import position_names
from options_helper.analysis.fills.day import FillDay
from options_helper.analysis.history.curve import Curve
from options_helper.analysis.history.day import DayHistory
from options_helper.analysis.history.observation import Observation, observe
from options_helper.analysis.valuation.quote_state import STALE_AFTER_SECONDS
from options_helper.data.settings import load_risk_free_rate
from options_helper.error_guard import Guard
from options_helper.errors import NO_THREAD, SettingsError
from options_helper.files.alerts_file import AlertsFile
from options_helper.market import LiveSnapshot
from options_helper.models import Portfolio
from options_helper.session.alert_outlet import AlertOutlet
from options_helper.session.look_digests import LookDigests, LookRecorder, WatchedPortfolio
from options_helper.session.risk.shared_risk import RiskRequest
from options_helper.session.views import SharedViews
from options_helper.times import utc_now

if TYPE_CHECKING:
    from options_helper.analysis.risk import LiveRisk

logger = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 1.0
CHART_SECONDS = 10.0


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MonitorView:
    """The monitor's curves and alerts at one time; immutable.

    Attributes:
        pnl: Today's open P/L by underlying; the whole portfolio's is under `PORTFOLIO`.
        marks, position_pnl: Today's curves by position id; a structure's mark is per unit.
        alerts: The rules, the state of each, and past events.
        alerts_problem: The reason why alerts are not watched, such as an unusable file, or "".
    """

    as_of: dt.datetime
    pnl: Curve
    marks: Curve
    position_pnl: Curve
    alerts: Alerts = field(default_factory=Alerts)
    alerts_problem: str = ""


class PortfolioMonitor:
    """The monitor of one portfolio.

    Args:
        portfolio: The portfolio to watch; `use` changes it.
        take_snapshot: Called in the monitor's thread, once per `look`.
        stale_after_seconds: The age above which a price is no longer live; `use` changes it.
        rules: The initial alerts.
        alerts_problem: The reason why there are no rules, or "".
        alerts_file: The file to read the rules from instead, and again after every change.
        views: The tables and fills, shared with the tabs.
        recorder: Records each look and its digest.
        outlet: Keeps the alerts' state across restarts, and sends notices.
        clock: Returns the time of an acknowledgement.
    """

    def __init__(  # noqa: PLR0913 - each may be replaced in tests
        self,
        portfolio: Portfolio,
        take_snapshot: Callable[[], LiveSnapshot],
        *,
        stale_after_seconds: float = STALE_AFTER_SECONDS,
        rules: Iterable[AlertRule] = (),
        alerts_problem: str = "",
        alerts_file: AlertsFile | None = None,
        views: SharedViews | None = None,
        outlet: AlertOutlet | None = None,
        recorder: LookRecorder | None = None,
        clock: Callable[[], dt.datetime] = utc_now,
    ) -> None:
        self.stale_after_seconds = stale_after_seconds
        self.views = SharedViews() if views is None else views
        self._take_snapshot = take_snapshot
        self._recorder, self._digests = recorder, LookDigests()
        self._clock = clock
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._portfolio = portfolio
        self._names = portfolio, position_names(portfolio)
        self._begin()
        self._alerts_file = alerts_file
        if alerts_file is not None:
            rules, alerts_problem = alerts_file.read()
        self._read_rules = tuple(rules)
        self._file_problem = alerts_problem
        self._guard = Guard(logger, "; it is logged once.", with_traceback=True)
        self._outlet = AlertOutlet() if outlet is None else outlet
        alerts = self._outlet.restore(self._read_rules)
        self._view = self._draw(clock(), alerts, alerts_problem)
        self._charts = self._view

    @property
    def portfolio(self) -> Portfolio:
        """The current portfolio."""
        return self._portfolio

    @property
    def names(self) -> dict[str, str]:
        """The positions' names by id."""
        portfolio, (named, names) = self._portfolio, self._names
        if named is not portfolio:
            names = position_names(portfolio)
            self._names = portfolio, names
        return names

    @property
    def state_problem(self) -> str:
        """The reason why not all saved alerts could be restored, or ""."""
        return self._outlet.state_problem

    @property
    def notice_problem(self) -> str:
        """The reason why the last notice was not delivered, or ""."""
        return self._outlet.notice_problem

    def view(self) -> MonitorView:
        """Return the newest view."""
        return self._view

    def charts(self, now: dt.datetime) -> MonitorView:
        """Return the same view for `CHART_SECONDS`, so that unchanged charts are not sent again."""
        if abs(now - self._charts.as_of) >= dt.timedelta(seconds=CHART_SECONDS):
            self._charts = self._view
        return self._charts

    def start(self) -> None:
        """Start the thread; do nothing if it has started, and try again if the system refused it."""
        with self._lock:
            if self._thread is not None or self._ended.is_set():
                return
            thread = threading.Thread(target=self._run, name="options-helper-monitor", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                self._view = replace(self._view, alerts_problem=NO_THREAD)
            else:
                self._thread = thread

    def stop(self) -> None:
        """Stop the thread; the last view stays readable."""
        self._ended.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=5.0)

    def use(self, portfolio: Portfolio, stale_after_seconds: float) -> None:
        """Watch this version of the portfolio, with this threshold.

        A changed portfolio restarts the curves; alerts continue. If tabs disagree, the last caller wins.
        """
        if portfolio is self._portfolio and stale_after_seconds == self.stale_after_seconds:
            return  # the usual case, without waiting for the lock
        with self._lock:
            self.stale_after_seconds = stale_after_seconds
            is_changed = portfolio != self._portfolio
            self._portfolio = portfolio  # even if equal: tables are shared only for the tabs' own object
            if is_changed:
                self._begin()
                view = self._draw(self._view.as_of, self._view.alerts, self._view.alerts_problem)
                self._view = self._charts = view

    def continue_alerts(self, alerts: Alerts) -> None:
        """Continue with these alerts in place of the current ones."""
        with self._lock:
            self._view = replace(self._view, alerts=alerts)

    def add_rule(self, rule: AlertRule) -> None:
        """Add an alert without changing the alerts file; it replaces one with the same id."""
        with self._lock:
            alerts = self._view.alerts
            self._view = replace(self._view, alerts=with_rules(alerts, [*alerts.rules, rule]))

    def remove_rule(self, rule_id: str) -> None:
        """Remove an alert."""
        with self._lock:
            alerts = self._view.alerts
            kept = [rule for rule in alerts.rules if rule.id != rule_id]
            self._view = replace(self._view, alerts=with_rules(alerts, kept))

    def acknowledge(self, rule_id: str) -> None:
        """Acknowledge a raised alert; do nothing for any other."""
        with self._lock:
            alerts = acknowledge(self._view.alerts, rule_id, self._clock())
            self._view = replace(self._view, alerts=alerts)

    def look(self) -> MonitorView:
        """Take one snapshot and update the curves and alerts, as the thread does every second."""
        changed = self._alerts_file.read_if_changed() if self._alerts_file is not None else None
        with self._lock:
            if changed is not None:
                self._use_file(*changed)
            live, is_recorded = self._take()
            seen = self._observe(live, is_exact=is_recorded)
            rules = self._view.alerts.rules
            fills = self._watch_fills(live) if any(rule.metric in EVENTS for rule in rules) else ()
            more = read_watched(
                rules, seen.tables, live, self._account.differing(self._portfolio, live, rules)
            )
            more |= read_exposures(rules, seen.tables, lambda: self._risk(live))
            is_read = live.broker_history_since is not None
            seen_now = seen.view_at(
                live.as_of, fills, more, has_account_events=is_read, is_running=live.running
            )
            alerts, raised = step(self._view.alerts, seen_now)
            self._history.add(seen, live.as_of)
            view = self._view = self._draw(live.as_of, alerts, self._file_problem)
            if is_recorded and self._recorder is not None:
                day = self.views.fill_day(live)
                self._recorder.note_digest(partial(self._digests.of, live, seen.tables, day, alerts), alerts)
            read_rules = self._read_rules
        self.views.risk.keep_current(self._portfolio, live)
        self._outlet.send(raised, self._portfolio)
        self._outlet.keep(alerts, read_rules)
        return view

    def _take(self) -> tuple[LiveSnapshot, bool]:
        """Return a snapshot, and whether it is recorded as a look."""
        if self._recorder is None:
            return self._take_snapshot(), False
        watched = WatchedPortfolio(self._portfolio, self.stale_after_seconds, self._view.alerts)
        return self._recorder.look(self, watched, self._take_snapshot)

    def _use_file(self, rules: list[AlertRule], problem: str) -> None:
        """Use the file's current rules; those created on the page stay, unless the file has their id."""
        alerts, named = self._view.alerts, {rule.id for rule in rules}
        own = [rule for rule in alerts.rules if rule not in self._read_rules and rule.id not in named]
        self._read_rules, self._file_problem = tuple(rules), problem
        self._view = replace(self._view, alerts=with_rules(alerts, [*rules, *own]))

    def _begin(self) -> None:
        self._history = DayHistory(self._portfolio)
        self._seen: Observation | None = None
        self._fills: tuple[FillDay, tuple[AlertFill, ...]] | None = None
        self._account = AccountWatch()

    def _draw(self, as_of: dt.datetime, alerts: Alerts, problem: str) -> MonitorView:
        return MonitorView(
            as_of=as_of,
            pnl=self._history.pnl.curve(),
            marks=self._history.marks.curve(),
            position_pnl=self._history.position_pnl.curve(),
            alerts=alerts,
            alerts_problem=problem,
        )

    def _run(self) -> None:
        while not self._ended.wait(LOOK_EVERY_SECONDS):
            with self._guard.keep_going("The monitor's look", self._note_failure):
                self.look()

    def _note_failure(self, kind: str) -> None:
        """Show the failure on the page until a look succeeds."""
        problem = (
            f"The last look at the portfolio failed ({kind}), and the curves are not updating; see the log."
        )
        with self._lock:
            self._view = replace(self._view, alerts_problem=problem)

    def _watch_fills(self, live: LiveSnapshot) -> tuple[AlertFill, ...]:
        """Return today's executions, or the last look's if nothing new was reported."""
        day = self.views.fill_day(live)
        if self._fills is None or self._fills[0] is not day:
            self._fills = (day, watch_fills(self._portfolio, day))
        return self._fills[1]

    def _risk(self, live: LiveSnapshot) -> LiveRisk:
        try:
            rate = load_risk_free_rate()
        except SettingsError:  # the page reports it, and uses the default rate too
            rate = None
        return self.views.risk.exact(RiskRequest(self._portfolio, self.stale_after_seconds, rate), live)

    def _observe(self, live: LiveSnapshot, *, is_exact: bool) -> Observation:
        """Return the observation of the current tables, or the last one if they are the same."""
        tables = self.views.tables(self._portfolio, live, self.stale_after_seconds, is_exact=is_exact)
        if self._seen is not None and self._seen.tables is tables:
            return self._seen
        self._seen = observe(tables)
        return self._seen
