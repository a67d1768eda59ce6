"""How the demonstration's account differs from its file: each kind of difference once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial

from options_helper.simulator.account.order_desk import OrderDesk
from options_helper.simulator.account.orders import to_cents
from options_helper.simulator.market.contracts import Contract, contract_symbol, parse_contract
from options_helper.simulator.market.market import Market
from options_helper.simulator.wire import Nanoseconds

ASSIGNED_AFTER_STEPS = 60  # of the order stories: half a minute after the start
_HOUR = 3_600_000_000_000


class Differences:
    """Trades that the demonstration's file does not know, and one assignment during the session.

    Args:
        desk: The account.
        market: Gives the prices.
    """

    def __init__(self, desk: OrderDesk, market: Market) -> None:
        self._desk, self._market = desk, market
        self._steps = 0

    def make(self) -> None:
        """Close and open some positions, on earlier days and earlier today."""
        long, short = (next(self._held(sign), None) for sign in (1, -1))
        shares = next((one for one, quantity, _ in self._desk.positions if parse_contract(one) is None), None)
        if shares is not None:
            self._trade(shares, "sell", int(self._desk.positions.quantity(shares)), days_ago=3)
        if short is not None:
            contract = parse_contract(short)
            if contract is not None:
                self._trade(self._neighbour(contract), "buy", 2, days_ago=2)
        if long is not None and self._desk.positions.quantity(long) > 1:
            self._trade(long, "sell", 1, days_ago=0)

    def step(self) -> None:
        """Assign a short put once, when its time has come."""
        self._steps += 1
        if self._steps == ASSIGNED_AFTER_STEPS:
            puts = (one for one in self._held(-1) if (c := parse_contract(one)) and not c.is_call)
            put = next(puts, None)
            if put is not None:
                self._desk.settle("OPASN", put, 1)

    def _held(self, sign: int) -> Iterator[str]:
        """Yield the held contracts of one side, the largest holdings first."""
        held = [(abs(q), one) for one, q, _ in self._desk.positions if q * sign > 0 and parse_contract(one)]
        return (one for _, one in sorted(held, key=lambda row: -row[0]))

    def _neighbour(self, contract: Contract) -> str:
        """Return the contract one strike further, which no position of the file holds."""
        step = Decimal(5) if contract.is_call else Decimal(-5)
        strike = Decimal(str(contract.strike)) + step
        return contract_symbol(
            contract.root, contract.expiry, "call" if contract.is_call else "put", float(strike)
        )

    def _trade(self, symbol: str, side: str, quantity: int, *, days_ago: int) -> None:
        price = self._market.trade_price(symbol)
        if price is None:
            return
        before = Nanoseconds.now() - 24 * days_ago * _HOUR - _HOUR // 60
        clock: Callable[[], Nanoseconds] = self._desk.clock
        self._desk.clock = partial(Nanoseconds, before)
        order = self._desk.place(symbol, side, quantity, limit_price=to_cents(price))
        self._desk.fill(order, prices=[to_cents(price)])
        self._desk.clock = clock
