"""Curves over the day: bounded, and honest about gaps."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_helper.analysis.history.curve import CurveRecorder
from options_helper.times import to_microseconds

START = dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC)


def _at(second: float) -> dt.datetime:
    return START + dt.timedelta(seconds=second)


def _recorder(max_points: int = 8) -> CurveRecorder:
    return CurveRecorder(["a", "b"], spacing_seconds=5, max_points=max_points)


def test_points_are_recorded_at_their_spacing() -> None:
    """A point that arrives before the spacing has passed is left out."""
    recorder = _recorder()
    taken = [recorder.add(_at(second), {"a": second, "b": 0.0}) for second in range(11)]
    assert [second for second, was in enumerate(taken) if was] == [0, 5, 10]
    assert recorder.curve().column("a").tolist() == [0.0, 5.0, 10.0]
    assert len(recorder.curve()) == 3


def test_a_column_without_a_figure_has_a_gap() -> None:
    """A missing figure is NaN in its own column only; an unknown column is all NaN."""
    recorder = _recorder()
    recorder.add(_at(0), {"a": 1.0})
    curve = recorder.curve()
    assert curve.column("a").tolist() == [1.0]
    assert np.isnan(curve.column("b")).all()
    assert np.isnan(curve.column("c")).all()


def test_a_night_without_figures_takes_only_one_point() -> None:
    """A long time without figures takes one point, and a curve does not begin with a blank."""
    recorder = _recorder()
    assert not recorder.add(_at(0), {})
    recorder.add(_at(5), {"a": 1.0})
    assert [recorder.add(_at(second), {}) for second in (10, 15, 20)] == [True, False, False]
    assert recorder.add(_at(25), {"a": 2.0})


def test_an_unobserved_time_is_a_gap() -> None:
    """A gap in observation interrupts every column; a late observation or a blank does not."""
    recorder = _recorder()
    for second, figures in ((0, 1.0), (20, 2.0), (41, 3.0), (99, None), (600, 4.0)):
        recorder.add(_at(second), {"a": figures, "b": figures})
    curve = recorder.curve()
    seconds = (curve.times - to_microseconds(START)) / 1e6
    assert seconds.tolist() == [0, 20, 25, 41, 99, 600]
    for name in curve.columns:
        assert np.isnan(curve.column(name)).tolist() == [False, False, True, False, True, False]


def test_a_gap_that_fills_the_recorder_stays_one() -> None:
    """The gap and the point after it both fit, and joining neighbours keeps the gap."""
    recorder = _recorder(max_points=4)
    for second in (0, 5, 10, 100):
        recorder.add(_at(second), {"a": float(second), "b": 0.0})
    recorder.add(_at(500), {"a": 500.0, "b": 0.0})
    values = recorder.curve().column("a")
    assert len(values) <= 4
    assert values[-1] == 500.0
    assert np.isnan(values[-2])


def test_a_full_recorder_joins_neighbours_and_slows_down() -> None:
    """The recorder stays within its limit, still covers the whole time, and never bridges a gap."""
    recorder = _recorder(max_points=8)
    for number in range(9):
        recorder.add(_at(5 * number), {"a": None if number == 2 else float(number), "b": float(number)})
    curve = recorder.curve()
    assert curve.column("b").tolist() == [1.0, 3.0, 5.0, 7.0, 8.0]
    assert np.isnan(curve.column("a")).tolist() == [False, True, False, False, False]
    assert recorder.spacing_seconds == 10


def test_a_curve_that_was_given_out_never_changes() -> None:
    """A curve already handed to readers in other threads never changes, and they cannot write to it."""
    recorder = _recorder()
    recorder.add(_at(0), {"a": 1.0})
    before = recorder.curve()
    for number in range(1, 60):
        recorder.add(_at(5 * number), {"a": float(number)})
    recorder.clear()
    assert before.column("a").tolist() == [1.0]
    with pytest.raises(ValueError, match="read-only"):
        before.values[0, 0] = 2.0


def test_a_clock_that_was_set_back_drops_the_points_of_repeated_times() -> None:
    """The curve continues from the earlier time; a curve returned before keeps its points."""
    recorder = _recorder()
    for second in (0, 5, 10, 15):
        recorder.add(_at(second), {"a": float(second)})
    before = recorder.curve()
    assert [recorder.add(_at(second), {"a": 100.0 + second}) for second in (7, 10)] == [False, True]
    assert recorder.curve().column("a").tolist() == [0.0, 5.0, 110.0]
    assert before.column("a").tolist() == [0.0, 5.0, 10.0, 15.0]
    assert recorder.add(_at(-3600), {"a": 1.0})
    assert recorder.curve().column("a").tolist() == [1.0]


@pytest.mark.parametrize(("spacing", "points"), [(0, 8), (5, 1)])
def test_a_recorder_without_room_is_refused(spacing: float, points: int) -> None:
    """Invalid limits raise instead of being clamped."""
    with pytest.raises(ValueError, match="must be above 0"):
        CurveRecorder(["a"], spacing_seconds=spacing, max_points=points)


steps = st.sampled_from([1, 1, 1, 7, -1, -20])


@given(st.integers(2, 9), st.lists(st.tuples(steps, st.none() | st.floats(-1e6, 1e6)), max_size=80))
def test_any_curve_is_bounded_and_ascending(limit: int, offers: list[tuple[int, float | None]]) -> None:
    """For any clock, the curve stays within its limit and contains only figures that were added."""
    recorder = CurveRecorder(["a"], spacing_seconds=1, max_points=limit)
    second, figures = 0, [figure for _, figure in offers]
    for step, figure in offers:
        second += step
        recorder.add(_at(second), {"a": figure})
        assert not len(recorder.curve()) or recorder.curve().times[-1] <= to_microseconds(_at(second))
    curve = recorder.curve()
    assert len(curve) <= limit
    assert (np.diff(curve.times) > 0).all()
    offered = {figure for figure in figures if figure is not None}
    assert set(curve.column("a")[~np.isnan(curve.column("a"))]) <= offered
