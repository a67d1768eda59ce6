"""Small tables for the charts: curves thinned for the screen, fills on them, payoffs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from options_helper.analysis.arrays.types import Floats, Numbers
from options_helper.analysis.fills.records import Execution
from options_helper.analysis.fills.words import trade_words
from options_helper.analysis.history.curve import Curve
from options_helper.analysis.risk.what_if.curves import RiskCurve
from options_helper.analysis.strategies.payoff import Payoff
from options_helper.analysis.text.figures import format_bare_price
from options_helper.times import from_microseconds, to_microseconds

SHOWN_POINTS = 360
_SHORT = pd.Timedelta(minutes=6)
_PAYOFF_MARGIN = 0.35
_PAYOFF_POINTS = 41


def curve_points(curve: Curve, name: str, zone: dt.tzinfo, *, limit: int = SHOWN_POINTS) -> pd.DataFrame:
    """Return one column of a curve as `time` (naive, the wall clock of the zone) and `value`.

    Beyond `limit` points, neighbours are merged; a gap stays a gap.
    """
    times, values = thin(curve.times, curve.column(name), limit)
    return pd.DataFrame({"time": wall_times(times, zone), "value": values})


def is_short(points: pd.DataFrame) -> bool:
    """Return whether a curve is short enough for its times to need seconds."""
    times = points["time"]
    return bool(len(times)) and times.iloc[-1] - times.iloc[0] < _SHORT


def thin(times: Numbers, values: Floats, limit: int) -> tuple[Numbers, Floats]:
    """Return at most `limit` points: the last of each run of neighbours, or a gap if the run has one."""
    size = -(-len(times) // limit) if len(times) else 1
    if size == 1:
        return times, values
    starts = np.arange(0, len(times), size)
    ends = np.minimum(starts + size, len(times)) - 1
    gaps = np.maximum.reduceat(np.isnan(values), starts)
    return times[ends], np.where(gaps, np.nan, values[ends])


def fill_points(executions: Iterable[Execution], curve: Curve, name: str, zone: dt.tzinfo) -> pd.DataFrame:
    """Return executions as points on a curve: `time`, `text`, and the curve's `value` at that time.

    Between two points the value is interpolated. In a gap it is the last one before the gap, or the next one
    if there is none; executions before the curve's first point are left out.
    """
    known = ~np.isnan(curve.column(name))
    times, values = curve.times[known], curve.column(name)[known]
    mine = [one for one in executions if len(times) and to_microseconds(one.at) >= curve.times[0]]
    times_us = np.array([to_microseconds(one.at) for one in mine], dtype=np.int64)
    last = values[np.maximum(np.searchsorted(times, times_us, side="right") - 1, 0)]
    on_line = np.interp(times_us, curve.times, curve.column(name)) if mine else last
    return pd.DataFrame(
        {
            "time": wall_times(times_us, zone),
            "value": np.where(np.isnan(on_line), last, on_line),
            "text": [trade_words(one) for one in mine],
        }
    )


def wall_times(times: Numbers, zone: dt.tzinfo) -> list[dt.datetime]:
    """Return times as naive wall-clock times of the zone, which charts draw unchanged."""
    utc = (from_microseconds(int(time)) for time in times)
    return [time.astimezone(zone).replace(tzinfo=None) for time in utc if time is not None]


def curve_table(points: pd.DataFrame, fills: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return a curve and its fills as one table, distinguished by `kind`."""
    parts = [points.assign(kind="curve", text="")]
    if fills is not None and len(fills):
        parts.append(fills.assign(kind="fill"))
    return pd.concat(parts, ignore_index=True)


def payoff_table(
    payoff: Payoff, strikes: Sequence[float], break_evens: Sequence[float], spot: float | None
) -> pd.DataFrame:
    """Return P/L at expiry by `price`: `value`, split into `gain` and `loss`, and a row of kind "spot".

    The range contains all strikes, the break-evens and the spot; corners and zeros are among its points.
    """
    marks = [*strikes, *break_evens, *([] if spot is None else [spot])]
    low, high = min(marks), max(marks)
    margin = max(high - low, 0.1 * high) * _PAYOFF_MARGIN
    grid = np.linspace(max(0.0, low - margin), high + margin, _PAYOFF_POINTS)
    prices = np.unique(np.concatenate([grid, np.array([*strikes, *break_evens], dtype=np.float64)]))
    values = payoff.at(prices)
    table = pd.DataFrame(
        {
            "price": prices,
            "value": values,
            "gain": np.maximum(values, 0.0),
            "loss": np.minimum(values, 0.0),
            "kind": "payoff",
            "text": "",
        }
    )
    if spot is None:
        return table
    return pd.concat([table, spot_row(spot, f"spot {format_bare_price(spot)}")], ignore_index=True)


def spot_row(place: float, text: str) -> pd.DataFrame:
    """Return the row of a payoff table that marks the underlying's current price."""
    return pd.DataFrame({"price": [place], "kind": ["spot"], "text": [text]})


def curve_rows(curve: RiskCurve, kind: str) -> pd.DataFrame:
    """Return a curve of the risk model as rows of a payoff table, distinguished by `kind`.

    Its break-evens are among the points; otherwise the areas of gain and loss would overlap around them.
    """
    prices = np.concatenate([curve.prices, curve.break_evens])
    pnl = np.concatenate([curve.pnl, np.zeros(len(curve.break_evens))])
    prices, first = np.unique(prices, return_index=True)
    pnl = pnl[first]
    return pd.DataFrame(
        {
            "price": prices,
            "value": pnl,
            "gain": np.maximum(pnl, 0.0),
            "loss": np.minimum(pnl, 0.0),
            "kind": kind,
            "text": "",
        }
    )
