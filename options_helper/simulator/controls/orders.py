"""Controls of a running simulator's orders, usable from any thread."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial

from options_helper.simulator.account.brackets import place_bracket
from options_helper.simulator.account.orders import LegRequest, Order, asset_id, to_cents
from options_helper.simulator.controls.controls import Controls
from options_helper.simulator.wire import Nanoseconds


class OrderControls(Controls):
    """Orders and executions besides those of the seeded scripts; methods take and return identifiers."""

    def place_order(
        self, symbol: str, side: str = "buy", qty: int = 1, *, limit_price: float | None = None
    ) -> str:
        """Place a single order and return its identifier."""
        limit = None if limit_price is None else to_cents(limit_price)
        return self.call(lambda: self._world.desk.place(symbol, side, qty, limit_price=limit).id)

    def place_multileg_order(
        self, legs: Sequence[LegRequest], qty: int = 1, *, limit_price: float | None = None
    ) -> str:
        """Place a multi-leg order and return the parent's identifier."""
        limit = None if limit_price is None else to_cents(limit_price)
        return self.call(lambda: self._world.desk.place_multileg(legs, qty, limit_price=limit).id)

    def place_bracket(
        self, symbol: str, side: str = "buy", qty: int = 1, *, limit_price: float, stop_price: float
    ) -> str:
        """Place a market order with a take-profit and a stop, and return its identifier."""
        limit, stop = to_cents(limit_price), to_cents(stop_price)
        desk = self._world.desk
        return self.call(
            lambda: place_bracket(desk, symbol, side, qty, limit_price=limit, stop_price=stop).id
        )

    def fill(
        self, order_id: str, qty: int | None = None, prices: float | Sequence[float] | None = None
    ) -> str:
        """Fill all or part of the remaining quantity, at given or market prices; return the execution id."""

        def execute() -> str:
            order = self._world.desk.orders[order_id]
            self._world.desk.fill(order, qty, self._prices(order, prices))
            return self._world.desk.executions[-1].execution_id

        return self.call(execute)

    def _prices(self, order: Order, prices: float | Sequence[float] | None) -> list[Decimal]:
        if isinstance(prices, int | float):
            return [to_cents(prices)]
        if prices is not None:
            return [to_cents(price) for price in prices]
        found = [
            self._world.market.trade_price(part.symbol)
            for part in (order.legs if order.is_spread else [order])
        ]
        return [to_cents(0 if price is None else price) for price in found]

    def declare_split(self, symbol: str, new: int, old: int, ex_date: dt.date) -> None:
        """Announce a stock split, and apply it to the holdings and the price."""
        self.call(lambda: self._world.declare_split(symbol, new, old, ex_date))

    def declare_dividend(self, symbol: str, rate: float, ex_date: dt.date) -> None:
        """Announce a cash dividend in dollars per share."""
        row = {
            "id": asset_id(f"{symbol} dividend {ex_date}"),
            "symbol": symbol,
            "rate": rate,
            "special": False,
            "foreign": False,
            "process_date": ex_date.isoformat(),
            "ex_date": ex_date.isoformat(),
            "record_date": ex_date.isoformat(),
        }
        self.call(lambda: self._world.dividends.append(row))

    def set_order_time(self, at: dt.datetime | None) -> None:
        """Date orders, executions and events at a time in the past, or at the current time again for None."""
        clock = Nanoseconds.now if at is None else partial(Nanoseconds.of, at)
        self.call(lambda: setattr(self._world.desk, "clock", clock))

    def fill_now(self, symbol: str, side: str = "buy", qty: int = 1, price: float | None = None) -> str:
        """Place a single order, fill it at once, and return its identifier."""
        order_id = self.place_order(symbol, side, qty)
        self.fill(order_id, prices=price)
        return order_id

    def close_order(self, order_id: str, status: str = "canceled", *, reason: str | None = None) -> None:
        """End an order as "canceled", "expired", "rejected" or "done_for_day"."""
        self.call(lambda: self._world.desk.close(self._world.desk.orders[order_id], status, reason=reason))

    def replace_order(self, order_id: str, *, qty: int, limit_price: float | None = None) -> str:
        """Replace a single order and return the new order's identifier."""
        limit = None if limit_price is None else to_cents(limit_price)
        return self.call(
            lambda: self._world.desk.replace(self._world.desk.orders[order_id], qty=qty, limit_price=limit).id
        )

    def step_orders(self, steps: int = 1) -> None:
        """Advance the order scripts by a number of steps, as their timer does."""

        def move() -> None:
            for _ in range(steps):
                self._world.flow.step()

        self.call(move)

    def bust(self, execution_id: str) -> None:
        """Bust an execution of a single order or of one leg."""
        self.call(lambda: self._world.desk.bust(execution_id))

    def correct(self, execution_id: str, price: float) -> None:
        """Correct the price of an execution of a single order or of one leg."""
        self.call(lambda: self._world.desk.correct(execution_id, to_cents(price)))

    def settle(self, kind: str, symbol: str, qty: int = 1) -> None:
        """Assign ("OPASN"), exercise ("OPEXC") or expire ("OPEXP") contracts of the account."""
        self.call(lambda: self._world.desk.events.settle(kind, symbol, qty))

    def move_cash(self, kind: str, amount: float) -> None:
        """Record a fee, a dividend, interest, a deposit or a withdrawal; the amount is negative if paid."""
        self.call(lambda: self._world.desk.events.move_cash(kind, to_cents(amount)))

    def send_event(self, order_id: str, event: str, *, status: str | None = None) -> None:
        """Send an event of an order with any name and any status, known to Alpaca or not."""
        self.call(lambda: self._world.desk.send_event(event, self._world.desk.orders[order_id], status))

    def send_update(self, data: Mapping[str, object] | None) -> None:
        """Send arbitrary data, even None, in place of an order update."""
        self.call(lambda: self._world.send_update(data))

    def add_history(self, count: int, *, symbols: Sequence[str] = (), hours: float = 1.0) -> None:
        """Fill many orders at once, with times spread over the last hours of the New York day."""
        self.call(lambda: self._world.add_history(count, symbols=symbols, hours=hours))
