"""What every test shares: no thread of ours outlives its test, and waiting for a condition."""

from __future__ import annotations

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


def pytest_configure() -> None:
    """Let the programs that tests start hear Ctrl-C, also where a shell runs the tests in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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
