"""Times on days without a session, such as those of an exchange's test prices on a Saturday.

Such a day lies between the previous trading date and the current one, or after the current one. Without a
calendar, no time counts as outside a session. On feeds with overnight trading, shares trade from 20:00 New
York time on the evening before a session.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import numpy as np

from options_helper.analysis.arrays.types import Flags, Numbers
from options_helper.market import LiveSnapshot
from options_helper.times import new_york_date, start_of_day, to_microseconds

_DAY = dt.timedelta(days=1)
_OVERNIGHT_FEEDS = frozenset({"boats", "overnight"})
_EVENING = dt.timedelta(hours=4)  # from 20:00 to midnight


def find_outside_sessions(times: Numbers, is_stock: Flags, live: LiveSnapshot) -> Flags:
    """Return flags for times (in microseconds, 0 if missing) on a day without a session."""
    found = np.zeros(len(times), dtype=np.bool_)
    trades_overnight = (live.stock_feed or "").lower() in _OVERNIGHT_FEEDS
    for begin, end in _pauses(live):
        evening = to_microseconds(end - _EVENING) if trades_overnight else to_microseconds(end)
        until = np.where(is_stock, evening, to_microseconds(end))
        found |= (times >= to_microseconds(begin)) & (times < until)
    return found


def _pauses(live: LiveSnapshot) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """Yield the spans of days without a session before and after the trading date, midnight to midnight."""
    previous, current = live.previous_trading_date, live.trading_date
    if current is None:
        return
    if previous is not None:
        yield start_of_day(previous + _DAY), start_of_day(current)
    today, following = new_york_date(live.as_of), live.market_next_open
    if today > current:
        opens = today + _DAY if following is None else new_york_date(following)
        yield start_of_day(current + _DAY), start_of_day(max(opens, today))
