"""The only module that imports alpaca-py, and the few parts of it that this package uses."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from options_helper.errors import MissingDependency, SettingsError
from options_helper.market import StreamName

_MODULES = {
    StreamName.STOCKS: ("alpaca.data.live.stock", "StockDataStream"),
    StreamName.OPTIONS: ("alpaca.data.live.option", "OptionDataStream"),
    StreamName.FILLS: ("alpaca.trading.stream", "TradingStream"),
}
_BY_URL_ALONE = frozenset({"delayed_sip", "boats", "overnight"})
_FEEDS = {StreamName.STOCKS: "DataFeed", StreamName.OPTIONS: "OptionsFeed"}

# The streams start together, each in its own thread, and alpaca-py's packages import one another. Two threads
# that import them in different orders would deadlock, and Python would raise an error in one of them.
_importing = threading.Lock()

SdkHandler = Callable[[object], Awaitable[None]]


class SdkStream(Protocol):
    """A stream: alpaca-py's, ours for one connection, or a test's."""

    def run(self) -> None:
        """Connect and receive; return when the connection ends."""

    def stop(self) -> None:
        """Make `run()` return."""


class SdkDataStream(SdkStream, Protocol):
    """A stream of quotes and trades.

    Attributes:
        asked: The symbols to subscribe to.
        symbols: The same symbols, in order of priority.
    """

    asked: frozenset[str]
    symbols: Sequence[str]

    def change(self, symbols: Sequence[str]) -> None:
        """Subscribe to these symbols instead of the previous ones."""

    def subscribe_quotes(self, handler: SdkHandler, *symbols: str) -> None:
        """Subscribe to the quotes of these symbols."""

    def subscribe_trades(self, handler: SdkHandler, *symbols: str) -> None:
        """Subscribe to the trades of these symbols."""


class SdkOrderStream(SdkStream, Protocol):
    """The stream of order updates."""

    def subscribe_trade_updates(self, handler: SdkHandler) -> None:
        """Subscribe to order updates."""


def import_alpaca(module: str) -> Any:  # noqa: ANN401 - a module without types
    """Return a module of alpaca-py; the first import takes about 1.5 s.

    Raises:
        MissingDependency: alpaca-py is not installed.
    """
    try:
        with _importing:
            return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] == "alpaca":
            raise MissingDependency("alpaca-py", "alpaca") from error
        raise


def stream_class(stream: StreamName) -> type:
    """Return alpaca-py's class for a stream."""
    module, name = _MODULES[stream]
    found: type = getattr(import_alpaca(module), name)
    return found


def feed_enum(stream: StreamName, feed: str) -> object:
    """Return alpaca-py's enum for a feed, which its constructor requires.

    Its stock stream accepts only two feeds; the others are chosen by the URL alone and passed as "iex".

    Raises:
        SettingsError: The stream has no such feed.
    """
    enums = import_alpaca("alpaca.data.enums")
    by_url_alone = stream is StreamName.STOCKS and feed in _BY_URL_ALONE
    try:
        return getattr(enums, _FEEDS[stream])("iex" if by_url_alone else feed)
    except ValueError as error:
        raise SettingsError("feed", f"{feed!r} is not a feed of the {stream} stream.") from error
