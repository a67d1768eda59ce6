"""The manager that the page and scripts use: start, stop, is_running, snapshot."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields, replace
from functools import partial
from typing import TYPE_CHECKING, Self, TypeAlias

from options_helper.data.settings import load_settings
from options_helper.data.streaming.run.background_fetch import BackgroundFetch
from options_helper.data.streaming.run.config import LiveStreamConfig
from options_helper.data.streaming.run.live_run import LiveRun, RunParts
from options_helper.data.streaming.run.streamers import (
    BuildStreamer,
    OrderStreamerFactory,
    StreamerFactory,
    build_alpaca,
    build_data,
    build_orders,
)
from options_helper.errors import NO_THREAD, OptionsHelperError, SettingsError
from options_helper.market import LiveSnapshot, StreamName
from options_helper.recording.journal import Journal
from options_helper.recording.recorder import Recorder
from options_helper.times import SteadyClock, utc_now

if TYPE_CHECKING:
    from options_helper.data.rest.client import AlpacaRest
    from options_helper.data.streaming.backfill.backfill import Backfill

__all__ = ["LiveSnapshot", "LiveStreamConfig", "LiveStreamManager"]

STOP_SECONDS = 0.9  # `stop()` promises to take at most a second
RunSource: TypeAlias = Callable[
    [], tuple[Mapping[StreamName, BuildStreamer], Callable[[LiveStreamConfig, LiveRun], BackgroundFetch]]
]


class LiveStreamManager:
    """The manager of at most one set of streams; thread-safe. As a context manager, it stops them on exit.

    Args:
        stock_streamer_factory, option_streamer_factory: Called with `feed`, `on_quotes` and `on_trades`; the
            Alpaca streamers if None. An injected streamer counts as running from its first event.
        trading_streamer_factory: Called with `on_trade_updates`; the Alpaca streamer if None.
        backfill_factory: Called with the config and the run; returns a `BackgroundFetch`. Alpaca's REST if
            None and no streamer is injected.
        clock: Returns the time; by default, each run has its own `SteadyClock`.
        recorder: Records each run; None records nothing and costs nothing.
        source: Returns the builders of a run's streams and of its background fetch, in place of Alpaca's;
            such a run needs no keys.
    """

    def __init__(
        self,
        *,
        stock_streamer_factory: StreamerFactory | None = None,
        option_streamer_factory: StreamerFactory | None = None,
        trading_streamer_factory: OrderStreamerFactory | None = None,
        backfill_factory: Callable[[LiveStreamConfig, LiveRun], BackgroundFetch] | None = None,
        clock: Callable[[], dt.datetime] | None = None,
        recorder: Recorder | None = None,
        source: RunSource | None = None,
    ) -> None:
        self._source = source
        self._builders: dict[StreamName, BuildStreamer] = dict.fromkeys(StreamName, build_alpaca)
        if stock_streamer_factory is not None:
            self._builders[StreamName.STOCKS] = partial(build_data, stock_streamer_factory)
        if option_streamer_factory is not None:
            self._builders[StreamName.OPTIONS] = partial(build_data, option_streamer_factory)
        if trading_streamer_factory is not None:
            self._builders[StreamName.FILLS] = partial(build_orders, trading_streamer_factory)
        self._needs_keys = (
            set() if source else {stream for stream, build in self._builders.items() if build is build_alpaca}
        )
        self._backfill_factory = backfill_factory
        self._clock = clock
        self._recorder = recorder
        self._lifecycle = threading.RLock()
        self._run: LiveRun | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def start(self, config: LiveStreamConfig) -> None:
        """Start the streams; if they are running, restart them only if the config is different.

        Raises:
            SettingsError: There are no keys, or there is nothing to stream; nothing is started or stopped.
            OptionsHelperError: The system allows no more threads; nothing runs.
        """
        with self._lifecycle:
            config = self._checked(config)
            if self.is_running() and self._run is not None and self._run.config == config:
                return
            self.stop()
            run = LiveRun(config, self._parts(config))
            try:
                if self._recorder is not None:
                    self._recorder.begin(*_recorded(config))
                run.start()
            except RuntimeError as error:  # "can't start new thread"
                self._end(run)
                raise OptionsHelperError(NO_THREAD) from error
            self._run = run

    def check(self, config: LiveStreamConfig) -> None:
        """Raise the SettingsError that `start` would raise; start and stop nothing."""
        self._checked(config)

    def stop(self) -> None:
        """End every thread and socket; the last state stays readable. Idempotent."""
        with self._lifecycle:
            run = self._run
            if run is not None and run.stopped_at is None:
                self._end(run)

    def _end(self, run: LiveRun) -> None:
        if self._recorder is not None:
            self._recorder.stop_looking()
        run.stop(STOP_SECONDS)
        if self._recorder is not None:
            self._recorder.end()

    def is_running(self) -> bool:
        """Return whether any stream is connected, connecting or reconnecting."""
        run = self._run
        return run is not None and run.is_running

    def wait_until_live(self, timeout: float) -> bool:
        """Wait until Alpaca has acknowledged every started stream.

        Args:
            timeout: The longest wait in seconds.

        Returns:
            True once all are acknowledged; False after `timeout`, or immediately if nothing runs or a stream
                ended for good.
        """
        run = self._run
        return run is not None and run.wait_until_live(timeout)

    @property
    def config(self) -> LiveStreamConfig | None:
        """The config of the current or last set of streams."""
        run = self._run
        return run.config if run else None

    def snapshot(self) -> LiveSnapshot:
        """Return a frozen copy of everything known; never wait for a start or stop in progress."""
        run = self._run
        return LiveSnapshot(as_of=(self._clock or utc_now)()) if run is None else run.snapshot()

    def _checked(self, config: LiveStreamConfig) -> LiveStreamConfig:
        """Return the config with its keys, or raise a SettingsError."""
        if not config.streams:
            raise SettingsError(
                "streams",
                "There is nothing to stream: the portfolio has no live positions and fills are off.",
            )
        if self._source is not None:
            self._source()  # or say why there can be none
        if config.settings is not None or not self._needs_keys.intersection(config.streams):
            return config
        return replace(config, settings=load_settings())

    def _parts(self, config: LiveStreamConfig) -> RunParts:
        previous = self._run.snapshot().version + 1 if self._run else 0
        build = self._backfill_factory
        nothing_is_injected = len(self._needs_keys) == len(StreamName)
        if build is None and config.backfill and config.settings is not None and nothing_is_injected:
            build = build_alpaca_backfill
        builders: Mapping[StreamName, BuildStreamer] = self._builders
        if self._source is not None:
            builders, build = self._source()
        steady = SteadyClock()
        clock = self._clock or steady
        return RunParts(
            builders=builders,
            build_backfill=build,
            journal=self._recorder.new_journal(clock) if self._recorder is not None else Journal(clock),
            first_version=previous,
            seconds_ahead=float if self._clock else steady.seconds_ahead,
        )


def _recorded(config: LiveStreamConfig) -> tuple[dict[str, object], tuple[str, ...]]:
    """Return the settings to record, and the keys, which must not be recorded."""
    facts = {part.name: getattr(config, part.name) for part in fields(config) if part.name != "settings"}
    facts["times"] = asdict(config.times)
    settings = config.settings
    if settings is None:
        return facts, ()
    return facts | {"account": settings.account.value}, (settings.key_id, settings.secret_key)


def build_alpaca_backfill(
    config: LiveStreamConfig, run: LiveRun, make_rest: Callable[..., AlpacaRest] | None = None
) -> Backfill:
    """Return the background fetch of a run over Alpaca's REST, or over another client of the same routes."""
    from options_helper.data.rest.client import AlpacaRest  # noqa: PLC0415 - only Start needs httpx
    from options_helper.data.streaming.backfill.backfill import Backfill  # noqa: PLC0415
    from options_helper.data.streaming.backfill.prices import Wanted  # noqa: PLC0415

    if config.settings is None:
        raise SettingsError("settings", "The background fetch needs keys.")
    wanted = Wanted(
        stocks=config.stocks,
        option_contracts=tuple(dict.fromkeys((*config.option_contracts, *config.polled_contracts))),
        to_poll=run.symbols_to_poll,
        stock_feed=config.stock_feed,
        options_feed=config.options_feed,
    )
    return Backfill(
        (make_rest or AlpacaRest)(config.settings, journal=run.journal),
        wanted,
        want_fills=config.stream_fills,
        results=run.results,
        journal=run.journal,
    )
