"""What a snapshot costs."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

from report import Figure
from timing import in_turns

from options_helper.data.calendar.market_clock import ExchangeCalendar
from options_helper.data.streaming.live_manager import LiveStreamConfig, LiveStreamManager
from options_helper.data.streaming.normalize.wire import WireQuote
from options_helper.data.streaming.run.live_run import LiveRun


def measure(*, quick: bool) -> Iterator[Figure]:
    """`snapshot()` over tables of many symbols, at rest and while batches arrive."""
    for symbols, target in ((250, "<= 0.1"), (5000, "<= 1")):
        desk = Desk(symbols)
        (at_rest,) = in_turns([desk.manager.snapshot], 1000 if quick else 5000)
        with desk.batches_arriving():
            (busy,) = in_turns([desk.manager.snapshot], 1000 if quick else 5000)
        yield Figure(f"snapshot(), {symbols} symbols", median(at_rest), "ms", target)
        yield Figure(f"snapshot(), {symbols} symbols, 50 full batches/s", median(busy), "ms", target)
        desk.manager.stop()


class Desk:
    """A manager with a streamer of the benchmark's own, whose tables are full and which knows the market."""

    def __init__(self, symbols: int) -> None:
        self.symbols = [f"AAPL261218C{number:08d}" for number in range(1000, 1000 + symbols)]
        self._made: list[_Streamer] = []
        self.manager = LiveStreamManager(
            option_streamer_factory=self._make,
            stock_streamer_factory=self._make,
            trading_streamer_factory=self._make,
            backfill_factory=lambda _config, run: _Calendar(run),
        )
        self.manager.start(LiveStreamConfig(option_contracts=tuple(self.symbols), stream_fills=False))
        while not self._made or self._made[0].on_quotes is None:
            time.sleep(0.001)
        self._offer()
        while len(self.manager.snapshot().option_quotes) < symbols:
            time.sleep(0.001)

    def _make(self, **arguments: Any) -> _Streamer:  # noqa: ANN401 - the streamers' arguments
        self._made.append(_Streamer(arguments["on_quotes"]))
        return self._made[-1]

    def _offer(self) -> None:
        now = dt.datetime.now(dt.UTC)
        self._made[0].on_quotes([WireQuote(symbol, 1.0, 1.1, 5.0, 5.0, now) for symbol in self.symbols])

    def batches_arriving(self) -> Arrivals:
        """A quote of every symbol every 20 ms, from another thread, for as long as the `with` block."""
        return Arrivals(self._offer)


class Arrivals:
    """Calls something fifty times a second from a thread of its own."""

    def __init__(self, offer: Callable[[], None]) -> None:
        self._offer = offer
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._end.wait(0.02):
            self._offer()

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()


class _Calendar:
    """In the place of the background fetch: tells the calendar, which every snapshot looks into."""

    def __init__(self, run: LiveRun) -> None:
        self._run = run

    def start(self) -> None:
        """Tell it."""
        self._run.results.put_market(ExchangeCalendar())

    def stop(self) -> None:
        """Nothing to end."""

    def join(self, timeout: float) -> None:
        """Nothing to wait for."""

    def request_quotes(self, stream: object) -> None:
        """Nothing to ask."""


class _Streamer:
    def __init__(self, on_quotes: Callable[[Any], None]) -> None:
        self.on_quotes = on_quotes
        self._end = threading.Event()

    def subscribe(self, symbols: object) -> None:
        """Nothing to subscribe to."""

    def run(self) -> None:
        """Wait for the end."""
        self._end.wait()

    def stop(self) -> None:
        """End `run`."""
        self._end.set()
