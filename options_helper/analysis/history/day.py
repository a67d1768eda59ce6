"""A portfolio's day: curves of P/L and marks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from options_helper.analysis.history.curve import CurveRecorder
from options_helper.analysis.history.observation import Observation, underlyings_of
from options_helper.models import Portfolio
from options_helper.times import new_york_date

POINT_EVERY_SECONDS = 5.0
# A session of 6.5 hours in points of 5 s is 4,680; positions are many, so each keeps fewer.
PNL_POINTS = 5_000
POSITION_POINTS = 600


class DayHistory:
    """Takes observations of one portfolio; its curves are those of the current New York date.

    Attributes:
        pnl: Open P/L by underlying; the portfolio's is under `PORTFOLIO`.
        marks, position_pnl: By position id.
    """

    def __init__(self, portfolio: Portfolio) -> None:
        ids = [position.id for position in portfolio.positions]
        self.pnl = _recorder(underlyings_of(portfolio), PNL_POINTS)
        self.marks = _recorder(ids, POSITION_POINTS)
        self.position_pnl = _recorder(ids, POSITION_POINTS)
        self._day: dt.date | None = None

    def add(self, seen: Observation, at: dt.datetime) -> None:
        """Add an observation that still holds at this time."""
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
