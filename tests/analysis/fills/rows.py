"""Order updates and REST executions of one trading day, and what a day of fills shows of them."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from options_helper.analysis.fills.day import FillDay
from tests.said import note

NEW_YORK = ZoneInfo("America/New_York")
DAY = dt.date(2026, 11, 20)
CALL = "AAPL261218C00250000"
HIGHER = "AAPL261218C00260000"
OPEN = dt.datetime(2026, 11, 20, 14, 30, tzinfo=dt.UTC)


def at(minutes: float) -> dt.datetime:
    """Minutes after the open."""
    return OPEN + dt.timedelta(minutes=minutes)


def live(event: str, minutes: float, **changes: Any) -> dict[str, Any]:
    """An order update, as the normalizer makes it."""
    return {
        "timestamp": at(minutes),
        "updated_at": at(minutes),
        "event": event,
        "order_id": "o1",
        "symbol": CALL,
        "side": "buy",
        "qty": 5.0,
        "filled_qty": 0.0,
        "filled_avg_price": None,
        "status": event,
        "type": "limit",
        "tif": "day",
        "limit_price": 1.65,
        "order_class": "simple",
        "position_intent": "buy_to_open",
        "submitted_at": at(0),
        "origin": "live",
        **changes,
    }


def filled(minutes: float, total: float, quantity: float, price: float, **changes: Any) -> dict[str, Any]:
    """A live fill of `quantity` which brings the order to `total`."""
    defaults = {
        "filled_qty": total,
        "fill_qty": quantity,
        "fill_price": price,
        "execution_id": f"x{minutes}",
        "position_qty": total,
        "filled_avg_price": price,
        "status": "filled" if total == 5 else "partially_filled",
    }
    return live("fill" if total == 5 else "partial_fill", minutes, **{**defaults, **changes})


def rest(minutes: float, total: float, quantity: float, price: float, **changes: Any) -> dict[str, Any]:
    """A REST fill, as the normalizer makes it."""
    return {
        "timestamp": at(minutes),
        "event": "partial_fill",
        "order_id": "o1",
        "symbol": CALL,
        "side": "buy",
        "qty": 5.0,
        "filled_qty": total,
        "filled_avg_price": None,
        "status": "partially_filled",
        "fill_qty": quantity,
        "fill_price": price,
        "activity_id": f"a{minutes}",
        "origin": "rest",
        **changes,
    }


def shown(fill_day: FillDay) -> list[tuple[Any, ...]]:
    """Quantity, price, filled, source and note of each line."""
    return [(one.quantity, one.price, one.filled, one.source.value, note(one)) for one in fill_day.executions]


def spread(
    event: str, minutes: float, units: float, prices: tuple[float, float], **changes: Any
) -> dict[str, Any]:
    """An update of a credit vertical of two units; `prices` are the legs' averages."""
    status = "filled" if units == 2 else "partially_filled" if units else "new"
    leg = {"qty": 2.0, "ratio_qty": 1.0, "filled_qty": units, "status": status}
    legs = [
        {
            **leg,
            "order_id": "l1",
            "symbol": CALL,
            "side": "sell",
            "position_intent": "sell_to_open",
            "filled_avg_price": prices[0],
        },
        {
            **leg,
            "order_id": "l2",
            "symbol": HIGHER,
            "side": "buy",
            "position_intent": "buy_to_open",
            "filled_avg_price": prices[1],
        },
    ]
    return live(
        event,
        minutes,
        **{
            "order_id": "p",
            "symbol": "AAPL",
            "side": "sell/buy",
            "order_class": "mleg",
            "position_intent": None,
            "limit_price": -1.6,
            "qty": 2.0,
            "filled_qty": units,
            "status": status,
            "legs": legs,
            **changes,
        },
    )
