"""Tests for the replay's badge and controls."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import time
from typing import Any

import pytest

pytest.importorskip("streamlit", reason="the portal needs streamlit")

from streamlit.testing.v1 import AppTest

from apps.streamlit.components.charts.scrubber import scrubber_table
from apps.streamlit.components.layout import replay_bar
from apps.streamlit.components.layout.replay_bar import describe_gaps
from apps.streamlit.components.plain_text import in_markdown
from options_helper.recording.markers import Marker
from options_helper.recording.overview import Overview
from options_helper.replay import process
from options_helper.replay.clock import ReplayClock
from options_helper.replay.player import UnplayableRecord

SECOND = 1_000_000
AT = 1_796_000_000 * SECOND  # 00:53:20 UTC


def _bar() -> None:
    import datetime as dt

    from apps.streamlit.components.layout.replay_bar import render_replay

    render_replay(dt.UTC)


class Jumps:
    """A manager that only moves the clock."""

    is_behind = False
    problem = curve = None
    started = True

    def __init__(self, clock: ReplayClock) -> None:
        self._clock = clock

    def is_running(self) -> bool:
        """Return whether Start was pressed."""
        return self.started

    def jump(self, at: dt.datetime) -> None:
        """Move to a time."""
        self._clock.skip((at - self._clock.wall()).total_seconds())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ReplayClock:
    """The clock of a two-minute replay in progress, for which no real time passes."""
    clock = ReplayClock(AT, 0, 120 * SECOND, monotonic=lambda: 0.0)
    monkeypatch.setattr(process, "_replay", replay_of(clock))
    return clock


def replay_of(clock: ReplayClock, problem: Exception | None = None, **changes: Any) -> process.Replay:
    """Return a replay with one marker."""
    at = clock.span[0]
    markers = (Marker(at + dt.timedelta(seconds=100), "fills: lost", is_fill=False),)
    overview = Overview(at, 0, 120 * SECOND, {}, None, markers, left_out=0, damage="", is_closed=True)
    manager = Jumps(clock)
    manager.problem = problem  # type: ignore[assignment]
    found = dataclasses.replace(overview, **changes)
    return process.Replay(clock, manager, found, io.BytesIO())  # type: ignore[arg-type]


def test_the_badge_says_replay_and_the_buttons_move_its_clock(
    clock: ReplayClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time and speed are shown; Play needs a Start, Pause stops, a step moves, and a speed applies."""
    clock.set_running(running=True)
    monkeypatch.setattr(Jumps, "started", False)
    assert AppTest.from_function(_bar).run().button(key="replay-pause").disabled
    monkeypatch.setattr(Jumps, "started", True)
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
    page.session_state["replay-jump"] = True  # opened
    page.run()
    page.slider(key="replay-time").set_value(at + dt.timedelta(seconds=5)).run()
    assert in_markdown("REPLAY 00:53:25") in page.markdown[0].value
    for number in range(2):  # the same one twice
        choice = page.selectbox(key=f"replay-marker-{number}")
        choice.set_value(choice.options[0]).run()
        assert in_markdown("REPLAY 00:54:59") in page.markdown[0].value
        page.button(key="replay-step").click().run()
        assert page.slider(key="replay-time").value == at + dt.timedelta(seconds=109)
    clock.skip(1000)
    page.run()
    assert in_markdown("REPLAY 00:55:20 · at its end") in page.markdown[0].value
    assert page.button(key="replay-step").disabled


def test_an_earlier_value_of_the_slider_is_not_a_choice(clock: ReplayClock) -> None:
    """A browser that has not received the slider's newest value yet does not move the replay back."""
    begins = clock.span[0]
    page = AppTest.from_function(_bar)
    page.session_state["replay-jump"] = True
    page.run()
    slider = page.slider(key="replay-time")
    slider.set_value(begins + dt.timedelta(seconds=30)).run()
    assert clock.elapsed == 30 * SECOND
    for seconds in (40, 50):
        clock.skip(10)
        page.run()
        assert slider_of(page).value == begins + dt.timedelta(seconds=seconds)
        slider_of(page).set_value(begins + dt.timedelta(seconds=seconds - 10)).run()
        assert clock.elapsed == seconds * SECOND
        assert slider_of(page).value == begins + dt.timedelta(seconds=seconds)
    for seconds in (49, 48, 49, 48):  # the reader's own values may repeat
        slider_of(page).set_value(begins + dt.timedelta(seconds=seconds)).run()
        assert clock.elapsed == seconds * SECOND
    clock.set_running(running=True)
    for seconds in (90, 48):  # what the page had set before arrives after the reader's choice
        slider_of(page).set_value(begins + dt.timedelta(seconds=seconds)).run()
        assert clock.elapsed == 90 * SECOND


def test_a_repeated_choice_counts_once(clock: ReplayClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser may send the same click again after the curve was redrawn; other clicks on it count."""
    monkeypatch.setattr(replay_bar.st, "session_state", {})
    replay, times = replay_of(clock), [clock.span[0] + dt.timedelta(seconds=each) for each in (20, 60)]
    for number, at, elapsed in (
        (0, times[0], 20),
        (0, times[0], 30),  # repeated after a step
        (0, times[1], 60),
        (1, times[0], 20),
        (0, times[1], 30),  # from an older curve
        (1, times[0], 40),
        (2, times[0], 20),
    ):
        replay_bar._take_choice(replay, number, at)
        assert clock.elapsed == elapsed * SECOND
        clock.skip(10)


def slider_of(page: AppTest) -> Any:
    """Return the slider of a page."""
    return page.slider(key="replay-time")


def test_every_tab_shows_the_speed(clock: ReplayClock) -> None:
    """The chosen speed, and no other, is marked in each tab, even after a second click on it."""
    pages = [AppTest.from_function(_bar).run() for _ in range(2)]
    pages[0].segmented_control(key="replay-speed").set_value(10.0).run()
    pages[1].run()
    pages[0].segmented_control(key="replay-speed").set_value(None).run()
    assert clock.speed == 10
    assert [page.segmented_control(key="replay-speed").value for page in pages] == [10.0, 10.0]
    clock.set_speed(7.0)  # from the command line
    assert pages[0].run().segmented_control(key="replay-speed").value is None


def test_a_stopped_replay_is_not_played_by_an_older_button(
    clock: ReplayClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If another tab stops the replay, a press on this tab's Play changes nothing."""
    page = AppTest.from_function(_bar).run()
    assert not page.button(key="replay-pause").disabled
    monkeypatch.setattr(Jumps, "started", False)
    page.button(key="replay-pause").click().run()
    assert not clock.is_running


def test_the_sliders_last_second_is_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Although the slider has whole seconds, the last record can be chosen."""
    clock = ReplayClock(AT, 0, 120 * SECOND + SECOND // 2, monotonic=lambda: 0.0)
    monkeypatch.setattr(process, "_replay", replay_of(clock))
    page = AppTest.from_function(_bar)
    page.session_state["replay-jump"] = True
    page.run()
    last = clock.span[1].replace(microsecond=0)
    page.slider(key="replay-time").set_value(last).run()
    assert clock.is_at_end
    assert not page.exception
    assert page.slider(key="replay-time").value == last


@pytest.mark.parametrize(
    ("changes", "problem", "words"),
    [
        ({}, None, []),
        ({"is_closed": False}, None, ["The recording ends at 00:55:20 without a Stop."]),
        (
            {"damage": "Part of the file is damaged.", "is_closed": False},
            None,
            ["The recording ends at 00:55:20 without a Stop. Part of the file is damaged."],
        ),
        (
            {},
            OSError(5, "Input/output error", "/a.ohrec"),
            ["The recording cannot be read beyond 00:55:20: Input/output error"],
        ),
        (
            {},
            UnplayableRecord(dt.datetime(2026, 11, 30, tzinfo=dt.UTC), "KeyError"),
            ["The recording is damaged at 00:55:20 (KeyError), and nothing after it is played."],
        ),
    ],
)
def test_an_early_end_is_reported_at_the_end(
    clock: ReplayClock, changes: dict[str, Any], problem: Exception | None, words: list[str]
) -> None:
    """A cut or damaged recording is reported once the replay reaches its end; missing records always are."""
    replay = replay_of(clock, problem, **changes)
    assert list(describe_gaps(replay, dt.UTC)) == []
    clock.skip(1000)
    assert list(describe_gaps(replay, dt.UTC)) == words
    more = list(describe_gaps(replay_of(clock, problem, **changes, left_out=3), dt.UTC))
    assert more == ["3 records are missing here, so figures may differ from those shown at the time.", *words]
    assert next(describe_gaps(replay_of(clock, left_out=1), dt.UTC)).startswith("1 record is missing here")


def test_the_scrubber_has_a_row_for_each_place_and_marker(clock: ReplayClock) -> None:
    """The rows that a click can choose come first, in the order of their times, and then the curve."""
    first, _ = clock.span
    markers = replay_of(clock).overview.markers
    table = scrubber_table(None, markers, [AT, AT + SECOND, AT + 100 * SECOND], first, dt.UTC)
    assert list(table["kind"]) == ["place", "place", "failure", "now"]
    assert list(table["row"]) == [0, 1, 2, 3]
    assert table["time"][2] == (first + dt.timedelta(seconds=100)).replace(tzinfo=None)


def test_live_data_has_no_replay_bar() -> None:
    """Without a replay nothing is drawn."""
    page = AppTest.from_function(_bar).run()
    assert not page.markdown
    assert not page.button


def test_a_closed_slider_counts_as_untouched(clock: ReplayClock) -> None:
    """A slider that is opened soon after a choice is put where the replay is, not at the beginning."""
    test = AppTest.from_function(_bar)
    test.session_state["replay-touched"] = time.monotonic()
    test.run()
    assert not test.exception
    assert "replay-touched" not in test.session_state
