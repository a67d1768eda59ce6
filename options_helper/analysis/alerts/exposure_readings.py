"""The readings for alerts on Greeks and exposures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from options_helper.analysis.alerts.readings import KNOWN_STATES, Readings
from options_helper.analysis.alerts.records import Outcome
from options_helper.analysis.alerts.rules import EXPOSURES, AlertRule
from options_helper.analysis.osi import stock_symbol
from options_helper.analysis.risk.exposure import Measure, find_exposure
from options_helper.analysis.tables.column_type import Table
from options_helper.analysis.tables.view import TablesView
from options_helper.analysis.valuation.quote_state import QuoteState
from options_helper.models import AnyPosition

if TYPE_CHECKING:
    from options_helper.analysis.risk import LiveRisk


def read_exposures(
    rules: Iterable[AlertRule], tables: TablesView, find_risk: Callable[[], LiveRisk]
) -> Readings:
    """Return the readings for the rules on exposures, and compute the risk only if there are any.

    A sum has a value only if it covers every leg and every price behind it is live, quiet or settled.
    """
    asked = [rule for rule in rules if rule.metric in EXPOSURES]
    if not asked:
        return {}
    states = {
        position_id: state
        for table in (tables.columns[Table.POSITIONS], tables.columns[Table.STRUCTURES])
        for position_id, state in zip(table["id"].tolist(), table["state"].tolist(), strict=True)
    }
    risk = find_risk()
    readings: Readings = {}
    for rule in asked:
        chosen = {states.get(one.id) for one in tables.portfolio.positions if _is_watched(one, rule)}
        if QuoteState.CLOSED in chosen:
            readings[rule.subject, rule.metric] = Outcome.MARKET_CLOSED
        else:
            is_known = chosen <= KNOWN_STATES
            readings[rule.subject, rule.metric] = _value(risk, rule) if is_known else Outcome.NO_DATA
    return readings


def _is_watched(position: AnyPosition, rule: AlertRule) -> bool:
    if rule.position is not None:
        return position.id == rule.position
    if rule.symbol is not None:
        return stock_symbol(position.symbol) == stock_symbol(rule.symbol)
    return rule.tag is None or rule.tag in (position.tag or ())


def _value(risk: LiveRisk, rule: AlertRule) -> float | Outcome:
    symbol = None if rule.symbol is None else stock_symbol(rule.symbol)
    measure = Measure(rule.metric)
    found = find_exposure(risk, measure, position_id=rule.position, underlying=symbol, tag=rule.tag)
    return found.value if found.is_whole and found.value is not None else Outcome.NO_DATA
