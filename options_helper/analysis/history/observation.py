"""The figures of one set of tables that feed the curves and the alerts.

A figure without a current price is a gap in its curve, so an old price never passes for a new one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from options_helper.analysis.alerts.readings import (
    PositionRow,
    Readings,
    floats,
    read_positions,
    read_rows,
)
from options_helper.analysis.alerts.records import AlertFill, AlertView, Outcome
from options_helper.analysis.alerts.rules import AlertMetric
from options_helper.analysis.arrays.typed_columns import ColumnValues
from options_helper.analysis.osi import stock_symbol
from options_helper.analysis.tables.column_type import Table
from options_helper.analysis.tables.totals import LiveTotals
from options_helper.analysis.tables.view import TablesView
from options_helper.models import Portfolio

PORTFOLIO = ""
"""The name of the whole portfolio's column, beside those of its underlyings."""


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """The figures of a portfolio at one time.

    Attributes:
        tables: The source tables.
        pnl: Open P/L in dollars, keyed by underlying, and the whole portfolio's under `PORTFOLIO`; None
            unless all prices are current or settled.
        marks, position_pnl: The mark (a structure's per unit) and open P/L, keyed by position id; None if not
            current or settled.
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
        *,
        has_account_events: bool = False,
        is_running: bool = True,
    ) -> AlertView:
        """Return the alerts' view at a later time, with quote ages increased and `more` readings added."""
        elapsed = max(0.0, (now - self.tables.at.as_of).total_seconds())
        readings = dict(self.readings)
        for key, value in self.readings.items():
            if key[1] is AlertMetric.QUOTE_AGE_SECONDS and not isinstance(value, Outcome):
                readings[key] = value + elapsed
        return AlertView(
            as_of=now,
            readings={**readings, **more},
            fills=fills,
            has_account_events=has_account_events,
            is_running=is_running,
        )


def observe(tables: TablesView) -> Observation:
    """Extract the figures for the curves and the alerts from the tables."""
    rows = read_rows(tables.columns)
    return Observation(
        tables=tables,
        pnl=_pnl(tables.columns[Table.UNDERLYINGS], rows, tables.totals),
        marks={row.id: row.seen(AlertMetric.MARK) for row in rows},
        position_pnl={row.id: row.seen(AlertMetric.PNL_ABS) for row in rows},
        readings=read_positions(rows, tables.totals, tables.at),
    )


def underlyings_of(portfolio: Portfolio) -> list[str]:
    """Return the keys of `Observation.pnl`, `PORTFOLIO` first."""
    return [PORTFOLIO, *sorted({stock_symbol(position.symbol) for position in portfolio.positions})]


def _pnl(
    underlyings: Mapping[str, ColumnValues], rows: list[PositionRow], totals: LiveTotals
) -> dict[str, float | None]:
    unseen = {row.underlying for row in rows if not row.is_seen}
    pairs = zip(underlyings["underlying"].tolist(), floats(underlyings["open_pnl"]), strict=True)
    by_underlying = {name: None if name in unseen else value for name, value in pairs}
    whole = totals.open_pnl.value if totals.open_pnl.legs and not unseen else None
    return {PORTFOLIO: whole, **by_underlying}
