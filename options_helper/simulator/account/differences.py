"""The differences between the demo's account and its portfolio file, one of each kind."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import partial

from options_helper.simulator.account.order_desk import OrderDesk
from options_helper.simulator.account.orders import to_cents
from options_helper.simulator.market.contracts import Contract, contract_symbol, parse_contract
from options_helper.simulator.market.market import Market
from options_helper.simulator.wire import Nanoseconds

ASSIGNED_AFTER_STEPS = 60  # of the order flow: half a minute after the start
_HOUR = 3_600_000_000_000
_SPLIT_DAYS_AGO = 4


class Differences:
    """Trades that are missing in the demo's file, and one assignment during the session.

    Args:
        desk: The account's orders.
        market: The source of prices.
        declare_split: Declares a stock's split into a number of shares, a few days ago.
    """

    def __init__(
        self, desk: OrderDesk, market: Market, declare_split: Callable[[str, int, dt.timedelta], None]
    ) -> None:
        self._desk, self._market, self._declare_split = desk, market, declare_split
        self._steps = 0

    def make(self) -> None:
        """Make one trade or event of each kind, dated on earlier days and earlier today."""
        longs, shorts = list(self._held(1)), list(self._held(-1))
        shares = next((one for one, _, _ in self._desk.positions if parse_contract(one) is None), None)
        if shares is not None:
            self._declare_split(shares, 2, dt.timedelta(days=_SPLIT_DAYS_AGO))
        if shorts and (contract := parse_contract(shorts[0])):
            self._trade(self._neighbour(contract), "buy", 2, days_ago=2)
        if len(shorts) > 1 and (contract := parse_contract(shorts[-1])):
            terms = contract.symbol.removeprefix(contract.root)
            self._desk.positions.adjust(contract.symbol, f"{contract.root}1{terms}")
        for symbol, expiry in list(self._expired()):
            with self._days_ago((self._market.today - expiry).days):
                self._desk.events.settle("OPEXP", symbol, int(abs(self._desk.positions.quantity(symbol))))
        calls = [one for one in longs if (c := parse_contract(one)) and c.is_call]
        if len(calls) > 1:
            with self._days_ago(1):
                self._desk.events.settle("OPEXC", calls[-1], int(self._desk.positions.quantity(calls[-1])))
        if longs and self._desk.positions.quantity(longs[0]) > 1:
            self._trade(longs[0], "sell", 1, days_ago=0)

    def step(self) -> None:
        """Count a step; after `ASSIGNED_AFTER_STEPS`, assign a short put once."""
        self._steps += 1
        if self._steps == ASSIGNED_AFTER_STEPS:
            puts = (
                one for one in self._held(-1) if (c := parse_contract(one)) and not (c.is_call or c.adjusted)
            )
            put = next(puts, None)
            if put is not None:
                self._desk.events.settle("OPASN", put, 1)

    def _held(self, sign: int) -> Iterator[str]:
        """Yield the held contracts of one side, the largest holdings first."""
        held = [
            (abs(quantity), one)
            for one, quantity, _ in self._desk.positions
            if quantity * sign > 0 and (c := parse_contract(one)) and c.expiry >= self._market.today
        ]
        return (one for _, one in sorted(held, key=lambda row: -row[0]))

    def _expired(self) -> Iterator[tuple[str, dt.date]]:
        """Yield the held contracts that have expired."""
        for symbol, _, _ in self._desk.positions:
            contract = parse_contract(symbol)
            if contract is not None and contract.expiry < self._market.today:
                yield symbol, contract.expiry

    def _neighbour(self, contract: Contract) -> str:
        """Return the contract one strike away, which no position in the file holds."""
        step = Decimal(5) if contract.is_call else Decimal(-5)
        strike = Decimal(str(contract.strike)) + step
        return contract_symbol(
            contract.root, contract.expiry, "call" if contract.is_call else "put", float(strike)
        )

    def _trade(self, symbol: str, side: str, quantity: int, *, days_ago: int) -> None:
        price = self._market.trade_price(symbol)
        if price is None:
            return
        with self._days_ago(days_ago):
            order = self._desk.place(symbol, side, quantity, limit_price=to_cents(price))
            self._desk.fill(order, prices=[to_cents(price)])

    @contextmanager
    def _days_ago(self, days: int) -> Iterator[None]:
        """Set the account's clock back by a number of days and a minute while the context lasts."""
        before = Nanoseconds.now() - 24 * days * _HOUR - _HOUR // 60
        clock: Callable[[], Nanoseconds] = self._desk.clock
        self._desk.clock = partial(Nanoseconds, before)
        yield
        self._desk.clock = clock
