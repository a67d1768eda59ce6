"""Converts order updates, orders and executions to the rows of `order_rows`, which are plain dicts.

Every row has `timestamp, event, order_id, symbol, side, qty, filled_qty, filled_avg_price, status, origin`.
A further key is present if the source has the field, even if null: `type, tif, limit_price, stop_price,
order_class, position_intent, replaced_by, replaces, submitted_at, …`; for an execution `execution_id,
fill_qty, fill_price, position_qty`; for a multi-leg or bracket order `legs`, a list of such rows.

`qty` is the order's quantity; `fill_qty`, `fill_price` and `position_qty` belong to this execution. Numbers
are floats or None, words are lower case, and times are aware UTC datetimes. `origin` is "live" or "rest".

Sources: the schemas `Order`, `OrderLeg` and `TradingActivities` of Alpaca's Trading API; alpaca-py's
`TradeUpdate`. Events and statuses are passed through unchanged, known or not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias, cast

from options_helper.analysis.osi import contract_root
from options_helper.data.values import (
    carries,
    read,
    to_identifier,
    to_number,
    to_sentence,
    to_utc,
    to_word,
)
from options_helper.market import BrokerFill
from options_helper.order_rows import LegExecution, OrderRow, OrderTerms
from options_helper.times import utc_now

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
    ("reject_reason", ("reject_reason", "reason"), to_sentence),
)
_UPDATE_FIELDS: _Fields = (
    ("execution_id", ("execution_id",), to_identifier),
    ("previous_execution_id", ("previous_execution_id", "previous_id"), to_identifier),
    ("fill_qty", ("qty",), to_number),
    ("fill_price", ("price",), to_number),
    ("position_qty", ("position_qty",), to_number),
    ("reason", ("reason", "reject_reason"), to_sentence),
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
_FILLS = ("fill", "partial_fill")
_CORRECTIONS = ("trade_bust", "trade_correct")
_SMALLEST = 1e-12  # quantities have up to nine decimals
_ORDER_TIMES: tuple[Literal["updated_at", "filled_at", "submitted_at", "created_at"], ...] = (
    "updated_at",
    "filled_at",
    "submitted_at",
    "created_at",
)


def normalize_trade_update(update: object, *, received_at: dt.datetime | None = None) -> OrderRow | None:
    """Return one order update as a row, or None if it contains no order.

    Args:
        update: The stream's frame `{"stream": "trade_updates", "data": {…}}`, its `data`, or alpaca-py's
            `TradeUpdate`.
        received_at: The time to use if the update has none; the current time if None.
    """
    data = _payload(update)
    order = read(data, "order")
    if order is None or not _is_order(order):
        return None
    row = _order_row(order)
    row.update(cast("OrderRow", _fields_of(data, _UPDATE_FIELDS)))
    event = row["event"] = to_word(read(data, "event")) or row["status"]
    if row.get("reason") and event not in {*_REFUSED_REQUESTS, *_CORRECTIONS}:
        row["reject_reason"] = row["reason"]  # a refused cancel or a bust does not end the order
    busted = row.get("fill_qty")
    if event == "trade_bust" and busted:
        row["fill_qty"] = abs(busted)  # Alpaca may send it negative
    _add_legs(row, data)
    row["timestamp"] = _first_time(data, row, ("timestamp", "at")) or received_at or utc_now()
    row["origin"] = "live"
    return row


def is_whole_update(row: OrderRow) -> bool:
    """Return whether an order update contains everything that the ledger needs.

    An execution needs its order's id and filled quantity, and a quantity and price of its own or for each
    leg; a bust or correction must identify its execution.
    """
    executions = row.get("leg_executions")
    if row["event"] in _CORRECTIONS:
        named = row.get("previous_execution_id") or row.get("fill_qty") or executions
        return row["order_id"] is not None and bool(named)
    if row["event"] not in _FILLS:
        return row["order_id"] is not None
    figures = [(one.get("fill_qty"), one.get("fill_price")) for one in executions or ()]
    figures = figures or [(row.get("fill_qty"), row.get("fill_price"))]
    return (
        row["order_id"] is not None
        and _is_amount(row["filled_qty"])
        and all(_is_amount(quantity) and price is not None for quantity, price in figures)
    )


def _is_amount(number: float | None) -> bool:
    return number is not None and abs(number) >= _SMALLEST


def normalize_rest_order(order: object) -> OrderRow | None:
    """Return an order of `GET /v2/orders` as a row, or None if its id or every time is missing.

    The row's event is the order's status, and its timestamp is the time of the last change.
    """
    if not _is_order(order):
        return None
    row = _order_row(order)
    changed_at = _first_time(None, row, ())
    if row["order_id"] is None or changed_at is None:
        return None
    row["timestamp"] = changed_at
    row["event"] = row["status"]
    row["origin"] = "rest"
    return row


def is_whole(order: object) -> bool:
    """Return whether an order and its legs contain everything that the ledger needs."""
    filled, quantity, price = (read(order, name) for name in ("filled_qty", "qty", "filled_avg_price"))
    legs = read(order, "legs")
    return (
        to_identifier(read(order, "id")) is not None
        and to_number(filled) is not None
        and all(value is None or value == "" or to_number(value) is not None for value in (quantity, price))
        and (legs is None or (isinstance(legs, list | tuple) and all(map(is_whole, legs))))
    )


def execution_row(fill: BrokerFill) -> OrderRow:
    """Return an execution from REST as a row; `qty` is the filled plus the remaining quantity."""
    return {
        "timestamp": fill.at,
        "event": fill.event,
        "order_id": fill.order_id,
        "symbol": fill.symbol,
        "side": fill.side,
        "qty": None if fill.left is None else float(fill.total + fill.left),
        "filled_qty": float(fill.total),
        "filled_avg_price": None,
        "status": fill.status,
        "fill_qty": float(abs(fill.quantity)),
        "fill_price": float(fill.price),
        "activity_id": fill.activity_id,
        "origin": "rest",
    }


def _payload(update: object) -> object:
    """Return the content of the stream's envelope, or the update itself."""
    if isinstance(update, dict) and "order" not in update and ("data" in update or "stream" in update):
        return update.get("data") if update.get("stream", _STREAM) == _STREAM else None
    return update


def _is_order(order: object) -> bool:
    named = any(to_identifier(read(order, name)) is not None for name in ("id", "symbol"))
    return named or bool(_list_of(read(order, "legs")))


def _order_row(order: object) -> OrderRow:
    row = cast("OrderRow", _terms_of(order))
    legs = [_terms_of(leg) for leg in _list_of(read(order, "legs")) if _is_order(leg)]
    if legs:
        row["legs"] = legs
        row["symbol"] = row["symbol"] or _symbol_of(legs)
        sides = dict.fromkeys(side for leg in legs if (side := leg["side"]))
        row["side"] = row["side"] or "/".join(sides) or None
    return row


def _terms_of(order: object) -> OrderTerms:
    """Return an order or leg as a row, with its time and event still None."""
    row = {
        "timestamp": None,
        "event": None,
        "order_id": to_identifier(read(order, "id")),
        "symbol": to_identifier(read(order, "symbol")),
        "side": to_word(read(order, "side")),
        "qty": to_number(read(order, "qty")),
        "filled_qty": to_number(read(order, "filled_qty")),
        "filled_avg_price": to_number(read(order, "filled_avg_price")),
        "status": to_word(read(order, "status")),
        **_fields_of(order, _ORDER_FIELDS),
    }
    return cast("OrderTerms", row)


def _list_of(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []


def _fields_of(source: object, fields: _Fields) -> dict[str, object]:
    """Return the fields that the source has; of a field's names, the first with a value wins."""
    found = {}
    for key, names, convert in fields:
        carried = [name for name in names if carries(source, name)]
        if carried:
            values = (convert(read(source, name)) for name in carried)
            found[key] = next((value for value in values if value is not None), None)
    return found


def _add_legs(row: OrderRow, data: object) -> None:
    """Add the executions of a multi-leg update, one per leg, and the resulting positions by symbol."""
    legs = [cast("LegExecution", _fields_of(leg, _LEG_FIELDS)) for leg in _list_of(read(data, "legs"))]
    executions = [leg for leg in legs if leg.get("order_id")]
    if executions:
        row["leg_executions"] = executions
    positions = read(data, "position_qtys")
    if isinstance(positions, dict):
        row["position_qtys"] = {str(symbol): to_number(quantity) for symbol, quantity in positions.items()}


def _first_time(data: object, row: OrderRow, names: tuple[str, ...]) -> dt.datetime | None:
    given = (to_utc(read(data, name)) for name in names)
    kept = (row.get(name) for name in _ORDER_TIMES)
    return next((at for at in (*given, *kept) if at is not None), None)


def _symbol_of(legs: Sequence[OrderTerms]) -> str | None:
    """Return a symbol for a multi-leg order, which has none: its contracts' common root, else all symbols."""
    symbols = [symbol for leg in legs if (symbol := leg["symbol"])]
    roots = {contract_root(symbol) or symbol for symbol in symbols}
    return next(iter(roots)) if len(roots) == 1 else " + ".join(dict.fromkeys(symbols)) or None
