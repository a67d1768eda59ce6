"""Scenarios of a position, an underlying or the whole portfolio: a heat map, its worst cell, and a CSV."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial

import streamlit as st

from apps.streamlit.components.downloads import render_download
from apps.streamlit.components.risk.heat_map import heat_map_html, scenario_csv
from options_helper.analysis.risk import LiveRisk
from options_helper.analysis.risk.pricing.model import Model
from options_helper.analysis.risk.what_if.holdings import Holding, holding_of, legs_on
from options_helper.analysis.risk.what_if.scenarios import (
    BOOK_STEP,
    Scenario,
    by_stock,
    compute_scenario,
    days_for,
    format_shift,
    step_of,
)

WHOLE = "Portfolio"
_SHIFTS = (-20, -10, -5, 0, 5, 10, 20)


def render_scenarios(risk: LiveRisk, zone: dt.tzinfo) -> None:
    """Draw the scenarios of an underlying or the portfolio, folded by default and computed once open."""
    opened = st.expander("Scenarios", key="live-scenarios", on_change="rerun")
    if not opened.open:
        return
    with opened:
        stocks = sorted(set(risk.terms.stocks))
        chosen = st.selectbox("Scenarios of", [WHOLE, *stocks], key="live-scenario-scope") or WHOLE
        numbers = legs_on(risk, stock=None if chosen == WHOLE else chosen)
        draw_grid(risk, numbers, zone, key="live-scenario", label=f"Scenarios of {chosen}")


def draw_grid(risk: LiveRisk, numbers: Sequence[int], zone: dt.tzinfo, *, key: str, label: str) -> None:
    """Draw the grid of some legs, with the choice of a change of volatility."""
    points = st.select_slider("Volatility", _SHIFTS, value=0, format_func=format_shift, key=f"{key}-iv")
    scenario = scenario_of(risk, numbers, float(points))
    st.html(heat_map_html(scenario, label))
    stamp = risk.at.as_of.astimezone(zone).strftime("%Y-%m-%d-%H%M")
    render_download(
        "Scenarios as CSV",
        partial(scenario_csv, scenario),
        file_name=f"scenarios-{stamp}.csv",
        key=f"{key}-csv",
    )


def scenario_of(risk: LiveRisk, numbers: Sequence[int], iv_points: float) -> Scenario:
    """Return the grid of some legs: in expected moves on one underlying, through beta on several."""
    holdings: dict[str, Holding] = {
        stock: holding_of(risk, own) for stock, own in by_stock(risk, numbers).items()
    }
    alone, betas = len(holdings) == 1, risk.at.betas
    market = "every underlying" if betas is None else betas.benchmark
    return compute_scenario(
        Model(),
        holdings,
        name=next(iter(holdings)) if alone else market,
        step=step_of(next(iter(holdings.values()))) if alone else BOOK_STEP,
        iv_points=iv_points,
        days=days_for(holdings),
        betas=None if alone or betas is None else betas.values,
    )
