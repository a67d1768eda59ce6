"""The times at which computed figures change without a new event."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from options_helper.analysis.arrays.typed_columns import ColumnValues
from options_helper.analysis.valuation.marks import SHARE_TRADE_SECONDS
from options_helper.analysis.valuation.quote_state import (
    is_heard,
    is_lost,
    is_polled_in_time,
    is_silent_too_long,
)
from options_helper.analysis.valuation.row_warnings import RowWarning, to_bits
from options_helper.market import LiveSnapshot, StreamName
from options_helper.times import new_york_date, start_of_day, to_microseconds

_STANDS_IN = to_bits([RowWarning.WIDE_SPREAD, RowWarning.LAST_TRADE_MARK])
_MICROSECOND = dt.timedelta(microseconds=1)


def recompute_key(live: LiveSnapshot) -> tuple[object, ...]:
    """Return the inputs of the tables that the portfolio and the snapshot's version do not cover."""
    return (
        live.started_at,
        live.market_phase,
        live.market_phase_until,
        live.session_open,
        live.session_close,
        live.trading_date,
        live.previous_trading_date,
        live.subscribed,
        live.status,
        tuple(live.status_by_stream.items()),
        # A pong does not change the version, but it keeps an old price quiet.
        is_heard(live, StreamName.STOCKS),
        is_heard(live, StreamName.OPTIONS),
        is_lost(live, StreamName.STOCKS),
        is_lost(live, StreamName.OPTIONS),
        is_silent_too_long(live, StreamName.STOCKS),
        is_silent_too_long(live, StreamName.OPTIONS),
        is_polled_in_time(live, StreamName.STOCKS),
        is_polled_in_time(live, StreamName.OPTIONS),
    )


def deadline(
    live: LiveSnapshot, tables: Iterable[Mapping[str, ColumnValues]], stale_after_seconds: float
) -> dt.datetime:
    """Return the time at which the tables will next change if the snapshot's version does not.

    Until then, while the version and `recompute_key` stay the same, only ages grow and nothing needs to be
    recomputed. The tables change when a price becomes stale, a contract expires, the market's phase changes,
    or a new day starts in New York.

    Args:
        live: The snapshot that the tables were computed from.
        tables: The columns of positions, legs and underlyings.
        stale_after_seconds: The threshold used for the tables.

    Returns:
        An aware time after `live.as_of`.
    """
    tomorrow = new_york_date(live.as_of) + dt.timedelta(days=1)
    times = [start_of_day(tomorrow)]
    if live.market_phase_until is not None:
        times.append(live.market_phase_until)
    for table in tables:
        times.extend(_of_ages(table, live, stale_after_seconds))
        if "expires_at" in table:
            times.extend(_of_expiries(table, live))
    return min(time for time in times if time > live.as_of)


def _of_ages(
    table: Mapping[str, ColumnValues], live: LiveSnapshot, stale_after_seconds: float
) -> Iterator[dt.datetime]:
    """Yield the times at which the oldest fresh prices reach a limit of age."""
    ages = table["mark_age_seconds"]
    # A share's last trade replaces a wide quote only for a limited time.
    by_trade = (table["warnings"] & _STANDS_IN) == _STANDS_IN
    limits = [(stale_after_seconds, ages), (SHARE_TRADE_SECONDS, ages[by_trade])]
    # A polled price is live for at most one interval.
    limits += [(seconds, ages) for seconds in {each.poll_seconds for each in live.health.values()} - {0.0}]
    for limit, own in limits:
        young = own[own <= limit]
        if len(young):
            yield live.as_of + dt.timedelta(seconds=limit - float(young.max())) + _MICROSECOND


def _of_expiries(table: Mapping[str, ColumnValues], live: LiveSnapshot) -> Iterator[dt.datetime]:
    """Yield the next expiry of a contract."""
    now = to_microseconds(live.as_of)
    # Shares never expire; NumPy's "not a time" is the lowest integer.
    times = table["expires_at"].to_numpy(dtype="M8[us]").view(np.int64)
    ahead = times[times > now]
    if len(ahead):
        yield live.as_of + _MICROSECOND * (int(ahead.min()) - now)
