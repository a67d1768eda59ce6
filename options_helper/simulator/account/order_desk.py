"""The simulated account's orders: one method per change, recorded in the ledger and sent to a listener."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from options_helper.simulator.account.events import AccountEvents
from options_helper.simulator.account.ledger import Ledger
from options_helper.simulator.account.orders import (
    ZERO,
    Execution,
    LegRequest,
    Order,
    execution_fields,
    net_price,
    order_row,
    text_of,
)
from options_helper.simulator.account.positions import Positions
from options_helper.simulator.wire import JsonObject, Nanoseconds

_ACCEPTANCE = 6_000_000  # nanoseconds from "pending_new" to "new", as recorded


class OrderDesk:
    """The orders of one account; not thread-safe, used only on the simulator's loop.

    Args:
        seed: The seed of the identifiers.
        on_update: Called with every trade update, in order.
        held: The holdings before the first order: signed quantity and entry price by symbol.
        clock: Returns the time of events.
    """

    def __init__(
        self,
        seed: int,
        on_update: Callable[[JsonObject], None],
        *,
        held: Mapping[str, tuple[float, float]] | None = None,
        clock: Callable[[], Nanoseconds] = Nanoseconds.now,
    ) -> None:
        self._random = random.Random(f"{seed} orders")  # noqa: S311 - a simulation, not a secret
        self._on_update = on_update
        self.clock = clock
        self.orders: dict[str, Order] = {}
        self.executions: list[Execution] = []
        self.positions = Positions(held or {})
        self.events = AccountEvents(
            self.positions,
            lambda: self.clock(),  # noqa: PLW0108 - the clock is replaced for events on earlier days
            self._identifier,
        )

    def ledger(self) -> Ledger:
        """Return a copy of all executions and orders."""
        return Ledger(tuple(self.executions), tuple(replace(order) for order in self.orders.values()))

    def place(
        self,
        symbol: str,
        side: str,
        qty: int | Decimal,
        *,
        limit_price: Decimal | None = None,
        intent: str = "",
        replaces: str | None = None,
    ) -> Order:
        """Place a single order."""
        order = self.create(
            symbol, side, Decimal(qty), limit_price, intent or self.positions.intent(symbol, side)
        )
        order.replaces = replaces
        self.announce(order, execution_id=self._identifier())
        return order

    def place_multileg(
        self, legs: Sequence[LegRequest], qty: int, *, limit_price: Decimal | None = None
    ) -> Order:
        """Place a multi-leg order; its limit is net, positive for a debit."""
        parent = self.create("", "", Decimal(qty), limit_price, "", order_class="mleg")
        for request in legs:
            intent = request.intent or self.positions.intent(request.symbol, request.side)
            leg = self.create(
                request.symbol, request.side, Decimal(qty * request.ratio), None, intent, order_class="mleg"
            )
            leg.ratio, leg.parent = request.ratio, parent
            parent.legs.append(leg)
        self.announce(parent)
        return parent

    def fill(self, order: Order, qty: int | Decimal | None = None, prices: Sequence[Decimal] = ()) -> None:
        """Fill all or part of the remaining quantity; a multi-leg order fills at its legs' prices.

        The update of a multi-leg order lists one execution per leg and none of its own. When the entry of a
        bracket has filled, its take-profit begins to work; when one of its legs has filled, the other is
        canceled.

        Raises:
            ValueError: The order is closed, or the quantity exceeds the remaining one.
        """
        count = order.remaining if qty is None else Decimal(qty)
        if order.closed or not ZERO < count <= order.remaining:
            raise ValueError(f"cannot fill {count} of {order.remaining} remaining, status {order.status}")
        at = self.clock()
        parts = order.legs if order.is_spread else [order]
        executed = [
            self._execute(part, count * (part.ratio or 1), price, at)
            for part, price in zip(parts, prices, strict=True)
        ]
        net = net_price(order, prices) if order.is_spread else executed[0].price
        if order.is_spread:
            order.count(count, net, at)
        event = "partial_fill" if order.remaining else "fill"
        self._report(
            event, order, at, price=text_of(net), qty=text_of(count), **execution_fields(order, executed)
        )
        if order.order_class == "bracket" and not order.remaining:
            self._continue_bracket(order)

    def _continue_bracket(self, filled: Order) -> None:
        """Activate the take-profit of a filled entry; cancel the other leg once one has filled."""
        if filled.parent is None:
            self.send_event("new", filled.legs[0], "new")
            return
        for other in filled.parent.legs:
            if not other.closed:
                self.close(other, "canceled")

    def close(self, order: Order, status: str, *, reason: str | None = None) -> None:
        """End an order as "canceled", "expired", "rejected" or "done_for_day"."""
        time_field = {"canceled": "canceled_at", "expired": "expired_at", "rejected": "failed_at"}.get(status)
        at = self.clock()
        for part in (order, *order.legs):
            part.status, part.updated_at = status, at
            if time_field:
                part.times[time_field] = at
        extra = {} if reason is None else {"reason": reason}
        self._report(status, order, at, **extra)

    def replace(self, order: Order, *, qty: int | Decimal, limit_price: Decimal | None) -> Order:
        """Replace a single order with a new, unfilled one for `qty`."""
        at = self.clock()
        order.status, order.updated_at = "replaced", at
        order.times["replaced_at"] = at
        successor = self.create(order.symbol, order.side, Decimal(qty), limit_price, order.intent)
        successor.replaces, order.replaced_by = order.id, successor.id
        self._report("replaced", order, at)
        self._report("new", successor, execution_id=self._identifier())
        return successor

    def bust(self, execution_id: str) -> None:
        """Bust an execution of a single order or of one leg; a leg's bust is reported on its parent."""
        index, execution, order = self._find(execution_id)
        order.filled_qty -= execution.qty
        order.spent -= execution.qty * execution.price
        self._move(order, -execution.qty, execution.price)
        order.status = "partially_filled" if order.filled_qty else "new"
        self.executions[index] = replace(execution, busted=True)
        # Alpaca reports the busted quantity as a negative number.
        qty = text_of(-execution.qty)
        self._tell_of_past("trade_bust", execution, order, qty=qty, reason="TRADE_BUST")

    def correct(self, execution_id: str, price: Decimal) -> None:
        """Correct the price of an execution of a single order or of one leg."""
        index, execution, order = self._find(execution_id)
        order.spent += execution.qty * (price - execution.price)
        corrected = replace(execution, price=price)
        self.executions[index] = corrected
        self._tell_of_past("trade_correct", corrected, order)

    def send_event(self, event: str, order: Order, status: str | None = None) -> None:
        """Send any event of an order, known to Alpaca or not, with any status."""
        if status is not None:
            order.status = status
        self._report(event, order)

    def _find(self, execution_id: str) -> tuple[int, Execution, Order]:
        for index, execution in enumerate(self.executions):
            if execution.execution_id == execution_id:
                return index, execution, self.orders[execution.order_id]
        raise KeyError(execution_id)

    def _tell_of_past(self, event: str, execution: Execution, order: Order, **extra: str | None) -> None:
        order.updated_at = self.clock()
        self._report(
            event,
            order.parent if order.is_spread and order.parent else order,
            execution_id=self._identifier(),
            previous_execution_id=execution.execution_id,
            price=text_of(execution.price),
            position_qty=text_of(self.positions.quantity(order.symbol)),
            **{"qty": text_of(execution.qty), **extra},
        )

    def create(
        self,
        symbol: str,
        side: str,
        qty: Decimal,
        limit_price: Decimal | None,
        intent: str,
        *,
        order_class: str = "simple",
    ) -> Order:
        """Return a new order without reporting it."""
        at = self.clock()
        order = Order(
            id=self._identifier(),
            client_order_id=self._identifier(),
            symbol=symbol,
            side=side,
            intent=intent,
            qty=qty,
            type="market" if limit_price is None else "limit",
            limit_price=limit_price,
            time_in_force="day",
            order_class=order_class,
            created_at=at,
            updated_at=at,
        )
        self.orders[order.id] = order
        return order

    def _execute(self, order: Order, qty: Decimal, price: Decimal, at: Nanoseconds) -> Execution:
        order.count(qty, price, at)
        execution = Execution(
            execution_id=self._identifier(),
            activity_id=f"{at.to_new_york():%Y%m%d%H%M%S}{at // 1_000_000 % 1000:03d}::{self._identifier()}",
            order_id=order.id,
            parent_id=order.parent.id if order.parent else None,
            symbol=order.symbol,
            side=order.side,
            intent=order.intent,
            qty=qty,
            price=price,
            cumulative=order.filled_qty,
            remaining=order.remaining,
            position_after=self._move(order, qty, price),
            order_status=order.status,
            kind="partial_fill" if order.remaining else "fill",
            at=at,
        )
        self.executions.append(execution)
        return execution

    def _move(self, order: Order, qty: Decimal, price: Decimal) -> Decimal:
        return self.positions.move(order.symbol, qty if order.side == "buy" else -qty, price)

    def announce(self, order: Order, **extra: object) -> None:
        """Report "pending_new", and "new", which Alpaca dates 6 ms later."""
        accepted_at, parts = self.clock(), [order, *(order.legs if order.is_spread else ())]
        for part in parts:
            part.created_at = part.updated_at = Nanoseconds(accepted_at - _ACCEPTANCE)
            part.status = "pending_new"
        self._report("pending_new", order, order.created_at)
        for part in parts:
            part.updated_at, part.status = accepted_at, "new"
        self._report("new", order, accepted_at, **extra)

    def _identifier(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def _report(self, event: str, order: Order, at: Nanoseconds | None = None, /, **extra: object) -> None:
        update: Mapping[str, object] = {
            "event": event,
            "timestamp": (at or self.clock()).to_text(),
            "order": order_row(order, streamed=True),
            **extra,
        }
        self._on_update(dict(update))
