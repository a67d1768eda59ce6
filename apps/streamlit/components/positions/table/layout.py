"""The table's layout, which the browser receives once: headings, formats and the words for quote states."""

from __future__ import annotations

from apps.streamlit.components.positions.table.records import PERCENT_DECIMALS
from apps.streamlit.components.positions.table.row_words import AGED_STATES, STATE_WORDS
from options_helper.analysis.tables.column_type import Column, Format
from options_helper.analysis.tables.columns import shown_columns

_POSITION_HELP = "The structure, option or shares; opening a structure shows its legs"
_QUOTE_HELP = "The state and the age of the oldest quote behind this row"
BELOW = {
    "dte": "time_left",
    "pnl_day": "coverage",
    "iv": "iv_note",
    "moneyness": "moves",
    "spread": "spread_note",
}
_PERCENTAGES = frozenset({Format.PERCENT, Format.SIGNED_PERCENT})


def build_layout(stale_after_seconds: float) -> dict[str, object]:
    """Return the layout; the types are in `options_helper/browser/payload.d.ts`."""
    return {"columns": _headings(), "states": _states(), "stale_after": stale_after_seconds}


def _headings() -> list[dict[str, object]]:
    ends = {"decimals": 0, "optional": False, "toned": False, "below": None}
    return [
        {"id": "position", "label": "Position", "help": _POSITION_HELP, "format": "name", **ends},
        *map(_heading, shown_columns()),
        {"id": "quote", "label": "Quote", "help": _QUOTE_HELP, "format": "state", **ends},
    ]


def _heading(column: Column) -> dict[str, object]:
    return {
        "id": column.field,
        "label": column.label,
        "help": column.help,
        "format": str(column.format),
        "decimals": PERCENT_DECIMALS if column.format in _PERCENTAGES else column.decimals,
        "optional": column.optional,
        "toned": column.toned,
        "below": BELOW.get(column.field),
    }


def _states() -> dict[str, dict[str, object]]:
    signs = {state: words.split(" ", 1) for state, words in STATE_WORDS.items()}
    return {
        str(state): {"sign": sign, "word": word, "aged": state in AGED_STATES}
        for state, (sign, word) in signs.items()
    }
