"""The table's risk figures by row: of a leg, of a single position, and of a structure with all legs known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from apps.streamlit.components.positions.table.records import Record, plain_records
from options_helper.analysis.risk.pricing.reasons import Reason
from options_helper.analysis.tables.column_type import Table
from options_helper.analysis.tables.columns import sources_of
from options_helper.analysis.text.figures import format_count, format_percent

if TYPE_CHECKING:
    from options_helper.analysis.risk import LiveRisk

_OF_LEGS, _OF_POSITIONS = sources_of(Table.RISK_LEGS), sources_of(Table.RISK_POSITIONS)
_READ = (
    "id", "position_id", "leg_index", "legs", "covered_legs", "modelled_legs", "modelled", "reason",
    "bid_iv", "ask_iv", "moneyness_moves", "probability_of_profit",
)  # fmt: skip
_FIELDS = {*_OF_LEGS, *_OF_POSITIONS}
_NONE = dict.fromkeys(_FIELDS, "")
_OF_SHARES = {"delta", "delta_dollars"}
_EXPLAINED = frozenset({Reason.SHARES, Reason.EXPIRED, Reason.NO_MARK})  # other cells of the row show these


@dataclass(frozen=True, slots=True)
class RiskRecords:
    """The risk of one refresh as plain values, keyed by position, and by position and leg."""

    positions: Mapping[str, Record] = field(default_factory=dict)
    legs: Mapping[tuple[str, int], Record] = field(default_factory=dict)
    _figures: dict[tuple[str, int | None], Record] = field(default_factory=dict)

    @classmethod
    def of(cls, risk: LiveRisk | None) -> RiskRecords:
        """Return a risk's records, or empty ones for None."""
        return cls() if risk is None else _records_of(risk)

    def figures(self, position_id: str, leg: int | None) -> Record:
        """Return a row's risk fields: those of one leg, or of the whole structure if `leg` is None."""
        key = position_id, leg
        figures = self._figures.get(key)
        if figures is None:
            figures = self._figures[key] = self._read(position_id, leg)
        return figures

    def _read(self, position_id: str, leg: int | None) -> Record:
        whole = self.positions.get(position_id, {})
        if leg is None:
            known = whole.get("covered_legs") == whole.get("legs")
            own = _take(_OF_POSITIONS, whole if known else {})
            modelled, covered = whole.get("modelled_legs"), whole.get("covered_legs")
            note = f"{modelled} modelled" if modelled else ""
            note = note if known else f"{covered} of {whole.get('legs')} legs"
            return {**_NONE, **own, "iv_note": note, "moves": ""}
        record = self.legs.get((position_id, leg), {})
        figures = {**_NONE, **_take(_OF_LEGS, record)}
        if whole.get("legs") == 1:
            figures["chance"] = whole.get("probability_of_profit")
        if record.get("reason") == Reason.SHARES:
            figures |= dict.fromkeys(_FIELDS - _OF_SHARES, "")
        return figures | {"iv_note": _iv_note(record), "moves": _moves(record)}


@lru_cache(maxsize=2)  # prices move more often than risk is computed
def _records_of(risk: LiveRisk) -> RiskRecords:
    legs = plain_records(risk.legs, {*_READ, *_OF_LEGS.values()}, only_finite=True)
    positions = plain_records(risk.positions, {*_READ, *_OF_POSITIONS.values()}, only_finite=True)
    return RiskRecords(
        {each["id"]: each for each in positions},
        {(each["position_id"], each["leg_index"]): each for each in legs},
    )


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
