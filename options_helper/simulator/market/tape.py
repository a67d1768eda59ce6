"""The newest quote and trade of every requested symbol, and the messages that each tick adds."""

from __future__ import annotations

from collections.abc import Iterable

from options_helper.simulator.market.contracts import parse_contract
from options_helper.simulator.market.market import Market, PricedQuote
from options_helper.simulator.market.messages import (
    cancel_message,
    correction_message,
    option_quote_message,
    option_trade_message,
    stock_quote_message,
    stock_trade_message,
)
from options_helper.simulator.wire import Message, Nanoseconds

_SECOND = 1_000_000_000
_QUIET_FIRST_AGE_SECONDS = 90
_FIRST_TRADE_AGE_SECONDS = 1200


class Tape:
    """The newest quotes and trades, the single source for the streams and the REST snapshots."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self._quotes: dict[str, Message] = {}
        self._trades: dict[str, Message] = {}
        self._trade_count = 0

    def tick(self, symbols: Iterable[str]) -> list[Message]:
        """Return the messages of one step for these symbols, newest last."""
        messages = []
        for symbol in symbols:
            if self.market.quotes_now(symbol):
                messages.append(self._new_quote(symbol, Nanoseconds.now()))
            if self.market.trades_now(symbol):
                messages.append(self._new_trade(symbol, Nanoseconds.now()))
        return [message for message in messages if message is not None]

    def push_quote(self, symbol: str, quote: PricedQuote, at: Nanoseconds) -> Message:
        """Return a manual quote, and keep it as the latest."""
        make = stock_quote_message if parse_contract(symbol) is None else option_quote_message
        self._quotes[symbol] = make(symbol, quote, at)
        return self._quotes[symbol]

    def push_trade(self, symbol: str, price: float, size: int, at: Nanoseconds) -> Message:
        """Return a manual trade, and keep it as the latest."""
        self._trade_count += 1
        self._trades[symbol] = (
            stock_trade_message(symbol, price, size, self._trade_count, at)
            if parse_contract(symbol) is None
            else option_trade_message(symbol, price, size, at)
        )
        return self._trades[symbol]

    def correct_trade(self, symbol: str, price: float, at: Nanoseconds) -> Message:
        """Correct the newest trade of a stock, for REST as well."""
        wrong = self._trades[symbol]
        self._trade_count += 1
        self._trades[symbol] = wrong | {"i": self._trade_count, "p": price}
        return correction_message(wrong, self._trade_count, price, at)

    def cancel_trade(self, symbol: str, at: Nanoseconds) -> Message:
        """Cancel the newest trade of a stock; REST then returns another."""
        return cancel_message(self._trades.pop(symbol), at)

    def forget(self, symbol: str) -> None:
        """Forget the newest quote and trade of a symbol, because a split has made them wrong."""
        self._quotes.pop(symbol, None)
        self._trades.pop(symbol, None)

    def latest_quote(self, symbol: str) -> Message | None:
        """Return the newest quote, or one of a plausible age if none has been sent yet; None once expired."""
        if symbol not in self._quotes:
            longest = _QUIET_FIRST_AGE_SECONDS if self.market.is_quiet(symbol) else 2
            return self._new_quote(symbol, self._first_time(symbol, "first age", longest))
        return self._quotes[symbol]

    def latest_trade(self, symbol: str) -> Message | None:
        """Return the newest trade, or one of a plausible age if none has been sent yet; None once expired."""
        if symbol not in self._trades:
            longest = 2 if parse_contract(symbol) is None else _FIRST_TRADE_AGE_SECONDS
            return self._new_trade(symbol, self._first_time(symbol, "first trade age", longest))
        return self._trades[symbol]

    def _first_time(self, symbol: str, chance: str, longest: int) -> Nanoseconds:
        """Return a time at most `longest` seconds ago, but of today in New York: the market never closes."""
        now = Nanoseconds.now()
        age = int(longest * self.market.chance(symbol, chance) * _SECOND)
        midnight = now.to_new_york().replace(hour=0, minute=0, second=0)
        return max(Nanoseconds.of(midnight), Nanoseconds(now - age))

    def _new_quote(self, symbol: str, at: Nanoseconds) -> Message | None:
        quote = self.market.quote(symbol)
        return None if quote is None else self.push_quote(symbol, quote, at)

    def _new_trade(self, symbol: str, at: Nanoseconds) -> Message | None:
        price = self.market.trade_price(symbol)
        lot = 100 if parse_contract(symbol) is None else 1
        size = lot * (1 + int(8 * self.market.chance(symbol, "size", self.market.step) ** 2))
        return None if price is None else self.push_trade(symbol, price, size, at)
