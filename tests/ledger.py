"""A small account for tests: it trades at random, and keeps its holdings by average cost on its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from hypothesis import strategies as st

from options_helper.analysis.account.records import AccountHistory, Holding
from options_helper.market import BrokerEvent, BrokerFill, EventKind

BEGAN = dt.datetime(2026, 11, 2, 15, 0, tzinfo=dt.UTC)
OPTIONS = (
    "AAPL261218C00250000",
    "AAPL261218C00260000",
    "AAPL270115P00240000",
    "BRKB261218P00500000",
    "SPXW261218C06000000",
    "CSGP1261218C00100000",
)
SHARES = ("AAPL", "BRK.B")
UNDERLYINGS = {"BRKB": "BRK.B", "AAPL": "AAPL", "SPXW": "SPX", "CSGP1": "CSGP"}
_STOCK_OF = {"AAPL": "AAPL", "BRKB": "BRK.B", "SPXW": "SPX", "CSGP1": "CSGP"}
CENTS = st.integers(1, 3_000).map(lambda cents: Decimal(cents) / 100)
GAPS = st.sampled_from([dt.timedelta(seconds=5), dt.timedelta(minutes=7), dt.timedelta(days=1)])


@dataclass
class Ledger:
    """An account, and everything that has happened to it."""

    now: dt.datetime = BEGAN
    held: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    fills: list[BrokerFill] = field(default_factory=list)
    events: list[BrokerEvent] = field(default_factory=list)
    parents: dict[str, str] = field(default_factory=dict)
    cash: Decimal = Decimal(10_000)

    def quantity(self, symbol: str) -> Decimal:
        """Return a signed quantity, 0 for a symbol that is not held."""
        return self.held.get(symbol, (Decimal(0), Decimal(0)))[0]

    def order(self, legs: Sequence[tuple[str, int | Decimal, Decimal]], *, parts: int = 1) -> None:
        """Fill an order of legs (symbol, signed quantity, price), each in one or two executions."""
        parent = f"m{len(self.fills)}"
        for number, (symbol, quantity, price) in enumerate(legs):
            order_id = f"o{len(self.fills)}-{number}"
            if len(legs) > 1:
                self.parents[order_id] = parent
            first = Decimal(int(quantity)) // 2 if parts > 1 else Decimal(0)
            for part in (first, Decimal(quantity) - first):
                if part:
                    self._fill(symbol, part, price + (Decimal("0.01") if part == first else 0), order_id)

    def settle(self, kind: EventKind, symbol: str, contracts: int, strike: Decimal) -> None:
        """Assign, exercise or expire contracts, and deliver any shares."""
        self._event(kind, symbol, Decimal(-contracts if self.quantity(symbol) > 0 else contracts), None)
        if kind is not EventKind.EXPIRY:
            long = self.events[-1].quantity < 0
            call = symbol[-9] == "C"
            shares = Decimal(100 * contracts * (1 if call == long else -1))
            root = symbol[:-15]
            self._event(EventKind.SHARES, _STOCK_OF[root], shares, strike)

    def receive(self, symbol: str, quantity: int, price: Decimal) -> None:
        """Receive a position from elsewhere, which none of these activities reports."""
        self._move(symbol, Decimal(quantity), price)

    def history(self) -> AccountHistory:
        """Return the account's history as the product reads it."""
        holdings = [
            Holding(symbol=symbol, quantity=quantity, entry_price=price)
            for symbol, (quantity, price) in self.held.items()
            if quantity
        ]
        return AccountHistory(
            holdings=holdings,
            fills=tuple(self.fills),
            events=tuple(self.events),
            cash=self.cash,
            parents=dict(self.parents),
            underlyings=UNDERLYINGS,
        )

    def cost(self) -> Decimal:
        """Return the cost of all holdings by the broker's average, in dollars."""
        return sum(
            (q * p * (100 if len(symbol) > 15 else 1) for symbol, (q, p) in self.held.items()), Decimal(0)
        )

    def _fill(self, symbol: str, quantity: Decimal, price: Decimal, order_id: str) -> None:
        self.fills.append(
            BrokerFill(symbol=symbol, quantity=quantity, price=price, at=self.now, order_id=order_id)
        )
        self._move(symbol, quantity, price)

    def _event(self, kind: EventKind, symbol: str, quantity: Decimal, price: Decimal | None) -> None:
        date = self.now.date()
        self.events.append(BrokerEvent(kind=kind, symbol=symbol, quantity=quantity, date=date, price=price))
        self._move(symbol, quantity, price or Decimal(0))

    def _move(self, symbol: str, change: Decimal, price: Decimal) -> None:
        held, entry = self.held.get(symbol, (Decimal(0), Decimal(0)))
        after = held + change
        if held * change >= 0 and after:
            entry = (abs(held) * entry + abs(change) * price) / abs(after)
        elif held * after < 0:
            entry = price
        self.held[symbol] = after, entry


@st.composite
def ledgers(draw: st.DrawFn, *, steps: int = 8) -> Ledger:
    """Draw an account with a history."""
    ledger = Ledger()
    for _ in range(draw(st.integers(1, steps))):
        trade(draw, ledger)
    return ledger


def trade(draw: st.DrawFn, ledger: Ledger) -> None:
    """Draw one more thing that happens to an account."""
    ledger.now += draw(GAPS)
    doings = (_open, _open_spread, _open_spread, _close, _roll, _assign, _receive)
    draw(st.sampled_from(doings))(draw, ledger)


def _allowed(ledger: Ledger, symbol: str, quantity: int) -> int:
    """Limit a quantity to what is held, because Alpaca refuses an order that closes and opens at once."""
    held = int(ledger.quantity(symbol))
    return quantity if held * quantity >= 0 else max(min(quantity, abs(held)), -abs(held))


def _open(draw: st.DrawFn, ledger: Ledger) -> None:
    symbol = draw(st.sampled_from((*OPTIONS, *SHARES)))
    wanted = draw(st.sampled_from([-3, -1, 1, 2, 100]))
    ledger.order([(symbol, _allowed(ledger, symbol, wanted), draw(CENTS))], parts=draw(st.integers(1, 2)))


def _open_spread(draw: st.DrawFn, ledger: Ledger) -> None:
    symbols = draw(st.sampled_from([OPTIONS[:2], OPTIONS[:3], (OPTIONS[0], OPTIONS[2])]))
    units = draw(st.integers(1, 3))
    legs = [
        (symbol, _allowed(ledger, symbol, units * draw(st.sampled_from([-2, -1, 1]))), draw(CENTS))
        for symbol in symbols
    ]
    ledger.order(legs)


def _close(draw: st.DrawFn, ledger: Ledger) -> None:
    held = [symbol for symbol, (quantity, _) in ledger.held.items() if quantity]
    if held:
        symbol = draw(st.sampled_from(held))
        whole = -ledger.quantity(symbol)
        part = whole if abs(whole) == 1 or draw(st.booleans()) else Decimal(1 if whole > 0 else -1)
        ledger.order([(symbol, part, draw(CENTS))])


def _roll(draw: st.DrawFn, ledger: Ledger) -> None:
    held = [one for one in OPTIONS[:3] if ledger.quantity(one)]
    if held:
        old = draw(st.sampled_from(held))
        new = draw(st.sampled_from([one for one in OPTIONS[:3] if one != old]))
        quantity = int(ledger.quantity(old))
        opened = _allowed(ledger, new, quantity)
        ledger.order([(old, -quantity, draw(CENTS)), (new, opened, draw(CENTS))])


def _assign(draw: st.DrawFn, ledger: Ledger) -> None:
    held = [one for one in OPTIONS[:4] if ledger.quantity(one)]
    if held:
        symbol = draw(st.sampled_from(held))
        short = ledger.quantity(symbol) < 0
        kind = draw(
            st.sampled_from([EventKind.EXPIRY, EventKind.ASSIGNMENT if short else EventKind.EXERCISE])
        )
        ledger.settle(kind, symbol, 1, Decimal(int(symbol[-8:])) / 1000)


def _receive(draw: st.DrawFn, ledger: Ledger) -> None:
    symbol = draw(st.sampled_from((*OPTIONS, *SHARES)))
    ledger.receive(symbol, _allowed(ledger, symbol, draw(st.sampled_from([-2, 3]))), draw(CENTS))
