"""The readings that alerts compare with their thresholds: a value, or the reason why there is none.

A figure counts only while its price is live or quiet, so an old price never passes for a new one.
`exposure_readings` reads Greeks and exposures.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from options_helper.analysis.account.compare import BrokerSide, compare_account
from options_helper.analysis.alerts.records import Outcome
from options_helper.analysis.alerts.rules import OF_UNDERLYING, AlertMetric, AlertRule
from options_helper.analysis.arrays.typed_columns import ColumnValues
from options_helper.analysis.osi import stock_symbol
from options_helper.analysis.streams.silence import seconds_since
from options_helper.analysis.tables.column_type import Table
from options_helper.analysis.tables.totals import LiveTotals
from options_helper.analysis.tables.view import TablesView
from options_helper.analysis.valuation.quote_state import QuoteState
from options_helper.market import LiveSnapshot, MarketPhase, StreamState
from options_helper.models import AnyPosition, EquityPosition, Leg, MultiLegPosition, Portfolio

Readings = dict[tuple[str | None, AlertMetric], float | Outcome]

_SEEN = frozenset({QuoteState.LIVE, QuoteState.QUIET})
KNOWN_STATES = _SEEN | {QuoteState.EXPIRED}
"""States with a known figure: a current quote, or a settlement that no quote can change."""

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
_LOST = frozenset({StreamState.CONNECTING, StreamState.RECONNECTING, StreamState.ERROR})


@dataclass(frozen=True, slots=True, eq=False)
class PositionRow:
    """One position's quote state, underlying and figures, keyed by metric."""

    id: str
    underlying: str
    state: str
    figures: Mapping[AlertMetric, float | None]

    @property
    def is_seen(self) -> bool:
        """True while the position's price is live, quiet or settled."""
        return self.state in KNOWN_STATES

    def seen(self, metric: AlertMetric) -> float | None:
        """Return a metric's figure, or None unless the position is seen."""
        return self.figures[metric] if self.is_seen else None


def read_rows(columns: Mapping[Table, Mapping[str, ColumnValues]]) -> list[PositionRow]:
    """Return a row for each position, structures last."""
    return [*_rows(columns[Table.POSITIONS], 0), *_rows(columns[Table.STRUCTURES], 1)]


def floats(column: ColumnValues) -> list[float | None]:
    """Return a column's values, with None for each that is missing or not finite."""
    if isinstance(column, pd.arrays.IntegerArray):  # days, null for shares
        column = column.to_numpy(dtype="float64", na_value=math.nan)
    values: list[float] = column.tolist()
    return [value if math.isfinite(value) else None for value in values]


def read_positions(rows: list[PositionRow], totals: LiveTotals, live: LiveSnapshot) -> Readings:
    """Return the readings of each position, keyed by id, and of the whole portfolio, keyed by None."""
    readings: Readings = {}
    for row in rows:
        for metric, value in row.figures.items():
            readings[row.id, metric] = _reading(metric, value, row.state)
    readings |= _portfolio_readings(rows, totals, closed=live.market_phase in _CLOSED_PHASES)
    return readings


def _rows(table: Mapping[str, ColumnValues], kind: int) -> list[PositionRow]:
    """Return the rows of positions (kind 0) or structures (kind 1)."""
    columns = [floats(table[names[kind]]) for names in _COLUMN_BY_METRIC.values()]
    ids, underlyings, states = (table[name].tolist() for name in ("id", "underlying", "state"))
    figures = [dict(zip(_COLUMN_BY_METRIC, values, strict=True)) for values in zip(*columns, strict=True)]
    return [PositionRow(*each) for each in zip(ids, underlyings, states, figures, strict=True)]


def _reading(metric: AlertMetric, value: float | None, state: str) -> float | Outcome:
    if metric is not AlertMetric.DTE:
        if state == QuoteState.CLOSED:
            return Outcome.MARKET_CLOSED
        if metric is not AlertMetric.QUOTE_AGE_SECONDS and state not in _SEEN:
            return Outcome.NO_DATA
    if state == QuoteState.EXPIRED or value is None:
        return Outcome.NO_DATA
    return value


def _portfolio_readings(rows: list[PositionRow], totals: LiveTotals, *, closed: bool) -> Readings:
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


def read_watched(
    rules: Iterable[AlertRule], tables: TablesView, live: LiveSnapshot, differing: Mapping[str, int] | None
) -> Readings:
    """Return the readings for rules on underlyings, strike distance, lost streams and differing quantities.

    Args:
        rules: The rules; rules on other metrics are skipped.
        tables: The newest tables.
        live: The newest snapshot; it may be newer than the tables.
        differing: The number of symbols that differ from the account, keyed by position id; None if unknown.
    """
    spots = _Underlyings(tables.columns[Table.UNDERLYINGS])
    readings: Readings = {}
    for rule in rules:
        key = (rule.subject, rule.metric)
        if rule.metric in OF_UNDERLYING and rule.symbol is not None:
            column = "price" if rule.metric is AlertMetric.SPOT else "change_pct"
            readings[key] = spots.read(rule.symbol, column)
        elif rule.metric is AlertMetric.STRIKE_DISTANCE_PCT:
            position = next((one for one in tables.portfolio.positions if one.id == rule.position), None)
            readings[key] = _distance(position, spots)
        elif rule.metric is AlertMetric.STREAM_LOST_SECONDS:
            readings[key] = _seconds_lost(live)
        elif rule.metric is AlertMetric.QUANTITY_DIFFERS:
            readings[key] = _differences(differing, rule.position)
    return readings


class AccountWatch:
    """Counts the symbols that differ from the broker's account, and recounts if either side has changed."""

    def __init__(self) -> None:
        self._key: object = None
        self._counted: dict[str, int] | None = None

    def differing(
        self, portfolio: Portfolio, live: LiveSnapshot, rules: Iterable[AlertRule]
    ) -> dict[str, int] | None:
        """Return the number of differing symbols, keyed by position id ("" for symbols in no position).

        Return None if the account is unknown or no rule watches the quantities.
        """
        if all(rule.metric is not AlertMetric.QUANTITY_DIFFERS for rule in rules):
            return None
        key = (id(portfolio), live.broker_positions_at)
        if key != self._key:
            broker = BrokerSide.of(live)
            rows = () if broker is None else compare_account(portfolio, broker).differences
            counted = Counter(name for row in rows for name in row.position_ids or ("",))
            self._key, self._counted = key, None if broker is None else dict(counted)
        return self._counted


class _Underlyings:
    """The underlyings' figures, known only while the underlying's price is live or quiet."""

    def __init__(self, table: Mapping[str, ColumnValues]) -> None:
        names = (stock_symbol(str(name)) for name in table["underlying"])
        self._rows = {name: number for number, name in enumerate(names)}
        self._table = table

    def read(self, symbol: str, column: str) -> float | Outcome:
        number = self._rows.get(stock_symbol(symbol))
        if number is None:
            return Outcome.NO_DATA
        state, value = self._table["state"][number], self._table[column][number]
        if state == QuoteState.CLOSED:
            return Outcome.MARKET_CLOSED
        is_known = state in _SEEN and not pd.isna(value) and math.isfinite(value)
        return float(value) if is_known else Outcome.NO_DATA


def _distance(position: AnyPosition | None, spots: _Underlyings) -> float | Outcome:
    """Return the underlying's distance from the nearest short strike, as a fraction of its price.

    Positive is out of the money, negative in the money. Without short options, the long ones count.
    """
    if position is None or isinstance(position, EquityPosition):
        return Outcome.NO_DATA
    spot = spots.read(position.symbol, "price")
    if isinstance(spot, Outcome):
        return spot
    options = [(1 if kind == "put" else -1, strike) for kind, strike in _watched_strikes(position)]
    return min((sign * (spot - strike) / spot for sign, strike in options), default=Outcome.NO_DATA)


def _watched_strikes(position: AnyPosition) -> list[tuple[str, float]]:
    if not isinstance(position, MultiLegPosition):
        return [] if isinstance(position, EquityPosition) else [(position.option_type, position.strike)]
    legs = [leg for leg in position.legs if isinstance(leg, Leg)]
    short = [leg for leg in legs if leg.side == "short"]
    return [(leg.option_type, leg.strike) for leg in short or legs]


def _seconds_lost(live: LiveSnapshot) -> float | Outcome:
    """Return the seconds since the longest-lost stream was last heard; 0 if no stream is lost."""
    if not live.running:
        return Outcome.NO_DATA
    lost = [record for record in live.health.values() if record.state in _LOST]
    return max(
        (seconds_since(record.last_heard_at or live.started_at, live.as_of) for record in lost), default=0.0
    )


def _differences(differing: Mapping[str, int] | None, position: str | None) -> float | Outcome:
    if differing is None:
        return Outcome.NO_DATA
    return float(sum(differing.values()) if position is None else differing.get(position, 0))
