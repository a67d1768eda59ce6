"""The replay's time and controls, above everything else."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from functools import partial

import streamlit as st

from apps.streamlit.components.charts.scrubber import render_scrubber
from apps.streamlit.components.plain_text import in_markdown
from options_helper.analysis.text.wording import format_time
from options_helper.printable import printable
from options_helper.recording.markers import MOST_MARKERS
from options_helper.replay import SPEEDS
from options_helper.replay.clock import ReplayClock
from options_helper.replay.player import UnplayableRecord
from options_helper.replay.process import Replay, current_replay

_STEP_SECONDS = 10.0
_SPEED_KEY, _TIME_KEY, _MARKER_KEY = "replay-speed", "replay-time", "replay-marker"
_JUMP_KEY, _CURVE_KEY, _JUMPS_KEY = "replay-jump", "replay-curve", "replay-jumps"
_TAKEN_KEY = "replay-taken"  # the last choice on the curve or in the list, and the number of jumps before it
_TOUCHED_KEY, _SETTLED_SECONDS = "replay-touched", 2.0
# The slider's value as the browser has it, and its earlier values that the replay has replaced since.
_SHOWN_KEY, _REPLACED_KEY, _REPEATED_SECONDS = "replay-shown", "replay-replaced", 3.0
_BEFORE_MARKER = dt.timedelta(seconds=1)
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
        _draw_controls(clock, can_play=replay.manager.is_running())
        jump = st.popover("Jump", icon=":material/schedule:", key=_JUMP_KEY, on_change="rerun")
    if jump.open:
        with jump:
            _render_jump(replay, zone)
    else:
        st.session_state.pop(_TOUCHED_KEY, None)  # nobody moves the slider that will be opened next
    for words in describe_gaps(replay, zone):
        st.warning(in_markdown(words))


def _draw_controls(clock: ReplayClock, *, can_play: bool) -> None:
    """Draw Pause or Play, the step and the speeds; before Start there is nothing to play."""
    running = clock.is_running
    st.button(
        "Pause" if running else "Play",
        key="replay-pause",
        icon=":material/pause:" if running else ":material/play_arrow:",
        disabled=clock.is_at_end or not can_play,
        on_click=_set_running,
        args=(not running,),
    )
    st.button(
        f"+{_STEP_SECONDS:g} s",
        key="replay-step",
        disabled=clock.is_at_end,
        on_click=lambda: clock.skip(_STEP_SECONDS),
    )
    # The speed is the same in every tab, and a second click on it does not deselect it.
    st.session_state[_SPEED_KEY] = clock.speed if clock.speed in SPEEDS else None
    st.segmented_control(
        "Speed",
        SPEEDS,
        format_func=lambda each: f"{each:g} {_TIMES}",
        key=_SPEED_KEY,
        label_visibility="collapsed",
        on_change=_take_speed,
        args=(clock,),
    )


def _set_running(running: bool) -> None:  # noqa: FBT001 - Streamlit calls it
    """Play or pause, unless another tab has stopped the replay since the button was drawn."""
    replay = current_replay()
    if replay is not None and replay.manager.is_running():
        replay.clock.set_running(running=running)


def _take_speed(clock: ReplayClock) -> None:
    chosen = st.session_state[_SPEED_KEY]
    if chosen is not None:
        clock.set_speed(chosen)


def _render_jump(replay: Replay, zone: dt.tzinfo) -> None:
    """Draw the recording's times, and its fills and failures to choose from."""
    markers, number = replay.overview.markers, st.session_state.get(_JUMPS_KEY, 0)
    first, last = (at.astimezone(zone).replace(microsecond=0) for at in replay.clock.span)
    if first < last:
        _render_times(replay, first, last, zone)
    marker_key = f"{_MARKER_KEY}-{number}"  # new after each jump, so that the same one can be chosen again
    st.selectbox(
        "Fills and failures",
        markers,
        index=None,
        format_func=lambda marker: f"{format_time(marker.at, zone)} · {printable(marker.words)}",
        key=marker_key,
        on_change=_take_marker,
        args=(replay, marker_key, number),
        placeholder="Choose one" if markers else "None in this recording",
        disabled=not markers,
    )
    st.caption(
        "Going forward plays everything in between at once; going back plays everything from the beginning."
    )
    if len(markers) >= MOST_MARKERS:
        st.caption(f"Only the first {MOST_MARKERS:,} fills and failures are listed.")


def _render_times(replay: Replay, first: dt.datetime, last: dt.datetime, zone: dt.tzinfo) -> None:
    """Draw the curve of the recording's day, and the slider between these times."""
    now = replay.clock.wall()
    # A new key after each jump, because a second click on the same place changes no selection.
    number = st.session_state.get(_JUMPS_KEY, 0)
    render_scrubber(
        replay.manager.curve,
        replay.overview.markers,
        replay.clock.span,
        now,
        zone=zone,
        key=f"{_CURVE_KEY}-{number}",
        take=partial(_take_choice, replay, number),
    )
    _follow(now.astimezone(zone).replace(microsecond=0))
    st.slider(
        "Time",
        first,
        last,
        step=dt.timedelta(seconds=1),
        format="HH:mm:ss",
        key=_TIME_KEY,
        on_change=_take_time,
        args=(replay,),
    )


def _follow(second: dt.datetime) -> None:
    """Set the slider to the replay's time, but not again to the same time while the reader moves it."""
    state, now = st.session_state, time.monotonic()
    is_still = now - state.get(_TOUCHED_KEY, 0.0) > _SETTLED_SECONDS
    if is_still or state.get(_TIME_KEY) != second:
        replaced = {at: since for at, since in state.get(_REPLACED_KEY, {}).items() if at != second}
        if state.get(_SHOWN_KEY, second) != second:
            replaced[state[_SHOWN_KEY]] = now
        state[_REPLACED_KEY] = replaced
        state[_TIME_KEY] = state[_SHOWN_KEY] = second


def _take_time(replay: Replay) -> None:
    """Move to the slider's time; ignore an earlier value.

    A browser sends all values with each request. It may not have received the newest one yet, or repeat that
    of a slider that is closed.
    """
    state, now = st.session_state, time.monotonic()
    chosen, (_, last) = state[_TIME_KEY], replay.clock.span
    replaced_at = state.get(_REPLACED_KEY, {}).get(chosen)
    if chosen == state.get(_SHOWN_KEY) or (replaced_at and now - replaced_at < _REPEATED_SECONDS):
        return
    if replay.clock.is_running and _SHOWN_KEY in state:  # the browser may receive that value only now
        state[_REPLACED_KEY] = {**state.get(_REPLACED_KEY, {}), state[_SHOWN_KEY]: now}
    state[_TOUCHED_KEY], state[_SHOWN_KEY] = now, chosen
    # The slider has whole seconds; its last one is the end of the recording.
    replay.manager.jump(last if chosen >= last.replace(microsecond=0) else chosen)


def _take_marker(replay: Replay, key: str, number: int) -> None:
    chosen = st.session_state[key]
    if chosen is not None:
        _take_choice(replay, number, chosen.at - _BEFORE_MARKER)


def _take_choice(replay: Replay, number: int, at: dt.datetime) -> None:
    """Move to a time that was chosen on the curve or in the list; ignore a repetition of the last choice.

    Args:
        replay: The replay.
        number: The number of earlier jumps.
        at: The time.
    """
    state = st.session_state
    taken = state.get(_TAKEN_KEY)
    if taken is not None and (number < taken[0] or (number, at) == taken):
        return
    state[_TAKEN_KEY], state[_JUMPS_KEY] = (number, at), number + 1
    replay.manager.jump(at)


def describe_gaps(replay: Replay, zone: dt.tzinfo) -> Iterator[str]:
    """Yield sentences about what the recording lacks; an early end is reported once it is reached."""
    found, problem = replay.overview, replay.manager.problem
    if found.left_out:
        missing = "1 record is" if found.left_out == 1 else f"{found.left_out:,} records are"
        yield f"{missing} missing here, so figures may differ from those shown at the time."
    if not replay.clock.is_at_end:
        return
    at = format_time(replay.clock.wall(), zone)
    if isinstance(problem, UnplayableRecord):
        yield f"The recording is damaged at {at} ({problem.kind}), and nothing after it is played."
    elif problem is not None:
        reason = problem.strerror if isinstance(problem, OSError) else None
        yield f"The recording cannot be read beyond {at}: {reason or problem}"
    elif found.damage:
        yield f"The recording ends at {at} without a Stop. {found.damage}"
    elif not found.is_closed:
        yield f"The recording ends at {at} without a Stop."


def describe_replay(clock: ReplayClock, zone: dt.tzinfo, *, is_behind: bool = False) -> str:
    """Return the badge's words, such as `REPLAY 10:42:07 · paused`."""
    words = f"REPLAY {format_time(clock.wall(), zone)}"
    if is_behind:
        return f"{words} · catching up"
    if clock.is_at_end:
        return f"{words} · at its end"
    return f"{words} · {clock.speed:g} {_TIMES}" if clock.is_running else f"{words} · paused"
