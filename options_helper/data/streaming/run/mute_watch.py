"""Finds streams that are connected but mute, from their rows in the cache."""

from __future__ import annotations

import datetime as dt

from options_helper.analysis.streams.silence import MUTE
from options_helper.data.calendar.market_clock import MarketState
from options_helper.data.streaming.reconnect.policy import TICKING_WINDOW, MuteEvidence, is_mute
from options_helper.data.streaming.run.cache import LiveCache
from options_helper.errors import StreamInterrupted
from options_helper.market import StreamHealth, StreamName
from options_helper.times import to_microseconds


class MuteWatch:
    """The evidence that streams are mute: how many symbols ticked, and when each stream last reconnected."""

    def __init__(self, cache: LiveCache) -> None:
        self._cache = cache
        self._reconnects: dict[StreamName, dt.datetime] = {}
        # The last event of a stream, and the largest number of symbols that ticked before it.
        self._ticked: dict[StreamName, tuple[dt.datetime, int]] = {}

    def complaint(
        self, health: StreamHealth, market: MarketState, *, now: dt.datetime, alpaca_now: dt.datetime
    ) -> StreamInterrupted | None:
        """Return the reason to end a mute connection, else None; `now` is a time of the records' clock."""
        opened = market.session_open
        evidence = MuteEvidence(
            phase=market.phase,
            ticking=self.count_ticking(health),
            last_reconnect_at=self._reconnects.get(health.stream),
            session_open=opened and opened + (now - alpaca_now),  # in the records' clock
        )
        if not is_mute(health, evidence, now=now):
            return None
        self._reconnects[health.stream] = now
        return StreamInterrupted(health.stream, MUTE)

    def count_ticking(self, health: StreamHealth) -> int:
        """Return how many symbols ticked before the last event, even if REST has replaced them since."""
        last = health.last_event_at
        if last is None:
            return 0
        known_for, most = self._ticked.get(health.stream, (last, 0))
        ticking = max(self._count_now(health.stream, last), most if known_for == last else 0)
        self._ticked[health.stream] = last, ticking
        return ticking

    def _count_now(self, stream: StreamName, last: dt.datetime) -> int:
        state = self._cache.state
        table = state.stock_quotes if stream is StreamName.STOCKS else state.option_quotes
        since = to_microseconds(last - TICKING_WINDOW)
        # A row from REST is not a tick.
        return int(((table.rows["received_at"] >= since) & ~table.rows["from_rest"]).sum())
