"""A relay's quotes, trades and fills, for programs that share its connections."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from options_helper.analysis.fills.day import FillDayBuilder
from options_helper.analysis.fills.records import Execution
from options_helper.analysis.status.stream_diagnosis import name_symbols
from options_helper.analysis.text.wording import count
from options_helper.data.streaming.trading_normalizers import normalize_trade_update
from options_helper.market import Quote, StreamName, Trade
from options_helper.order_rows import OrderRow
from options_helper.relay.nats_options import NatsOptions, load_nats_options
from options_helper.relay.reader.connection import RelayConnection
from options_helper.relay.wire import Answer, Ask, Batch, Facts, Heartbeat, OrderUpdate, RestFill
from options_helper.times import EARLIEST, NEW_YORK, new_york_date, utc_now

__all__ = ["Event", "Execution", "Notice", "Quote", "Trade", "read_relay"]

_MOST_WAITING = 50_000  # quotes and trades; a slower program loses the oldest


@dataclass(frozen=True, slots=True)
class Notice:
    """A reason why the data is incomplete or old, or "" once nothing is known to be wrong."""

    words: str


Event: TypeAlias = Quote | Trade | Execution | Notice


async def read_relay(
    url: str,
    *,
    stocks: Sequence[str] = (),
    contracts: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
) -> AsyncIterator[Event]:
    """Yield the newest known quote and trade of each symbol, the day's executions, and then each new one.

    An execution is yielded again if its price or quantity changes, or if it is busted. Every reason why
    something may be missing is yielded as a `Notice`. The iterator never ends by itself; NATS and the relay
    may come and go.

    Args:
        url: The address of NATS, such as `nats://127.0.0.1:4222`.
        stocks: The stocks and ETFs to receive, as Alpaca spells them.
        contracts: The option contracts to receive, such as `SPY261218C00700000`.
        env: The environment with the credentials; the process's own if None.

    Raises:
        SettingsError: The address or the credentials cannot be used.
        MissingDependency: nats-py is not installed.
        TypeError: The stocks or the contracts are one string, whose letters would be taken for symbols.
    """
    if isinstance(stocks, str) or isinstance(contracts, str):
        raise TypeError('stocks and contracts are lists of symbols, such as ["AAPL"], not strings')
    feed = _Feed(load_nats_options(url, env), stocks, contracts)
    reading = asyncio.create_task(feed.read())
    try:
        while True:
            await feed.arrived.wait()
            feed.arrived.clear()
            for event in feed.take():
                yield event
            if reading.done():
                reading.result()
    finally:
        reading.cancel()
        await asyncio.wait({reading})


class _Feed:
    """The events that wait for one program, and what is known about their completeness."""

    def __init__(self, options: NatsOptions, stocks: Sequence[str], contracts: Sequence[str]) -> None:
        wanted = {StreamName.STOCKS: stocks, StreamName.OPTIONS: contracts}
        self._streams = (*(stream for stream, symbols in wanted.items() if symbols), StreamName.FILLS)
        self._own = {*stocks, *contracts}
        ask = Ask(f"program-{uuid.uuid4().hex[:12]}", list(stocks), list(contracts))
        self._connection = RelayConnection(
            options, "options-helper program", ask, self._streams, self, utc_now
        )
        self.arrived = asyncio.Event()
        self._market: deque[Quote | Trade] = deque(maxlen=_MOST_WAITING)
        self._notices: deque[Notice] = deque()
        self._newest: dict[tuple[type, str], dt.datetime] = {}
        self._lost: dict[str, int] = {}  # the number of price updates by the reason why they are lost
        self._next: dict[StreamName, tuple[str, int]] = {}
        self._said: set[str] = set()  # since all was well
        self._updates: list[OrderRow] = []
        self._fills: list[OrderRow] = []
        self._unread = self._unread_rows = 0  # order updates and rows from REST
        self._has_orders = False
        self._builder = FillDayBuilder()
        self._shown: dict[str, tuple[object, ...]] = {}

    async def read(self) -> None:
        """Read from the relay until cancelled."""
        try:
            await self._connection.run()
        finally:
            self.arrived.set()  # for its error

    def take(self) -> Iterator[Event]:
        """Yield and remove the waiting events."""
        while self._notices:
            yield self._notices.popleft()
        yield from self._changed_executions()
        while self._market:
            yield self._market.popleft()

    def _changed_executions(self) -> Iterator[Execution]:
        """Yield each execution of the day that is new, or whose figures have changed."""
        if not self._has_orders:
            return
        self._has_orders = False
        today = new_york_date(utc_now())
        for one in reversed(self._builder.build(self._updates, self._fills, day=today).executions):
            figures = (one.quantity, one.price, one.busted)
            if self._shown.get(one.key) != figures:
                self._shown[one.key] = figures
                yield one

    # What the relay publishes --------------------------------------------------------------------

    def take_market(self, stream: StreamName, data: bytes) -> None:
        """Take an encoded batch."""
        batch = self._connection.read(data)
        if not isinstance(batch, Batch):
            return
        epoch, expected = self._next.get(stream, (batch.epoch, batch.first))
        if epoch == batch.epoch and expected != batch.first:
            self._lose(max(1, batch.first - expected), "on the way from the relay")
        self._next[stream] = (batch.epoch, batch.first + batch.rows)
        own, now = self._own, utc_now()
        quotes = [row for row in batch.quotes if row.symbol in own]
        trades = [row for row in batch.trades if row.symbol in own]
        self._put(Quote(**msgspec.structs.asdict(row), received_at=now) for row in quotes)
        self._put(Trade(**msgspec.structs.asdict(row), received_at=now) for row in trades)

    def take_facts(self, facts: Facts) -> None:
        """Take rows from REST and the newest row of each symbol, if they are newer than the known ones."""
        if facts.history is not None:
            self._unread_rows = facts.history.unreadable.count
        for part in (facts.stock_quotes, facts.stock_trades, facts.option_quotes, facts.option_trades):
            self._put(row for row in part if row.symbol in self._own and self._is_newer(row))

    def _is_newer(self, row: Quote | Trade) -> bool:
        known = self._newest.get((type(row), row.symbol))
        return known is None or (row.timestamp or EARLIEST) > known

    def _put(self, rows: Iterable[Quote | Trade]) -> None:
        for row in rows:
            if len(self._market) == _MOST_WAITING:
                self._lose(1, "because this program reads too slowly")
            self._newest[type(row), row.symbol] = row.timestamp or EARLIEST
            self._market.append(row)
        self.arrived.set()

    def take_order(self, data: bytes) -> None:
        """Take an encoded order message."""
        message = self._connection.read(data)
        if isinstance(message, OrderUpdate):
            row = normalize_trade_update(message.update)
            if row is None:
                self._unread += 1
            else:
                self._updates.append({**row, "received_at": message.received_at})
        elif isinstance(message, RestFill):
            self._fills.append(message.row)
        self._has_orders = True
        self.arrived.set()

    def take_answer(self, answer: Answer, asked_at: dt.datetime, answered_at: dt.datetime) -> None:
        """Do nothing; `watch` finds what was refused."""

    def take_heartbeat(self, heartbeat: Heartbeat, *, is_answer: bool) -> None:
        """Do nothing; `watch` finds what is wrong."""

    # What is wrong -------------------------------------------------------------------------------

    def watch(self, late: float) -> None:
        """Report what was lost, and each reason why data is missing or old, once until all is well again."""
        if late:
            self._say(
                f"this program read nothing for {late:.0f} s; quotes and trades from that time may be lost"
            )
        if not self._notices:  # else the program has not read the last ones yet
            lost, self._lost = self._lost, {}
            for why, rows in lost.items():
                self._say(f"{count(rows, 'price update')} went missing {why}")
        reasons = list(self._reasons())
        for words in dict.fromkeys(reasons):
            if words not in self._said:
                self._say(words)
        if self._said and not reasons:
            self._say("")
        self._said = set(reasons)

    def _lose(self, rows: int, why: str) -> None:
        self._lost[why] = self._lost.get(why, 0) + rows

    def _say(self, words: str) -> None:
        self._said.add(words)
        self._notices.append(Notice(words))
        self.arrived.set()

    def _reasons(self) -> Iterator[str]:
        link = self._connection
        yield from filter(None, map(link.explain, self._streams))
        if link.stored.missing:
            yield f"{count(link.stored.missing, 'order message')} had expired unread"
        if unread := self._unread + self._unread_rows:
            messages = count(unread, "order message")
            yield f"{messages} from Alpaca could not be read; an execution may be missing"
        gaps = () if link.heartbeat is None else link.heartbeat.gaps
        if gaps:
            since = gaps[0].start.astimezone(NEW_YORK).strftime("%H:%M")
            yield f"executions since {since} in New York may be missing; the relay has not confirmed them yet"
        for grant in link.answer.streams.values() if link.answer is not None else ():
            invalid = frozenset(grant.invalid)
            if invalid:
                yield f"Alpaca does not accept {name_symbols(invalid)}; check the spelling"
            if missing := frozenset(grant.refused) - invalid:
                yield f"Alpaca did not subscribe to {name_symbols(missing)}; check the spelling"
