"""Recorded connections: the product's own code, with a recording in place of sockets and timers."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine

from options_helper.data.streaming.connection.decoder import FrameDecoder, MarketBatch, Message
from options_helper.data.streaming.connection.market_data import DataConnection
from options_helper.data.streaming.connection.order_updates import TradingConnection
from options_helper.data.streaming.run.streamers import StreamRequest
from options_helper.errors import StreamError
from options_helper.market import StreamName
from options_helper.recording.records import Received


class RecordedConnection:
    """The common part of both kinds: the messages received and not yet handed on."""

    def __init__(self, request: StreamRequest) -> None:
        self._observer, self._request = request.observer, request
        self.stream_name = request.stream.value
        self._waiting: deque[bytes | str] = deque()

    def receive(self, received: Received) -> None:
        """Keep messages until they are handed on."""
        decoded = (each.decode(errors="surrogatepass") for each in received.messages)
        self._waiting.extend(decoded if received.is_text else received.messages)

    def run(self) -> None:
        """Do nothing; the recording says what happens."""

    def stop(self) -> None:
        """Do nothing."""

    def subscribed(self) -> None:
        """Handle the end of the handshake."""

    def hand_on(self) -> None:
        """Hand on what was handed on in the recording."""
        raise NotImplementedError


class RecordedData(RecordedConnection, DataConnection):
    """A connection of market data."""

    def __init__(self, request: StreamRequest) -> None:
        super().__init__(request)
        self.symbols = request.config.symbols(request.stream)
        self.asked = frozenset(self.symbols)
        self.deliver = self._offer
        self.deliver_corrections = self._offer_corrections
        if request.stream is StreamName.STOCKS:
            self.deliver_statuses = self._offer_statuses
        self._decoder = FrameDecoder()
        self._controls: list[Message] = []
        self._arrived = asyncio.Event()
        self._unanswered = deque()
        self._is_subscribed = False

    def subscribed(self) -> None:
        """Deliver batches from now on."""
        self._is_subscribed = True
        if self.deliver_statuses is not None:
            self._unanswered.append("statuses")

    def hand_on(self) -> None:
        """Hand on everything that is waiting."""
        self._put(self._waiting)
        self._waiting.clear()
        _run_to_end(self._flush() if self._is_subscribed else self._take_controls())

    async def _offer(self, batch: MarketBatch) -> None:
        if batch.quotes:
            self._request.offer("quotes", batch.quotes)
        if batch.trades:
            self._request.offer("trades", batch.trades)

    async def _offer_corrections(self, corrections: list[Message]) -> None:
        self._request.offer("corrections", corrections)

    async def _offer_statuses(self, statuses: list[Message]) -> None:
        self._request.offer("statuses", statuses)


class RecordedOrders(RecordedConnection, TradingConnection):
    """A connection of order updates, which are handed on one by one."""

    def __init__(self, request: StreamRequest) -> None:
        super().__init__(request)
        self.deliver = self._offer

    def hand_on(self) -> None:
        """Hand on the next message."""
        if self._waiting:
            _run_to_end(self._take_in(self._waiting.popleft()))

    async def _offer(self, update: object) -> None:
        self._request.offer("orders", update)

    def _acknowledge(self, granted: frozenset[str] | None) -> None:
        """Do nothing, because the acknowledgement is a separate record."""


def connect(request: StreamRequest) -> RecordedConnection:
    """Return a connection to be played."""
    return (RecordedOrders if request.stream is StreamName.FILLS else RecordedData)(request)


def _run_to_end(steps: Coroutine[object, None, object]) -> None:
    """Run a coroutine that waits for nothing; the error that ended the connection is a separate record."""
    try:
        steps.send(None)
    except (StopIteration, StreamError):
        return
    finally:
        steps.close()
