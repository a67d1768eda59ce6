"""Option events of `GET /v2/account/activities` into the rows of `order_rows`.

Source: Alpaca's "Options Trading Overview" and the schema `NonTradeActivities` of its Trading API.
"""

from __future__ import annotations

import datetime as dt

from options_helper.data.streaming.normalize.values import read, to_identifier, to_number, to_utc, to_word
from options_helper.order_rows import OptionEventRow
from options_helper.times import new_york_date

_EVENT_TYPES = frozenset({"opasn", "opexc", "opexp", "optrd", "opca", "opcsh"})
_MAY_LACK_QUANTITY = frozenset({"opca", "opcsh"})


def is_option_event(activity: object) -> bool:
    """Return whether an activity is an assignment, exercise, expiry or the like, or a share trade of one."""
    return to_word(read(activity, "activity_type")) in _EVENT_TYPES


def normalize_option_event(activity: object) -> OptionEventRow | None:
    """Return an option activity as a row, or None if it cannot be read.

    Corporate actions and cash settlements may come without a quantity; only shares need a price.
    """
    kind, symbol = to_word(read(activity, "activity_type")), to_identifier(read(activity, "symbol"))
    quantity, at = to_number(read(activity, "qty")), to_utc(read(activity, "created_at"))
    date = _to_date(read(activity, "date")) or (new_york_date(at) if at else None)
    name, price = to_identifier(read(activity, "id")), to_number(read(activity, "price"))
    if kind is None or symbol is None or date is None or name is None:
        return None
    if price is None and kind == "optrd":
        return None
    if quantity is None and kind not in _MAY_LACK_QUANTITY:
        return None
    return {
        "activity_id": name,
        "type": kind,
        "subtype": to_identifier(read(activity, "activity_sub_type")),
        "symbol": symbol,
        "qty": quantity,
        "price": price,
        "amount": to_number(read(activity, "net_amount")),
        "date": date,
        "group_id": to_identifier(read(activity, "group_id")),
        "timestamp": at,
    }


def _to_date(value: object) -> dt.date | None:
    try:
        return dt.date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None
