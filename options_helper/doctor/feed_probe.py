"""Probes of the account's entitlements: one connection per stream, closed once it is authenticated."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from options_helper.data.settings import AlpacaSettings
from options_helper.data.streaming.alpaca_stream import AlpacaOptionStreamer, AlpacaStockStreamer
from options_helper.data.streaming.alpaca_trading_stream import AlpacaTradingStreamer
from options_helper.data.streaming.connection.observer import ConnectionTimes, SilentObserver
from options_helper.errors import StreamError, StreamRejected
from options_helper.market import StreamName

# Alpaca's codes for "connection limit exceeded": 406 on the data streams, HTTP 429 on the trading stream.
_HELD_ELSEWHERE = frozenset({406, 429})
_AUTHENTICATING = "authenticating"


class Entitlement(StrEnum):
    """The server's answer."""

    GRANTED = "granted"
    REFUSED = "refused"
    IN_USE = "in use by another program"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class FeedProbe:
    """The server's answer for one stream.

    Attributes:
        feed: The requested feed; "" for fills.
        detail: Why it is not granted, in words, else "".
    """

    stream: StreamName
    feed: str
    entitlement: Entitlement
    detail: str = ""


class _Authenticated(Exception):
    """Thrown out of the connection by its observer, before anything is subscribed."""


class _Watcher(SilentObserver):
    """Ends the connection at the step that follows the authentication."""

    def __init__(self) -> None:
        self._before = ""

    def step(self, words: str) -> None:
        """The handshake waits for this now."""
        if self._before == _AUTHENTICATING:
            raise _Authenticated
        self._before = words


def probe_feed(
    settings: AlpacaSettings, stream: StreamName, feed: str = "", *, times: ConnectionTimes | None = None
) -> FeedProbe:
    """Connect, authenticate and close without subscribing. Blocks for up to one handshake's time.

    Raises:
        MissingDependency: alpaca-py is not installed.
        SettingsError: The stream has no such feed.
    """
    watcher = _Watcher()
    streamer: AlpacaTradingStreamer | AlpacaStockStreamer | AlpacaOptionStreamer
    if stream is StreamName.FILLS:
        streamer = AlpacaTradingStreamer(settings, observer=watcher, times=times)
    else:
        kind = AlpacaStockStreamer if stream is StreamName.STOCKS else AlpacaOptionStreamer
        streamer = kind(settings, feed=feed, observer=watcher, times=times)
    try:
        streamer.run()
    except _Authenticated:
        return FeedProbe(stream, feed, Entitlement.GRANTED)
    except StreamError as error:
        return FeedProbe(stream, feed, _entitlement(error), str(error))
    return FeedProbe(stream, feed, Entitlement.UNREACHABLE, "the connection ended without a reason")


def _entitlement(error: StreamError) -> Entitlement:
    if error.code in _HELD_ELSEWHERE:
        return Entitlement.IN_USE
    return Entitlement.REFUSED if isinstance(error, StreamRejected) else Entitlement.UNREACHABLE
