"""Tests for the replay's badge and controls."""

from __future__ import annotations

import datetime as dt

import pytest

pytest.importorskip("streamlit", reason="the portal needs streamlit")

from streamlit.testing.v1 import AppTest

from apps.streamlit.components.plain_text import in_markdown
from options_helper.replay import process
from options_helper.replay.clock import ReplayClock
from options_helper.replay.marks import Mark
from options_helper.times import from_microseconds

SECOND = 1_000_000
AT = 1_796_000_000 * SECOND  # 00:53:20 UTC


def _bar() -> None:
    import datetime as dt

    from apps.streamlit.components.layout.replay_bar import render_replay

    render_replay(dt.UTC)


class Jumps:
    """A manager that only moves the clock."""

    is_behind = False

    def __init__(self, clock: ReplayClock) -> None:
        self._clock = clock

    def jump(self, at: dt.datetime) -> None:
        """Move to a time."""
        self._clock.skip((at - self._clock.wall()).total_seconds())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ReplayClock:
    """The clock of a replay in progress, of two minutes, which stands still in real time."""
    clock = ReplayClock(AT, 0, 120 * SECOND, monotonic=lambda: 0.0)
    mark = Mark(from_microseconds(AT + 100 * SECOND), "fills: lost")  # type: ignore[arg-type]
    replay = process.Replay(clock, Jumps(clock), (mark,))  # type: ignore[arg-type]
    monkeypatch.setattr(process, "_replay", replay)
    return clock


def test_the_badge_says_replay_and_the_buttons_move_its_clock(clock: ReplayClock) -> None:
    """Time and speed are in sight; Pause stops, Play goes on, a step moves on, a speed is taken."""
    clock.set_running(running=True)
    page = AppTest.from_function(_bar).run()
    assert in_markdown("REPLAY 00:53:20 · 1 \N{MULTIPLICATION SIGN}") in page.markdown[0].value
    page.button(key="replay-pause").click().run()
    assert not clock.is_running
    assert "paused" in page.markdown[0].value
    page.button(key="replay-step").click().run()
    assert in_markdown("REPLAY 00:53:30") in page.markdown[0].value
    page.button(key="replay-pause").click().run()
    assert clock.is_running
    page.segmented_control(key="replay-speed").set_value(4.0).run()
    assert clock.speed == 4
    at = dt.datetime.fromtimestamp(AT / SECOND, dt.UTC)
    page.slider(key="replay-time").set_value(at + dt.timedelta(seconds=5)).run()
    assert in_markdown("REPLAY 00:53:25") in page.markdown[0].value
    page.selectbox(key="replay-mark").set_value(page.selectbox(key="replay-mark").options[0]).run()
    assert in_markdown("REPLAY 00:54:59") in page.markdown[0].value
    clock.skip(1000)
    page.run()
    assert in_markdown("REPLAY 00:55:20 · at its end") in page.markdown[0].value
    assert page.button(key="replay-step").disabled


def test_live_data_has_no_replay_bar() -> None:
    """Without a replay nothing is drawn."""
    page = AppTest.from_function(_bar).run()
    assert not page.markdown
    assert not page.button
