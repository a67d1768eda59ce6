"""The figures of one set of tables that feed the curves and the alerts.

A figure counts as seen only while its price is live or quiet. Stale, halted and closed ones are left out, so
that curves show a gap and alerts know nothing, instead of an old price passing for a new one.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pandas as pd

from options_helper.analysis.alerts.step import AlertFill, AlertMetric, AlertView, Outcome
from options_helper.analysis.arrays.columns import Column
from options_helper.analysis.osi import stock_symbol
from options_helper.analysis.tables.schema import Table
from options_helper.analysis.tables.totals import LiveTotals
from options_helper.analysis.tables.view import TablesView
from options_helper.analysis.valuation.quote_state import QuoteState
from options_helper.market import LiveSnapshot, MarketPhase
from options_helper.models import Portfolio

PORTFOLIO = ""
"""The name of the portfolio's own column beside those of its underlyings."""

_SEEN = frozenset({QuoteState.LIVE, QuoteState.QUIET})
_CLOSED_PHASES = frozenset({MarketPhase.PRE, MarketPhase.AFTER, MarketPhase.OVERNIGHT, MarketPhase.CLOSED})
_COLUMN_BY_METRIC = {
    AlertMetric.PNL_ABS: ("pnl_abs", "net_pnl_abs"),
    AlertMetric.PNL_PCT: ("pnl_pct", "net_pnl_pct"),
    AlertMetric.MARK: ("mark", "mark"),
    AlertMetric.SPREAD_PCT: ("spread_pct", "spread_pct"),
    AlertMetric.DTE: ("dte", "dte"),
    AlertMetric.QUOTE_AGE_SECONDS: ("quote_age_seconds", "quote_age_seconds_max"),
    AlertMetric.DAY_PNL: ("pnl_day", "pnl_day"),
}
Readings = dict[tuple[str | None, AlertMetric], float | Outcome]


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """The figures of a portfolio at one time.

    Attributes:
        tables: The tables it was made from.
        pnl: Open P/L in dollars by underlying, and the whole under `PORTFOLIO`; None unless all is seen.
        marks, position_pnl: By position id; a structure's mark is per unit. None if not seen.
        readings: The alerts' inputs, with ages at the tables' time.
    """

    tables: TablesView
    pnl: Mapping[str, float | None]
    marks: Mapping[str, float | None]
    position_pnl: Mapping[str, float | None]
    readings: Readings

    def view_at(
        self,
        now: dt.datetime,
        fills: tuple[AlertFill, ...] = (),
        more: Mapping[tuple[str | None, AlertMetric], float | Outcome] = MappingProxyType({}),
    ) -> AlertView:
        """Return the alerts' view at a later time, if only ages have grown since; `more` is added to it."""
        elapsed = max(0.0, (now - self.tables.at.as_of).total_seconds())
        readings = dict(self.readings)
        for key, value in self.readings.items():
            if key[1] is AlertMetric.QUOTE_AGE_SECONDS and not isinstance(value, Outcome):
                readings[key] = value + elapsed
        return AlertView(as_of=now, readings={**readings, **more}, fills=fills)


def observe(tables: TablesView) -> Observation:
    """Extract the figures that curves and alerts need from these tables."""
    columns = tables.columns
    rows = [*_position_rows(columns[Table.POSITIONS], 0), *_position_rows(columns[Table.STRUCTURES], 1)]
    return Observation(
        tables=tables,
        pnl=_pnl(columns[Table.UNDERLYINGS], rows, tables.totals),
        marks={row.id: row.seen("mark") for row in rows},
        position_pnl={row.id: row.seen("pnl_abs") for row in rows},
        readings=_readings(rows, tables.totals, tables.at),
    )


def underlyings_of(portfolio: Portfolio) -> list[str]:
    """Return the names in `Observation.pnl`, the portfolio's own first."""
    return [PORTFOLIO, *sorted({stock_symbol(position.symbol) for position in portfolio.positions})]


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    """One position: its state, its underlying and its figures by metric."""

    id: str
    underlying: str
    state: str
    figures: Mapping[AlertMetric, float | None]

    def seen(self, metric: str) -> float | None:
        # An expired contract stands at its settlement, which no quote can change.
        seen = self.state in _SEEN or self.state == QuoteState.EXPIRED
        return self.figures[AlertMetric(metric)] if seen else None


def _position_rows(table: Mapping[str, Column], kind: int) -> list[_Row]:
    """Return the rows of positions (kind 0) or structures (kind 1)."""
    columns = [_floats(table[names[kind]]) for names in _COLUMN_BY_METRIC.values()]
    ids, underlyings, states = (table[name].tolist() for name in ("id", "underlying", "state"))
    figures = [dict(zip(_COLUMN_BY_METRIC, values, strict=True)) for values in zip(*columns, strict=True)]
    return [_Row(*each) for each in zip(ids, underlyings, states, figures, strict=True)]


def _floats(column: Column) -> list[float | None]:
    if isinstance(column, pd.arrays.IntegerArray):  # days, null for shares
        column = column.to_numpy(dtype="float64", na_value=math.nan)
    values: list[float] = column.tolist()
    return [value if math.isfinite(value) else None for value in values]


def _pnl(underlyings: Mapping[str, Column], rows: list[_Row], totals: LiveTotals) -> dict[str, float | None]:
    unseen = {row.underlying for row in rows if row.state not in _SEEN and row.state != QuoteState.EXPIRED}
    pairs = zip(underlyings["underlying"].tolist(), _floats(underlyings["open_pnl"]), strict=True)
    by_underlying = {name: None if name in unseen else value for name, value in pairs}
    whole = totals.open_pnl.value if totals.open_pnl.legs and not unseen else None
    return {PORTFOLIO: whole, **by_underlying}


def _readings(rows: list[_Row], totals: LiveTotals, live: LiveSnapshot) -> Readings:
    readings: Readings = {}
    for row in rows:
        for metric, value in row.figures.items():
            readings[row.id, metric] = _reading(metric, value, row.state)
    readings |= _portfolio_readings(rows, totals, closed=live.market_phase in _CLOSED_PHASES)
    return readings


def _reading(metric: AlertMetric, value: float | None, state: str) -> float | Outcome:
    if metric is not AlertMetric.DTE:
        if state == QuoteState.CLOSED:
            return Outcome.MARKET_CLOSED
        if metric is not AlertMetric.QUOTE_AGE_SECONDS and state not in _SEEN:
            return Outcome.NO_DATA
    if state == QuoteState.EXPIRED or value is None:
        return Outcome.NO_DATA
    return value


def _portfolio_readings(rows: list[_Row], totals: LiveTotals, *, closed: bool) -> Readings:
    alive = [row for row in rows if row.state != QuoteState.EXPIRED]
    closed = closed or any(row.state == QuoteState.CLOSED for row in alive)
    seen = bool(alive) and all(row.state in _SEEN for row in alive)
    blind = Outcome.MARKET_CLOSED if closed else Outcome.NO_DATA
    days = [row.figures[AlertMetric.DTE] for row in alive]
    nearest = min((day for day in days if day is not None), default=None)
    known = seen and not closed
    age = totals.oldest_age_seconds
    return {
        (None, AlertMetric.PNL_ABS): _or(totals.open_pnl.value if known else None, blind),
        (None, AlertMetric.PNL_PCT): _or(totals.open_pnl_pct if known else None, blind),
        (None, AlertMetric.DAY_PNL): _or(totals.day_pnl.value if known else None, blind),
        (None, AlertMetric.DTE): _or(nearest, Outcome.NO_DATA),
        (None, AlertMetric.QUOTE_AGE_SECONDS): _or(None if closed else age, blind),
    }


def _or(value: float | None, otherwise: Outcome) -> float | Outcome:
    return otherwise if value is None or not math.isfinite(value) else value
