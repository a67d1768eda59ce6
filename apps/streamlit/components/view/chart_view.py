"""Charts on a slower timer than numbers: the same view of the monitor for some seconds."""

from __future__ import annotations

import datetime as dt
import threading
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from options_helper.session.monitor import MonitorView, PortfolioMonitor

CHART_SECONDS = 10.0

_views: WeakKeyDictionary[PortfolioMonitor, MonitorView] = WeakKeyDictionary()
_lock = threading.Lock()


def chart_view(monitor: PortfolioMonitor, now: dt.datetime) -> MonitorView:
    """Return the monitor's view, at most some seconds old, so that equal charts are not rebuilt or resent."""
    with _lock:
        kept = _views.get(monitor)
        if kept is None or abs(now - kept.as_of) >= dt.timedelta(seconds=CHART_SECONDS):
            kept = _views[monitor] = monitor.view()
        return kept
