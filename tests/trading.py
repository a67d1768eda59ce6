"""A simulator that trades in a thread, and its executions compared with the page's."""

from __future__ import annotations

import threading
from collections import Counter
from decimal import Decimal

from options_helper.analysis.fills.day import FillDay
from options_helper.analysis.fills.records import FillKind
from options_helper.simulator.server import AlpacaSimulator
from options_helper.simulator.wire import Nanoseconds

Executions = Counter[tuple[str, Decimal, Decimal]]  # by order, quantity and price, to the share and the cent


class Trader:
    """Steps the simulator's orders, and its quotes if wanted, in its own thread until it is ended."""

    def __init__(self, simulator: AlpacaSimulator, *, pause: float, ticks: bool) -> None:
        self._simulator, self._pause, self._ticks = simulator, pause, ticks
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._trade)
        self._thread.start()

    def _trade(self) -> None:
        while not self._end.wait(self._pause):
            self._simulator.step_orders()
            if self._ticks:
                self._simulator.tick()

    def end(self) -> None:
        """Stop trading."""
        self._end.set()
        self._thread.join()


def shown_executions(day: FillDay) -> Executions:
    """Return every execution in the page's table."""
    return Counter(
        (one.order_id, Decimal(str(one.quantity)), round(Decimal(str(one.price)), 2))
        for one in day.executions
        if one.kind is not FillKind.PARENT and one.quantity is not None and one.price is not None
    )


def true_executions(simulator: AlpacaSimulator) -> Executions:
    """Return every execution of the current New York day in the simulator's ledger."""
    today = Nanoseconds.now().to_new_york().date()
    return Counter(
        (one.order_id, one.qty, round(one.price, 2))
        for one in simulator.ledger().executions
        if one.at.to_new_york().date() == today
    )
