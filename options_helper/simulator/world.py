"""The state that all endpoints share: market, account, plan, clients and received requests."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from options_helper.simulator.account.differences import Differences
from options_helper.simulator.account.order_desk import OrderDesk
from options_helper.simulator.account.order_flow import OrderFlow
from options_helper.simulator.account.orders import asset_id
from options_helper.simulator.account.past_orders import open_positions
from options_helper.simulator.account.portfolio import holdings
from options_helper.simulator.clients import Clients
from options_helper.simulator.faults import Faults
from options_helper.simulator.market.contracts import parse_contract
from options_helper.simulator.market.market import Market
from options_helper.simulator.market.mid_session import NEW_YORK, MidSession
from options_helper.simulator.market.tape import Tape
from options_helper.simulator.wire import PING, JsonObject, Message, Nanoseconds

_REQUESTS_KEPT = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The feeds and limits of the simulated subscription.

    By default it has all feeds, with the limits in Alpaca's "About Market Data API".

    Attributes:
        feeds: The feeds that the plan includes.
        stock_symbols: The limit of stock symbols by feed; a feed without an entry has none.
        option_quotes: The limit of option quotes by feed.
        count_stock_channels: True to count a stock once per channel.
        data_requests_per_minute, trading_requests_per_minute: The REST limits.
        request_window_seconds: The length of the "minute" of these limits, which a test may shorten.
    """

    feeds: frozenset[str] = frozenset(
        {"iex", "sip", "delayed_sip", "boats", "overnight", "test", "indicative", "opra"}
    )
    stock_symbols: Mapping[str, int] = field(default_factory=lambda: {"iex": 30})
    option_quotes: Mapping[str, int] = field(default_factory=lambda: {"indicative": 200, "opra": 1000})
    count_stock_channels: bool = False
    data_requests_per_minute: int = 200
    trading_requests_per_minute: int = 200
    request_window_seconds: int = 60

    def is_exceeded(self, stream: str, feed: str, subscriptions: Mapping[str, Iterable[str]]) -> bool:
        """Return whether these subscriptions exceed the plan."""
        quotes, trades = set(subscriptions["quotes"]), set(subscriptions["trades"])
        if stream == "options":
            return feed in self.option_quotes and len(quotes) > self.option_quotes[feed]
        count = len(quotes) + len(trades) if self.count_stock_channels else len(quotes | trades)
        return feed in self.stock_symbols and count > self.stock_symbols[feed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The accepted keys; with `any_key`, any keys that are not empty."""

    key_id: str = "demo"
    secret_key: str = field(default="demo", repr=False)
    any_key: bool = False

    def accept(self, key_id: object, secret: object) -> bool:
        """Return whether a pair of keys is accepted."""
        if self.any_key:
            return bool(key_id) and bool(secret)
        return (key_id, secret) == (self.key_id, self.secret_key)


class World:
    """The state behind the endpoints; used only on the simulator's loop, except for the counters.

    Args:
        contracts: The contracts to trade; by default the portfolio's, else the subscribed ones.
        portfolio: The account's holdings from before today, as the values of a portfolio file.
        differs: Make the account differ from the portfolio.
    """

    def __init__(
        self,
        *,
        seed: int,
        keys: Keys,
        plan: Plan,
        contracts: Iterable[str] = (),
        portfolio: JsonObject | None = None,
        differs: bool = False,
    ) -> None:
        self.keys, self.plan = keys, plan
        self.account_id = asset_id(f"account {seed}")
        self.auth_timeout_seconds = 10.0
        started = dt.datetime.now(dt.UTC)
        self.session = MidSession(started)
        self.market = Market(seed, self.session.today(started))
        self.tape = Tape(self.market)
        document, today = portfolio or {"positions": []}, self.market.today
        held = holdings(document, today, seed=seed)
        self.desk = OrderDesk(seed, self.send_update, held=None if differs else held)
        self.flow = OrderFlow(seed, self.desk, self.market, self.contracts)
        self.faults = Faults(self._on_faults)
        self.released = asyncio.Event()
        self.splits: list[dict[str, object]] = []
        self.dividends: list[dict[str, object]] = []
        self.clients = Clients()
        self.requests: deque[tuple[str, str]] = deque(maxlen=_REQUESTS_KEPT)
        self._contracts = list(contracts) or [symbol for symbol in held if parse_contract(symbol)]
        self._loop: asyncio.AbstractEventLoop | None = None
        self.differences = Differences(self.desk, self.market, self._split_before) if differs else None
        if self.differences is not None:
            open_positions(self.desk, document, today, seed=seed)
            self.differences.make()

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Set the loop that everything runs on."""
        self._loop = loop
        self.released = asyncio.Event()

    def declare_split(self, symbol: str, new: int, old: int, ex_date: dt.date) -> None:
        """Announce a stock split, and apply it to the holdings and the price."""
        row: dict[str, object] = {
            "id": asset_id(f"{symbol} split {ex_date}"),
            "symbol": symbol,
            "new_rate": new,
            "old_rate": old,
            "process_date": ex_date.isoformat(),
            "ex_date": ex_date.isoformat(),
        }
        self.splits.append(row)
        self.desk.positions.split(symbol, Decimal(new) / old)
        self.market.split(symbol, new / old)
        self.tape.forget(symbol)

    def _split_before(self, symbol: str, new: int, ago: dt.timedelta) -> None:
        self.declare_split(symbol, new, 1, self.market.today - ago)

    def contracts(self) -> list[str]:
        """Return the contracts to trade that have not expired."""
        known = self._contracts or sorted(
            {
                symbol
                for connection in self.clients.connected
                if connection.stream == "options"
                for symbol in connection.symbols
            }
        )
        today = self.market.today
        return [symbol for symbol in known if (one := parse_contract(symbol)) and one.expiry >= today]

    def step_orders(self) -> None:
        """Advance the order scripts, and the events that are missing in the portfolio."""
        self.flow.step()
        if self.differences is not None:
            self.differences.step()

    def tick(self) -> None:
        """Advance the market by one step and notify the subscribers."""
        self.market.today = self.session.today(dt.datetime.now(dt.UTC))
        self.market.tick()
        symbols = {symbol for one in self.clients.connected for symbol in one.symbols}
        self.publish(self.tape.tick(sorted(symbols)))

    def publish(self, messages: list[Message]) -> None:
        """Send market messages to their subscribers."""
        for connection in self.clients.connected:
            connection.deliver_market(messages)

    def ping(self) -> None:
        """Ping every client, as Alpaca does about every 20 seconds."""
        for connection in self.clients.connected:
            connection.write(PING)

    def add_history(self, count: int, *, symbols: Sequence[str], hours: float) -> None:
        """Fill many orders at once, with times spread over the last hours of the New York day."""
        chosen = list(symbols) or self.contracts()
        end = Nanoseconds.now()
        midnight = dt.datetime.combine(self.market.today, dt.time(0, 0), NEW_YORK)
        begin = max(int(end - hours * 3600e9), Nanoseconds.of(midnight))
        for number in range(count if chosen else 0):
            self.desk.clock = partial(Nanoseconds, begin + (end - begin) * number // count)
            self.flow.play_past(chosen[number % len(chosen)])
        self.desk.clock = Nanoseconds.now

    def send_update(self, update: object) -> None:
        """Send an order update, or arbitrary data in its place, to the clients that listen."""
        for connection in self.clients.connected:
            connection.deliver_update(update)

    def _on_faults(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._apply_faults)

    def _apply_faults(self) -> None:
        for connection in list(self.clients.connected):
            connection.apply_faults()
