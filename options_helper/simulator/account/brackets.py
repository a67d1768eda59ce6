"""Bracket orders: an entry, with a take-profit and a stop that are held until the entry has filled."""

from __future__ import annotations

from decimal import Decimal

from options_helper.simulator.account.order_desk import OrderDesk
from options_helper.simulator.account.orders import Order


def place_bracket(
    desk: OrderDesk, symbol: str, side: str, qty: int, *, limit_price: Decimal, stop_price: Decimal
) -> Order:
    """Place a market order with a take-profit limit order and a stop order."""
    intent = desk.positions.intent(symbol, side)
    entry = desk.create(symbol, side, Decimal(qty), None, intent, order_class="bracket")
    away = "sell" if side == "buy" else "buy"
    for kind, limit, stop in (("limit", limit_price, None), ("stop", None, stop_price)):
        leg = desk.create(symbol, away, entry.qty, limit, f"{away}_to_close", order_class="bracket")
        leg.type, leg.stop_price, leg.status, leg.parent = kind, stop, "held", entry
        entry.legs.append(leg)
    for part in (entry, *entry.legs):
        part.time_in_force = "gtc"
    desk.announce(entry)
    return entry
