"""Shared by every test: no thread of ours outlives its test, waiting for a condition, the chosen moment."""

from __future__ import annotations

import datetime as dt
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol

import pytest
from hypothesis import settings

# Shared machines are slow at times; a slow example is no failure.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

HANG_GUARD_SECONDS = 20.0


# Start the suite's clock at this moment (ISO 8601 with an offset); it runs on from there.
NOW_VARIABLE = "OH_TEST_NOW"
_CLOCK_READERS = {"utc_now", "AlpacaSimulator"}
_SERVER_FIXTURES = {"phone", "make_phone"}


def pytest_configure() -> None:
    """Let Ctrl-C reach the programs that tests start, and set the clock if a moment was chosen."""
    # A shell that runs the tests in the background ignores SIGINT, and children inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if NOW_VARIABLE in os.environ:
        import time_machine

        # The wall clock alone moves, in every thread; time.monotonic stays real.
        time_machine.travel(dt.datetime.fromisoformat(os.environ[NOW_VARIABLE]), tick=True).start()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what starts a simulator as integration, and what reads the clock as date-sensitive."""
    for item in items:
        names = set(vars(getattr(item, "module", None) or object))
        serves = bool(_SERVER_FIXTURES & set(getattr(item, "fixturenames", ())))
        if serves:
            item.add_marker("integration")
        if serves or names & _CLOCK_READERS:
            item.add_marker("date_sensitive")


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
