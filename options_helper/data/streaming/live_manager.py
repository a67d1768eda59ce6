"""The one object the page talks to: start, stop, is it running, what does it know."""

from __future__ import annotations

import datetime as dt
import inspect
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from options_helper.data.settings import load_settings
from options_helper.data.streaming.alpaca_stream import AlpacaOptionStreamer, AlpacaStockStreamer
from options_helper.data.streaming.alpaca_trading_stream import AlpacaTradingStreamer
from options_helper.data.streaming.run.config import LiveStreamConfig
from options_helper.data.streaming.run.live_run import LiveRun, RunParts
from options_helper.errors import SettingsError
from options_helper.market import LiveSnapshot, StreamName
from options_helper.times import utc_now

__all__ = ["LiveSnapshot", "LiveStreamConfig", "LiveStreamManager"]

STOP_SECONDS = 0.9  # the promise is a second

# What our own streamers take beyond a feed and handlers; a replacement need not know these.
_OWN_ARGUMENTS = frozenset({"settings", "observer", "times", "on_statuses"})


class LiveStreamManager:
    """Runs at most one set of streams; safe to use from any thread.

    Args:
        stock_streamer_factory, option_streamer_factory, trading_streamer_factory: Called with the streamers'
            own keyword arguments, of which it must know `feed` and the handlers; the Alpaca streamers where
            None.
        backfill_factory: Called with the config and the run, gives an object with the life of `Backfill`;
            Alpaca's REST where None and none of the streamers is replaced.
        clock: The time, injected.
    """

    def __init__(
        self,
        *,
        stock_streamer_factory: Callable[..., Any] | None = None,
        option_streamer_factory: Callable[..., Any] | None = None,
        trading_streamer_factory: Callable[..., Any] | None = None,
        backfill_factory: Callable[[LiveStreamConfig, LiveRun], Any] | None = None,
        clock: Callable[[], dt.datetime] = utc_now,
    ) -> None:
        injected = (stock_streamer_factory, option_streamer_factory, trading_streamer_factory)
        self._needs_keys = {
            stream for stream, factory in zip(StreamName, injected, strict=True) if factory is None
        }
        self._factories: dict[StreamName, Callable[..., Any]] = {
            StreamName.STOCKS: _as_it_takes(stock_streamer_factory or AlpacaStockStreamer),
            StreamName.OPTIONS: _as_it_takes(option_streamer_factory or AlpacaOptionStreamer),
            StreamName.FILLS: _as_it_takes(trading_streamer_factory or AlpacaTradingStreamer),
        }
        self._backfill_factory = backfill_factory
        self._clock = clock
        self._lifecycle = threading.RLock()
        self._run: LiveRun | None = None

    def start(self, config: LiveStreamConfig) -> None:
        """Start the streams; with the same config while running this does nothing, with another it restarts.

        Raises:
            SettingsError: There are no keys, or nothing to stream; nothing is started and nothing stopped.
        """
        with self._lifecycle:
            config = self._with_settings(config)
            if self.is_running() and self._run is not None and self._run.config == config:
                return
            if not config.streams:
                raise SettingsError(
                    "streams",
                    "There is nothing to stream: the portfolio has no live positions and fills are off.",
                )
            self.stop()
            run = LiveRun(config, self._parts(config))
            self._run = run
            run.start()

    def stop(self) -> None:
        """End every thread and socket; what was known stays readable. Harmless when nothing runs."""
        with self._lifecycle:
            run = self._run
            if run is not None and run.stopped_at is None:
                run.stop(STOP_SECONDS)

    def is_running(self) -> bool:
        """Whether any stream is connected or on its way there."""
        run = self._run
        return run is not None and run.is_running

    @property
    def config(self) -> LiveStreamConfig | None:
        """What the current or last set of streams was started with."""
        run = self._run
        return run.config if run else None

    def snapshot(self) -> LiveSnapshot:
        """A frozen copy of everything known, never waiting for a start or stop under way."""
        run = self._run
        return LiveSnapshot(as_of=self._clock()) if run is None else run.snapshot()

    def _with_settings(self, config: LiveStreamConfig) -> LiveStreamConfig:
        if config.settings is not None or not self._needs_keys.intersection(config.streams):
            return config
        return replace(config, settings=load_settings())

    def _parts(self, config: LiveStreamConfig) -> RunParts:
        previous = self._run.snapshot().version + 1 if self._run else 0
        build = self._backfill_factory
        nothing_is_injected = len(self._needs_keys) == len(StreamName)
        if build is None and config.backfill and config.settings is not None and nothing_is_injected:
            build = _alpaca_backfill
        return RunParts(
            factories=self._factories, build_backfill=build, clock=self._clock, first_version=previous
        )


def _as_it_takes(factory: Callable[..., Any]) -> Callable[..., Any]:
    """The factory, called without those of `_OWN_ARGUMENTS` that it does not take."""
    try:
        parameters = inspect.signature(factory).parameters
    except (TypeError, ValueError):  # a callable that does not tell
        return factory
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values()):
        return factory
    unknown = _OWN_ARGUMENTS.difference(parameters)
    return lambda **given: factory(**{name: value for name, value in given.items() if name not in unknown})


def _alpaca_backfill(config: LiveStreamConfig, run: LiveRun) -> Any:  # noqa: ANN401 - see Backfill
    from options_helper.data.rest.client import AlpacaRest  # noqa: PLC0415 - httpx is needed by Start only
    from options_helper.data.streaming.backfill.backfill import Backfill  # noqa: PLC0415

    if config.settings is None:
        raise SettingsError("settings", "The background fetch needs keys.")
    return Backfill(
        AlpacaRest(config.settings),
        stocks=config.stocks,
        option_contracts=config.option_contracts,
        stock_feed=config.stock_feed,
        options_feed=config.options_feed,
        want_fills=config.stream_fills,
        sink=run.sink,
        clock=run.clock,
    )
