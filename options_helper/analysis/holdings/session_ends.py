"""The expiries and last trading times of contracts in one snapshot, adjusted for an early close."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import numpy as np

from options_helper.analysis.arrays.memo import IdentityMemo
from options_helper.analysis.arrays.typed_columns import ColumnValues, whole_numbers
from options_helper.analysis.arrays.types import Flags, Floats, Numbers
from options_helper.analysis.holdings.instruments import NEVER, Instruments
from options_helper.market import LiveSnapshot, MarketPhase
from options_helper.times import new_york_date, to_microseconds

_MICROSECONDS_PER_HOUR = 3_600_000_000


class ContractEnds(NamedTuple):
    """The expiries and last trading times of n contracts in microseconds; `NEVER` for shares."""

    expires_at: Numbers
    last_trading: Numbers


def find_contract_ends(rows: Instruments, live: LiveSnapshot) -> ContractEnds:
    """Return the ends under the products' rules, or earlier ones in a session that closes early."""
    close = _session_close(live)
    at = 0 if close is None else to_microseconds(close)
    return rows.memo.get("ends", rows.clock, lambda: _contract_ends(rows, close), extent=at)


def _contract_ends(rows: Instruments, close: dt.datetime | None) -> ContractEnds:
    clock = rows.clock
    if close is None:
        return ContractEnds(clock.expires_at, clock.last_trading)
    day, at = new_york_date(close).toordinal(), to_microseconds(close)
    return ContractEnds(
        _no_later(clock.expires_at, at + clock.delay, rows.expiry_days == day),
        _no_later(clock.last_trading, at + clock.last_delay, clock.last_day == day),
    )


def _session_close(live: LiveSnapshot) -> dt.datetime | None:
    """Return the close of the day's session; without a calendar it comes from the market phase."""
    if live.session_close is not None:
        return live.session_close
    if live.market_phase == MarketPhase.AFTER:
        return live.as_of  # the session closed earlier, at an unknown time
    return live.market_phase_until if live.market_phase == MarketPhase.OPEN else None


def _no_later(times: Numbers, latest: Numbers, where: Flags) -> Numbers:
    return np.where(where, np.minimum(times, latest), times)


def days_until(days: Numbers, live: LiveSnapshot, memo: IdentityMemo) -> ColumnValues:
    """Return a column of the days to these New York dates (ordinals): 0 on the date, negative after it.

    It is null for shares, which have 0 or `NEVER`. The memo of the rows keeps it until the next day.
    """
    today = new_york_date(live.as_of).toordinal()

    def count() -> ColumnValues:
        return whole_numbers(days - today, (days == 0) | (days == NEVER))

    return memo.get("days until", days, count, extent=today)


def hours_until(times: Numbers, days: Numbers, live: LiveSnapshot) -> Floats:
    """Return the hours until these times, at least 0; NaN unless they are today in New York (ordinals).

    NaN on days without a session, because last trading times are computed without a holiday calendar.
    """
    today = new_york_date(live.as_of)
    last_days = (days == today.toordinal()) & (live.trading_date in {None, today})
    if not last_days.any():
        return np.full(len(times), np.nan)
    hours = np.maximum(times - to_microseconds(live.as_of), 0) / _MICROSECONDS_PER_HOUR
    return np.where(last_days, hours, np.nan)
