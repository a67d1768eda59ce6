"""Curves of figures over the day: a recorder that takes points, and the immutable curve that it returns.

A recorder is bounded: when it is full, it joins neighbouring points and takes points half as often. A missing
figure is NaN and stays NaN when points are joined, so no line is ever drawn across a gap.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from options_helper.analysis.arrays.types import Floats, Numbers
from options_helper.times import to_microseconds

_SECOND = 1_000_000
_LOST_AFTER_SECONDS = 15  # longer than a busy machine delays a point


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Figures over time, in read-only arrays.

    Attributes:
        columns: The names of the columns.
        times: Microseconds since 1970 UTC, ascending, one per point.
        values: One row per point and one column per name; NaN is a gap.
    """

    columns: tuple[str, ...]
    times: Numbers
    values: Floats

    def __len__(self) -> int:
        return len(self.times)

    def column(self, name: str) -> Floats:
        """Return the figures of a column, or all gaps if there is no such column."""
        if name not in self.columns:
            return np.full(len(self.times), np.nan)
        column: Floats = self.values[:, self.columns.index(name)]
        return column


class CurveRecorder:
    """Records a point every `spacing_seconds` and keeps at most `max_points`.

    Only one thread may write; returned curves never change.
    """

    def __init__(self, columns: Sequence[str], *, spacing_seconds: float, max_points: int) -> None:
        if spacing_seconds <= 0 or max_points < 2:  # noqa: PLR2004 - one point makes no curve
            raise ValueError("spacing_seconds must be above 0 and max_points at least 2")
        self.columns = tuple(columns)
        self._first_spacing = spacing_seconds
        self._max_points = max_points
        self.clear()

    def clear(self) -> None:
        """Drop every point."""
        self.spacing_seconds = self._first_spacing
        self._begin(np.zeros(0, dtype=np.int64), np.zeros((0, len(self.columns))))

    def add(self, at: dt.datetime, figures: Mapping[str, float | None]) -> bool:
        """Offer a point, and return whether it was accepted.

        A column without a figure gets a gap. A point is rejected if it comes too soon, or if neither it nor
        the previous point has a figure. A pause in observation, such as a sleeping computer, leaves a gap. If
        the clock went back, all later points are dropped.
        """
        time = to_microseconds(at)
        self._forget_from(time)
        row = np.array([figures.get(name) for name in self.columns], dtype=np.float64)
        is_blank, after_blank = bool(np.isnan(row).all()), self._is_blank()
        if (is_blank and after_blank) or (self._length and time < self._due()):
            return False
        if not is_blank and not after_blank and time > self._due() + _LOST_AFTER_SECONDS * _SECOND:
            self._append(self._due(), np.full(len(self.columns), np.nan))
        self._append(time, row)
        return True

    def _is_blank(self) -> bool:
        """Return whether there is no point yet, or the last one has no figure."""
        return not self._length or bool(np.isnan(self._values[self._length - 1]).all())

    def _due(self) -> int:
        """Return the time the next point is due, in microseconds."""
        return int(self._times[self._length - 1]) + int(self.spacing_seconds * _SECOND)

    def _append(self, time: int, row: Floats) -> None:
        if self._length == self._max_points:
            self._halve()
        self._times[self._length] = time
        self._values[self._length] = row
        self._length += 1

    def curve(self) -> Curve:
        """Return a curve of all points so far."""
        times, values = self._times[: self._length], self._values[: self._length]
        times.flags.writeable = False
        values.flags.writeable = False
        return Curve(self.columns, times, values)

    def _forget_from(self, time: int) -> None:
        times = self._times[: self._length]
        if self._length and time < times[-1]:
            kept = int(np.searchsorted(times, time))
            self._begin(times[:kept], self._values[:kept])

    def _halve(self) -> None:
        pairs = self._length // 2
        first, second = self._values[0 : 2 * pairs : 2], self._values[1 : 2 * pairs : 2]
        joined = np.where(np.isnan(first), np.nan, second)
        times = self._times[1 : 2 * pairs : 2]
        if self._length % 2:
            joined = np.vstack([joined, self._values[self._length - 1]])
            times = np.append(times, self._times[self._length - 1])
        self.spacing_seconds *= 2
        self._begin(times, joined)

    def _begin(self, times: Numbers, values: Floats) -> None:
        """Start new full-sized arrays with these points, because returned curves share the old ones."""
        self._length = len(times)
        self._times = np.zeros(self._max_points, dtype=np.int64)
        self._values = np.full((self._max_points, len(self.columns)), np.nan)
        self._times[: self._length] = times
        self._values[: self._length] = values
