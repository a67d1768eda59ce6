"""Charts of P/L: the day's curve of the portfolio or one underlying, and bars by underlying."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import streamlit as st

from apps.streamlit.components.charts.chart_data import curve_points, curve_table, fill_points, is_short
from apps.streamlit.components.charts.charts import curve_spec, draw, say
from apps.streamlit.components.plain_text import in_html
from apps.streamlit.components.positions.table.records import plain_records
from options_helper.analysis.fills.records import Execution
from options_helper.analysis.history.curve import Curve
from options_helper.analysis.history.observation import PORTFOLIO
from options_helper.analysis.osi import underlying_of
from options_helper.analysis.tables.column_type import Table
from options_helper.analysis.tables.view import TablesView
from options_helper.analysis.text.figures import format_pnl
from options_helper.session.monitor import MonitorView
from options_helper.times import to_microseconds

WHOLE = "Portfolio"
CHOSEN_CURVE = "live-pictures-of"  # the choice's key
_MOST_BARS = 20
_MOST_FILLS = 30
_PIXELS = 150  # the height of the taller curve


def render_portfolio_curve(
    view: MonitorView,
    fills: Sequence[Execution] = (),
    *,
    zone: dt.tzinfo,
    key: str,
    name: str = PORTFOLIO,
    height: int = 112,
) -> None:
    """Draw open P/L over the day with its fills; a gap means that a price was missing.

    Args:
        view: The monitor's view.
        fills: Executions of the day (`FillDay.leaf_fills`); those of other underlyings are left out.
        zone: The reader's time zone.
        key: The chart's key.
        name: An underlying, or `PORTFOLIO`.
        height: Pixels.
    """
    points = curve_points(view.pnl, name, zone)
    if points["value"].notna().sum() < 2:  # noqa: PLR2004 - a line has two ends
        say("No P/L curve yet. It grows while all prices are live or quiet, not while the market is closed.")
        return
    # Fills before the curve's first point cannot be marked on it.
    mine = [
        one
        for one in fills
        if to_microseconds(one.at) >= view.pnl.times[0]
        and (name == PORTFOLIO or underlying_of(one.symbol) == underlying_of(name))
    ]
    table = curve_table(points, fill_points(mine[:_MOST_FILLS], view.pnl, name, zone))
    words = f"Open profit and loss over the day, {name or 'whole portfolio'}"
    draw(table, curve_spec(height=height, money=True, seconds=is_short(points)), key=key, words=words)
    if len(mine) > _MOST_FILLS:
        say(f"The newest {_MOST_FILLS} of {len(mine):,} fills are marked.")


def describe_curve(view: MonitorView, name: str, marked: int) -> tuple[object, ...]:
    """Return how a curve and its marks look, to about a pixel: equal descriptions look the same.

    Args:
        view: The monitor's view.
        name: An underlying, or `PORTFOLIO`.
        marked: The number of executions up to the view's time.
    """
    return st.context.theme.type, int(view.as_of.timestamp()) // 60, marked, _visible_steps(view.pnl, name)


@lru_cache(maxsize=8)  # all tabs show the same
def _visible_steps(curve: Curve, name: str) -> tuple[object, ...]:
    """Return a curve's range, and the steps of a pixel by which it moves; a flat end adds none."""
    values = curve.column(name)
    known = values[~np.isnan(values)]
    if not len(known):
        return ()
    low, high = float(known.min()), float(known.max())
    steps = np.nan_to_num(np.round((values - low) / ((high - low) / _PIXELS or 1.0)), nan=-1.0)
    moved = np.flatnonzero(np.diff(steps, prepend=-2.0))
    return low, high, len(known) > 1, steps[moved].tobytes(), curve.columns


@lru_cache(maxsize=2)  # all tabs show the same
def pnl_bars_html(view: TablesView) -> str:
    """Return open P/L by underlying as bars, in a fixed order; those without a full sum are named below."""
    names = ("underlying", "open_pnl", "legs")
    rows = [record for record in plain_records(view.columns[Table.UNDERLYINGS], names) if record["legs"]]
    known = [record for record in rows if record["open_pnl"] is not None]
    least = sorted((abs(record["open_pnl"]) for record in known), reverse=True)[:_MOST_BARS][-1:]
    drawn = [record for record in known if abs(record["open_pnl"]) >= least[0]][:_MOST_BARS]
    bars = bars_html([(record["underlying"], record["open_pnl"]) for record in drawn])
    missing = [record["underlying"] for record in rows if record["open_pnl"] is None]
    words = f"Not fully known: {', '.join(missing)}." if missing else "" if known else "No open P/L yet."
    return bars + (f'<p class="oh-quiet">{in_html(words)}</p>' if words else "")


def bars_html(values: Sequence[tuple[str, float]]) -> str:
    """Return a list of bars around one zero line: each with its name, and its value in words."""
    if not values:
        return ""
    low = min(0.0, *(value for _, value in values))
    width = max(0.0, *(value for _, value in values)) - low or 1.0
    lines = "".join(
        f'<li><b>{in_html(name)}</b><i class="{"is-loss" if value < 0 else "is-gain"}" '
        f'style="--from:{100 * (min(value, 0.0) - low) / width:.1f}%;--size:{100 * abs(value) / width:.1f}%">'
        f"</i>{in_html(format_pnl(value))}</li>"
        for name, value in values
    )
    return f'<ul class="oh-bars" aria-label="Open profit and loss by underlying">{lines}</ul>'


def render_chosen_curve(view: MonitorView, fills: Sequence[Execution] = (), *, zone: dt.tzinfo) -> None:
    """Draw the curve of the portfolio, or of the underlying that the reader chooses."""
    chosen = st.selectbox(
        "P/L Open today of",
        ["", *view.pnl.columns[1:]],
        format_func=lambda name: name or WHOLE,
        key=CHOSEN_CURVE,
    )
    render_portfolio_curve(
        view, fills, zone=zone, key="live-pictures-curve", name=chosen or PORTFOLIO, height=170
    )
