"""The configuration of a set of streams, compared by value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields

from options_helper.data.settings import OPTIONS_FEEDS, STOCK_FEEDS, AlpacaSettings
from options_helper.data.streaming.connection.observer import ConnectionTimes
from options_helper.data.streaming.reconnect.policy import BASE_SECONDS, CAP_SECONDS
from options_helper.errors import SettingsError
from options_helper.market import StreamName


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveStreamConfig:
    """The configuration that determines which streams run, and how.

    Attributes:
        settings: Keys and endpoints; read from the environment if None.
        stocks, option_contracts: Symbols as Alpaca spells them, from a `SubscriptionPlan`.
        polled_contracts: Contracts that do not stream; their prices are fetched from REST at an interval.
        stream_first: The symbols with the highest priority if Alpaca grants fewer, in order.
        stream_stocks, stream_options, stream_fills: The streams to run; one without symbols is not started.
        stock_feed: "iex", "sip", "delayed_sip", "boats" or "overnight".
        options_feed: "indicative" or "opra".
        reconnect_base_seconds, reconnect_cap_seconds: The shortest and longest backoff; 0 does not wait.
        queue_maxsize: The largest number of batches that may wait for the consumer.
        backfill: True to fetch over REST the data that the streams do not carry.
        times: The timeouts of each connection.

    Raises:
        SettingsError: A value is invalid; the text names it.
    """

    settings: AlpacaSettings | None = None
    stocks: Sequence[str] = ()
    option_contracts: Sequence[str] = ()
    polled_contracts: Sequence[str] = ()
    stream_first: Sequence[str] = ()
    stream_stocks: bool = True
    stream_options: bool = True
    stream_fills: bool = True
    stock_feed: str = STOCK_FEEDS[0]
    options_feed: str = OPTIONS_FEEDS[0]
    reconnect_base_seconds: float = BASE_SECONDS
    reconnect_cap_seconds: float = CAP_SECONDS
    queue_maxsize: int = 256
    backfill: bool = True
    times: ConnectionTimes = field(default_factory=ConnectionTimes)

    def __post_init__(self) -> None:
        for name in ("stocks", "option_contracts", "polled_contracts", "stream_first"):
            object.__setattr__(self, name, _symbols(name, getattr(self, name)))
        for name, feeds in (("stock_feed", STOCK_FEEDS), ("options_feed", OPTIONS_FEEDS)):
            object.__setattr__(self, name, str(getattr(self, name)).lower())
            if getattr(self, name) not in feeds:
                raise SettingsError(
                    name, f"{name} is {getattr(self, name)!r}; it must be one of: {', '.join(feeds)}."
                )
        if self.queue_maxsize < 1:
            raise SettingsError(
                "queue_maxsize", f"queue_maxsize is {self.queue_maxsize}; it must be at least 1."
            )
        if not 0 <= self.reconnect_base_seconds <= self.reconnect_cap_seconds:
            raise SettingsError(
                "reconnect_base_seconds",
                "reconnect_base_seconds must be 0 or more and not above reconnect_cap_seconds "
                f"({self.reconnect_base_seconds} and {self.reconnect_cap_seconds} were given).",
            )
        for part in fields(self.times):
            if not getattr(self.times, part.name) > 0:
                raise SettingsError(f"times.{part.name}", f"times.{part.name} must be above 0.")

    def symbols(self, stream: StreamName) -> tuple[str, ...]:
        """Return the symbols of a stream in order of priority; empty for fills."""
        symbols = {StreamName.STOCKS: self.stocks, StreamName.OPTIONS: self.option_contracts}.get(stream, ())
        ranks = {symbol: rank for rank, symbol in enumerate(self.stream_first)}
        return tuple(sorted(symbols, key=lambda symbol: ranks.get(symbol, len(ranks))))

    @property
    def streams(self) -> tuple[StreamName, ...]:
        """The requested streams that have something to subscribe to."""
        wanted = {
            StreamName.STOCKS: self.stream_stocks and bool(self.stocks),
            StreamName.OPTIONS: self.stream_options and bool(self.option_contracts),
            StreamName.FILLS: self.stream_fills,
        }
        return tuple(stream for stream, is_wanted in wanted.items() if is_wanted)


def _symbols(name: str, given: Iterable[str]) -> tuple[str, ...]:
    """Return the symbols without duplicates; reject a string, which would be split into letters."""
    if isinstance(given, str):
        raise SettingsError(name, f'{name} must be a list of symbols such as ["{given}"], not a string.')
    return tuple(dict.fromkeys(given))
