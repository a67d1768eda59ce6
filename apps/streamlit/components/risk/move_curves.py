"""P/L of an underlying or the portfolio by its move: at the first expiry, today, and at a date in between."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from apps.streamlit.components.charts.chart_data import curve_rows, spot_row
from apps.streamlit.components.charts.charts import draw, payoff_spec, say
from apps.streamlit.components.risk.computed import Work, find, forget, prices_of
from options_helper.analysis.risk import LiveRisk
from options_helper.analysis.risk.pricing.model import PriceAll
from options_helper.analysis.risk.what_if.curves import RiskCurve, find_zeros, price_range
from options_helper.analysis.risk.what_if.holdings import first_expiry_of, knows_any
from options_helper.analysis.risk.what_if.priced_legs import NOTHING_PRICED
from options_helper.analysis.risk.what_if.scenarios import (
    Scenario,
    Shock,
    compute_scenario,
    first_expiry_days,
    format_change,
    moves_of,
    shock_of,
)
from options_helper.analysis.text.figures import format_bare_price
from options_helper.analysis.text.wording import count, format_day
from options_helper.market import LiveSnapshot
from options_helper.times import new_york_date

CURVES = "live-curves"  # the key of their computation
_HEIGHT, _POINTS = 210, 31
_SAME = 1e-6
_SIGNS = {"today": "- -", "date": "\u00b7\u00b7\u00b7"}  # of the lines, in words


class _Curves(NamedTuple):
    """The computed curves, the selection that they describe, and the P/L from which they count."""

    scenario: Scenario
    shock: Shock
    risk: LiveRisk
    base: float | None
    chosen: int


def render_move_curves(
    risk: LiveRisk,
    numbers: Sequence[int],
    base: float | None,
    now: LiveSnapshot,
    zone: dt.tzinfo,
    *,
    key: str,
) -> None:
    """Draw the curves of some legs, counted from their P/L Open `base`, or from their value now if None."""
    if not knows_any(risk, numbers):
        forget(CURVES)
        say("No payoff: the model knows none of these legs.")
        return
    chosen = _choose_days(math.ceil(first_expiry_of(risk, numbers)) - 1, key)
    what = f"the curves of {count(len(numbers), 'leg')}"
    most = (_POINTS + 1) * (3 if chosen else 2) * len(numbers)
    work = Work(CURVES, risk, numbers, (chosen, base is None), most, what)
    found = find(work, partial(_compute, risk, numbers, base, chosen))
    if found is not None:
        curves, at = found
        _draw(curves, prices_of(at, now, zone), key)


def _compute(
    risk: LiveRisk,
    numbers: Sequence[int],
    base: float | None,
    chosen: int,
    price_all: PriceAll,
    last: _Curves | None,
) -> _Curves:
    shock = shock_of(risk, numbers)
    days = [float(day) for _, day in _days_of(shock, chosen)]
    before = NOTHING_PRICED if last is None else last.scenario.priced
    scenario = compute_scenario(
        price_all, shock, changes=_changes(shock), iv_points=0.0, days=days, before=before
    )
    return _Curves(scenario, shock, risk, base if scenario.is_whole else None, chosen)


def _days_of(shock: Shock, chosen: int) -> list[tuple[str, float]]:
    """Return the kind of each line, with its days from now."""
    first = first_expiry_days(shock.holdings)
    ends = [("payoff", first)] if first else []
    return [*ends, ("today", 0.0), *([("date", float(chosen))] if chosen else [])]


def _draw(found: _Curves, note: str, key: str) -> None:
    scenario, shock, risk, base, chosen = found
    spot, first = _spot(shock), first_expiry_days(shock.holdings)
    kinds = [kind for kind, _ in _days_of(shock, chosen)]
    curves = {kind: _curve(scenario, column, base, spot) for column, kind in enumerate(kinds)}
    names = {"today": "today", "date": _date_words(risk, chosen), "payoff": _first_words(risk, shock, first)}
    by_model = "by the model" in names["payoff"]
    now = spot_row(0.0, "now") if spot is None else spot_row(spot, f"spot {format_bare_price(spot)}")
    rows = [curve_rows(curve, kind) for kind, curve in curves.items()]
    table = pd.concat([*rows, now], ignore_index=True)
    spec = payoff_spec(height=_HEIGHT, by_model=by_model, moves=spot is None)
    draw(table, spec, key=f"{key}-chart", words="Profit and loss by price")
    signs = _SIGNS | {"payoff": "\u2014 \u2014" if by_model else "\u2014\u2014"}
    parts = [_line_words(signs[kind], names[kind], curve, spot) for kind, curve in curves.items()]
    parts += [f"by the move of {shock.name}"] if spot is None else []
    parts += [] if scenario.is_whole else [f"covers {scenario.coverage}"]
    parts += ["P/L from now on"] if base is None else []
    say(" \u00b7 ".join([*parts, *([note] if note else [])]))


def _spot(shock: Shock) -> float | None:
    """Return the price of the only underlying, None for several."""
    if len(shock.holdings) > 1:
        return None
    [holding] = shock.holdings.values()
    return holding.known[0].spot


def _changes(shock: Shock) -> list[float]:
    """Return the moves at the curves' points; for a single underlying they include its strikes."""
    spot = _spot(shock)
    if spot is None:
        moves = moves_of(shock.step)
        return [float(move) for move in np.linspace(moves[0], moves[-1], _POINTS)]
    [holding] = shock.holdings.values()
    return [float(price) / spot - 1 for price in price_range(holding, spot, _POINTS)]


def _curve(scenario: Scenario, column: int, base: float | None, spot: float | None) -> RiskCurve:
    """Return one column as a curve by price, or by move without a spot."""
    moves = np.array(scenario.changes)
    places, pnl = moves if spot is None else spot * (1 + moves), scenario.pnl[:, column] + (base or 0.0)
    here = spot or 0.0
    zeros = find_zeros(places, pnl)
    if base is None and not scenario.days[column]:
        # P/L from now on is zero at the current price, which is not a break-even.
        zeros = tuple(zero for zero in zeros if abs(zero - here) > _SAME * max(here, 1.0))
    return RiskCurve(scenario.days[column], places, pnl, zeros)


def _first_words(risk: LiveRisk, shock: Shock, first: float) -> str:
    """Return `at expiry` if all options expire together, else the first expiry, which the model values."""
    known = [leg for holding in shock.holdings.values() for leg in holding.known]
    ends = {leg.option.years for leg in known if leg.option is not None}
    day = format_day(new_york_date(risk.at.as_of + dt.timedelta(days=first)))
    return f"at expiry, {day}" if len(ends) == 1 else f"first expiry, {day}, by the model"


def _choose_days(most: int, key: str) -> int:
    """Draw the slider for the date in between, if there is one, and return the days from today."""
    return int(st.slider("Days from today", 0, most, 0, key=f"{key}-days")) if most >= 1 else 0


def _date_words(risk: LiveRisk, days: int) -> str:
    return format_day(new_york_date(risk.at.as_of) + dt.timedelta(days=days))


def _line_words(sign: str, name: str, curve: RiskCurve, spot: float | None) -> str:
    write = format_change if spot is None else format_bare_price
    zeros = " / ".join(map(write, curve.break_evens))
    return f"{sign} {name}" + (f": break-even {zeros}" if zeros else "")
