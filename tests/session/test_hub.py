"""The process's one set of streams: leases, the reaper, and the log of actions."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest

from options_helper.errors import OptionsHelperError, SettingsError
from options_helper.market import LiveSnapshot
from options_helper.models import Portfolio
from options_helper.session import hub as hub_module
from options_helper.session.hub import NO_BROWSER, LiveHub, close_hub, get_hub
from options_helper.session.last_action import ActionKind

NOON = dt.datetime(2026, 11, 20, 17, 0, tzinfo=dt.UTC)
PORTFOLIO = Portfolio()


class CountingManager:
    """A manager that only counts; `refusal` makes the next start fail."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.running = False
        self.refusal: Exception | None = None
        self.overlaps = 0
        self._busy = threading.Lock()

    def check(self, _config: Any) -> None:
        if isinstance(self.refusal, SettingsError):
            raise self.refusal

    def start(self, config: Any) -> None:
        with self._alone():
            if self.refusal:
                raise self.refusal
            self.calls.append(f"start {config}")
            self.running = True

    def stop(self) -> None:
        with self._alone():
            if self.running:
                self.calls.append("stop")
            self.running = False

    def is_running(self) -> bool:
        return self.running

    def snapshot(self) -> LiveSnapshot:
        return LiveSnapshot(as_of=NOON, running=self.running)

    def _alone(self) -> _Alone:
        return _Alone(self)


class _Alone:
    """Counts calls that overlap."""

    def __init__(self, manager: CountingManager) -> None:
        self._manager = manager

    def __enter__(self) -> None:
        if not self._manager._busy.acquire(blocking=False):
            self._manager.overlaps += 1

    def __exit__(self, *_: object) -> None:
        if self._manager._busy.locked():
            self._manager._busy.release()


class World:
    """A hub with a fake manager, a clock that the test moves, and the connected browsers."""

    def __init__(self, grace_seconds: float = 15.0) -> None:
        self.seconds = 0.0
        self.connected: set[str] = set()
        self.manager = CountingManager()
        self.built = 0
        self.hub = LiveHub(
            self._build,
            grace_seconds=grace_seconds,
            is_active=lambda session: session in self.connected,
            clock=lambda: NOON + dt.timedelta(seconds=self.seconds),
            monotonic=lambda: self.seconds,
        )

    def _build(self) -> CountingManager:
        self.built += 1
        return self.manager

    def open(self, session: str) -> None:
        self.connected.add(session)
        self.hub.attach(session)

    def leave(self, session: str) -> None:
        self.connected.discard(session)
        self.hub.detach(session)

    def start(self, session: str, config: Any = "config", name: str = "portfolio.json") -> None:
        self.hub.start(config, session_id=session, portfolio_name=name, portfolio=PORTFOLIO)

    def restart(self, session: str, config: Any = "config", name: str = "portfolio.json") -> None:
        self.hub.restart(config, session_id=session, portfolio_name=name, portfolio=PORTFOLIO)

    def wait(self, seconds: float) -> None:
        self.seconds += seconds
        self.hub.reap()


@pytest.fixture
def world() -> Iterator[World]:
    """A hub with fakes, closed at the end."""
    made = World()
    yield made
    made.hub.close()


def test_nothing_exists_before_it_is_needed(world: World) -> None:
    """An unused hub builds no manager and runs no thread."""
    assert world.built == 0
    assert world.hub._reaper is None
    assert not world.hub.is_running()
    assert world.hub.last_action is None
    assert world.hub.run is None


def test_every_session_gets_the_same_manager(world: World) -> None:
    """All sessions share one manager, built once."""
    assert world.hub.manager is world.hub.manager
    assert world.built == 1


def test_start_is_harmless_while_streams_run(world: World) -> None:
    """A second Start from any tab changes neither the running set nor the last action."""
    world.open("a")
    world.open("b")
    world.start("a")
    first = world.hub.last_action
    world.start("b", "other", "other.json")
    assert world.manager.calls == ["start config"]
    assert world.hub.last_action is first


def test_the_last_action_says_who_and_with_what(world: World) -> None:
    """After a Restart, every tab can show who restarted, when, and with which portfolio."""
    world.open("a")
    world.open("b")
    world.start("a")
    world.seconds = 60
    world.restart("b", "new", "other.json")
    action = world.hub.last_action
    assert action is not None
    assert (action.kind, action.at) == (ActionKind.RESTARTED, NOON + dt.timedelta(seconds=60))
    assert (action.session_id, action.portfolio_name) == ("b", "other.json")
    assert action.is_from("b")
    assert not action.is_from("a")
    assert world.manager.calls == ["start config", "stop", "start new"]
    run = world.hub.run
    assert run is not None
    assert run.config == "new"
    assert run.portfolio is PORTFOLIO


def test_a_restart_with_settings_that_cannot_start_stops_nothing(world: World) -> None:
    """If there is nothing to stream, the running streams continue."""
    world.open("a")
    world.start("a")
    first = world.hub.last_action
    world.manager.refusal = SettingsError("streams", "There is nothing to stream.")
    with pytest.raises(SettingsError):
        world.restart("a")
    assert world.manager.calls == ["start config"]
    assert world.hub.is_running()
    assert world.hub.last_action is first


def test_a_refused_restart_is_a_stop(world: World) -> None:
    """If the new set cannot start, the last action is a stop."""
    world.open("a")
    world.start("a")
    world.manager.refusal = OptionsHelperError("No thread can start.")
    with pytest.raises(OptionsHelperError):
        world.restart("a")
    action = world.hub.last_action
    assert action is not None
    assert action.kind is ActionKind.STOPPED
    assert not world.hub.is_running()


def test_a_manager_that_is_slow_to_build_holds_up_no_event_loop(world: World) -> None:
    """Sessions can connect and disconnect while the manager is being built."""
    with world.hub._building:
        world.open("a")
        world.leave("a")
    assert world.hub.sessions == {"a"}


def test_a_reaper_that_died_is_replaced(world: World) -> None:
    """The next page run replaces a dead reaper."""
    world.open("a")
    first = world.hub._reaper
    assert first is not None
    world.hub._closed.set()
    first.join(5)
    world.hub._closed.clear()
    world.open("b")
    assert world.hub._reaper is not first


def test_the_log_says_who_did_what(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Start, Restart and Stop are logged with their portfolio, and the hub's own Stop with its reason."""
    caplog.set_level("INFO")
    world.open("a")
    world.start("a")
    world.restart("a", "new", "other.json")
    world.leave("a")
    world.wait(15)
    assert [record.getMessage() for record in caplog.records] == [
        "Started by a browser with portfolio.json.",
        "Stopped by a browser.",
        "Restarted by a browser with other.json.",
        "Stopped by the program: no browser was connected.",
    ]


def test_stop_is_idempotent(world: World) -> None:
    """A second Stop does nothing and does not replace the first as the last action."""
    world.open("a")
    world.start("a")
    world.hub.stop("a")
    stopped = world.hub.last_action
    world.hub.stop("b")
    assert world.hub.last_action is stopped
    assert world.manager.calls == ["start config", "stop"]


def test_a_refused_start_changes_nothing(world: World) -> None:
    """The caller gets the error, and neither an action nor a run is kept."""
    world.open("a")
    world.manager.refusal = SettingsError("APCA_API_KEY_ID", "APCA_API_KEY_ID is not set.")
    with pytest.raises(SettingsError):
        world.start("a")
    assert world.hub.last_action is None
    assert world.hub.run is None


def test_the_last_browser_gone_for_the_grace_period_stops_the_streams(world: World) -> None:
    """After the grace period, the streams stop, and the hub says why."""
    world.open("a")
    world.start("a")
    world.leave("a")
    world.wait(14.9)
    assert world.manager.running
    world.wait(0.2)
    assert not world.manager.running
    action = world.hub.last_action
    assert action is not None
    assert (action.kind, action.session_id, action.reason) == (ActionKind.STOPPED, None, NO_BROWSER)
    assert world.hub.sessions == frozenset()


def test_a_second_tab_keeps_the_streams(world: World) -> None:
    """Closing one tab keeps the streams while another is open."""
    world.open("a")
    world.open("b")
    world.start("a")
    world.leave("a")
    world.wait(100)
    world.wait(0)
    assert world.manager.running
    assert world.hub.sessions == {"b"}


def test_a_network_blip_keeps_the_lease(world: World) -> None:
    """A session that reconnects gets the whole grace period at its next loss."""
    world.open("a")
    world.start("a")
    world.leave("a")
    world.wait(10)
    world.connected.add("a")
    world.wait(1)
    world.leave("a")
    world.wait(14)
    assert world.manager.running
    world.wait(2)
    assert not world.manager.running


def test_a_reload_adopts_the_streams(world: World) -> None:
    """A reload is a new session within the old one's grace period, and the same run continues."""
    world.open("a")
    world.start("a")
    world.leave("a")
    world.wait(2)
    world.open("a2")
    world.wait(60)
    world.wait(0)
    assert world.manager.calls == ["start config"]
    assert world.hub.sessions == {"a2"}


def test_a_browser_that_vanishes_is_noticed(world: World) -> None:
    """A session that was never detached loses its lease after the grace period without a connection."""
    world.open("a")
    world.start("a")
    world.connected.clear()
    world.wait(0)
    world.wait(15)
    assert not world.manager.running


def test_a_run_that_ended_in_error_is_cleared_too(world: World) -> None:
    """If every stream has ended in error, the run's threads still end with the last browser."""
    world.open("a")
    world.start("a")
    world.manager.running = False
    world.leave("a")
    world.wait(15)
    action = world.hub.last_action
    assert action is not None
    assert action.reason == NO_BROWSER


def test_a_reloaded_tab_is_not_another_one(world: World) -> None:
    """A session that lost its connection counts as disconnected at once, although its lease continues."""
    world.open("a")
    assert world.hub.is_connected("a")
    assert not world.hub.is_connected("nobody")
    world.leave("a")
    assert not world.hub.is_connected("a")
    assert world.hub.sessions == {"a"}
    world.open("a")
    assert world.hub.is_connected("a")


def test_detaching_an_unknown_session_is_harmless(world: World) -> None:
    """Detaching a session that never attached creates no lease."""
    world.hub.detach("nobody")
    assert world.hub.sessions == frozenset()


def test_detach_never_waits_for_a_start_under_way(world: World) -> None:
    """`detach` returns while another thread starts the streams."""
    world.open("a")
    with world.hub._action:
        done = threading.Event()

        def leave() -> None:
            world.leave("a")
            done.set()

        threading.Thread(target=leave).start()
        assert done.wait(5)


def test_start_and_stop_from_many_threads_never_overlap(world: World) -> None:
    """Buttons pressed in many tabs reach the manager one at a time."""
    sessions = [f"tab {number}" for number in range(8)]
    for session in sessions:
        world.open(session)

    def press(session: str) -> None:
        for _ in range(20):
            world.start(session)
            world.restart(session)
            world.hub.stop(session)

    threads = [threading.Thread(target=press, args=(session,)) for session in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert world.manager.overlaps == 0
    assert not world.manager.running


def test_the_reaper_works_by_itself(monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., None]) -> None:
    """A thread calls `reap`, even without another visit."""
    monkeypatch.setattr(hub_module, "POLL_SECONDS", 0.01)
    world = World(grace_seconds=0.0)
    world.open("a")
    world.start("a")
    world.leave("a")
    wait_until(lambda: not world.manager.running)
    world.hub.close()


def test_a_reaper_that_cannot_start_is_tried_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the reaper cannot start, the page works and the hub closes; the next page run starts it."""

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        world.hub.attach("one")
    assert world.hub._reaper is None
    world.hub.attach("one")
    assert world.hub._reaper is not None
    assert world.hub._reaper.is_alive()


def test_the_reaper_survives_a_failed_check(
    monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    """If one check fails, a later one still stops the streams."""
    monkeypatch.setattr(hub_module, "POLL_SECONDS", 0.01)
    world = World(grace_seconds=0.0)
    monkeypatch.setattr(world.manager, "stop", mock.Mock(side_effect=[OSError("odd"), None]))
    world.open("a")
    world.start("a")
    world.leave("a")
    wait_until(lambda: world.manager.stop.call_count == 2)
    assert "The reaper's check raised OSError" in caplog.text
    monkeypatch.undo()
    world.hub.close()


def test_close_is_idempotent_and_final() -> None:
    """Closing ends the reaper and the streams, and a closed hub starts no thread."""
    world = World()
    world.open("a")
    world.start("a")
    reaper = world.hub._reaper
    world.hub.close()
    world.hub.close()
    assert reaper is not None
    assert not reaper.is_alive()
    assert not world.manager.running
    world.hub.attach("b")
    assert world.hub._reaper is None


def test_a_hub_without_a_manager_closes() -> None:
    """A hub that never built its manager closes without building one."""
    world = World()
    world.hub.close()
    assert world.built == 0


def test_a_negative_grace_period_is_refused() -> None:
    """A negative grace period raises."""
    with pytest.raises(ValueError, match="grace_seconds"):
        LiveHub(CountingManager, grace_seconds=-1)


def test_the_process_has_one_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """`get_hub` returns the same hub until it is closed, built with the first caller's arguments."""
    monkeypatch.setattr(hub_module, "_new_manager", CountingManager)
    close_hub()
    first = get_hub(grace_seconds=3)
    assert get_hub(grace_seconds=99) is first
    assert first.grace_seconds == 3
    close_hub()
    close_hub()
    second = get_hub()
    assert second is not first
    close_hub()


def test_the_hubs_default_manager_is_the_real_one() -> None:
    """By default the hub holds a LiveStreamManager."""
    pytest.importorskip("options_helper.data.streaming.live_manager")
    close_hub()
    assert type(get_hub().manager).__name__ == "LiveStreamManager"
    close_hub()
