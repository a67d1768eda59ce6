"""Orders as a trader might place them: a seeded sequence of short scripts, played step by step."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from decimal import Decimal

from options_helper.simulator.account.order_desk import OrderDesk
from options_helper.simulator.account.orders import LegRequest, Order, to_cents
from options_helper.simulator.market.contracts import parse_contract
from options_helper.simulator.market.market import Market

# Steps of half a second between scripts: a busy start, then about one fill a minute. After a script without a
# fill, such as a canceled order, the next one follows soon.
_FIRST_PAUSES, _LATER_PAUSES = (2, 6), (80, 160)
_LIVELY_STORIES = 4


class OrderFlow:
    """A player of order scripts, one after another, with pauses; a timer calls `step`.

    Args:
        contracts: Returns the contracts to trade; empty while none are known.
    """

    def __init__(
        self, seed: int, desk: OrderDesk, market: Market, contracts: Callable[[], list[str]]
    ) -> None:
        self._random = random.Random(f"{seed} flow")  # noqa: S311 - a simulation, not a secret
        self._desk = desk
        self._market = market
        self._contracts = contracts
        self._story: Iterator[None] = iter(())
        self._pause = 0
        self._played = 0
        self._executions = 0

    def hurry(self) -> None:
        """End the pause, because a client has begun to listen."""
        self._pause = 0

    def play_past(self, symbol: str) -> None:
        """Place and fill one order at once, at the desk's current time."""
        for _ in self._filled(symbol):
            pass

    def step(self) -> None:
        """Continue the script, or count down the pause before the next one."""
        if self._pause:
            self._pause -= 1
            return
        try:
            next(self._story)
        except StopIteration:
            self._begin()

    def _begin(self) -> None:
        contracts = self._contracts()
        if not contracts:
            return
        executions = len(self._desk.executions)
        if self._played:
            is_lively = self._played < _LIVELY_STORIES or executions == self._executions
            self._pause = self._random.randint(*(_FIRST_PAUSES if is_lively else _LATER_PAUSES))
        self._executions = executions
        self._story = self._choose(contracts)
        self._played += 1
        if not self._pause:
            next(self._story, None)

    def _choose(self, contracts: list[str]) -> Iterator[None]:
        symbol = self._random.choice(contracts)
        stories = (
            (5, self._partly_then_filled),
            (4, self._filled),
            (3, self._spread),
            (2, self._canceled),
            (2, self._replaced),
            (1, self._rejected),
        )
        if not self._played:
            return self._partly_then_filled(symbol)
        weights = [weight for weight, _ in stories]
        return self._random.choices([story for _, story in stories], weights)[0](symbol)

    def _price(self, symbol: str) -> Decimal | None:
        price = self._market.trade_price(symbol)
        return None if price is None else to_cents(price)

    def _place(self, symbol: str, qty: int) -> Order | None:
        price = self._price(symbol)
        sides = self._random.sample(("buy", "sell"), 2)
        # An order either opens or closes, never both.
        side = next(each for each in sides if not self._desk.positions.turns_over(symbol, each, qty))
        return None if price is None else self._desk.place(symbol, side, qty, limit_price=price)

    def _filled(self, symbol: str) -> Iterator[None]:
        order = self._place(symbol, self._random.randint(1, 3))
        if order is None:
            return
        yield
        self._desk.fill(order, prices=[order.limit_price or Decimal(0)])

    def _partly_then_filled(self, symbol: str) -> Iterator[None]:
        order = self._place(symbol, self._random.randint(3, 8))
        if order is None or order.limit_price is None:
            return
        yield
        self._desk.fill(order, self._random.randint(1, int(order.qty) - 1), [order.limit_price])
        yield
        better = Decimal("-0.01") if order.side == "buy" else Decimal("0.01")
        self._desk.fill(order, prices=[max(order.limit_price + better, Decimal("0.01"))])

    def _canceled(self, symbol: str) -> Iterator[None]:
        order = self._place(symbol, self._random.randint(1, 5))
        if order is None:
            return
        yield
        self._desk.send_event("pending_cancel", order, "pending_cancel")
        yield
        self._desk.close(order, "canceled")

    def _rejected(self, symbol: str) -> Iterator[None]:
        order = self._place(symbol, self._random.randint(10, 50))
        if order is None:
            return
        yield
        self._desk.close(order, "rejected")

    def _replaced(self, symbol: str) -> Iterator[None]:
        order = self._place(symbol, self._random.randint(1, 4))
        if order is None or order.limit_price is None:
            return
        yield
        price = order.limit_price + Decimal("0.05")
        successor = self._desk.replace(order, qty=order.qty, limit_price=price)
        yield
        self._desk.fill(successor, prices=[price])

    def _spread(self, symbol: str) -> Iterator[None]:
        other = self._partner(symbol)
        prices = [self._price(one) for one in (symbol, other)] if other else []
        if other is None or None in prices:
            return
        known = [price for price in prices if price is not None]
        sides, qty = self._random.sample(("buy", "sell"), 2), self._random.randint(2, 4)
        legs = [LegRequest(symbol, sides[0]), LegRequest(other, sides[1])]
        if any(self._desk.positions.turns_over(leg.symbol, leg.side, qty) for leg in legs):
            return
        net = sum((p if s == "buy" else -p for p, s in zip(known, sides, strict=True)), Decimal(0))
        order = self._desk.place_multileg(legs, qty, limit_price=net)
        yield
        self._desk.fill(order, 1, known)
        yield
        self._desk.fill(order, prices=known)

    def _partner(self, symbol: str) -> str | None:
        contract = parse_contract(symbol)
        others = [
            other
            for other in self._contracts()
            if contract
            and other != symbol
            and (parsed := parse_contract(other))
            and parsed.underlying == contract.underlying
        ]
        return self._random.choice(others) if others else None
