"""Stand-ins for a streamer, Alpaca's REST, the receiver of its results, and the clock."""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from options_helper.data.account.activity_log import ActivityLog
from options_helper.data.rest.http import Host
from options_helper.data.streaming.backfill.order_history import OrderHistory
from options_helper.data.streaming.run.cache import Reference
from options_helper.data.streaming.run.rest_results import RestResults
from options_helper.errors import AlpacaRestError
from options_helper.market import Quote, StreamName, Trade
from tests.builders import CALL, NOW

MIDNIGHT = dt.datetime(2026, 11, 20, 5, 0, tzinfo=dt.UTC)
ADJUSTED, INDEX_CALL = "CSGP1261218P01000000", "SPXW261218C07000000"
QUOTE = {"bp": 1.6, "ap": 1.65, "bs": 10, "as": 7, "t": "2026-11-20T14:59:58.5Z"}
SNAPSHOT = {
    "latestQuote": QUOTE,
    "latestTrade": {"p": 1.62, "s": 3, "t": "2026-11-20T14:40:00Z"},
    "dailyBar": {"c": 1.6, "t": "2026-11-20T05:00:00Z"},
    "prevDailyBar": {"c": 1.5, "t": "2026-11-19T05:00:00Z"},
    "greeks": {"delta": 0.5, "gamma": 0.02, "theta": -0.1, "vega": 0.3, "rho": 0.1},
    "impliedVolatility": 0.31,
}
STOCK = {**SNAPSHOT, "greeks": None, "impliedVolatility": None}


@dataclass
class FakeClock:
    """A clock that the test moves."""

    seconds: float = 0.0
    stepped: float = 0.0
    ahead: float = 0.0

    def monotonic(self) -> float:
        """Return seconds that only grow."""
        return self.seconds

    def now(self) -> dt.datetime:
        """Return the time of day."""
        return NOW + dt.timedelta(seconds=self.seconds + self.ahead)

    def take_step(self) -> float:
        """Return by how much the test set the clock since the last look."""
        step, self.stepped = self.stepped, 0.0
        return step


class FakeStreamer:
    """Runs until it is stopped or given an end."""

    def __init__(self) -> None:
        self.running = threading.Event()
        self.stops = 0
        self._end = threading.Event()
        self._error: BaseException | None = None

    def run(self) -> None:
        """Wait for the end, and raise its error."""
        self.running.set()
        self._end.wait()
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """End without an error, and count it."""
        self.stops += 1
        self._end.set()

    def end(self, error: BaseException | None = None) -> None:
        """End by itself, with an error if one is given."""
        self._error = error
        self._end.set()


@dataclass
class FakeRest:
    """Alpaca's routes, with answers that tests change; `failing` holds errors by method."""

    failing: dict[str, AlpacaRestError] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    log: list[str] = field(default_factory=list)
    fills: list[Any] = field(default_factory=list)
    activities: list[Any] = field(default_factory=list)
    activities_asked_after: list[dt.datetime] = field(default_factory=list)
    todays_orders: list[Any] = field(default_factory=list)
    open_orders: list[Any] = field(default_factory=list)
    single: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=lambda: {CALL: SNAPSHOT})
    stopped: bool = False
    closed: bool = False
    asked_after: list[dt.datetime] = field(default_factory=list)
    limits: dict[str, float] = field(default_factory=dict)
    report_limit: Callable[[Host, str, float], None] = lambda _host, _path, _seconds: None

    def _call(self, name: str) -> None:
        self.calls[name] += 1
        self.log.append(name)
        if name in self.limits:
            self.report_limit(Host.TRADING, f"/{name}", self.limits[name])
        if name in self.failing:
            raise self.failing[name]

    def when_limited(self, call: Callable[[Host, str, float], None]) -> None:
        """Keep the callback."""
        self.report_limit = call

    def clock(self) -> dict[str, Any]:
        """Return Alpaca's clock in the middle of a session."""
        self._call("clock")
        return {
            "timestamp": "2026-11-20T10:00:00-05:00",
            "is_open": True,
            "next_open": "2026-11-23T09:30:00-05:00",
            "next_close": "2026-11-20T16:00:00-05:00",
        }

    def calendar(self, start: dt.date, end: dt.date) -> list[Any]:
        """Return a calendar without sessions."""
        self._call("calendar")
        assert start < end
        return []

    def account(self) -> dict[str, Any]:
        """Return an account with its number."""
        self._call("account")
        return {"account_number": "PA3ABCDEFGH12", "equity": "1050.5", "last_equity": "1000", "cash": ""}

    def positions(self) -> list[Any]:
        """Return one short position."""
        self._call("positions")
        return [{"symbol": CALL, "qty": "-2", "side": "short", "current_price": "1.6"}]

    def option_contract(self, symbol: str) -> dict[str, Any]:
        """Return an adjusted contract."""
        self._call(f"contract {symbol}")
        return {"symbol": symbol, "multiplier": "150", "size": "33"}

    def option_snapshots(self, symbols: tuple[str, ...], feed: str) -> dict[str, Any]:
        """Return what the test prescribes."""
        assert symbols
        self._call(f"options {feed}")
        return self.options

    def stock_snapshots(self, symbols: tuple[str, ...], feed: str) -> dict[str, Any]:
        """Return the same snapshot for each stock."""
        self._call(f"stocks {feed}")
        return dict.fromkeys(symbols, STOCK)

    def index_values(self, symbols: list[str]) -> dict[str, Any]:
        """Return one value for each index."""
        self._call("indices")
        return {symbol: {"v": 7000.5, "t": "2026-11-20T14:59:59Z"} for symbol in symbols}

    def splits(self, symbols: tuple[str, ...], start: dt.date, end: dt.date) -> list[Any]:
        """Return one split."""
        self._call("splits")
        assert start < end
        return [{"symbol": symbols[0], "new_rate": 4, "old_rate": 1, "ex_date": "2026-11-18"}]

    def daily_bars(
        self, symbols: list[str], start: dt.date, end: dt.date, *, adjusted: bool = True
    ) -> dict[str, Any]:
        """Return 150 days in which stocks move twice as much as the benchmark, or one unadjusted day."""
        self._call("betas" if adjusted else "closes")
        if not adjusted:
            return {symbol: [{"t": f"{end}T05:00:00Z", "c": 101.5}] for symbol in symbols}
        days = [start + dt.timedelta(days=number) for number in range((end - start).days)][-150:]
        price = dict.fromkeys(symbols, 100.0)
        found: dict[str, Any] = {symbol: [] for symbol in symbols}
        for number, day in enumerate(days):
            for symbol in symbols:
                price[symbol] *= 1.01 ** ((1 if number % 3 else -2) * (1 if symbol == "SPY" else 2))
                found[symbol].append({"t": f"{day}T05:00:00Z", "c": price[symbol]})
        return found

    def dividends(self, symbols: tuple[str, ...], start: dt.date, end: dt.date) -> list[Any]:
        """Return one dividend."""
        self._call("dividends")
        assert start < end
        return [{"symbol": symbols[0], "rate": 0.26, "ex_date": "2026-12-11"}]

    def orders(self, after: dt.datetime | None = None, *, status: str = "all") -> list[Any]:
        """Return today's orders, or the open ones."""
        self._call(f"orders {status}")
        assert (after is None) == (status == "open")
        return self.open_orders if status == "open" else self.todays_orders

    def order(self, order_id: str) -> dict[str, Any]:
        """Return a single order."""
        self._call(f"order {order_id}")
        if order_id not in self.single:
            raise AlpacaRestError(f"/v2/orders/{order_id}", "order not found", status=404)
        row: dict[str, Any] = self.single[order_id]
        return row

    def fill_pages(self, after: dt.datetime) -> Iterator[list[Any]]:
        """Yield pages of two executions: the day's, or those of the account's last days."""
        self._call("fills" if after >= MIDNIGHT else "history")
        if after >= MIDNIGHT:
            self.asked_after.append(after)
        for start in range(0, max(len(self.fills), 1), 2):
            yield self.fills[start : start + 2]

    def non_trade_pages(self, after: dt.datetime) -> Iterator[list[Any]]:
        """Yield the activities that are not executions."""
        self._call("activities")
        self.activities_asked_after.append(after)
        yield self.activities

    def stop(self) -> None:
        """Record the call."""
        self.stopped = True

    def close(self) -> None:
        """Record the call."""
        self.closed = True


@dataclass
class FakeResults(RestResults):
    """A receiver of REST results that keeps all of them."""

    stock_quotes: list[Quote] = field(default_factory=list)
    option_quotes: list[Quote] = field(default_factory=list)
    stock_trades: list[Trade] = field(default_factory=list)
    option_trades: list[Trade] = field(default_factory=list)
    complete: dict[StreamName, dt.datetime] = field(default_factory=dict)
    reference: dict[str, Any] = field(default_factory=dict)
    calendars: list[Any] = field(default_factory=list)
    clock_offsets: list[float] = field(default_factory=list)
    clock_ahead: dt.timedelta = dt.timedelta()
    history: list[tuple[list[Any], list[Any], dt.datetime]] = field(default_factory=list)
    words: list[tuple[str, str]] = field(default_factory=list)

    def to_alpaca_time(self, at: dt.datetime) -> dt.datetime:
        """Return the time by Alpaca's clock, which is `clock_ahead` behind this computer's."""
        return at - self.clock_ahead

    def put_quotes(self, stocks: Any = (), options: Any = ()) -> None:
        """Keep the result."""
        self.stock_quotes += stocks
        self.option_quotes += options

    def put_trades(self, stocks: Any = (), options: Any = ()) -> None:
        """Keep the result."""
        self.stock_trades += stocks
        self.option_trades += options

    def put_complete(self, stream: StreamName, as_of: dt.datetime) -> None:
        """Keep the result."""
        self.complete[stream] = as_of

    def put_reference(self, reference: Reference) -> None:
        """Keep the result."""
        known = {each.name: getattr(reference, each.name) for each in fields(reference)}
        self.reference |= {name: value for name, value in known.items() if value}

    def put_market(self, calendar: Any) -> None:
        """Keep the result."""
        self.calendars.append(calendar)

    def put_clock_offset(self, seconds: float) -> None:
        """Keep the result."""
        self.clock_offsets.append(seconds)

    def put_order_history(
        self, rest_fills: Any, rest_orders: Any, confirmed_until: dt.datetime, unreadable: Any = None
    ) -> None:
        """Keep the result."""
        self.history.append((rest_fills, rest_orders, confirmed_until))
        self.unreadable = unreadable

    def put_progress(self, part: str, words: str) -> None:
        """Keep the result."""
        self.words.append((part, words))

    @property
    def latest_words(self) -> dict[str, str]:
        """The last sentence about each part."""
        return dict(self.words)


def order_history(rest: Any) -> OrderHistory:
    """Return the day's orders and executions from a REST client, with a separate log of activities."""
    return OrderHistory(rest, ActivityLog(rest))
