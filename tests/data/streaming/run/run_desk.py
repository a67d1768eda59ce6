"""A run whose streamers, clock and background fetch belong to the test."""

from __future__ import annotations

import datetime as dt
from typing import Any

from options_helper.data.calendar.market_clock import Session
from options_helper.data.streaming.run.config import LiveStreamConfig
from options_helper.data.streaming.run.live_run import LiveRun, RunParts
from options_helper.data.streaming.run.streamers import StreamRequest
from options_helper.errors import StreamInterrupted
from options_helper.market import (
    MarketPhase,
    StreamName,
)
from options_helper.recording.journal import Journal
from tests.fakes import FakeStreamer

NOW = dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC)
CONTRACTS = tuple(f"AAPL261218C00{strike}000" for strike in range(250, 256))
CONFIG = LiveStreamConfig(stocks=("AAPL",), option_contracts=CONTRACTS, reconnect_base_seconds=0.001)


class RequestedStreamer(FakeStreamer):
    """A streamer that keeps the request it was built for."""

    def __init__(self, request: StreamRequest) -> None:
        super().__init__()
        self.request = request

    def fail(self, words: str) -> None:
        self.end(StreamInterrupted("x", words))


class FakeBackfill:
    """Remembers what it was asked to do."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def start(self) -> None:
        self.calls.append("start")

    def stop(self) -> None:
        self.calls.append("stop")

    def join(self, timeout: float) -> None:
        assert timeout >= 0
        self.calls.append("join")

    def request_fills(self) -> None:
        self.calls.append("request_fills")

    def request_quotes(self, stream: StreamName) -> None:
        self.calls.append(f"request_quotes of {stream}")

    def request_lost(self, stream: StreamName) -> None:
        self.calls.append(f"request_lost of {stream}")


class FakeCalendar:
    """A market that is open for another six hours."""

    def phase(self, at: dt.datetime) -> MarketPhase:
        return self.phase_and_end(at)[0]

    def phase_and_end(self, at: dt.datetime) -> tuple[MarketPhase, dt.datetime]:
        return MarketPhase.OPEN, at + dt.timedelta(hours=6)

    def trading_date(self, at: dt.datetime) -> dt.date:
        return at.date()

    def previous_trading_date(self, at: dt.datetime) -> dt.date:
        return at.date() - dt.timedelta(days=1)

    def next_open(self, at: dt.datetime) -> dt.datetime:
        return at + dt.timedelta(hours=24)

    def session(self, day: dt.date) -> Session | None:
        """Return None: no session is known."""


class RunDesk:
    """A run whose streamers, clock and backfill are the test's."""

    def __init__(self, config: LiveStreamConfig = CONFIG, *, with_backfill: bool = True) -> None:
        self.now = NOW
        self.seconds_ahead = 0.0
        self.made: dict[StreamName, list[RequestedStreamer]] = {stream: [] for stream in StreamName}
        self.backfill = FakeBackfill()
        parts = RunParts(
            builders=dict.fromkeys(StreamName, self._build),
            build_backfill=(lambda _config, _run: self.backfill) if with_backfill else None,
            journal=Journal(lambda: self.now),
            first_version=100,
            seconds_ahead=lambda: self.seconds_ahead,
        )
        self.run = LiveRun(config, parts)

    def _build(self, request: StreamRequest) -> RequestedStreamer:
        self.made[request.stream].append(RequestedStreamer(request))
        return self.made[request.stream][-1]

    def pass_seconds(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)

    def give(self, stream: StreamName, kind: str, items: Any) -> None:
        self.made[stream][-1].request.offer(kind, items)


def quotes_of(symbols: Any, at: dt.datetime) -> list[dict[str, Any]]:
    """Return a raw quote of each symbol with this time."""
    return [{"T": "q", "S": symbol, "bp": 1.0, "ap": 1.2, "t": at} for symbol in symbols]
