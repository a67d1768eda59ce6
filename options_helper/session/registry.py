"""The process's monitors, one per portfolio file, shared by every tab."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable
from pathlib import Path

from options_helper.analysis.valuation.quote_state import STALE_AFTER_SECONDS
from options_helper.files.alerts_file import AlertsFile
from options_helper.files.alerts_state import AlertsState
from options_helper.market import LiveSnapshot
from options_helper.models import Portfolio
from options_helper.session.alert_outlet import AlertOutlet
from options_helper.session.monitor import PortfolioMonitor
from options_helper.session.notices import Notices
from options_helper.session.process_recorder import process_recorder
from options_helper.session.views import SharedViews

_views = SharedViews()
_notices = Notices()
_monitors: dict[Path, PortfolioMonitor] = {}
_registry_lock = threading.Lock()


def _no_replay() -> PortfolioMonitor | None:
    return None


_replayed: Callable[[], PortfolioMonitor | None] = _no_replay


def use_monitor(find: Callable[[], PortfolioMonitor | None]) -> None:
    """Let a replay's monitor, once there is one, take the place of every other."""
    global _replayed  # noqa: PLW0603 - one for the whole process
    _replayed = find


def monitor_for(
    path: Path | str,
    portfolio: Portfolio,
    take_snapshot: Callable[[], LiveSnapshot],
    *,
    stale_after_seconds: float = STALE_AFTER_SECONDS,
    state_folder: Path | None = None,
) -> PortfolioMonitor:
    """Return the process's monitor of a portfolio file, which the first call starts.

    Its alerts are read from the file beside the portfolio, and again whenever that file changes. It uses the
    last caller's portfolio and threshold, and keeps its alerts' state in the first caller's `state_folder`.
    """
    if (replayed := _replayed()) is not None:
        return replayed
    key = Path(path).resolve()
    monitor = _monitors.get(key)
    if monitor is None:
        # The constructor reads the alerts file, so no lock is held here. If two callers race, one of the
        # monitors is never started.
        state = None if state_folder is None else AlertsState(state_folder, key)
        made = PortfolioMonitor(
            portfolio,
            take_snapshot,
            alerts_file=AlertsFile(key),
            views=_views,
            outlet=AlertOutlet(state, _notices),
            recorder=process_recorder(),
        )
        with _registry_lock:
            monitor = _monitors.setdefault(key, made)
        monitor.start()
    monitor.use(portfolio, stale_after_seconds)
    return monitor


@atexit.register
def close_all() -> None:
    """Stop every monitor and the notices, and forget them; idempotent, and called at exit."""
    with _registry_lock:
        monitors = list(_monitors.values())
        _monitors.clear()
    for monitor in monitors:
        monitor.stop()
    _notices.close()
