"""Last trading times and expiries of contracts on days with the regular close.

The date in a contract's symbol is a New York date. Its meaning depends on the product:

- Options on stocks and most funds stop trading and expire at the regular close: 16:00, or 13:00 on a half
  day.
- Options on the funds of `LATE_FUND_ROOTS` do so 15 minutes after the regular close.
- Index options settled at the close (SPXW, XSP, …) do so at the regular close.
- Index options settled at the open (SPX, NDX, RUT, VIX, …) stop trading 15 minutes after the previous
  session's close and expire at the open.

`session_ends` accounts for an early close of the current session.
"""

from __future__ import annotations

import datetime as dt

from options_helper.analysis.contracts.products import AM_SETTLED_ROOTS, LATE_FUND_ROOTS
from options_helper.analysis.osi import normalize_underlying
from options_helper.times import NEW_YORK

REGULAR_OPEN = dt.time(9, 30)
REGULAR_CLOSE = dt.time(16)
LATE_CLOSE_DELAY = dt.timedelta(minutes=15)

_SATURDAY = 5


def expiry_time(root: str, expiry: dt.date) -> dt.datetime:
    """Return the aware time at which a contract expires.

    Args:
        root: The contract's root (`SPX` and `SPXW` differ), or the underlying if its root is the same.
        expiry: The date in the contract's symbol.
    """
    name = normalize_underlying(root)
    if name in AM_SETTLED_ROOTS:
        return _new_york(expiry, REGULAR_OPEN)
    close = _new_york(expiry, REGULAR_CLOSE)
    return close + LATE_CLOSE_DELAY if name in LATE_FUND_ROOTS else close


def last_trading_time(root: str, expiry: dt.date) -> dt.datetime:
    """Return the aware time at which a contract stops trading; arguments as in `expiry_time`.

    For contracts settled at the open, the previous weekday counts as the previous session.
    """
    if normalize_underlying(root) not in AM_SETTLED_ROOTS:
        return expiry_time(root, expiry)
    return _new_york(_weekday_before(expiry), REGULAR_CLOSE) + LATE_CLOSE_DELAY


def _new_york(day: dt.date, time: dt.time) -> dt.datetime:
    return dt.datetime.combine(day, time, NEW_YORK)


def _weekday_before(day: dt.date) -> dt.date:
    before = day - dt.timedelta(days=1)
    while before.weekday() >= _SATURDAY:
        before -= dt.timedelta(days=1)
    return before
