"""Order updates, orders and fills into one stable row, a plain dict.

Every row has `timestamp, event, order_id, symbol, side, qty, filled_qty, filled_avg_price, status, origin`.
A further key is present if the source has the field, even if it is null: `type, tif, limit_price, stop_price,
order_class, position_intent, replaced_by, replaces, submitted_at, …`; for an execution `execution_id,
fill_qty, fill_price, position_qty`; for a multi-leg or bracket order `legs`, a list of such rows.

`qty` is the order's quantity; `fill_qty`, `fill_price` and `position_qty` are this execution's. Numbers are
floats or None, words lower case, times aware UTC. `origin` is "live" or "rest".

Sources: the schemas `Order`, `OrderLeg` and `TradingActivities` of Alpaca's Trading API; alpaca-py's
`TradeUpdate`. Events and statuses are passed through as they come, known or not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, TypeAlias

from options_helper.analysis.osi import contract_root
from options_helper.data.streaming.normalize.values import (
    carries,
    read,
    to_identifier,
    to_number,
    to_utc,
    to_word,
)
from options_helper.times import new_york_date, utc_now

Row = dict[str, Any]
_Fields: TypeAlias = "tuple[tuple[str, tuple[str, ...], Callable[[object], object]], ...]"

_STREAM = "trade_updates"

_ORDER_FIELDS: _Fields = (
    ("type", ("type", "order_type"), to_word),
    ("tif", ("time_in_force",), to_word),
    ("limit_price", ("limit_price",), to_number),
    ("stop_price", ("stop_price",), to_number),
    ("trail_percent", ("trail_percent",), to_number),
    ("trail_price", ("trail_price",), to_number),
    ("notional", ("notional",), to_number),
    ("order_class", ("order_class",), to_word),
    ("position_intent", ("position_intent",), to_word),
    ("ratio_qty", ("ratio_qty",), to_number),
    ("asset_class", ("asset_class",), to_word),
    ("replaced_by", ("replaced_by",), to_identifier),
    ("replaces", ("replaces",), to_identifier),
    ("created_at", ("created_at",), to_utc),
    ("submitted_at", ("submitted_at",), to_utc),
    ("updated_at", ("updated_at",), to_utc),
    ("filled_at", ("filled_at",), to_utc),
    ("canceled_at", ("canceled_at",), to_utc),
    ("expired_at", ("expired_at",), to_utc),
    ("failed_at", ("failed_at",), to_utc),
    ("replaced_at", ("replaced_at",), to_utc),
    ("extended_hours", ("extended_hours",), lambda value: value if isinstance(value, bool) else None),
    ("reject_reason", ("reject_reason", "reason"), to_identifier),
)
_UPDATE_FIELDS: _Fields = (
    ("execution_id", ("execution_id",), to_identifier),
    ("previous_execution_id", ("previous_execution_id", "previous_id"), to_identifier),
    ("fill_qty", ("qty",), to_number),
    ("fill_price", ("price",), to_number),
    ("position_qty", ("position_qty",), to_number),
    ("reason", ("reason", "reject_reason"), to_identifier),
)
_LEG_FIELDS: _Fields = (
    ("execution_id", ("execution_id",), to_identifier),
    ("previous_execution_id", ("previous_execution_id", "previous_id"), to_identifier),
    ("order_id", ("order_id",), to_identifier),
    ("symbol", ("symbol",), to_identifier),
    ("fill_qty", ("qty",), to_number),
    ("fill_price", ("price",), to_number),
    ("timestamp", ("timestamp",), to_utc),
)
_REFUSED_REQUESTS = ("order_cancel_rejected", "order_replace_rejected", "cancel_rejected", "replace_rejected")
_CORRECTIONS = ("trade_bust", "trade_correct")
_EVENT_TYPES = frozenset({"opasn", "opexc", "opexp", "optrd", "opca", "opcsh"})
_ORDER_TIMES = ("updated_at", "filled_at", "submitted_at", "created_at")


def normalize_trade_update(update: object, *, received_at: dt.datetime | None = None) -> Row | None:
    """One order update as a row, or None where there is no order in it.

    Args:
        update: The stream's frame `{"stream": "trade_updates", "data": {…}}`, its `data`, or alpaca-py's
            `TradeUpdate`.
        received_at: The time of an update that carries none; the clock's where this is None too.
    """
    data = _payload(update)
    order = read(data, "order")
    if order is None or not _is_order(order):
        return None
    row = _order_row(order)
    _copy(row, data, _UPDATE_FIELDS)
    event = row["event"] = to_word(read(data, "event")) or row["status"]
    if row.get("reason") and event not in {*_REFUSED_REQUESTS, *_CORRECTIONS}:
        row["reject_reason"] = row["reason"]  # a refused cancel or a bust does not end the order
    if event == "trade_bust" and row.get("fill_qty"):
        row["fill_qty"] = abs(row["fill_qty"])  # Alpaca may send it negative
    _copy_legs(row, data)
    row["timestamp"] = _first_time(data, row, ("timestamp", "at")) or received_at or utc_now()
    row["origin"] = "live"
    return row


def normalize_rest_order(order: object) -> Row | None:
    """An order of `GET /v2/orders` as a row: its event is its status, its time that of its last change."""
    if not _is_order(order):
        return None
    row = _order_row(order)
    row["timestamp"] = _first_time(None, row, ())
    if row["order_id"] is None or row["timestamp"] is None:
        return None
    row["event"] = row["status"]
    row["origin"] = "rest"
    return row


def is_whole(order: object) -> bool:
    """Return whether everything that the ledger needs of an order, and of each leg, can be read."""
    filled, quantity, price = (read(order, name) for name in ("filled_qty", "qty", "filled_avg_price"))
    legs = read(order, "legs")
    return (
        to_identifier(read(order, "id")) is not None
        and to_number(filled) is not None
        and all(value is None or value == "" or to_number(value) is not None for value in (quantity, price))
        and (legs is None or (isinstance(legs, list | tuple) and all(map(is_whole, legs))))
    )


def is_fill(activity: object) -> bool:
    """Return whether an activity is, or may be, an execution: its type is FILL or cannot be read."""
    return to_word(read(activity, "activity_type")) in {"fill", None}


def normalize_rest_activity(activity: object) -> Row | None:
    """A FILL of `GET /v2/account/activities` as the row of one execution.

    `qty` is what was filled plus what was left; `activity_id` is the vendor's. None where the order's id, the
    quantities or the time are missing, without which the execution has no place.
    """
    if not is_fill(activity):
        return None
    order_id, at = to_identifier(read(activity, "order_id")), to_utc(read(activity, "transaction_time"))
    quantity, filled = to_number(read(activity, "qty")), to_number(read(activity, "cum_qty"))
    if order_id is None or at is None or not quantity or filled is None:
        return None
    left = to_number(read(activity, "leaves_qty"))
    return {
        "timestamp": at,
        "event": to_word(read(activity, "type")) or "fill",
        "order_id": order_id,
        "symbol": to_identifier(read(activity, "symbol")),
        "side": to_word(read(activity, "side")),
        "qty": None if left is None else filled + left,
        "filled_qty": filled,
        "filled_avg_price": None,
        "status": to_word(read(activity, "order_status")),
        "fill_qty": abs(quantity),
        "fill_price": to_number(read(activity, "price")),
        "activity_id": to_identifier(read(activity, "id")),
        "origin": "rest",
    }


def is_option_event(activity: object) -> bool:
    """Return whether an activity is an assignment, exercise, expiry or what pairs with one."""
    return to_word(read(activity, "activity_type")) in _EVENT_TYPES


def normalize_option_event(activity: object) -> Row | None:
    """Return an assignment, exercise, expiry or its share trade as a row, or None if it cannot be read.

    Keys: `activity_id, type, symbol, qty (signed), price, date, group_id, timestamp`. `timestamp` is None for
    an activity that carries a date only. Source: Alpaca's "Options Trading Overview".
    """
    symbol, quantity = to_identifier(read(activity, "symbol")), to_number(read(activity, "qty"))
    at = to_utc(read(activity, "created_at"))
    date = _to_date(read(activity, "date")) or (new_york_date(at) if at else None)
    if symbol is None or quantity is None or date is None:
        return None
    return {
        "activity_id": to_identifier(read(activity, "id")),
        "type": to_word(read(activity, "activity_type")),
        "symbol": symbol,
        "qty": quantity,
        "price": to_number(read(activity, "price")),
        "date": date,
        "group_id": to_identifier(read(activity, "group_id")),
        "timestamp": at,
    }


def _to_date(value: object) -> dt.date | None:
    try:
        return dt.date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


def _payload(update: object) -> object:
    """Return the content of the stream's envelope, or the update itself."""
    if isinstance(update, dict) and "order" not in update and ("data" in update or "stream" in update):
        return update.get("data") if update.get("stream", _STREAM) == _STREAM else None
    return update


def _is_order(order: object) -> bool:
    named = any(to_identifier(read(order, name)) is not None for name in ("id", "symbol"))
    return named or bool(_list_of(read(order, "legs")))


def _order_row(order: object, *, with_legs: bool = True) -> Row:
    row: Row = {
        "timestamp": None,
        "event": None,
        "order_id": to_identifier(read(order, "id")),
        "symbol": to_identifier(read(order, "symbol")),
        "side": to_word(read(order, "side")),
        "qty": to_number(read(order, "qty")),
        "filled_qty": to_number(read(order, "filled_qty")),
        "filled_avg_price": to_number(read(order, "filled_avg_price")),
        "status": to_word(read(order, "status")),
    }
    _copy(row, order, _ORDER_FIELDS)
    legs = _legs_of(order) if with_legs else []
    if legs:
        row["legs"] = legs
        row["symbol"] = row["symbol"] or _symbol_of(legs)
        row["side"] = (
            row["side"] or "/".join(dict.fromkeys(leg["side"] for leg in legs if leg["side"])) or None
        )
    return row


def _legs_of(order: object) -> list[Row]:
    return [_order_row(leg, with_legs=False) for leg in _list_of(read(order, "legs")) if _is_order(leg)]


def _list_of(value: object) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _copy(row: Row, source: object, fields: _Fields) -> None:
    """Take over what the source carries; the first of a field's names that has a value wins."""
    for key, names, convert in fields:
        carried = [name for name in names if carries(source, name)]
        if not carried:
            continue
        values = (convert(read(source, name)) for name in carried)
        value = next((value for value in values if value is not None), None)
        if value is not None or key not in row:
            row[key] = value


def _copy_legs(row: Row, data: object) -> None:
    """Copy the executions of a multi-leg update, one per leg, and the positions after them by symbol."""
    executions: list[Row] = []
    for leg in _list_of(read(data, "legs")):
        execution: Row = {}
        _copy(execution, leg, _LEG_FIELDS)
        if execution.get("order_id"):
            executions.append(execution)
    if executions:
        row["leg_executions"] = executions
    positions = read(data, "position_qtys")
    if isinstance(positions, dict):
        row["position_qtys"] = {str(symbol): to_number(quantity) for symbol, quantity in positions.items()}


def _first_time(data: object, row: Row, names: tuple[str, ...]) -> dt.datetime | None:
    given = (to_utc(read(data, name)) for name in names)
    kept: tuple[dt.datetime | None, ...] = tuple(row.get(name) for name in _ORDER_TIMES)
    return next((at for at in (*given, *kept) if at is not None), None)


def _symbol_of(legs: list[Row]) -> str | None:
    """A multi-leg order's own symbol is empty: the root its contracts share, else all symbols."""
    symbols = [leg["symbol"] for leg in legs if leg["symbol"]]
    roots = {contract_root(symbol) or symbol for symbol in symbols}
    return next(iter(roots)) if len(roots) == 1 else " + ".join(dict.fromkeys(symbols)) or None
