"""Charts of P/L: the day's curve of the portfolio or one underlying, and bars by underlying."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from apps.streamlit.components.charts.chart_data import curve_points, curve_table, fill_points, is_short
from apps.streamlit.components.charts.charts import bars_spec, curve_spec, draw, say
from options_helper.analysis.fills.records import Execution
from options_helper.analysis.history.observation import PORTFOLIO
from options_helper.analysis.osi import underlying_of
from options_helper.analysis.text.figures import format_pnl
from options_helper.session.monitor import MonitorView
from options_helper.times import to_microseconds

WHOLE = "Portfolio"
_MOST_BARS = 20
_MOST_FILLS = 30


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
        say("The P/L curve starts once all prices are live or quiet; while the market is closed none is.")
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


def render_pnl_bars(underlyings: pd.DataFrame, *, key: str) -> None:
    """Draw a bar for each of the largest sums of open P/L; underlyings without a full sum are named below."""
    known = underlyings[underlyings["open_pnl"].notna() & (underlyings["legs"] > 0)]
    largest = known["open_pnl"].abs().nlargest(_MOST_BARS).index
    known = known[known.index.isin(largest)]
    if len(known):
        values = known["open_pnl"].to_numpy(dtype=np.float64)
        bars = pd.DataFrame(
            {
                "underlying": known["underlying"].tolist(),
                "value": values,
                "text": [format_pnl(float(value)) for value in values],
            }
        )
        spec = bars_spec(len(bars), longest_text=int(bars["text"].str.len().max()))
        draw(bars, spec, key=key, words="Open profit and loss by underlying")
    missing = underlyings[underlyings["open_pnl"].isna() & (underlyings["legs"] > 0)]["underlying"].tolist()
    if missing:
        say(f"Not fully known: {', '.join(missing)}.")
    elif not len(known):
        say("No open P/L yet.")


def render_pnl_pictures(
    view: MonitorView,
    underlyings: pd.DataFrame,
    fills: Sequence[Execution] = (),
    *,
    zone: dt.tzinfo,
    key: str,
) -> None:
    """Draw the bars, and beside them a curve of the reader's choice."""
    bars, curve = st.columns([1, 1.6], gap="medium")
    with bars:
        st.markdown("**P/L Open by underlying**")
        render_pnl_bars(underlyings, key=f"{key}-bars")
    with curve:
        names = [WHOLE, *view.pnl.columns[1:]]
        chosen = st.selectbox("P/L Open today of", names, key=f"{key}-of")
        name = PORTFOLIO if chosen == WHOLE else chosen
        render_portfolio_curve(view, fills, zone=zone, key=f"{key}-curve", name=name, height=170)
