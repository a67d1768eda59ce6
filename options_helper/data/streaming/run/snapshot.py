"""The frozen picture of a run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from options_helper.data.calendar.market_clock import market_moment
from options_helper.market import LiveSnapshot, StreamHealth, StreamName, StreamState

if TYPE_CHECKING:
    from options_helper.data.streaming.run.live_run import LiveRun

_RATE_IS_OLD_AFTER_SECONDS = 5.0
# What the page has to say first, when the streams differ.
_PRECEDENCE = (StreamState.ERROR, StreamState.RECONNECTING, StreamState.CONNECTING, StreamState.RUNNING)


def build_snapshot(run: LiveRun, now: dt.datetime) -> LiveSnapshot:
    """Everything a run knows, at a time; the tables are shared, not copied."""
    state = run.cache.state
    health = _health(run, now)
    settings = run.config.settings
    failures = {name: record.last_failure.text for name, record in health.items() if record.last_failure}
    dropped = {name: record.dropped for name, record in health.items()}
    market = market_moment(run.sink.calendar, now)
    return LiveSnapshot(
        as_of=now,
        running=run.is_running,
        status=_overall(run, health.values()),
        status_by_stream={name: record.state for name, record in health.items()},
        stock_quotes=state.stock_quotes,
        stock_trades=state.stock_trades,
        option_quotes=state.option_quotes,
        option_trades=state.option_trades,
        fills=state.fills,
        alive={name: record.alive for name, record in health.items()},
        reconnect_attempts={name: record.attempts for name, record in health.items()},
        last_event_ts_by_stream={name: record.last_event_at for name, record in health.items()},
        queue_depth=run.inbox.depth,
        dropped_events=sum(dropped.values()),
        dropped_events_by_stream=dropped,
        conflated_events=sum(record.conflated for record in health.values()),
        last_error=_newest_failure(health.values()),
        errors_by_stream=failures,
        version=run.first_version + state.version,
        health=health,
        started_at=run.started_at,
        stopped_at=run.stopped_at,
        stock_feed=run.config.stock_feed,
        options_feed=run.config.options_feed,
        demo=bool(settings and settings.demo),
        account=settings.account if settings else None,
        broker_account=state.account,
        subscribed=_subscribed(health.values()),
        market_phase=market.phase,
        market_phase_until=market.until,
        market_next_open=market.next_open,
        session_open=market.session_open,
        session_close=market.session_close,
        trading_date=market.trading_date,
        previous_trading_date=market.previous_trading_date,
        previous_closes=state.previous_closes,
        greeks=state.greeks,
        multipliers=state.multipliers,
        broker_positions=state.broker_positions,
        halted=state.halted,
        rest_fills=state.rest_fills,
        rest_orders=state.rest_orders,
        fill_gaps=state.fill_gaps,
        unreadable_rows=state.unreadable_rows,
        backfill=state.backfill,
        clock_offset_seconds=run.sink.clock_offset_seconds,
    )


def _health(run: LiveRun, now: dt.datetime) -> Mapping[str, StreamHealth]:
    dropped = run.inbox.dropped
    records: dict[str, StreamHealth] = {}
    for stream in StreamName:
        worker = run.workers.get(stream)
        record = worker.health if worker else StreamHealth(stream)
        last = record.last_event_at
        is_old = last is None or (now - last).total_seconds() > _RATE_IS_OLD_AFTER_SECONDS
        records[stream] = replace(record, dropped=dropped.get(stream, 0), rate=0.0 if is_old else record.rate)
    return records


def _overall(run: LiveRun, records: Iterable[StreamHealth]) -> str:
    if run.stopped_at is not None:
        return StreamState.STOPPED
    states = {record.state for record in records}
    return next((state for state in _PRECEDENCE if state in states), StreamState.NOT_STARTED)


def _newest_failure(records: Iterable[StreamHealth]) -> str | None:
    failures = [record.last_failure for record in records if record.last_failure]
    return max(failures, key=lambda failure: failure.at).text if failures else None


def _subscribed(records: Iterable[StreamHealth]) -> frozenset[str]:
    """The symbols asked for and not refused.

    Those of a stream that ended in error before anything came on it are not among them; of one that died
    later they were subscribed, and what it left behind is stale.
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
    """One set over all streams; the very same one while nothing changes, however many symbols it has."""
    return frozenset().union(*(asked - missing for asked, missing in asked_and_missing))
