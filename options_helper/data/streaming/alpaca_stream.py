"""The market data streamers, over alpaca-py's streams: one connection per run, newest rows in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from options_helper.data.settings import AlpacaSettings, load_settings
from options_helper.data.streaming.connection.connection import one_connection
from options_helper.data.streaming.connection.decoder import MarketBatch
from options_helper.data.streaming.connection.handlers import Handler, HandlerCalls
from options_helper.data.streaming.connection.market_data import DataConnection
from options_helper.data.streaming.connection.observer import (
    ConnectionObserver,
    ConnectionTimes,
    SilentObserver,
)
from options_helper.data.streaming.connection.protocol import websocket_params
from options_helper.data.streaming.connection.sdk import SdkDataStream, feed_enum, stream_class
from options_helper.errors import MissingDependency, SettingsError
from options_helper.market import StreamName
from options_helper.recording.taps import ConnectionTap


class _AlpacaDataStreamer:
    """The shared part of the stock and the option streamer.

    Args:
        settings: Keys and endpoints; read from the environment if None and no `stream` is given.
        feed: A feed of the stream, such as "iex" for stocks or "opra" for options; the settings' if None.
        on_quotes: Called in the stream's thread with a list of quotes (an injected stream may pass one
            quote).
        on_trades: The same for trades. Both may be plain or coroutine functions.
        on_statuses: Called with a list of raw trading statuses (halts and resumptions); stocks only.
        on_corrections: Called with a list of raw corrected and cancelled trades.
        stream: A ready-made stream object, for tests.
        stream_cls: A class with the constructor of alpaca-py's stream, for tests.
        observer: Notified of each step of the connection.
        times: The timings of the connection.
        tap: Records the connection.
    """

    name: StreamName

    def __init__(  # noqa: PLR0913 - a handler for each kind of message
        self,
        settings: AlpacaSettings | None = None,
        *,
        feed: str | None = None,
        on_quotes: Handler | None = None,
        on_trades: Handler | None = None,
        on_statuses: Handler | None = None,
        on_corrections: Handler | None = None,
        stream: SdkDataStream | None = None,
        stream_cls: Callable[..., SdkDataStream] | None = None,
        observer: ConnectionObserver | None = None,
        times: ConnectionTimes | None = None,
        tap: ConnectionTap | None = None,
    ) -> None:
        self._settings = settings
        self._feed = feed
        self._on_quotes = on_quotes
        self._on_trades = on_trades
        self._on_statuses = on_statuses
        self._on_corrections = on_corrections
        self._observer = observer or SilentObserver()
        self._times = times or ConnectionTimes()
        self._tap = tap
        self._call = HandlerCalls(self.name, self._observer)
        self.stream = stream if stream is not None else self._build_stream(stream_cls)

    def subscribe(self, symbols: Iterable[str]) -> None:
        """Register symbols, in Alpaca's spelling; `run()` subscribes to their quotes and trades."""
        asked = tuple(dict.fromkeys(symbols))
        if not asked:
            return
        self.stream.asked, self.stream.symbols = frozenset(asked), asked
        self.stream.subscribe_quotes(self._handle_quotes, *asked)
        self.stream.subscribe_trades(self._handle_trades, *asked)

    def change(self, symbols: Sequence[str]) -> None:
        """Subscribe to these symbols instead of the previous ones, without a new connection."""
        self.stream.change(symbols)

    def run(self) -> None:
        """Connect once and block until the connection ends.

        Raises:
            StreamRejected: The server refuses permanently.
            StreamInterrupted: The connection ended or was never established.
        """
        self.stream.run()

    def stop(self) -> None:
        """Make `run()` return; callable from any thread, even before `run()`."""
        self.stream.stop()

    async def _handle_quotes(self, items: object) -> None:
        await self._call(self._on_quotes, items)

    async def _handle_trades(self, items: object) -> None:
        await self._call(self._on_trades, items)

    async def _handle_statuses(self, items: object) -> None:
        await self._call(self._on_statuses, items)

    async def _handle_corrections(self, items: object) -> None:
        await self._call(self._on_corrections, items)

    async def _deliver(self, batch: MarketBatch) -> None:
        if batch.quotes:
            await self._call(self._on_quotes, batch.quotes)
        if batch.trades:
            await self._call(self._on_trades, batch.trades)

    def _build_stream(self, stream_cls: Callable[..., SdkDataStream] | None) -> SdkDataStream:
        settings = self._settings or settings_for(stream_cls)
        feed = (self._feed or self._default_feed(settings)).lower()
        arguments = {
            "api_key": settings.key_id,
            "secret_key": settings.secret_key,
            "raw_data": True,
            "url_override": self._url(settings, feed),
        }
        if stream_cls is not None:
            return stream_cls(**arguments, feed=self._enum_or_word(feed))
        build = one_connection(DataConnection, stream_class(self.name))
        stream = build(**arguments, feed=feed_enum(self.name, feed), websocket_params=websocket_params())
        stream.stream_name = self.name.value
        stream.deliver = self._deliver
        if self._on_corrections is not None:
            stream.deliver_corrections = self._handle_corrections
        if self._on_statuses is not None:
            stream.deliver_statuses = self._handle_statuses
        stream.prepare(observer=self._observer, times=self._times, tap=self._tap)
        return stream

    def _enum_or_word(self, feed: str) -> object:
        """Return the SDK's enum, or the word if the SDK is missing; an injected class accepts either."""
        try:
            return feed_enum(self.name, feed)
        except MissingDependency:
            return feed

    def _url(self, settings: AlpacaSettings, feed: str) -> str:
        raise NotImplementedError

    def _default_feed(self, settings: AlpacaSettings) -> str:
        raise NotImplementedError


class AlpacaStockStreamer(_AlpacaDataStreamer):
    """A streamer of stock quotes and trades; feeds "iex", "sip", "delayed_sip", "boats" and "overnight"."""

    name = StreamName.STOCKS

    def _url(self, settings: AlpacaSettings, feed: str) -> str:
        return settings.stock_stream_url(feed)

    def _default_feed(self, settings: AlpacaSettings) -> str:
        return settings.stock_feed


class AlpacaOptionStreamer(_AlpacaDataStreamer):
    """A streamer of option quotes and trades; feeds "indicative" and "opra"."""

    name = StreamName.OPTIONS

    def _url(self, settings: AlpacaSettings, feed: str) -> str:
        return settings.option_stream_url(feed)

    def _default_feed(self, settings: AlpacaSettings) -> str:
        return settings.options_feed


def settings_for(stream_cls: object) -> AlpacaSettings:
    """Return the environment's settings; with an injected class, keys may be missing."""
    try:
        return load_settings()
    except SettingsError:
        if stream_cls is None:
            raise
        return AlpacaSettings(key_id="", secret_key="")
