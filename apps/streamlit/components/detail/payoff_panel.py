"""P/L of one position by the underlying's price: at its first expiry, today, and at a date in between.

Legs can be switched off to see what remains. P/L then counts from the current value of the remaining legs,
because the file has no cost for an individual leg.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from apps.streamlit.components.charts.chart_data import curve_rows, payoff_table, spot_row
from apps.streamlit.components.charts.charts import draw, payoff_spec, say
from apps.streamlit.components.detail.detail_words import no_payoff_words
from apps.streamlit.components.positions.table.row_words import name_of_leg
from options_helper.analysis.arrays.types import Floats
from options_helper.analysis.risk import LiveRisk
from options_helper.analysis.risk.pricing.model import Model
from options_helper.analysis.risk.what_if.curves import RiskCurve, compute_curve, price_range
from options_helper.analysis.risk.what_if.holdings import LegSelection, holding_of, known_words, legs_on
from options_helper.analysis.strategies.structures import Structure
from options_helper.analysis.text.figures import format_bare_price
from options_helper.analysis.text.wording import format_day
from options_helper.models import EquityPosition, MultiLegPosition, Position, StockLeg
from options_helper.times import new_york_date

if TYPE_CHECKING:
    AnyPosition = Position | EquityPosition | MultiLegPosition

_HEIGHT, _POINTS = 210, 61
_BY_MODEL = "first expiry, by the model"


class _Choice(NamedTuple):
    """The selected legs, the date in days, and the cost that P/L counts from.

    `known` says how many of the legs the model knows, and is "" if all of them have expired.
    """

    holding: LegSelection
    known: str
    is_all: bool
    days: int
    cost: float | None


def render_payoff(position: AnyPosition, structure: Structure, risk: LiveRisk, spot: float | None) -> None:
    """Draw the curves and their controls; only the payoff at expiry if the model lacks a leg."""
    numbers = legs_on(risk, position_id=position.id)
    choice = _choose(position, risk, numbers)
    known = choice.holding.known and choice.holding.is_whole and choice.holding.front_days > 0
    prices = price_range(choice.holding, choice.holding.known[0].spot, _POINTS) if known else None
    if structure.payoff is not None and choice.is_all:
        table = payoff_table(structure.payoff, _strikes(position), structure.break_evens, spot)
        named = [("at expiry", structure.break_evens)]
        prices = None if prices is None else table.loc[table["kind"] == "payoff", "price"].to_numpy()
    elif prices is not None:
        front = _curve(choice, prices, choice.holding.front_days)
        table = _with_spot(curve_rows(front, "payoff"), spot)
        named = [(_BY_MODEL, front.break_evens)]
    else:
        say(no_payoff_words(structure) if choice.is_all else _no_curve_words(choice))
        return
    days = {} if prices is None else {"today": 0} | ({"date": choice.days} if choice.days else {})
    shown = [] if prices is None else [(kind, _curve(choice, prices, day)) for kind, day in days.items()]
    names = {"today": "today", "date": _date_words(risk, choice.days)}
    table = pd.concat([table, *(curve_rows(curve, kind) for kind, curve in shown)], ignore_index=True)
    named += [(names[kind], curve.break_evens) for kind, curve in shown]
    by_model = named[0][0] == _BY_MODEL
    draw(
        table,
        payoff_spec(height=_HEIGHT, by_model=by_model),
        key="live-payoff",
        words="Profit and loss by price",
    )
    say(_legend(named, choice))


def _choose(position: AnyPosition, risk: LiveRisk, numbers: Sequence[int]) -> _Choice:
    chosen = list(numbers)
    if isinstance(position, MultiLegPosition):
        names = [name_of_leg(leg, with_expiry=True) for leg in position.legs]
        first = numbers[0]
        picked = st.pills(
            "Legs",
            list(numbers),
            selection_mode="multi",
            default=list(numbers),
            format_func=lambda number: names[number - first],
            key=f"live-payoff-legs-{position.id}",
        )
        chosen = [number for number in numbers if number in set(picked)]
    holding = holding_of(risk, chosen)
    days = 0
    if (most := math.ceil(holding.front_days) - 1) >= 1:
        days = int(st.slider("Days from today", 0, most, 0, key=f"live-payoff-days-{position.id}"))
    is_all = len(chosen) == len(numbers)
    known = "" if risk.prices.expired[chosen].all() else known_words(risk, chosen)
    return _Choice(holding, known, is_all, days, _cost(position, risk, numbers) if is_all else None)


def _cost(position: AnyPosition, risk: LiveRisk, numbers: Sequence[int]) -> float | None:
    if isinstance(position, MultiLegPosition):
        return position.net_debit
    return position.cost_basis * float(risk.prices.scale[numbers[0]])


def _curve(choice: _Choice, prices: Floats, days: float) -> RiskCurve:
    """Return P/L by price at one date, counted from the cost, or from the current value without one."""
    holding, price_all, cost = choice.holding, Model().price_all, choice.cost
    if cost is None:
        cost = float(holding.value_at(price_all, np.array([holding.known[0].spot]), 0.0)[0])
    return compute_curve(price_all, holding, prices, float(days), cost)


def _with_spot(table: pd.DataFrame, spot: float | None) -> pd.DataFrame:
    if spot is None:
        return table
    return pd.concat([table, spot_row(spot, f"spot {format_bare_price(spot)}")], ignore_index=True)


def _strikes(position: AnyPosition) -> list[float]:
    match position:
        case Position():
            return [position.strike]
        case EquityPosition():
            return [position.cost_basis]
        case _:
            return sorted({leg.strike for leg in position.legs if not isinstance(leg, StockLeg)})


def _date_words(risk: LiveRisk, days: int) -> str:
    return format_day(new_york_date(risk.at.as_of) + dt.timedelta(days=days))


def _no_curve_words(choice: _Choice) -> str:
    """Return why there is no curve of the legs that are switched on."""
    if not choice.holding.legs:
        return "No payoff: every leg is switched off."
    if not choice.known:
        return "No payoff of these legs: they have expired."
    if not choice.holding.is_whole:
        return f"No payoff of these legs: the model knows {choice.known}."
    return "No payoff of these legs: none of them expires later than today."


def _legend(named: Sequence[tuple[str, Sequence[float]]], choice: _Choice) -> str:
    """Return the names of the lines with their break-evens, and what is missing."""
    first = "\u2014 \u2014" if named[0][0] == _BY_MODEL else "\u2014\u2014"
    signs = (first, "- -", "\u00b7\u00b7\u00b7")
    parts = []
    for sign, (name, zeros) in zip(signs, named, strict=False):
        prices = " / ".join(map(format_bare_price, zeros))
        parts.append(f"{sign} {name}" + (f": break-even {prices}" if prices else ""))
    if choice.known and not choice.holding.is_whole:
        parts.append(f"no line before expiry: the model knows {choice.known}")
    if not choice.is_all or choice.cost is None:
        parts.append("P/L from now on")
    return " · ".join(parts)
