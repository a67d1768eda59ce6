"""Scenarios of a position, an underlying or the portfolio: curves, a heat map, its worst cell, a CSV."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from functools import partial

import streamlit as st

from apps.streamlit.components.downloads import OfferedFile, offer_file, withdraw_file
from apps.streamlit.components.risk.computed import Work, find, forget, prices_of
from apps.streamlit.components.risk.heat_map import heat_map_html, scenario_csv
from apps.streamlit.components.risk.left_out import choose_kept
from apps.streamlit.components.risk.move_curves import CURVES, render_move_curves
from options_helper.analysis.risk import LiveRisk
from options_helper.analysis.risk.pricing.model import PriceAll
from options_helper.analysis.risk.what_if.holdings import first_expiry_of, legs_on
from options_helper.analysis.risk.what_if.priced_legs import NOTHING_PRICED
from options_helper.analysis.risk.what_if.scenarios import (
    MOVES,
    Scenario,
    compute_scenario,
    days_for,
    days_until,
    format_shift,
    moves_of,
    shock_of,
)
from options_helper.analysis.tables.column_type import Table
from options_helper.analysis.tables.view import TablesView
from options_helper.analysis.text.wording import count
from options_helper.market import LiveSnapshot

OPENED_SCENARIOS = "live-scenarios"  # the expander's key
WHOLE = "Portfolio"
_KEY = "live-scenario"
_SHIFTS = (-20, -10, -5, 0, 5, 10, 20)


def render_scenarios(risk: LiveRisk, view: TablesView, zone: dt.tzinfo) -> None:
    """Draw the scenarios of an underlying or the portfolio in an expander, computed only while it is open."""
    opened = st.expander("Payoff and scenarios", key=OPENED_SCENARIOS, on_change="rerun")
    if not opened.open:
        _withdraw()
        return
    with opened:
        stocks = sorted(set(risk.terms.stocks))
        chosen = st.selectbox("Scenarios of", [WHOLE, *stocks], key="live-scenario-scope") or WHOLE
        numbers = legs_on(risk, stock=None if chosen == WHOLE else chosen)
        kept = choose_kept(risk, view.portfolio, numbers, key=f"live-scenario-out-{chosen}")
        if not kept:
            _withdraw()
            return
        base = _open_pnl(view, risk, kept)
        render_move_curves(risk, kept, base, view.at, zone, key=f"live-curves-{chosen}")
        draw_grid(risk, kept, view.at, zone, key=_KEY, label=f"Scenarios of {chosen}")


def _withdraw() -> None:
    withdraw_grid(_KEY)
    forget(CURVES)


def _open_pnl(view: TablesView, risk: LiveRisk, numbers: Sequence[int]) -> float | None:
    """Return P/L Open of the positions of some legs; None if one of them is unknown."""
    positions, structures = (view.columns[table] for table in (Table.POSITIONS, Table.STRUCTURES))
    ids = (*positions["id"].tolist(), *structures["id"].tolist())
    known = dict(zip(ids, (*positions["pnl_abs"], *structures["net_pnl_abs"]), strict=True))
    pnl = math.fsum(known[name] for name in {risk.terms.position_ids[number] for number in numbers})
    return None if math.isnan(pnl) else pnl


def draw_grid(
    risk: LiveRisk, numbers: Sequence[int], now: LiveSnapshot, zone: dt.tzinfo, *, key: str, label: str
) -> None:
    """Draw the grid of some legs, with a slider that shifts their volatility."""
    points = float(
        st.select_slider("Volatility", _SHIFTS, value=0, format_func=format_shift, key=f"{key}-iv")
    )
    cells = len(MOVES) * len(days_until(first_expiry_of(risk, numbers)))
    what = f"{cells} cells of {count(len(numbers), 'leg')}"
    work = Work(key, risk, numbers, (points,), (cells + 1) * len(numbers), what)
    found = find(work, partial(scenario_of, risk, numbers, points))
    if found is None:
        withdraw_file(_csv_key(key))
        return
    scenario, at = found
    st.html(heat_map_html(scenario, label, prices_of(at, now, zone)))
    write = partial(scenario_csv, scenario)
    name = f"scenarios-{at.as_of.astimezone(zone):%Y-%m-%d}.csv"
    offer_file(_csv_key(key), OfferedFile(f"{label} as CSV", name, write))


def withdraw_grid(key: str) -> None:
    """Stop computing a grid that is no longer drawn, and offering its file."""
    forget(key)
    withdraw_file(_csv_key(key))


def _csv_key(key: str) -> str:
    return f"{key}-csv"


def scenario_of(
    risk: LiveRisk, numbers: Sequence[int], iv_points: float, price_all: PriceAll, last: Scenario | None
) -> Scenario:
    """Return the grid of some legs: by expected moves on one underlying, through beta on several."""
    shock = shock_of(risk, numbers)
    changes, days = moves_of(shock.step), days_for(shock.holdings)
    before = NOTHING_PRICED if last is None else last.priced
    return compute_scenario(price_all, shock, changes=changes, iv_points=iv_points, days=days, before=before)
