"""Executions and orders as typed tables, for the page and for CSV: stable columns, also when empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from options_helper.analysis.fill_words import event_words

if TYPE_CHECKING:
    from options_helper.analysis.fill_book import Execution, FillBook, OrderStory

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
ORDER_COLUMNS = {
    "changed": _TIME,
    "submitted": _TIME,
    "contract": _TEXT,
    "symbol": _TEXT,
    "side": _TEXT,
    "type": _TEXT,
    "tif": _TEXT,
    "limit": _TEXT,
    "stop_price": _NUMBER,
    "quantity": _NUMBER,
    "filled": _NUMBER,
    "average_price": _NUMBER,
    "status": _TEXT,
    "timeline": _TEXT,
    "reject_reason": _TEXT,
    "note": _TEXT,
    "order_id": _TEXT,
}


def executions_frame(book: FillBook, *, with_legs: bool = True) -> pd.DataFrame:
    """One row per execution, newest first; the legs of a multi-leg fill under its line.

    Prices are dollars per share, of a multi-leg line dollars per share and unit, negative for a credit; NaN
    is what is not known. Times are aware UTC.
    """
    rows = book.executions if with_legs else book.fills
    return _frame([_execution_row(one) for one in rows], EXECUTION_COLUMNS)


def orders_frame(book: FillBook) -> pd.DataFrame:
    """One row per order with its replacements joined, newest change first; the timeline in words."""
    return _frame([_order_row(one) for one in book.orders], ORDER_COLUMNS)


def _frame(rows: list[dict[str, Any]], columns: dict[str, str]) -> pd.DataFrame:
    data = {name: pd.Series([row[name] for row in rows], dtype=kind) for name, kind in columns.items()}
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


def _order_row(one: OrderStory) -> dict[str, Any]:
    return {
        "changed": one.changed_at,
        "submitted": one.submitted_at,
        "contract": one.words,
        "symbol": one.symbol,
        "side": one.side_words,
        "type": event_words(one.type),
        "tif": event_words(one.tif),
        "limit": one.limit_words,
        "stop_price": one.stop_price,
        "quantity": one.quantity,
        "filled": one.filled,
        "average_price": one.average_price,
        "status": event_words(one.status),
        "timeline": one.timeline,
        "reject_reason": one.reject_reason,
        "note": one.note,
        "order_id": one.order_id,
    }
