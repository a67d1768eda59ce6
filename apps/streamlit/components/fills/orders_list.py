"""The day's orders, each with its events from first to last."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from apps.streamlit.components.fills.list_rows import SHOWN, Row, list_rows, quiet
from options_helper.analysis.fills.day import FillDay
from options_helper.analysis.fills.order_facts import LONG_AGO
from options_helper.analysis.fills.records import OrderEvent, OrderTimeline
from options_helper.analysis.fills.words import contradiction_words, event_detail, order_name, order_price
from options_helper.analysis.text.order_words import event_words, plain, price_words, side_words
from options_helper.analysis.text.wording import count, format_day_and_time, format_time
from options_helper.times import NEW_YORK, new_york_date

_ENDED = frozenset({"filled", "canceled", "expired", "rejected", "replaced", "done_for_day"})
_TIFS = {"gtc": "GTC", "opg": "at the open", "cls": "at the close", "ioc": "IOC", "fok": "FOK"}


def orders_html(day: FillDay, zone: dt.tzinfo) -> str:
    """Return working and ended orders as two lists, newest change first, with legs under their order."""
    if not day.orders:
        return quiet("No orders yet today.")
    working = [order for order in day.orders if _is_working(order)]
    ended = [order for order in day.orders if not _is_working(order)]
    lists = (("Working", working[:SHOWN]), ("Ended", ended[: max(SHOWN - len(working), 0)]))
    html = ""
    for label, orders in lists:
        rows = (row for order in orders for row in _rows(order, day.day, zone))
        html += quiet(label) + list_rows(f"{label} orders", rows) if orders else ""
    unlisted = len(day.orders) - sum(len(orders) for _, orders in lists)
    return html + quiet(f"{count(unlisted, 'older order')} not listed." if unlisted else "")


def _is_working(order: OrderTimeline) -> bool:
    """Return whether an order, or a leg of it, may still be filled today."""
    return any(status not in _ENDED for status in (order.status, *(leg.status for leg in order.legs)))


def _rows(order: OrderTimeline, day: dt.date, zone: dt.tzinfo) -> Iterator[Row]:
    yield Row(
        _time(order.changed_at, day, zone),
        order_name(order),
        event_words(order.status),
        _details(order),
        hover=order.symbol,
    )
    for leg in order.legs:
        status = event_words(leg.status)
        yield Row("", order_name(leg), status, _leg_details(leg), hover=leg.symbol, classes="oh-leg")


def _time(at: dt.datetime, day: dt.date, zone: dt.tzinfo) -> str:
    """Return the time, with its day if it is on a different date in New York; a dash if it is unknown."""
    if at == LONG_AGO:
        return "\N{EM DASH}"
    if new_york_date(at) == day:
        return format_time(at, zone)
    # In the reader's zone it may still be the same date.
    return format_day_and_time(at, dt.datetime.combine(day, dt.time(12), NEW_YORK), zone)


def _details(order: OrderTimeline) -> str:
    average = order_price(order, order.average_price)
    parts = [
        _terms(order),
        f"{plain(order.filled)} filled" if order.filled else "",
        f"avg {average}" if order.filled and order.average_price is not None else "",
        _course(order),
        contradiction_words(order),
    ]
    return " · ".join(part for part in parts if part)


def _leg_details(leg: OrderTimeline) -> str:
    filled = f"{plain(leg.filled)} filled" if leg.filled else ""
    parts = (_terms(leg), filled, leg.reject_reason, contradiction_words(leg))
    return " · ".join(part for part in parts if part)


def _terms(order: OrderTimeline) -> str:
    """Return an order's own terms: `buy to open 5 limit 1.65 day`, `buy for $250.75 market day`."""
    words = [
        side_words(order.side, order.intent) if order.side or order.intent else "",
        plain(order.quantity) if order.quantity is not None else "",
        f"for ${price_words(order.notional)}" if order.notional is not None else "",
        event_words(order.type) if order.type and order.type != "stop" else "",
        order_price(order, order.limit_price) if order.limit_price is not None else "",
        f"stop {price_words(order.stop_price)}" if order.stop_price is not None else "",
        f"trail ${price_words(order.trail_price)}" if order.trail_price is not None else "",
        f"trail {plain(order.trail_percent)}%" if order.trail_percent is not None else "",
        _TIFS.get(order.tif or "", event_words(order.tif)) if order.tif else "",
        "extended hours" if order.extended_hours else "",
    ]
    return " ".join(word for word in words if word)


def _course(order: OrderTimeline) -> str:
    """Return an order's events, `new → replaced (limit 1.60 → 1.65) → fill (4 @ 1.65)`, and reject reason."""
    steps_words = " → ".join(_step(step, order) for step in order.steps)
    is_named = not order.reject_reason or order.reject_reason in steps_words
    return steps_words if is_named else f"{steps_words} · {order.reject_reason}"


def _step(step: OrderEvent, order: OrderTimeline) -> str:
    # The terms of a new order are already listed before its steps.
    detail = "" if step.event == "new" else event_detail(step, order)
    return f"{event_words(step.event)} ({detail})" if detail else event_words(step.event)
