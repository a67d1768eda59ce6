"""One set of streams per process, controlled from every browser tab.

Alpaca allows one connection per endpoint and account, so the process has one manager. Each browser session
holds a *lease*, which expires when its browser has been gone for the grace period. When no lease is left, a
reaper thread stops the streams. Start, Stop and Restart act for every tab, and `last_action` shows each tab
who did what and when. This module does not depend on Streamlit; `is_active` reports whether a session is
connected.

`detach` runs on the server's event loop, so it takes only the leases' lock, which is never held for long.
`_action` serialises Start, Stop and Restart, which may take a second.
"""

from __future__ import annotations

import atexit
import datetime as dt
import gc
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from options_helper.error_guard import Guard
from options_helper.market import LiveSnapshot
from options_helper.session.last_action import ActionKind, HubAction, HubRun
from options_helper.session.leases import SessionLeases
from options_helper.times import utc_now

if TYPE_CHECKING:
    from options_helper.data.streaming.live_manager import LiveStreamConfig
    from options_helper.models import Portfolio

logger = logging.getLogger(__name__)

GRACE_SECONDS = 15.0
POLL_SECONDS = 0.5
NO_BROWSER = "no browser was connected"


class Manager(Protocol):
    """The part of `LiveStreamManager` that the hub needs."""

    def check(self, config: LiveStreamConfig) -> None:
        """Raise the SettingsError that `start` would raise; do nothing else."""

    def start(self, config: LiveStreamConfig) -> None:
        """Start a run; start nothing if an OptionsHelperError is raised."""

    def stop(self) -> None:
        """End the run; idempotent."""

    def is_running(self) -> bool:
        """Return whether a run is in progress."""

    def snapshot(self) -> LiveSnapshot:
        """Return a frozen copy of everything known now."""


class LiveHub:
    """The process's one manager, its browser sessions, and the last action.

    Args:
        manager_factory: Builds the manager on the first use of `manager`.
        grace_seconds: How long the streams keep running after the last browser has disconnected.
        is_active: Returns whether a session's browser is connected now; called in the reaper's thread.
        clock: Returns an aware UTC time, for `last_action`.
        monotonic: Returns monotonic seconds, for the grace period.
    """

    def __init__(
        self,
        manager_factory: Callable[[], Manager],
        *,
        grace_seconds: float = GRACE_SECONDS,
        is_active: Callable[[str], bool] = lambda _session_id: True,
        clock: Callable[[], dt.datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._leases = SessionLeases(grace_seconds, is_active, monotonic)
        self._manager_factory = manager_factory
        self._clock = clock
        self._building = threading.Lock()
        self._action = threading.RLock()
        self._manager: Manager | None = None
        self._last_action: HubAction | None = None
        self._run: HubRun | None = None
        self._held = False  # started and not stopped, even if every stream has ended in error since
        self._closed = threading.Event()
        self._reaping = threading.Lock()
        self._reaper: threading.Thread | None = None

    @property
    def manager(self) -> Manager:
        """The manager, built on first use."""
        manager = self._manager
        if manager is not None:
            return manager
        with self._building:
            if self._manager is None:
                self._manager = self._manager_factory()
            return self._manager

    @property
    def grace_seconds(self) -> float:
        """The seconds that the streams keep running after the last browser has disconnected."""
        return self._leases.grace_seconds

    @property
    def last_action(self) -> HubAction | None:
        """The last action, who took it and when; None before the first Start."""
        return self._last_action

    @property
    def run(self) -> HubRun | None:
        """The inputs of the current run; kept after Stop, until the next Start."""
        return self._run

    @property
    def sessions(self) -> frozenset[str]:
        """The sessions that hold a lease."""
        return self._leases.sessions

    def is_connected(self, session_id: str) -> bool:
        """Return whether a session's browser is connected, as far as known."""
        return self._leases.is_connected(session_id)

    def is_running(self) -> bool:
        """Return whether the streams are running, without building a manager."""
        manager = self._manager
        return manager is not None and manager.is_running()

    def attach(self, session_id: str) -> None:
        """Take or renew a session's lease; called on every page run."""
        self._leases.attach(session_id)
        self._ensure_reaper()

    def detach(self, session_id: str) -> None:
        """Record that a session disconnected; safe on an event loop, because it only stores a time."""
        self._leases.detach(session_id)

    def start(
        self, config: LiveStreamConfig, *, session_id: str, portfolio_name: str, portfolio: Portfolio
    ) -> None:
        """Start the streams; do nothing if they are already running.

        Raises:
            OptionsHelperError: The manager cannot start, for example without credentials; nothing runs.
        """
        with self._action:
            if self.manager.is_running():
                return
            self._begin(ActionKind.STARTED, HubRun(config, portfolio_name, portfolio), session_id)

    def restart(
        self, config: LiveStreamConfig, *, session_id: str, portfolio_name: str, portfolio: Portfolio
    ) -> None:
        """Stop, then start with this session's portfolio and settings; raise the errors of `start`.

        Settings are checked first, so that invalid ones do not stop the running streams.
        """
        with self._action:
            self.manager.check(config)
            self.stop(session_id)
            self._begin(ActionKind.RESTARTED, HubRun(config, portfolio_name, portfolio), session_id)

    def stop(self, session_id: str | None = None, *, reason: str = "") -> None:
        """Stop the streams; idempotent."""
        with self._action:
            self.manager.stop()
            if self._held:
                self._held = False
                self._note(ActionKind.STOPPED, session_id, reason=reason)

    def close(self) -> None:
        """Stop the reaper and the streams; idempotent."""
        self._closed.set()
        with self._reaping:
            reaper, self._reaper = self._reaper, None
        if reaper is not None and reaper is not threading.current_thread():
            reaper.join(timeout=5.0)
        if self._manager is not None:
            with self._action:
                self._manager.stop()

    def _begin(self, kind: ActionKind, run: HubRun, session_id: str) -> None:
        self.attach(session_id)
        self.manager.start(run.config)
        self._run, self._held = run, True
        self._note(kind, session_id, portfolio_name=run.portfolio_name)

    def _note(
        self, kind: ActionKind, session_id: str | None, *, portfolio_name: str = "", reason: str = ""
    ) -> None:
        self._last_action = HubAction(kind, self._clock(), session_id, portfolio_name, reason)
        means = f" with {portfolio_name}" if portfolio_name else ""
        cause = f": {reason}" if reason else ""
        logger.info("%s by %s%s%s.", kind, "a browser" if session_id else "the program", means, cause)

    def _ensure_reaper(self) -> None:
        with self._reaping:
            if (self._reaper is None or not self._reaper.is_alive()) and not self._closed.is_set():
                reaper = threading.Thread(
                    target=self._reap_until_closed, name="options-helper-reaper", daemon=True
                )
                with suppress(RuntimeError):  # no thread can start; the page's next run tries again
                    reaper.start()
                    self._reaper = reaper

    def _reap_until_closed(self) -> None:
        guard = Guard(logger, "; it will check again.", with_traceback=True)
        while not self._closed.wait(POLL_SECONDS):
            with guard.keep_going("The reaper's check"):
                self.reap()

    def reap(self) -> None:
        """Drop expired leases, and stop the streams if none is left."""
        self._leases.drop_expired()
        if self.sessions:
            return
        with self._action:
            # Check again, because a browser may have connected while another thread held the lock.
            if not self.sessions and self._held:
                self.stop(reason=NO_BROWSER)


_hub: LiveHub | None = None
_hub_lock = threading.Lock()


def get_hub(
    *,
    is_active: Callable[[str], bool] = lambda _session_id: True,
    grace_seconds: float = GRACE_SECONDS,
) -> LiveHub:
    """Return the process's hub, which the first call creates with its arguments."""
    global _hub  # noqa: PLW0603 - the one process-wide object of the product
    with _hub_lock:
        if _hub is None:
            _hub = LiveHub(_new_manager, grace_seconds=grace_seconds, is_active=is_active)
            atexit.register(_close_at_exit)
        return _hub


def close_hub() -> None:
    """Close the process's hub and forget it, so that the next `get_hub` creates another."""
    global _hub
    with _hub_lock:
        hub, _hub = _hub, None
    if hub is not None:
        atexit.unregister(_close_at_exit)
        hub.close()


def _close_at_exit() -> None:
    close_hub()
    # Otherwise the interpreter's final garbage collection would take longer than everything else.
    gc.freeze()


def use_manager(make: Callable[[], Manager]) -> None:
    """Let a replay's manager take the place of the live one; call it before `get_hub`."""
    global _new_manager  # noqa: PLW0603 - the hub is one for the whole process
    _new_manager = make


def _live_manager() -> Manager:
    from options_helper.data.settings import read_environment  # noqa: PLC0415 - needs dotenv
    from options_helper.data.streaming.live_manager import LiveStreamManager  # noqa: PLC0415 - slow
    from options_helper.relay import RELAY_VARIABLE  # noqa: PLC0415 - only for a start
    from options_helper.relay.reader import relay_source  # noqa: PLC0415 - the same
    from options_helper.session.process_recorder import process_recorder  # noqa: PLC0415 - the same

    relay = read_environment().get(RELAY_VARIABLE, "")
    if relay:
        return LiveStreamManager(source=relay_source(relay))
    return LiveStreamManager(recorder=process_recorder())


_new_manager: Callable[[], Manager] = _live_manager
