"""Builds the streamer of one connection: Alpaca's, or one from an injected factory."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from options_helper.data.streaming.alpaca_stream import AlpacaOptionStreamer, AlpacaStockStreamer
from options_helper.data.streaming.alpaca_trading_stream import AlpacaTradingStreamer
from options_helper.data.streaming.connection.handlers import Handler
from options_helper.data.streaming.connection.observer import ConnectionObserver
from options_helper.data.streaming.reconnect.worker import Streamer
from options_helper.data.streaming.run.config import LiveStreamConfig
from options_helper.market import StreamName
from options_helper.recording.journal import Journal
from options_helper.recording.taps import ConnectionTap


class DataStreamer(Streamer, Protocol):
    """A streamer of quotes and trades."""

    def subscribe(self, symbols: Sequence[str], /) -> None:
        """Subscribe to these symbols when `run()` connects."""


class OrderStreamer(Streamer, Protocol):
    """A streamer of order updates."""

    def subscribe_trade_updates(self) -> None:
        """Subscribe to order updates when `run()` connects."""


class StreamerFactory(Protocol):
    """A factory of streamers of quotes and trades; the handlers accept one item or a list."""

    def __call__(self, *, feed: str, on_quotes: Handler, on_trades: Handler) -> DataStreamer:
        """Return a new streamer."""
        ...


class OrderStreamerFactory(Protocol):
    """A factory of streamers of order updates; the handler accepts one update or a list."""

    def __call__(self, *, on_trade_updates: Handler) -> OrderStreamer:
        """Return a new streamer."""
        ...


class Offer(Protocol):
    """The hand-over of a stream's messages to a run."""

    def __call__(self, kind: str, items: object, received_at: dt.datetime | None = None) -> None:
        """Hand over one item or a list; `received_at` is the current time unless given."""


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """The inputs for building the streamer of one connection.

    Attributes:
        offer: Called with a kind ("quotes", "trades", "statuses", "corrections", "orders") and one item or a
            list of that kind, in the stream's thread, and optionally the time of receipt.
        journal: Records the connection.
        lose: Called with the number of messages that were lost on the way.
    """

    stream: StreamName
    config: LiveStreamConfig
    observer: ConnectionObserver
    offer: Offer
    journal: Journal | None = None
    lose: Callable[[int], None] = lambda _messages: None

    @property
    def feed(self) -> str:
        """The feed of a data stream."""
        config = self.config
        return config.stock_feed if self.stream is StreamName.STOCKS else config.options_feed

    def tap(self) -> ConnectionTap | None:
        """Return the tap of this connection, or None if nothing is recorded."""
        journal = self.journal
        return ConnectionTap(journal, self.stream) if journal is not None and journal.is_recording else None

    def handler(self, kind: str) -> Handler:
        """Return the handler of one kind of message."""
        return partial(self.offer, kind)


BuildStreamer = Callable[[StreamRequest], Streamer]


def build_alpaca(request: StreamRequest) -> Streamer:
    """Return a subscribed streamer for one of Alpaca's streams."""
    config, stream = request.config, request.stream
    if stream is StreamName.FILLS:
        orders = AlpacaTradingStreamer(
            config.settings,
            on_trade_updates=request.handler("orders"),
            observer=request.observer,
            times=config.times,
            tap=request.tap(),
        )
        orders.subscribe_trade_updates()
        return orders
    is_stocks = stream is StreamName.STOCKS
    streamer = (AlpacaStockStreamer if is_stocks else AlpacaOptionStreamer)(
        config.settings,
        feed=request.feed,
        on_quotes=request.handler("quotes"),
        on_trades=request.handler("trades"),
        on_statuses=request.handler("statuses") if is_stocks else None,
        on_corrections=request.handler("corrections"),
        observer=request.observer,
        times=config.times,
        tap=request.tap(),
    )
    streamer.subscribe(config.symbols(stream))
    return streamer


def build_data(factory: StreamerFactory, request: StreamRequest) -> Streamer:
    """Return a subscribed streamer from an injected factory."""
    streamer = factory(
        feed=request.feed, on_quotes=request.handler("quotes"), on_trades=request.handler("trades")
    )
    streamer.subscribe(request.config.symbols(request.stream))
    return streamer


def build_orders(factory: OrderStreamerFactory, request: StreamRequest) -> Streamer:
    """Return a subscribed streamer of order updates from an injected factory."""
    streamer = factory(on_trade_updates=request.handler("orders"))
    streamer.subscribe_trade_updates()
    return streamer
