"""An alerts file on a slow disk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from options_helper.analysis.alerts.rules import AlertRule
from options_helper.files import alerts_file
from options_helper.files.alerts_file import AlertsFile
from options_helper.market import LiveSnapshot
from options_helper.models import Portfolio
from options_helper.session.monitor import PortfolioMonitor
from options_helper.session.registry import close_all, monitor_for

LONGEST_SECONDS = 20.0
RULE = AlertRule(id="one", metric="pnl_abs", comparison="below", threshold=-1)


class SlowDisk:
    """Reads of alerts in one folder begin and do not end until `release`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._released = threading.Event()
        self.reading = threading.Event()

    def read(self, path: Path) -> list[AlertRule]:
        if path.parent == self._folder:
            self.reading.set()
            assert self._released.wait(LONGEST_SECONDS)
        return []

    def release(self) -> None:
        self._released.set()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder on the slow disk."""
    slow = tmp_path / "slow"
    slow.mkdir()
    return slow


@pytest.fixture
def in_thread() -> Iterator[Callable[..., object]]:
    """Run calls in threads, as tabs do."""
    with ThreadPoolExecutor(4) as pool:
        yield pool.submit


@pytest.fixture
def disk(folder: Path, monkeypatch: pytest.MonkeyPatch, in_thread) -> Iterator[SlowDisk]:
    """A slow disk; released before the threads are awaited, and every monitor ended."""
    slow = SlowDisk(folder)
    monkeypatch.setattr(alerts_file, "load_alert_rules", slow.read)
    yield slow
    slow.release()
    close_all()


def test_no_tab_waits_for_a_look_that_reads_the_alerts(folder: Path, disk: SlowDisk, in_thread) -> None:
    """While the file is read, another tab can read the view, change the portfolio and add an alert."""
    watched = AlertsFile(folder / "portfolio.json")
    monitor = PortfolioMonitor(Portfolio(), LiveSnapshot, alerts_file=None)
    monitor._alerts_file = watched
    watched.path.write_text("changed")
    look = in_thread(monitor.look)
    assert disk.reading.wait(LONGEST_SECONDS)

    def use_the_page() -> tuple[AlertRule, ...]:
        monitor.use(Portfolio(cash=1.0), 10.0)
        monitor.add_rule(RULE)
        return tuple(monitor.view().alerts.rules)

    assert in_thread(use_the_page).result(LONGEST_SECONDS) == (RULE,)
    assert not look.done()
    disk.release()
    look.result(LONGEST_SECONDS)


def test_no_other_portfolio_waits_for_one_whose_alerts_are_read(
    tmp_path: Path, folder: Path, disk: SlowDisk, in_thread
) -> None:
    """A portfolio on a slow disk does not delay a tab of another portfolio."""
    first = in_thread(monitor_for, folder / "portfolio.json", Portfolio(), LiveSnapshot)
    assert disk.reading.wait(LONGEST_SECONDS)
    other = in_thread(monitor_for, tmp_path / "portfolio.json", Portfolio(), LiveSnapshot)
    assert other.result(LONGEST_SECONDS).portfolio == Portfolio()
    assert not first.done()
    disk.release()
    first.result(LONGEST_SECONDS)  # only then can every monitor be ended
