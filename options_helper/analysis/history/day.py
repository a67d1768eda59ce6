"""The curves of one portfolio's P/L and marks over a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from options_helper.analysis.history.curve import CurveRecorder
from options_helper.analysis.history.observation import Observation, underlyings_of
from options_helper.models import Portfolio
from options_helper.times import new_york_date

POINT_EVERY_SECONDS = 5.0
# A session of 6.5 hours has 4,680 points, one every 5 s. There are many positions, so each keeps fewer.
PNL_POINTS = 5_000
POSITION_POINTS = 600


class DayHistory:
    """Records observations of one portfolio; the curves cover the current New York date.

    Attributes:
        pnl: Open P/L with a column per underlying; the whole portfolio's column is `PORTFOLIO`.
        marks, position_pnl: The mark and open P/L with a column per position id.
    """

    def __init__(self, portfolio: Portfolio) -> None:
        ids = [position.id for position in portfolio.positions]
        self.pnl = _recorder(underlyings_of(portfolio), PNL_POINTS)
        self.marks = _recorder(ids, POSITION_POINTS)
        self.position_pnl = _recorder(ids, POSITION_POINTS)
        self._day: dt.date | None = None

    def add(self, seen: Observation, at: dt.datetime) -> None:
        """Record an observation that is still valid at this time; a new date clears the curves."""
        day = new_york_date(at)
        if day != self._day:
            for recorder in (self.pnl, self.marks, self.position_pnl):
                recorder.clear()
            self._day = day
        self.pnl.add(at, seen.pnl)
        self.marks.add(at, seen.marks)
        self.position_pnl.add(at, seen.position_pnl)


def _recorder(columns: Iterable[str], points: int) -> CurveRecorder:
    return CurveRecorder(list(columns), spacing_seconds=POINT_EVERY_SECONDS, max_points=points)
