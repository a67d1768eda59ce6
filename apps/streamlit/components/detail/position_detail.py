"""One position in detail: extremes, quotes leg by leg, the payoff, and the day's curves and fills."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from apps.streamlit.components.charts.chart_data import (
    curve_points,
    curve_table,
    fill_points,
    is_short,
)
from apps.streamlit.components.charts.charts import curve_spec, draw, say
from apps.streamlit.components.detail.detail_words import (
    cover_words,
    extremes_of,
    marks_of,
    title_of,
    with_cover,
)
from apps.streamlit.components.detail.greeks_table import greeks_html
from apps.streamlit.components.detail.payoff_panel import render_payoff
from apps.streamlit.components.detail.quote_ladder import ladder_html
from apps.streamlit.components.plain_text import in_data_attribute, in_html, unbroken
from apps.streamlit.components.positions.table.records import Record, plain_records
from apps.streamlit.components.positions.table.row_words import split_warnings, warning_words
from apps.streamlit.components.risk.scenario_panel import draw_grid, withdraw_grid
from options_helper.analysis.fills.by_position import positions_by_symbol
from options_helper.analysis.fills.records import Execution
from options_helper.analysis.fills.words import execution_name, execution_notes
from options_helper.analysis.osi import normalize_underlying
from options_helper.analysis.risk import LiveRisk
from options_helper.analysis.risk.what_if.holdings import legs_on
from options_helper.analysis.strategies.portfolio_loss import Cover, find_cover
from options_helper.analysis.strategies.structures import Structure, describe_structure
from options_helper.analysis.tables.view import TablesView
from options_helper.analysis.text.order_words import fill_words, side_words
from options_helper.analysis.text.wording import format_time
from options_helper.market import LiveSnapshot
from options_helper.models import AnyPosition, MultiLegPosition, Portfolio
from options_helper.session.monitor import MonitorView

_CURVE_HEIGHT = 150
_GRID = "live-position-scenario"
_STYLES = Path(__file__).resolve().parents[2] / "assets" / "detail.css"


def render(
    position_id: str,
    *,
    tables: TablesView,
    risk: LiveRisk,
    view: MonitorView | None,
    fills: Sequence[Execution] = (),
    zone: dt.tzinfo,
    now: dt.datetime,
) -> None:
    """Draw the detail of a position; nothing if the portfolio does not have it.

    Args:
        position_id: The selected position.
        tables: The portfolio that may contain it, and its tables.
        risk: The portfolio's risk.
        view: The monitor's view, for the day's curves; None before the first.
        fills: Executions of the day (`FillDay.leaf_fills`).
        zone: The reader's time zone.
        now: The time now; the tables' time stands still after Stop.
    """
    portfolio = tables.portfolio
    position = next((each for each in portfolio.positions if each.id == position_id), None)
    if position is None:
        return
    records = _records_of(position, tables)
    if not records:
        return
    whole = records
    if isinstance(position, MultiLegPosition):
        whole = plain_records(tables.structures[tables.structures["id"] == position_id])
    stopped_in = zone if tables.at.stopped_at is not None else None
    structure = describe_structure(position, [record["multiplier"] for record in records])
    with st.container(key="live-detail", border=True):
        st.html(_STYLES)
        st.html(_head(position, structure, records, whole, find_cover(portfolio, position)))
        with st.container(key="live-detail-columns"):
            with st.container():
                st.html(ladder_html(position, records, now=now, stopped_in=stopped_in))
            with st.container():
                render_payoff(position, structure, risk, records[0]["underlying_price"])
            with st.container():
                _render_day(
                    position_id, risk, view, _fills_of(position_id, portfolio, fills), tables.at, zone
                )


def render_none() -> None:
    """Draw nothing, and stop offering the detail's file."""
    withdraw_grid(_GRID)


def _records_of(position: AnyPosition, tables: TablesView) -> list[Record]:
    """Return the quoted rows: a structure's legs, or the one row of any other position."""
    if isinstance(position, MultiLegPosition):
        legs = tables.legs
        return plain_records(legs[legs["position_id"] == position.id].sort_values("leg_index"))
    return plain_records(tables.positions[tables.positions["id"] == position.id])


def _head(
    position: AnyPosition,
    structure: Structure,
    records: list[Record],
    whole: list[Record],
    cover: Cover | None,
) -> str:
    parts = (marks_of(records), cover_words(cover), extremes_of(with_cover(structure, cover)))
    facts = unbroken(" · ".join(part for part in parts if part))
    lines = "".join(f"<li>{in_html(sentence)}</li>" for sentence in _sentences(records, whole))
    return (
        f'<h2 class="pd-head" data-detail-of="{in_data_attribute(position.id)}">'
        f"<strong>{in_html(title_of(position, structure))}</strong> "
        f"<span>{in_html(facts)}</span></h2>" + (f'<ul class="pd-warnings">{lines}</ul>' if lines else "")
    )


def _sentences(records: list[Record], whole: list[Record]) -> list[str]:
    """Return the warning sentences of the position and its parts, without duplicates."""
    codes: dict[str, None] = {}
    for record in [*whole, *records]:
        spoken, said = split_warnings(record["warnings"] or [], [record, *records])
        codes |= dict.fromkeys([*said, *spoken])
    words = warning_words(codes)
    return [words[code][1] for code in codes]


def _render_day(
    position_id: str,
    risk: LiveRisk,
    view: MonitorView | None,
    fills: list[Execution],
    now: LiveSnapshot,
    zone: dt.tzinfo,
) -> None:
    pnl, mark, filled, greeks, scenarios = st.tabs(
        ["P/L today", "Mark today", f"Fills today ({len(fills):,})", "Greeks", "Scenarios"],
        key="live-detail-tabs",
    )
    for tab, name, money in ((pnl, "position_pnl", True), (mark, "marks", False)):
        with tab:
            curve = None if view is None else getattr(view, name)
            points = None if curve is None else curve_points(curve, position_id, zone)
            if points is None or curve is None or points["value"].notna().sum() < 2:  # noqa: PLR2004 - two ends
                say("The curve starts a few seconds after all its prices are live or quiet.")
                continue
            table = curve_table(points, fill_points(fills, curve, position_id, zone))
            words = "Open profit and loss today" if money else "Mark today"
            draw(
                table,
                curve_spec(height=_CURVE_HEIGHT, money=money, seconds=is_short(points)),
                key=f"live-detail-{name}",
                words=words,
            )
    with filled:
        st.html(_fill_list(position_id, fills, zone))
    numbers = legs_on(risk, position_id=position_id)
    with greeks:
        st.html(greeks_html(risk, numbers))
    with scenarios:
        draw_grid(risk, numbers, now, zone, key=_GRID, label="Scenarios of the position")


def _fills_of(position_id: str, portfolio: Portfolio, fills: Sequence[Execution]) -> list[Execution]:
    held = positions_by_symbol(portfolio)
    return [one for one in fills if position_id in held.get(normalize_underlying(one.symbol), ())]


def _fill_list(position_id: str, fills: list[Execution], zone: dt.tzinfo) -> str:
    if not fills:
        return '<p class="pd-none">No fills for this position today.</p>'
    rows = "".join(
        f"<li><time>{format_time(one.at, zone)}</time> {in_html(side_words(one.side, one.intent))} "
        f"{in_html(execution_name(one))} <b>{in_html(fill_words(one.quantity, one.price))}</b> "
        f"{in_html(' · '.join(execution_notes(one)))}</li>"
        for one in fills
    )
    # `fills_link.js` finds the head and the list by their position.
    return f'<ul class="pd-fills" data-fills-of="{in_data_attribute(position_id)}">{rows}</ul>'
