"""A record of everything that happened to the simulated account's orders."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from options_helper.simulator.account.orders import ZERO, Execution, Order


@dataclass(frozen=True, slots=True)
class Ledger:
    """All executions and orders, oldest first; tests compare a client's tables with them.

    Attributes:
        executions: One for each fill of an order or leg; busted ones are included and marked.
        orders: Parents, single orders and legs, in the order in which they were placed.
    """

    executions: tuple[Execution, ...]
    orders: tuple[Order, ...]

    def filled_quantity(self, order_id: str) -> Decimal:
        """Return the quantity that an order has filled, without busted executions."""
        return sum(
            (one.qty for one in self.executions if one.order_id == order_id and not one.busted), start=ZERO
        )
