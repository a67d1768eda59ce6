"""The replay's time and controls, above everything else."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from apps.streamlit.components.plain_text import in_markdown
from options_helper.analysis.text.wording import format_time
from options_helper.printable import printable
from options_helper.replay import SPEEDS
from options_helper.replay.clock import ReplayClock
from options_helper.replay.process import Replay, current_replay

_STEP_SECONDS = 10.0
_SPEED_KEY, _TIME_KEY, _MARK_KEY = "replay-speed", "replay-time", "replay-mark"
_BEFORE_MARK = dt.timedelta(seconds=1)
_MOST_MARKS = 1000
_TIMES = "\N{MULTIPLICATION SIGN}"


def render_replay(zone: dt.tzinfo) -> None:
    """Draw REPLAY with its time and speed, and Pause, Step and the speeds; nothing if the data is live."""
    replay = current_replay()
    if replay is None:
        return
    clock = replay.clock
    with st.container(key="live-replay", horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(
            in_markdown(describe_replay(clock, zone, is_behind=replay.manager.is_behind)),
            icon=":material/replay:",
            color="orange",
        )
        running = clock.is_running
        st.button(
            "Pause" if running else "Play",
            key="replay-pause",
            icon=":material/pause:" if running else ":material/play_arrow:",
            disabled=clock.is_at_end,
            on_click=lambda: clock.set_running(running=not running),
        )
        st.button(
            f"+{_STEP_SECONDS:g} s",
            key="replay-step",
            disabled=clock.is_at_end,
            on_click=lambda: clock.skip(_STEP_SECONDS),
        )
        st.segmented_control(
            "Speed",
            SPEEDS,
            default=clock.speed if clock.speed in SPEEDS else None,
            format_func=lambda each: f"{each:g} {_TIMES}",
            key=_SPEED_KEY,
            label_visibility="collapsed",
            on_change=_take_speed,
            args=(clock,),
        )
        with st.popover("Jump", icon=":material/schedule:"):
            _render_jump(replay, zone)


def _take_speed(clock: ReplayClock) -> None:
    chosen = st.session_state[_SPEED_KEY]
    if chosen is not None:
        clock.set_speed(chosen)


def _render_jump(replay: Replay, zone: dt.tzinfo) -> None:
    """Draw the recording's time as a slider, and its fills and failures to choose from."""
    first, last = (at.astimezone(zone).replace(microsecond=0) for at in replay.clock.span)
    if first < last:
        st.slider(
            "Time",
            first,
            last,
            step=dt.timedelta(seconds=1),
            format="HH:mm:ss",
            key=_TIME_KEY,
            on_change=lambda: replay.manager.jump(st.session_state[_TIME_KEY]),
        )
    st.selectbox(
        "Fills and failures",
        replay.marks[:_MOST_MARKS],
        index=None,
        format_func=lambda mark: f"{format_time(mark.at, zone)} · {printable(mark.words)}",
        key=_MARK_KEY,
        on_change=_take_mark,
        args=(replay,),
        placeholder="Choose one" if replay.marks else "None in this recording",
        disabled=not replay.marks,
    )
    st.caption("Forward, everything in between is played at once; backward, everything from the beginning.")


def _take_mark(replay: Replay) -> None:
    chosen = st.session_state[_MARK_KEY]
    if chosen is not None:
        replay.manager.jump(chosen.at - _BEFORE_MARK)


def describe_replay(clock: ReplayClock, zone: dt.tzinfo, *, is_behind: bool = False) -> str:
    """Return the badge's words, such as `REPLAY 10:42:07 · paused`."""
    words = f"REPLAY {format_time(clock.wall(), zone)}"
    if is_behind:
        return f"{words} · catching up"
    if clock.is_at_end:
        return f"{words} · at its end"
    return f"{words} · {clock.speed:g} {_TIMES}" if clock.is_running else f"{words} · paused"
