"""Probes of the account's entitlements: one connection per stream, closed once the answer is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from options_helper.data.settings import AlpacaSettings
from options_helper.data.streaming.alpaca_stream import AlpacaOptionStreamer, AlpacaStockStreamer
from options_helper.data.streaming.alpaca_trading_stream import AlpacaTradingStreamer
from options_helper.data.streaming.connection.observer import ConnectionTimes, SilentObserver
from options_helper.data.streaming.reconnect.policy import TOO_MANY_ATTEMPTS
from options_helper.errors import StreamError, StreamRejected
from options_helper.market import StreamName

# Alpaca's code for "connection limit exceeded"; an HTTP 429 may also mean too many attempts.
_HELD_ELSEWHERE = 406
_AUTHENTICATING = "authenticating"


class Entitlement(StrEnum):
    """The server's answer to a request for a feed."""

    GRANTED = "granted"
    REFUSED = "refused"
    IN_USE = "in use by another program"
    TOO_MANY = "too many connections or attempts (429)"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class FeedProbe:
    """The server's answer for one stream.

    Attributes:
        feed: The requested feed; "" for fills.
        detail: Why the feed is not granted, in words, or "".
        granted: The number of symbols that stream, None if none were requested.
        channels: The plan's limit, if the request exceeded it.
        invalid: Symbols that Alpaca does not accept.
    """

    stream: StreamName
    feed: str
    entitlement: Entitlement
    detail: str = ""
    granted: int | None = None
    channels: int | None = None
    invalid: frozenset[str] = frozenset()


class _Answered(Exception):
    """Raised by the observer to leave the connection once the answer is known."""


class _Watcher(SilentObserver):
    """An observer that ends the connection once the login or, with symbols, the subscription is accepted."""

    def __init__(self, *, subscribes: bool) -> None:
        self._subscribes = subscribes
        self._before = ""
        self.granted: int | None = None
        self.channels: int | None = None
        self.refused: frozenset[str] = frozenset()

    def step(self, words: str) -> None:
        """Raise once the stream is authenticated."""
        if self._before == _AUTHENTICATING and not self._subscribes:
            raise _Answered
        self._before = words

    def limited(self, channels: int) -> None:
        """Record the plan's limit."""
        self.channels = channels

    def invalid(self, symbols: frozenset[str]) -> None:
        """Record the symbols that Alpaca does not accept."""
        self.refused = symbols

    def subscribed(self, granted: frozenset[str] | None) -> None:
        """Handle the acknowledgement."""
        self.granted = None if granted is None else len(granted)
        raise _Answered


def probe_feed(
    settings: AlpacaSettings,
    stream: StreamName,
    feed: str = "",
    *,
    symbols: Sequence[str] = (),
    times: ConnectionTimes | None = None,
) -> FeedProbe:
    """Connect, authenticate, subscribe as the page would, and close; blocks for one handshake at most.

    Args:
        settings: Keys and hosts.
        stream: The stream to probe.
        feed: Its feed; "" for fills.
        symbols: The symbols to subscribe to, in order of priority; if empty, there is no subscription.
        times: The timings of the connection.

    Raises:
        MissingDependency: alpaca-py is not installed.
        SettingsError: The stream has no such feed.
    """
    watcher = _Watcher(subscribes=bool(symbols))
    streamer: AlpacaTradingStreamer | AlpacaStockStreamer | AlpacaOptionStreamer
    if stream is StreamName.FILLS:
        streamer = AlpacaTradingStreamer(settings, observer=watcher, times=times)
    else:
        kind = AlpacaStockStreamer if stream is StreamName.STOCKS else AlpacaOptionStreamer
        streamer = kind(settings, feed=feed, observer=watcher, times=times)
        if symbols:
            streamer.subscribe(symbols)
    try:
        streamer.run()
    except _Answered:
        return FeedProbe(
            stream,
            feed,
            Entitlement.GRANTED,
            granted=watcher.granted,
            channels=watcher.channels,
            invalid=watcher.refused,
        )
    except StreamError as error:
        return FeedProbe(stream, feed, _entitlement(error), str(error))
    return FeedProbe(stream, feed, Entitlement.UNREACHABLE, "the connection ended without a reason")


def _entitlement(error: StreamError) -> Entitlement:
    if error.code == _HELD_ELSEWHERE:
        return Entitlement.IN_USE
    if error.code == TOO_MANY_ATTEMPTS:
        return Entitlement.TOO_MANY
    return Entitlement.REFUSED if isinstance(error, StreamRejected) else Entitlement.UNREACHABLE
