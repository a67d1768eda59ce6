"""Scenarios of a position, an underlying or the portfolio: curves, a heat map, its worst cell, a CSV."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial

import streamlit as st

from apps.streamlit.components.downloads import OfferedFile, offer_file, withdraw_file
from apps.streamlit.components.plain_text import visible
from apps.streamlit.components.positions.table.records import plain_records
from apps.streamlit.components.risk.computed import Work, find, forget, prices_of
from apps.streamlit.components.risk.heat_map import heat_map_html, scenario_csv
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
from options_helper.analysis.tables.column import Table
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
        withdraw_grid(_KEY)
        forget(CURVES)
        return
    with opened:
        stocks = sorted(set(risk.terms.stocks))
        chosen = st.selectbox("Scenarios of", [WHOLE, *stocks], key="live-scenario-scope") or WHOLE
        numbers = legs_on(risk, stock=None if chosen == WHOLE else chosen)
        kept = _leave_out(risk, numbers, chosen)
        base = _open_pnl(view, chosen) if len(kept) == len(numbers) else None
        render_move_curves(risk, kept, base, view.at, zone, key=f"live-curves-{chosen}")
        draw_grid(risk, kept, view.at, zone, key=_KEY, label=f"Scenarios of {chosen}")


def _open_pnl(view: TablesView, chosen: str) -> float | None:
    """Return P/L Open of an underlying or of `WHOLE`; None if it lacks a leg."""
    if chosen == WHOLE:
        return view.totals.open_pnl.value
    records = plain_records(view.columns[Table.UNDERLYINGS], ("underlying", "open_pnl"))
    return next((record["open_pnl"] for record in records if record["underlying"] == chosen), None)


def _leave_out(risk: LiveRisk, numbers: Sequence[int], chosen: str) -> list[int]:
    """Draw the choice of legs to leave out, and return the others."""
    labels = {number: _label(risk, number) for number in numbers}
    out = st.multiselect("Leave out", list(dict.fromkeys(labels.values())), key=f"live-scenario-out-{chosen}")
    return [number for number, label in labels.items() if label not in out]


def _label(risk: LiveRisk, number: int) -> str:
    terms = risk.terms
    name = f"{terms.stocks[number]} shares" if terms.is_stock[number] else terms.symbols[number]
    return visible(f"{name} of {terms.position_ids[number]}")


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
