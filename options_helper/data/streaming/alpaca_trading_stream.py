"""The streamer of order updates, over alpaca-py's trading stream: one connection per run, nothing dropped."""

from __future__ import annotations

from collections.abc import Callable

from options_helper.data.settings import Account, AlpacaSettings
from options_helper.data.streaming.alpaca_stream import settings_for
from options_helper.data.streaming.connection.connection import one_connection
from options_helper.data.streaming.connection.handlers import Handler, HandlerCalls
from options_helper.data.streaming.connection.observer import (
    ConnectionObserver,
    ConnectionTimes,
    SilentObserver,
)
from options_helper.data.streaming.connection.order_updates import TradingConnection
from options_helper.data.streaming.connection.protocol import websocket_params
from options_helper.data.streaming.connection.sdk import SdkOrderStream, stream_class
from options_helper.market import StreamName
from options_helper.recording.taps import ConnectionTap


class AlpacaTradingStreamer:
    """A streamer of the account's order updates.

    Args:
        settings: Keys and endpoints; read from the environment if None and no `stream` is given.
        paper: Choose Alpaca's paper or live host; None keeps the settings' host.
        stream: A ready-made stream object, for tests.
        stream_cls: A class with the constructor of alpaca-py's TradingStream, for tests.
        on_trade_updates: A plain or coroutine function, called with each update in the stream's thread.
        observer: Notified of each step of the connection.
        times: The timings of the connection.
        tap: Records the connection.
    """

    name = StreamName.FILLS

    def __init__(
        self,
        settings: AlpacaSettings | None = None,
        *,
        paper: bool | None = None,
        stream: SdkOrderStream | None = None,
        stream_cls: Callable[..., SdkOrderStream] | None = None,
        on_trade_updates: Handler | None = None,
        observer: ConnectionObserver | None = None,
        times: ConnectionTimes | None = None,
        tap: ConnectionTap | None = None,
    ) -> None:
        self._settings = settings
        self._paper = paper
        self._on_trade_updates = on_trade_updates
        self._observer = observer or SilentObserver()
        self._times = times or ConnectionTimes()
        self._tap = tap
        self._call = HandlerCalls(self.name, self._observer)
        self.stream = stream if stream is not None else self._build_stream(stream_cls)

    def subscribe_trade_updates(self) -> None:
        """Subscribe to order updates when `run()` connects."""
        self.stream.subscribe_trade_updates(self._handle)

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

    async def _handle(self, update: object) -> None:
        await self._call(self._on_trade_updates, update)

    def _build_stream(self, stream_cls: Callable[..., SdkOrderStream] | None) -> SdkOrderStream:
        settings = self._settings or settings_for(stream_cls)
        if self._paper is not None:
            settings = settings.with_account(Account.PAPER if self._paper else Account.LIVE)
        arguments = {
            "api_key": settings.key_id,
            "secret_key": settings.secret_key,
            "paper": settings.account is not Account.LIVE,
            "raw_data": True,
            "url_override": settings.trading_stream_url,
        }
        if stream_cls is not None:
            return stream_cls(**arguments)
        build = one_connection(TradingConnection, stream_class(self.name))
        stream = build(**arguments, websocket_params=websocket_params())
        stream.stream_name = self.name.value
        stream.deliver = self._handle
        stream.prepare(observer=self._observer, times=self._times, tap=self._tap)
        return stream
