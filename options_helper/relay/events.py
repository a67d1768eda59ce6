"""A relay's quotes, trades and fills, for programs that share its connections."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import msgspec

from options_helper.analysis.fills.day import FillDayBuilder
from options_helper.analysis.fills.records import Execution
from options_helper.data.streaming.normalize.wire import WireQuote, WireTrade
from options_helper.data.streaming.trading_normalizers import normalize_trade_update
from options_helper.errors import OptionsHelperError
from options_helper.market import Quote, StreamState, Trade
from options_helper.order_rows import OrderRow
from options_helper.relay.nats_options import NatsOptions, connect_to_nats, load_nats_options
from options_helper.relay.reader.stored import AWAY, StoredOrders
from options_helper.relay.wire import (
    ASK_STATE_SUBJECT,
    ASK_SUBJECT,
    MARKET_SUBJECT,
    RENEW_SECONDS,
    STATE_SUBJECT,
    STORED_SUBJECT,
    Answer,
    Ask,
    Batch,
    Facts,
    Message,
    OrderUpdate,
    Pulse,
    RestFill,
    decode,
    encode,
)
from options_helper.times import new_york_date, utc_now

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

__all__ = ["Event", "Execution", "Notice", "Quote", "Trade", "read_relay"]

_MOST_WAITING = 50_000  # quotes and trades; a slower program loses the oldest
_SILENT_SECONDS = 3.5
_WATCH_SECONDS = 0.5
_REQUEST_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Notice:
    """A reason why the data is incomplete or old, or "" once nothing is known to be wrong."""

    words: str


Row = TypeVar("Row", WireQuote, WireTrade)
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
    """
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
        self._options = options
        self._ask = Ask(f"program-{uuid.uuid4().hex[:12]}", list(stocks), list(contracts))
        self._own = {*stocks, *contracts}
        self.arrived = asyncio.Event()
        self._asked = asyncio.Event()
        self._market: deque[Quote | Trade] = deque(maxlen=_MOST_WAITING)
        self._others: deque[Execution | Notice] = deque()
        self._seen: set[tuple[type, str]] = set()
        self._dropped = 0
        self._next: dict[str, tuple[str, int]] = {}
        self._words = self._trouble = self._mismatch = ""
        self._client: Client | None = None
        self._pulse: Pulse | None = None
        self._pulse_at = time.monotonic()
        self._answer: Answer | None = None
        self._stored: StoredOrders
        self._lock = asyncio.Lock()
        self._updates: list[OrderRow] = []
        self._fills: list[OrderRow] = []
        self._builder = FillDayBuilder()
        self._shown: dict[str, tuple[object, ...]] = {}

    def take(self) -> Iterator[Event]:
        """Yield and remove the waiting events."""
        while self._others:
            yield self._others.popleft()
        while self._market:
            yield self._market.popleft()

    async def read(self) -> None:
        """Read from the relay until cancelled."""
        watching = asyncio.create_task(self._watch())
        client = None
        try:
            client = await connect_to_nats(self._options, "options-helper program", on_error=self._note)
            self._client, self._trouble = client, ""
            self._stored = StoredOrders(client.jetstream(timeout=_REQUEST_SECONDS), self._take_order)
            await client.subscribe(STATE_SUBJECT, cb=self._take_state)
            await client.subscribe(f"{MARKET_SUBJECT}.>", cb=self._take_market)
            await client.subscribe(f"{STORED_SUBJECT}.>", cb=self._take_stored)
            await self._ask_regularly(client)
        finally:
            watching.cancel()
            if client is not None:
                with contextlib.suppress(*AWAY):
                    self._ask.ends = True
                    await client.publish(ASK_SUBJECT, encode(self._ask))
                    await client.flush(1)
                await client.close()

    def _note(self, words: str) -> None:
        self._trouble = words

    # Requests ------------------------------------------------------------------------------------

    async def _ask_regularly(self, client: Client) -> None:
        """Ask for the symbols again at an interval, and earlier when the relay or its grants change."""
        epoch = ""
        while True:
            self._asked.clear()
            with contextlib.suppress(*AWAY):
                answer = self._read(
                    (await client.request(ASK_SUBJECT, encode(self._ask), timeout=_REQUEST_SECONDS)).data
                )
                self._answer = answer if isinstance(answer, Answer) else None
                if self._answer is not None and self._answer.epoch != epoch:
                    await self._read_state(client)
                    epoch = self._answer.epoch
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RENEW_SECONDS if self._answer else _WATCH_SECONDS):
                    await self._asked.wait()

    async def _read_state(self, client: Client) -> None:
        """Take the newest known row of each symbol, unless a newer one has arrived."""
        inbox = client.new_inbox()
        subscription = await client.subscribe(inbox)
        await client.publish(ASK_STATE_SUBJECT, encode(self._ask), reply=inbox)
        while True:
            message = self._read((await subscription.next_msg(timeout=_REQUEST_SECONDS)).data)
            if not isinstance(message, Facts):
                break
            rows = (message.stock_quotes, message.stock_trades, message.option_quotes, message.option_trades)
            self._put(row for part in rows for row in part if (type(row), row.symbol) not in self._seen)
        await subscription.unsubscribe()

    # What the relay publishes --------------------------------------------------------------------

    def _read(self, data: bytes) -> Message | None:
        try:
            message = decode(data)
        except (OptionsHelperError, msgspec.MsgspecError) as error:
            self._mismatch = str(error)
            return None
        self._mismatch = ""
        return message

    async def _take_market(self, message: Msg) -> None:
        batch = self._read(message.data)
        if not isinstance(batch, Batch):
            return
        epoch, expected = self._next.get(message.subject, (batch.epoch, batch.first))
        if epoch == batch.epoch and expected != batch.first:
            self._lose(max(1, batch.first - expected), "on the way from the relay")
        self._next[message.subject] = (batch.epoch, batch.first + batch.rows)
        now = utc_now()
        self._put(Quote(**msgspec.structs.asdict(row), received_at=now) for row in self._own_of(batch.quotes))
        self._put(Trade(**msgspec.structs.asdict(row), received_at=now) for row in self._own_of(batch.trades))

    def _own_of(self, rows: Iterable[Row]) -> Iterator[Row]:
        return (row for row in rows if row.symbol in self._own)

    def _put(self, rows: Iterable[Quote | Trade]) -> None:
        for row in rows:
            if len(self._market) == _MOST_WAITING:
                self._dropped += 1
            self._seen.add((type(row), row.symbol))
            self._market.append(row)
        self.arrived.set()

    async def _take_state(self, message: Msg) -> None:
        pulse = self._read(message.data)
        if not isinstance(pulse, Pulse):
            return
        self._pulse, self._pulse_at = pulse, time.monotonic()
        answer = self._answer
        if answer is None or (answer.epoch, answer.grants) != (pulse.epoch, pulse.grants):
            self._asked.set()
        if pulse.stored is not None:
            with contextlib.suppress(*AWAY):  # the next pulse shows again what is missing
                async with self._lock:
                    await self._stored.catch_up(pulse.stored)
                    self._show_executions()

    async def _take_stored(self, message: Msg) -> None:
        with contextlib.suppress(*AWAY):
            async with self._lock:
                await self._stored.follow(message)
                self._show_executions()

    def _take_order(self, data: bytes) -> None:
        message = self._read(data)
        if isinstance(message, OrderUpdate):
            row = normalize_trade_update(message.update)
            if row is not None:
                self._updates.append({**row, "received_at": message.received_at})
        elif isinstance(message, RestFill):
            self._fills.append(message.row)

    def _show_executions(self) -> None:
        """Put each execution of the day that is new, or whose figures have changed."""
        today = new_york_date(utc_now())
        for one in reversed(self._builder.build(self._updates, self._fills, day=today).executions):
            figures = (one.quantity, one.price, one.busted)
            if self._shown.get(one.key) != figures:
                self._shown[one.key] = figures
                self._others.append(one)
        self.arrived.set()

    # What is wrong -------------------------------------------------------------------------------

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            if self._dropped:
                self._lose(self._dropped, "because this program reads too slowly")
                self._dropped = 0
            words = next(self._reasons(), "")
            if words != self._words:
                self._words = words
                self._say(words)

    def _lose(self, rows: int, why: str) -> None:
        self._say(f"{rows} quotes and trades were lost {why}")

    def _say(self, words: str) -> None:
        self._others.append(Notice(words))
        self.arrived.set()

    def _reasons(self) -> Iterator[str]:
        where, silent = self._options.shown, time.monotonic() - self._pulse_at
        if silent > _SILENT_SECONDS and (self._client is None or not self._client.is_connected):
            yield f"NATS at {where} is not reachable" + (f": {self._trouble}" if self._trouble else "")
        if self._mismatch:
            yield self._mismatch
        if silent > _SILENT_SECONDS:
            yield f"no relay publishes at {where}"
        pulse, answer = self._pulse, self._answer
        for stream, health in pulse.streams.items() if pulse is not None else ():
            if health.state is not StreamState.RUNNING:
                cause = f": {health.last_failure.words}" if health.last_failure is not None else ""
                yield f"the relay's stream of {stream} is {health.state}{cause}"
        for stream, grant in answer.streams.items() if answer is not None else ():
            if grant.refused or grant.invalid:
                yield f"Alpaca refused {stream}: {', '.join((*grant.refused, *grant.invalid))}"
        if pulse is not None and pulse.unstored and pulse.trouble:
            yield f"the relay cannot store {pulse.unstored} order updates: {pulse.trouble}"
        if self._stored is not None and self._stored.missing:
            yield f"{self._stored.missing} order messages had expired before they were read"
