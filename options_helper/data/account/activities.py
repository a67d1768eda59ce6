"""Converts rows of `GET /v2/account/activities` to records; a row without a required field is unreadable.

Sources: the schemas `TradingActivities` and `NonTradeActivities` of Alpaca's Trading API, and its "Options
Trading Overview".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

from options_helper.data.values import to_date, to_decimal, to_identifier, to_utc, to_word
from options_helper.market import BrokerEvent, BrokerFill, CashChange, EventKind
from options_helper.times import new_york_date, start_of_day

Activity = BrokerFill | BrokerEvent | CashChange
Row = Mapping[str, object]

FILL, WITHOUT_TYPE = "fill", ""
# No other type changes a position; a row without a type might.
MOVES_POSITIONS = frozenset({FILL, WITHOUT_TYPE, *(kind.value for kind in EventKind)})

_ZERO = Decimal(0)
_EVENTS = {kind.value: kind for kind in EventKind}
_SIGNS = {"buy": 1, "sell": -1, "sell_short": -1}
_SPLIT = "split"
_TRANSFERS = frozenset({"csd", "csw", "csr", "jnl", "jnlc", "acatc", "trans"})
# Any other cash, such as a merger's, pays for securities.
_INCOME = ("div", "int", "fee", "cfee", "ptc", "ptr")
_WITHOUT_QUANTITY = frozenset({EventKind.CORPORATE, EventKind.CASH_SETTLEMENT})
_DIGITS_OF_DATE = 8


def read_activity(row: object) -> Activity | None:
    """Return an execution, an option event or a change in cash; None if the row cannot be read."""
    fields: Row = row if isinstance(row, dict) else {}
    kind, name = kind_of(row), _text(fields, "id")
    if kind == WITHOUT_TYPE or name is None:
        return None
    if kind == FILL:
        return _read_fill(fields, name)
    return _read_event(fields, name, _EVENTS[kind]) if kind in _EVENTS else _read_cash(fields, name, kind)


def kind_of(row: object) -> str:
    """Return the activity type in lower case, or `WITHOUT_TYPE`."""
    return (to_word(row.get("activity_type")) if isinstance(row, dict) else None) or WITHOUT_TYPE


def is_canceled(row: object) -> bool:
    """Return whether Alpaca has canceled an activity; the status of all others is "executed"."""
    return isinstance(row, dict) and to_word(row.get("status")) in {"canceled", "cancelled"}


def date_of(row: object) -> dt.date | None:
    """Return a row's New York date, from its id if it has no other, or None."""
    fields: Row = row if isinstance(row, dict) else {}
    at = to_utc(fields.get("transaction_time"))
    if at is not None:
        return new_york_date(at)
    return to_date(fields.get("date")) or to_date((_text(fields, "id") or "")[:_DIGITS_OF_DATE])


def time_of(activity: Activity) -> dt.datetime:
    """Return when an activity happened; midnight in New York if only its date is known."""
    return activity.at if isinstance(activity, BrokerFill) else start_of_day(activity.date)


def _read_fill(row: Row, name: str) -> BrokerFill | None:
    quantity, price, total = (to_decimal(row.get(one)) for one in ("qty", "price", "cum_qty"))
    symbol, order_id, at = _text(row, "symbol"), _text(row, "order_id"), to_utc(row.get("transaction_time"))
    side = to_word(row.get("side"))
    sign = _SIGNS.get(side or "")
    if not quantity or price is None or at is None or sign is None:
        return None
    if symbol is None or order_id is None or total is None:
        return None
    return BrokerFill(
        symbol=symbol,
        quantity=sign * abs(quantity),
        price=price,
        at=at,
        order_id=order_id,
        activity_id=name,
        total=total,
        left=to_decimal(row.get("leaves_qty")),
        side=side,
        event=to_word(row.get("type")) or FILL,
        status=to_word(row.get("order_status")),
    )


def _read_event(row: Row, name: str, kind: EventKind) -> BrokerEvent | None:
    quantity, symbol = to_decimal(row.get("qty")), _text(row, "symbol")
    booked_at = to_utc(row.get("created_at"))
    date = to_date(row.get("date")) or (None if booked_at is None else new_york_date(booked_at))
    price = to_decimal(row.get("price")) if kind is EventKind.SHARES else None
    if symbol is None or date is None or (quantity is None and kind not in _WITHOUT_QUANTITY):
        return None
    if kind is EventKind.SHARES and price is None:
        return None  # without a price, the shares would seem to cost nothing
    return BrokerEvent(
        kind=kind,
        symbol=symbol,
        quantity=quantity or _ZERO,
        date=date,
        price=price,
        amount=to_decimal(row.get("net_amount")),
        group_id=_text(row, "group_id"),
        activity_id=name,
        booked_at=booked_at,
        subtype=_text(row, "activity_sub_type"),
    )


def _read_cash(row: Row, name: str, kind: str) -> CashChange | None:
    amount, date = to_decimal(row.get("net_amount")), to_date(row.get("date"))
    if kind == _SPLIT:
        amount = _ZERO  # corporate actions report the split
    is_income = kind in _TRANSFERS or kind.startswith(_INCOME)
    # Securities that move without an order would look like a profit.
    moves = bool(amount or to_decimal(row.get("qty"))) and kind != _SPLIT
    if amount is None or date is None or (moves and not is_income):
        return None
    return CashChange(amount=amount, date=date, is_transfer=kind in _TRANSFERS, activity_id=name)


def _text(row: Row, name: str) -> str | None:
    """Return a field that is text and not empty, or None; an id or symbol is never a number."""
    value = row.get(name)
    return to_identifier(value) if isinstance(value, str) else None
