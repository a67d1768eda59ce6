"""What a test or a demonstration can do with a running simulator, from any thread."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, TypeVar

from options_helper.simulator.burst import BurstResult, send_burst
from options_helper.simulator.data_messages import status_message
from options_helper.simulator.data_stream import DataConnection
from options_helper.simulator.market import PricedQuote
from options_helper.simulator.orders import LegRequest, Order, to_cents
from options_helper.simulator.wire import Message, Nanoseconds, error

if TYPE_CHECKING:
    import concurrent.futures
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from decimal import Decimal

    from options_helper.simulator.connection import Connection
    from options_helper.simulator.faults import Faults
    from options_helper.simulator.order_book import Ledger
    from options_helper.simulator.world import World

Result = TypeVar("Result")

_CALL_TIMEOUT_SECONDS = 10.0
_POLL_SECONDS = 0.005


class Controls:
    """The handles of a running simulator; every one is safe to use from any thread.

    Stream names are "stocks", "options" and "fills".
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def faults(self) -> Faults:
        """How it misbehaves."""
        return self._world.faults

    @property
    def open_connections(self) -> dict[str, int]:
        """Connections by stream, hanging handshakes included."""
        return dict(self._world.open_connections)

    @property
    def connections_total(self) -> dict[str, int]:
        """Connections ever made, by stream."""
        return {stream: len(times) for stream, times in self._world.connection_times.items()}

    @property
    def connection_times(self) -> dict[str, list[float]]:
        """When each connection was made, in seconds of `time.monotonic`, by stream."""
        return {stream: list(times) for stream, times in self._world.connection_times.items()}

    @property
    def methods_seen(self) -> dict[str, int]:
        """How often each HTTP method was received, upgrades included."""
        return dict(self._world.methods_seen)

    @property
    def requests(self) -> list[tuple[str, str]]:
        """Every request received: its method, and its path with the query."""
        return list(self._world.requests)

    def subscriptions(self, stream: str) -> dict[str, list[str]]:
        """What the clients of a data stream are subscribed to, by channel."""

        def collect() -> dict[str, list[str]]:
            found: dict[str, list[str]] = {}
            for one in self._on(stream):
                if isinstance(one, DataConnection):
                    for channel, symbols in one.subscriptions.items():
                        found.setdefault(channel, []).extend(symbols)
            return found

        return self.call(collect)

    def ledger(self) -> Ledger:
        """Every execution and order so far, exactly."""
        return self.call(self._world.book.ledger)

    @staticmethod
    def wait_for(condition: Callable[[], object], timeout: float = 5.0) -> None:
        """Wait until a condition holds.

        Raises:
            TimeoutError: It did not within `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{condition} did not hold within {timeout} s")
            time.sleep(_POLL_SECONDS)

    def call(self, function: Callable[[], Result]) -> Result:
        """Run a function on the simulator's loop and wait for its result."""

        async def run() -> Result:
            return function()

        return self._run(run(), _CALL_TIMEOUT_SECONDS)

    def _run(self, coroutine: Awaitable[Result], timeout: float | None) -> Result:
        if self._loop is None:
            raise RuntimeError("the simulator is not running")
        future: concurrent.futures.Future[Result] = asyncio.run_coroutine_threadsafe(
            _awaited(coroutine), self._loop
        )
        return future.result(timeout)

    def _on(self, stream: str) -> list[Connection]:
        return [one for one in self._world.connections if one.stream == stream and one.is_open]

    # Transport

    def send_raw(self, stream: str, payload: bytes | str) -> None:
        """Send one frame as it is: text for a string, else binary."""

        def send() -> None:
            data = payload.encode() if isinstance(payload, str) else payload
            for connection in self._on(stream):
                connection.send(data, text=isinstance(payload, str))

        self.call(send)

    def send_messages(self, stream: str, messages: list[Message]) -> None:
        """Send messages in one frame and the connection's codec, subscribed or not."""

        def send() -> None:
            for connection in self._on(stream):
                if isinstance(connection, DataConnection):
                    connection.send_messages(messages)

        self.call(send)

    def send_error(self, stream: str, code: int, *, drop: str | None = None) -> None:
        """Send an error such as 407 or 500 on a data stream, and drop the connection after it if asked."""
        self.send_messages(stream, error(code))
        if drop is not None:
            self.drop(stream, drop)

    def drop(self, stream: str, how: str = "reset", *, code: int = 1001) -> int:
        """End a stream's connections: "reset", "fin" or "close" with a code; gives how many there were."""

        def end() -> int:
            connections = self._on(stream)
            for connection in connections:
                connection.drop(how, code=code)
            return len(connections)

        return self.call(end)

    def burst(
        self,
        stream: str,
        count: int,
        *,
        per_frame: int = 10,
        symbols: Sequence[str] = (),
        rate: float | None = None,
    ) -> BurstResult:
        """Send quotes to a data stream as fast as its socket takes them, or at a rate per second.

        The last quote of each symbol is its own, so that a client can be asked whether it shows it; by
        default the symbols are those subscribed.
        """
        return self._run(
            send_burst(self._world, stream, count, per_frame=per_frame, symbols=symbols, rate=rate), None
        )

    # Market

    def tick(self, steps: int = 1) -> None:
        """Move the market by some steps, as its timer does."""

        def move() -> None:
            for _ in range(steps):
                self._world.tick()

        self.call(move)

    def push_quote(
        self,
        symbol: str,
        bid: float,
        ask: float,
        *,
        bid_size: int = 10,
        ask_size: int = 10,
        at: Nanoseconds | None = None,
    ) -> None:
        """Send a quote to whoever is subscribed; REST gives it as the latest."""
        quote = PricedQuote(bid, ask, bid_size, ask_size)

        def push() -> None:
            self._world.publish([self._world.tape.push_quote(symbol, quote, at or Nanoseconds.now())])

        self.call(push)

    def push_trade(self, symbol: str, price: float, size: int = 1, *, at: Nanoseconds | None = None) -> None:
        """Send a trade to whoever is subscribed; REST gives it as the latest."""

        def push() -> None:
            self._world.publish([self._world.tape.push_trade(symbol, price, size, at or Nanoseconds.now())])

        self.call(push)

    def push_status(self, symbol: str, code: str = "H", text: str = "Halted", reason: str = "T1") -> None:
        """Send a trading status of a stock: "H" halts, "T" resumes."""
        self.call(
            lambda: self._world.publish([status_message(symbol, code, text, reason, Nanoseconds.now())])
        )

    def pin_price(self, underlying: str, price: float) -> None:
        """Hold an underlying's price, and so its options', from now on."""
        self.call(lambda: self._world.market.pin(underlying, price))

    # Orders: identifiers go in and out

    def place_order(
        self, symbol: str, side: str = "buy", qty: int = 1, *, limit_price: float | None = None
    ) -> str:
        """Place a single order; its identifier."""
        limit = None if limit_price is None else to_cents(limit_price)
        return self.call(lambda: self._world.book.place(symbol, side, qty, limit_price=limit).id)

    def place_multileg_order(
        self, legs: Sequence[LegRequest], qty: int = 1, *, limit_price: float | None = None
    ) -> str:
        """Place a multi-leg order; its parent's identifier."""
        limit = None if limit_price is None else to_cents(limit_price)
        return self.call(lambda: self._world.book.place_multileg(legs, qty, limit_price=limit).id)

    def fill(
        self, order_id: str, qty: int | None = None, prices: float | Sequence[float] | None = None
    ) -> str:
        """Execute some or all of what remains, at given prices or the market's; the execution's id."""

        def execute() -> str:
            order = self._world.book.orders[order_id]
            self._world.book.fill(order, qty, self._prices(order, prices))
            return self._world.book.executions[-1].execution_id

        return self.call(execute)

    def _prices(self, order: Order, prices: float | Sequence[float] | None) -> list[Decimal]:
        if isinstance(prices, int | float):
            return [to_cents(prices)]
        if prices is not None:
            return [to_cents(price) for price in prices]
        found = [self._world.market.trade_price(part.symbol) for part in order.legs or [order]]
        return [to_cents(0 if price is None else price) for price in found]

    def fill_now(self, symbol: str, side: str = "buy", qty: int = 1, price: float | None = None) -> str:
        """Place a single order and fill it at once; the order's identifier."""
        order_id = self.place_order(symbol, side, qty)
        self.fill(order_id, prices=price)
        return order_id

    def close_order(self, order_id: str, status: str = "canceled", *, reason: str | None = None) -> None:
        """End an order as "canceled", "expired", "rejected" or "done_for_day"."""
        self.call(lambda: self._world.book.close(self._world.book.orders[order_id], status, reason=reason))

    def replace_order(self, order_id: str, *, qty: int, limit_price: float | None = None) -> str:
        """Replace a single order; the new order's identifier."""
        limit = None if limit_price is None else to_cents(limit_price)
        return self.call(
            lambda: self._world.book.replace(self._world.book.orders[order_id], qty=qty, limit_price=limit).id
        )

    def bust(self, execution_id: str) -> None:
        """Undo a single order's execution."""
        self.call(lambda: self._world.book.bust(execution_id))

    def correct(self, execution_id: str, price: float) -> None:
        """Change the price of a single order's execution."""
        self.call(lambda: self._world.book.correct(execution_id, to_cents(price)))

    def send_event(self, order_id: str, event: str, *, status: str | None = None) -> None:
        """Send any event of an order, known to Alpaca or not, under any status."""
        self.call(lambda: self._world.book.tell(event, self._world.book.orders[order_id], status))

    def send_update(self, data: Mapping[str, object] | None) -> None:
        """Send anything, None included, where an order update would be."""
        self.call(lambda: self._world.send_update(data))


async def _awaited(awaitable: Awaitable[Result]) -> Result:
    return await awaitable
