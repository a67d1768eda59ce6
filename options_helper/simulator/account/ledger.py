"""A copy of everything that happened to the simulated account's orders."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from options_helper.simulator.account.orders import ZERO, Execution, Order


@dataclass(frozen=True, slots=True)
class Ledger:
    """Everything that happened, oldest first: what a client's tables are compared with.

    Attributes:
        executions: One per order or leg and fill, busted ones included and marked.
        orders: Parents, single orders and legs, in the order in which they were placed.
    """

    executions: tuple[Execution, ...]
    orders: tuple[Order, ...]

    def filled_quantity(self, order_id: str) -> Decimal:
        """The sum of an order's executions that stand."""
        return sum(
            (one.qty for one in self.executions if one.order_id == order_id and not one.busted), start=ZERO
        )
