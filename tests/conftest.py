"""Shared by every test: markers, the chosen moment, waiting for a condition, no thread left behind."""

from __future__ import annotations

import contextlib
import datetime as dt
import gc
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
import time_machine
from hypothesis import is_hypothesis_test, settings

# Shared machines are slow at times; a slow example is not a failure.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

HANG_GUARD_SECONDS = 60.0

# Start the suite's clock at this moment (ISO 8601 with an offset); it runs on from there.
NOW_VARIABLE = "OH_TEST_NOW"
MOMENTS = {
    "saturday-night": "2026-11-21T22:30:00-05:00",
    "clocks-change": "2026-11-01T01:30:00-05:00",
    "years-last-minutes": "2026-12-31T23:50:00-05:00",
    "half-day": "2026-11-27T12:30:00-05:00",
    "expiry-friday-after-the-close": "2026-12-18T16:30:00-05:00",
}

# Every test of these folders has the folder's marker.
FOLDERS = {"browser": "browser", "portal": "portal"}
KINDS = {*FOLDERS.values(), "integration", "slow"}
MODULE_MARKER = re.compile(r"^pytestmark = pytest\.mark\.(\w+)", re.MULTILINE)
SERVER_FIXTURES = {"phone", "make_phone", "launched", "receiver", "process", "nats_server"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that repeats date-sensitive tests."""
    parser.addoption("--moments", action="store_true", help="run date-sensitive tests at five chosen times")


def pytest_configure(config: pytest.Config) -> None:
    """Let Ctrl-C reach the programs that tests start, and set the clock if moments were chosen."""
    if config.getoption("--moments"):
        config.pluginmanager.register(Moments())
    # A shell that runs the tests in the background ignores SIGINT, and children inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if NOW_VARIABLE in os.environ:
        set_clock(os.environ[NOW_VARIABLE]).start()


def set_clock(moment: str) -> time_machine.travel:
    """Return a context that moves every thread's time of day to this one, but not `time.monotonic`."""
    return time_machine.travel(dt.datetime.fromisoformat(moment), tick=True)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """End the measurement that a worker of pytest-cov begins too early: it would go on in every pause."""
    plugin = session.config.pluginmanager.getplugin("_cov")
    if hasattr(session.config, "workerinput") and plugin and plugin.cov_controller:
        plugin.cov_controller.cov.stop()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out folders and modules that -m rules out as a whole: importing them takes seconds."""
    wanted = config.option.markexpr
    if collection_path.suffix == ".py":
        text = collection_path.read_text(encoding="utf-8")
        if wanted == "date_sensitive" and wanted not in text:
            return True
        found = MODULE_MARKER.search(text)
        marker = found and found[1]
    else:
        marker = FOLDERS.get(collection_path.name)
    return True if marker in KINDS and (wanted == "unit" or f"not {marker}" in wanted) else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Repeat each date-sensitive test at every moment if `--moments` is given."""
    if metafunc.config.getoption("--moments") and metafunc.definition.get_closest_marker("date_sensitive"):
        metafunc.parametrize("moment", list(MOMENTS.values()), ids=list(MOMENTS), indirect=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests by folder, by server and by Hypothesis; a test without a kind is then a unit test."""
    measures_coverage = config.pluginmanager.hasplugin("_cov")
    for item in items:
        if SERVER_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("integration")
        if is_hypothesis_test(getattr(item, "obj", None)):
            item.add_marker("slow")
        for folder in FOLDERS.keys() & set(item.path.parts):
            item.add_marker(FOLDERS[folder])
        if not KINDS & {mark.name for mark in item.iter_markers()}:
            item.add_marker("unit")
        # Measuring doubles their time, and other tests go through the same lines.
        if measures_coverage and {"slow", "portal", "browser"} & {mark.name for mark in item.iter_markers()}:
            item.add_marker("no_cover")


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over the modules and tests, which live until the end."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Succeed if every module was skipped with a reason; pytest itself calls that "no tests collected"."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.OK


class Moments:
    """The plugin of `--moments`; without that option, no test uses its fixture."""

    @pytest.fixture(autouse=True)
    def moment(self, request: pytest.FixtureRequest) -> Iterator[None]:
        """Run a repeated test at its moment."""
        with set_clock(request.param) if hasattr(request, "param") else contextlib.nullcontext():
            yield


class WaitUntil(Protocol):
    """The `wait_until` fixture's type."""

    def __call__(self, condition: Callable[[], object], what: str = ..., seconds: float = ...) -> None:
        """Wait until the condition holds, or fail."""


def _wait_until(
    condition: Callable[[], object], what: str = "the condition", seconds: float = HANG_GUARD_SECONDS
) -> None:
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not come within {seconds:g} s")
        pause.wait(0.005)


@pytest.fixture
def wait_until() -> WaitUntil:
    """Wait for a condition, never for a time; the deadline is only a guard against hanging."""
    return _wait_until


def _our_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("options-helper")}


@pytest.fixture(autouse=True)
def no_thread_is_left_behind() -> Iterator[None]:
    """Fail a test that leaves a thread of ours running."""
    before = _our_threads()
    yield
    deadline = time.monotonic() + 5
    for thread in _our_threads() - before:
        thread.join(max(0.0, deadline - time.monotonic()))
    left = sorted(thread.name for thread in _our_threads() - before)
    assert not left, f"threads left behind: {left}"
