"""Executions as a typed table, for the page and for CSV: stable columns, also when empty."""

from __future__ import annotations

from typing import Any

import pandas as pd

from options_helper.analysis.fills.day import FillDay
from options_helper.analysis.fills.records import Execution
from options_helper.analysis.text.fills import event_words

_TIME, _TEXT, _NUMBER, _FLAG = "datetime64[us, UTC]", "str", "float64", "bool"

EXECUTION_COLUMNS = {
    "time": _TIME,
    "contract": _TEXT,
    "symbol": _TEXT,
    "level": _TEXT,
    "side": _TEXT,
    "quantity": _NUMBER,
    "price": _NUMBER,
    "price_words": _TEXT,
    "filled": _NUMBER,
    "total": _NUMBER,
    "average_price": _NUMBER,
    "status": _TEXT,
    "position_after": _NUMBER,
    "source": _TEXT,
    "confirmed": _FLAG,
    "busted": _FLAG,
    "corrected": _FLAG,
    "note": _TEXT,
    "order_id": _TEXT,
    "parent_id": _TEXT,
    "key": _TEXT,
}


def executions_frame(book: FillDay) -> pd.DataFrame:
    """One row per execution, newest first; the legs of a multi-leg fill under its line.

    Prices are dollars per share, of a multi-leg line dollars per share and unit, negative for a credit; NaN
    is what is not known. Times are aware UTC.
    """
    rows = [_execution_row(one) for one in book.executions]
    data = {
        name: pd.Series([row[name] for row in rows], dtype=kind) for name, kind in EXECUTION_COLUMNS.items()
    }
    return pd.DataFrame(data)


def _execution_row(one: Execution) -> dict[str, Any]:
    return {
        "time": one.at,
        "contract": one.words,
        "symbol": one.symbol,
        "level": one.kind.value,
        "side": one.side_words,
        "quantity": one.quantity,
        "price": one.price,
        "price_words": one.price_words,
        "filled": one.filled,
        "total": one.total,
        "average_price": one.average_price,
        "status": event_words(one.status),
        "position_after": one.position_after,
        "source": one.source.value,
        "confirmed": one.confirmed,
        "busted": one.busted,
        "corrected": one.corrected,
        "note": one.note,
        "order_id": one.order_id,
        "parent_id": one.parent_id or "",
        "key": one.key,
    }
