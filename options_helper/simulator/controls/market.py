"""Controls of a running simulator's prices, usable from any thread."""

from __future__ import annotations

from options_helper.simulator.controls.controls import Controls
from options_helper.simulator.market.market import PricedQuote
from options_helper.simulator.market.messages import status_message
from options_helper.simulator.wire import Nanoseconds


class MarketControls(Controls):
    """Quotes, trades and statuses, in addition to those of the seeded market."""

    def tick(self, steps: int = 1) -> None:
        """Advance the market by a number of steps, as its timer does."""

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
        """Send a quote to every subscriber, and let REST return it as the latest."""
        quote = PricedQuote(bid, ask, bid_size, ask_size)

        def push() -> None:
            self._world.publish([self._world.tape.push_quote(symbol, quote, at or Nanoseconds.now())])

        self.call(push)

    def push_trade(self, symbol: str, price: float, size: int = 1, *, at: Nanoseconds | None = None) -> None:
        """Send a trade to every subscriber, and let REST return it as the latest."""

        def push() -> None:
            self._world.publish([self._world.tape.push_trade(symbol, price, size, at or Nanoseconds.now())])

        self.call(push)

    def correct_trade(self, symbol: str, price: float) -> None:
        """Send every subscriber to trades a correction of the last pushed trade of a stock."""
        self.call(
            lambda: self._world.publish([self._world.tape.correct_trade(symbol, price, Nanoseconds.now())])
        )

    def cancel_trade(self, symbol: str) -> None:
        """Send every subscriber to trades a cancellation of the last pushed trade of a stock."""
        self.call(lambda: self._world.publish([self._world.tape.cancel_trade(symbol, Nanoseconds.now())]))

    def push_status(self, symbol: str, code: str = "H", text: str = "Halted", reason: str = "T1") -> None:
        """Send a stock's trading status: "H" halts, "T" resumes."""
        self.call(
            lambda: self._world.publish([status_message(symbol, code, text, reason, Nanoseconds.now())])
        )

    def pin_price(self, underlying: str, price: float) -> None:
        """Fix the price of an underlying, and with it the prices of its options, from now on."""
        self.call(lambda: self._world.market.pin(underlying, price))
