"""Builds the frozen snapshot of a run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from typing import TypedDict

from options_helper.data.calendar.market_clock import MarketState
from options_helper.data.settings import Account
from options_helper.data.streaming.run.cache import CacheState
from options_helper.data.streaming.run.config import LiveStreamConfig
from options_helper.data.streaming.run.rest_results import DataSource, Polling
from options_helper.market import FillGap, LiveSnapshot, StreamHealth, StreamName, StreamState
from options_helper.snapshot import Received

_RATE_IS_OLD_AFTER_SECONDS = 5.0
# The overall state is the first of these that any stream is in.
_PRECEDENCE = (StreamState.ERROR, StreamState.RECONNECTING, StreamState.CONNECTING, StreamState.RUNNING)
_RECEIVED = [each.name for each in fields(Received)]


class _StreamMappings(TypedDict):
    """The fields of a `LiveSnapshot` that are derived from the streams' records."""

    status_by_stream: Mapping[str, str]
    alive: Mapping[str, bool]
    reconnect_attempts: Mapping[str, int]
    last_event_ts_by_stream: Mapping[str, dt.datetime | None]
    dropped_events: int
    dropped_events_by_stream: Mapping[str, int]
    conflated_events: int
    last_error: str | None
    errors_by_stream: Mapping[str, str]
    health: Mapping[str, StreamHealth]


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotParts:
    """The inputs of a snapshot.

    Attributes:
        now: The time of the snapshot.
        first_version: Added to the cache's version, so that versions grow from run to run.
        health: The record of each stream that runs.
        polling: The polled symbols by stream.
        dropped: The number of messages lost in the inbox, by stream.
        queue_depth: The number of batches waiting in the inbox.
        source: The account and the feeds behind a relay, in place of the config's.
    """

    now: dt.datetime
    config: LiveStreamConfig
    state: CacheState
    market: MarketState
    health: Mapping[StreamName, StreamHealth]
    polling: Mapping[StreamName, Polling] = field(default_factory=dict)
    dropped: Mapping[str, int]
    queue_depth: int
    started_at: dt.datetime
    stopped_at: dt.datetime | None
    clock_offset_seconds: float | None
    first_version: int
    source: DataSource | None = None


def build_snapshot(parts: SnapshotParts) -> LiveSnapshot:
    """Return the snapshot of these parts; the tables are shared, not copied."""
    market, source = parts.market, parts.source or _own_source(parts.config)
    state = replace(parts.state, fill_gaps=_fill_gaps(parts))
    health = {stream: _present(parts, stream) for stream in StreamName}
    return LiveSnapshot(
        **{name: getattr(state, name) for name in _RECEIVED},
        **_derive_mappings(health),
        as_of=parts.now,
        running=parts.stopped_at is None and any(record.alive for record in health.values()),
        status=_overall(parts.stopped_at, health.values()),
        version=parts.first_version + state.version,
        queue_depth=parts.queue_depth,
        started_at=parts.started_at,
        stopped_at=parts.stopped_at,
        stock_feed=source.stock_feed,
        options_feed=source.options_feed,
        demo=source.account == Account.DEMO,
        account=source.account or None,
        subscribed=_subscribed(health.values()),
        market_phase=market.phase,
        market_phase_until=market.until,
        market_next_open=market.next_open,
        session_open=market.session_open,
        session_close=market.session_close,
        trading_date=market.trading_date,
        previous_trading_date=market.previous_trading_date,
        previous_session_close=market.previous_session_close,
        clock_offset_seconds=parts.clock_offset_seconds,
    )


def _fill_gaps(parts: SnapshotParts) -> Sequence[FillGap]:
    """Return the gaps; the last is open while the stream is away, even if it was lost just now."""
    gaps, record = parts.state.fill_gaps, parts.health.get(StreamName.FILLS)
    is_open = bool(gaps) and gaps[-1].end is None
    if record is None or record.state is StreamState.RUNNING or is_open:
        return gaps
    return (*gaps, FillGap(record.last_heard_at or parts.now))


def _own_source(config: LiveStreamConfig) -> DataSource:
    account = config.settings.account if config.settings else ""
    return DataSource(account, config.stock_feed, config.options_feed)


def _derive_mappings(health: Mapping[StreamName, StreamHealth]) -> _StreamMappings:
    """Return every per-stream field of a snapshot, derived from the streams' records."""
    records: dict[str, StreamHealth] = {
        stream: health.get(stream) or StreamHealth(stream) for stream in StreamName
    }
    failures = {stream: record.last_failure for stream, record in records.items() if record.last_failure}
    newest = max(failures.values(), key=lambda failure: failure.at, default=None)
    return {
        "status_by_stream": {stream: record.state for stream, record in records.items()},
        "alive": {stream: record.alive for stream, record in records.items()},
        "reconnect_attempts": {stream: record.attempts for stream, record in records.items()},
        "last_event_ts_by_stream": {stream: record.last_event_at for stream, record in records.items()},
        "dropped_events": sum(record.dropped for record in records.values()),
        "dropped_events_by_stream": {stream: record.dropped for stream, record in records.items()},
        "conflated_events": sum(record.conflated for record in records.values()),
        "last_error": newest.text if newest else None,
        "errors_by_stream": {stream: failure.text for stream, failure in failures.items()},
        "health": records,
    }


def _present(parts: SnapshotParts, stream: StreamName) -> StreamHealth:
    """Return a stream's record with its losses, its polled symbols, and a rate of 0 after a silence."""
    record = parts.health.get(stream) or StreamHealth(stream)
    last = record.last_event_at
    if record.rate and (last is None or (parts.now - last).total_seconds() > _RATE_IS_OLD_AFTER_SECONDS):
        record = replace(record, rate=0.0)
    dropped, polling = parts.dropped.get(stream, 0), parts.polling.get(stream)
    if polling is None and dropped == record.dropped:
        return record
    polling = polling or Polling()
    return replace(
        record,
        dropped=dropped,
        polled=polling.symbols,
        poll_seconds=polling.seconds,
        polled_at=polling.answered_at,
    )


def _overall(stopped_at: dt.datetime | None, records: Iterable[StreamHealth]) -> str:
    if stopped_at is not None:
        return StreamState.STOPPED
    states = {record.state for record in records}
    return next((state for state in _PRECEDENCE if state in states), StreamState.NOT_STARTED)


def _subscribed(records: Iterable[StreamHealth]) -> frozenset[str]:
    """Return the symbols that were requested and not refused.

    Excludes streams that failed before their first event. A stream that failed later keeps its symbols; their
    quotes go stale.
    """
    return _granted(
        tuple(
            (record.asked, record.missing)
            for record in records
            if record.state is not StreamState.ERROR or record.last_event_at is not None
        )
    )


@lru_cache(maxsize=8)
def _granted(asked_and_missing: tuple[tuple[frozenset[str], frozenset[str]], ...]) -> frozenset[str]:
    """Return the union over all streams; the same object as long as nothing changes."""
    return frozenset().union(*(asked - missing for asked, missing in asked_and_missing))
