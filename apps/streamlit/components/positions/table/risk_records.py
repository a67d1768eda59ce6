"""The table's risk figures by row: of a leg, of a single position, and of a structure with all legs known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from apps.streamlit.components.positions.table.group_rows import sum_greeks
from apps.streamlit.components.positions.table.portfolio_rows import Key, PortfolioRows
from apps.streamlit.components.positions.table.records import Record, plain_records, shown_column
from options_helper.analysis.risk.pricing.reasons import Reason
from options_helper.analysis.tables.column_type import Table
from options_helper.analysis.tables.columns import shown_columns, sources_of
from options_helper.analysis.text.figures import format_count, format_percent

if TYPE_CHECKING:
    from options_helper.analysis.risk import LiveRisk

_OF_LEGS, _OF_POSITIONS = sources_of(Table.RISK_LEGS), sources_of(Table.RISK_POSITIONS)
_READ = (
    "id", "position_id", "leg_index", "legs", "covered_legs", "modelled_legs", "modelled", "reason",
    "bid_iv", "ask_iv", "moneyness_moves", "probability_of_profit",
)  # fmt: skip
_FIELDS = {*_OF_LEGS, *_OF_POSITIONS}
_SHOWN = [column for column in shown_columns() if column.field in _FIELDS]
_NONE = dict.fromkeys(_FIELDS, "")
_OF_SHARES = {"delta", "delta_dollars"}
_EXPLAINED = frozenset({Reason.SHARES, Reason.EXPIRED, Reason.NO_MARK})  # other cells of the row show these


@dataclass(frozen=True, slots=True)
class RiskColumns:
    """The risk fields of a table's rows.

    Attributes:
        figures, shown: The rows' values by field, and the figures as the page shows them.
        sums: The sums of each group's Greeks.
    """

    figures: Mapping[str, list[object]]
    shown: Mapping[str, list[object]]
    sums: list[Record]


@lru_cache(maxsize=2)  # prices move more often than risk is computed
def risk_columns(risk: LiveRisk | None, rows: PortfolioRows) -> RiskColumns:
    """Return the risk of these rows; without a risk, it is unknown."""
    positions, legs = ({}, {}) if risk is None else _records_of(risk)
    found = [_read(key, positions, legs) for key in rows.keys]
    figures = {name: [each[name] for each in found] for name in (*_FIELDS, "iv_note", "moves")}
    members: dict[str | None, list[Record]] = {group: [] for group in rows.groups}
    for each, kind, group in zip(found, rows.columns["kind"], rows.columns["group"], strict=True):
        if kind != "leg":
            members[group].append(each)
    return RiskColumns(
        figures=figures,
        shown={each.field: shown_column(figures[each.field], each) for each in _SHOWN},
        sums=sum_greeks([*members.values()]),
    )


def _records_of(risk: LiveRisk) -> tuple[dict[str, Record], dict[Key, Record]]:
    legs = plain_records(risk.legs, {*_READ, *_OF_LEGS.values()}, only_finite=True)
    positions = plain_records(risk.positions, {*_READ, *_OF_POSITIONS.values()}, only_finite=True)
    return (
        {each["id"]: each for each in positions},
        {(each["position_id"], each["leg_index"]): each for each in legs},
    )


def _read(key: Key, positions: Mapping[str, Record], legs: Mapping[Key, Record]) -> Record:
    """Return a row's risk fields: those of one leg, or of a whole structure."""
    position_id, leg = key
    whole = positions.get(position_id, {})
    if leg is None:
        known = whole.get("covered_legs") == whole.get("legs")
        own = _take(_OF_POSITIONS, whole if known else {})
        modelled, covered = whole.get("modelled_legs"), whole.get("covered_legs")
        note = f"{modelled} modelled" if modelled else ""
        note = note if known else f"{covered} of {whole.get('legs')} legs"
        return {**_NONE, **own, "iv_note": note, "moves": ""}
    record = legs.get(key, {})
    figures = {**_NONE, **_take(_OF_LEGS, record)}
    if whole.get("legs") == 1:
        figures["chance"] = whole.get("probability_of_profit")
    if record.get("reason") == Reason.SHARES:
        figures |= dict.fromkeys(_FIELDS - _OF_SHARES, "")
    return figures | {"iv_note": _iv_note(record), "moves": _moves(record)}


def _take(sources: Mapping[str, str], record: Record) -> Record:
    return {name: record.get(column) for name, column in sources.items()}


def _iv_note(record: Record) -> str:
    """Return the volatilities of bid and ask, else `modelled`, else the reason why there is none."""
    reason = "modelled" if record.get("modelled") else record.get("reason")
    low, high = record.get("bid_iv"), record.get("ask_iv")
    if low is not None and high is not None:
        return f"{format_percent(low)[:-1]}\N{EN DASH}{format_percent(high)}"
    return "" if reason is None or reason in _EXPLAINED else str(reason)


def _moves(record: Record) -> str:
    """Return the distance to the strike in expected moves, such as `1.3 moves`."""
    moves = record.get("moneyness_moves")
    return "" if moves is None else f"{format_count(round(abs(moves), 1))} moves"
