"""The offset between this computer's clock and Alpaca's, and the conversion of snapshots to Alpaca's time.

While streams run, all times follow this computer's clock. A snapshot is converted once, when it is made, so
phases, expiries, dates, ages and curves follow Alpaca's clock.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import numpy as np

from options_helper.analysis.streams.ages import CLOCK_SKEW_TOLERANCE_SECONDS, compute_lags
from options_helper.market import FillGap, LiveSnapshot, StreamHealth
from options_helper.quote_tables import QuoteTable, TradeTable
from options_helper.times import new_york_date, start_of_day

Table = TypeVar("Table", QuoteTable, TradeTable)

_MICROSECONDS = 1_000_000


def accept_offset(offset: float | None, *quotes: QuoteTable) -> float | None:
    """Return the measured offset in seconds, or None if it is unknown or a quote contradicts it.

    A cached response of Alpaca's clock makes every price look too young. An offset that implies that a quote
    was received before it was made is therefore rejected.
    """
    if offset is None or abs(offset) <= CLOCK_SKEW_TOLERANCE_SECONDS:
        return offset
    return None if _least_lag(quotes) < offset - CLOCK_SKEW_TOLERANCE_SECONDS else offset


def clock_error(offset: float | None) -> dt.timedelta:
    """Return the time by which this computer's clock is ahead; zero within the tolerance or if unknown."""
    if offset is None or abs(offset) <= CLOCK_SKEW_TOLERANCE_SECONDS:
        return dt.timedelta()
    return dt.timedelta(seconds=offset)


def correct_clock(live: LiveSnapshot) -> LiveSnapshot:
    """Convert a snapshot from this computer's time to Alpaca's.

    The result's `clock_offset_seconds` is the applied correction, or None if a quote contradicts it.
    """
    quotes = QuoteTable.from_mapping(live.stock_quotes), QuoteTable.from_mapping(live.option_quotes)
    offset = accept_offset(live.clock_offset_seconds, *quotes)
    error = clock_error(offset)
    if not error:
        return live if offset == live.clock_offset_seconds else replace(live, clock_offset_seconds=offset)
    health = {name: _correct_health(record, error) for name, record in live.health.items()}
    return replace(
        live,
        clock_offset_seconds=offset,
        as_of=live.as_of - error,
        started_at=_earlier(live.started_at, error),
        stopped_at=_earlier(live.stopped_at, error),
        broker_positions_at=_earlier(live.broker_positions_at, error),
        broker=live.broker and replace(live.broker, as_of=live.broker.as_of - error),
        stock_quotes=_correct_receipts(quotes[0], error),
        stock_trades=_correct_receipts(TradeTable.from_mapping(live.stock_trades), error),
        option_quotes=_correct_receipts(quotes[1], error),
        option_trades=_correct_receipts(TradeTable.from_mapping(live.option_trades), error),
        health=health,
        last_event_ts_by_stream=_correct_times(live.last_event_ts_by_stream, error),
        fill_gaps=tuple(_correct_gap(gap, error) for gap in live.fill_gaps),
    )


def _least_lag(tables: tuple[QuoteTable, ...]) -> float:
    """Return the shortest time in seconds from a quote's event (Alpaca's clock) to its receipt (ours)."""
    least = np.inf
    for table in tables:
        rows = table.rows
        lags = compute_lags(rows["timestamp"], rows["received_at"], ~rows["present"])
        least = min(least, float(np.fmin.reduce(lags, initial=np.inf)))
    return least


def _correct_receipts(table: Table, error: dt.timedelta) -> Table:
    """Shift the receipt times; event times are Alpaca's already."""
    rows = table.rows.copy()
    received = rows["received_at"]
    rows["received_at"] = np.where(received == 0, 0, received - round(error.total_seconds() * _MICROSECONDS))
    return type(table)(table.index, rows)


def _correct_health(record: StreamHealth, error: dt.timedelta) -> StreamHealth:
    failure, lag = record.last_failure, record.lag_seconds
    return replace(
        record,
        since=_earlier(record.since, error),
        next_attempt_at=_earlier(record.next_attempt_at, error),
        connected_at=_earlier(record.connected_at, error),
        complete_at=_earlier(record.complete_at, error),
        lost_at=_earlier(record.lost_at, error),
        polled_at=_earlier(record.polled_at, error),
        last_event_at=_earlier(record.last_event_at, error),
        last_heard_at=_earlier(record.last_heard_at, error),
        last_failure=failure and replace(failure, at=failure.at - error),
        lag_seconds=None if lag is None else lag - error.total_seconds(),
    )


def _correct_times(
    times: Mapping[str, dt.datetime | None], error: dt.timedelta
) -> dict[str, dt.datetime | None]:
    return {name: _earlier(at, error) for name, at in times.items()}


def _correct_gap(gap: FillGap, error: dt.timedelta) -> FillGap:
    # A gap that starts with the New York day starts at midnight in Alpaca's time too.
    is_midnight = gap.start == start_of_day(new_york_date(gap.start))
    start = gap.start if is_midnight else gap.start - error
    return replace(gap, start=start, end=_earlier(gap.end, error))


def _earlier(at: dt.datetime | None, error: dt.timedelta) -> dt.datetime | None:
    return None if at is None else at - error
