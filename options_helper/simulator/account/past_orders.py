"""The orders that opened the positions of the demo's account, on earlier days."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import partial

from options_helper.simulator.account.order_desk import OrderDesk
from options_helper.simulator.account.orders import LegRequest, to_cents
from options_helper.simulator.account.portfolio import opening_trades
from options_helper.simulator.market.mid_session import NEW_YORK
from options_helper.simulator.wire import JsonObject, Nanoseconds

_OPENED = dt.time(10, 30)


def open_positions(desk: OrderDesk, portfolio: JsonObject, today: dt.date, *, seed: int) -> None:
    """Open every position of a portfolio on its day."""
    clock = desk.clock
    for position in portfolio["positions"]:
        day = dt.date.fromisoformat(position["opened_at"])
        desk.clock = partial(Nanoseconds, Nanoseconds.of(dt.datetime.combine(day, _OPENED, NEW_YORK)))
        _open(desk, opening_trades(position, today, seed=seed))
    desk.clock = clock


def _open(desk: OrderDesk, trades: list[tuple[str, float, float]]) -> None:
    """Place and fill one multi-leg order, or an order of each part within the same minute.

    A multi-leg order cannot contain shares. A short strangle has two orders too, so that both kinds occur.
    """
    legs = [LegRequest(symbol, "buy" if quantity > 0 else "sell") for symbol, quantity, _ in trades]
    prices = [to_cents(price) for _, _, price in trades]
    sizes = {int(abs(quantity)) for _, quantity, _ in trades}
    if len(sizes) == 1 and len({leg.side for leg in legs}) > 1:
        net = sum((p if leg.side == "buy" else -p for p, leg in zip(prices, legs, strict=True)), Decimal(0))
        desk.fill(desk.place_multileg(legs, sizes.pop(), limit_price=net), prices=prices)
        return
    for leg, (_, quantity, _), price in zip(legs, trades, prices, strict=True):
        order = desk.place(leg.symbol, leg.side, int(abs(quantity)), limit_price=price)
        desk.fill(order, prices=[price])
