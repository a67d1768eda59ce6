"""When a contract trades for the last time, when it expires, and how far away that is.

The date in a contract's symbol is a New York date. What happens on it depends on the product:

- Stocks and most funds: trading and life end with the regular close (16:00, 13:00 on a half day).
- The funds of `LATE_FUND_ROOTS`: 15 minutes after the regular close.
- Indexes settled at the close (SPXW, XSP, …): with the regular close of the last day.
- Indexes settled at the open (SPX, NDX, RUT, VIX, …): the last trade is 15 minutes after the close of the
  session before; they expire at the open.
"""

from __future__ import annotations

import datetime as dt

from options_helper.analysis.osi import normalize_underlying
from options_helper.analysis.products import AM_SETTLED_ROOTS, LATE_FUND_ROOTS
from options_helper.market_time import NEW_YORK, new_york_date

REGULAR_OPEN = dt.time(9, 30)
REGULAR_CLOSE = dt.time(16)
LATE_CLOSE_DELAY = dt.timedelta(minutes=15)

_SATURDAY = 5


def expiry_moment(root: str, expiry: dt.date, session_close: dt.datetime | None = None) -> dt.datetime:
    """The aware moment from which a contract counts as expired.

    Args:
        root: The contract's root (`SPX` and `SPXW` differ), or an underlying of ordinary options.
        expiry: The date in the contract's symbol.
        session_close: The regular close of that date, from a calendar; 16:00 New York where none is given.
    """
    name = normalize_underlying(root)
    if name in AM_SETTLED_ROOTS:
        return _new_york(expiry, REGULAR_OPEN)
    close = session_close or _new_york(expiry, REGULAR_CLOSE)
    return close + LATE_CLOSE_DELAY if name in LATE_FUND_ROOTS else close


def last_trading_moment(
    root: str,
    expiry: dt.date,
    session_close: dt.datetime | None = None,
    previous_session_close: dt.datetime | None = None,
) -> dt.datetime:
    """The aware moment at which a contract trades for the last time.

    Args:
        root: As in `expiry_moment`.
        expiry: As in `expiry_moment`.
        session_close: As in `expiry_moment`.
        previous_session_close: The regular close of the session before, for contracts settled at the open;
            16:00 New York of the weekday before where none is given.
    """
    if normalize_underlying(root) not in AM_SETTLED_ROOTS:
        return expiry_moment(root, expiry, session_close)
    close = previous_session_close or _new_york(_weekday_before(expiry), REGULAR_CLOSE)
    return close + LATE_CLOSE_DELAY


def dte(expiry: dt.date, at: dt.datetime) -> int:
    """Days from the New York date of an aware moment to expiry; 0 on the last day, negative after it."""
    return (expiry - new_york_date(at)).days


def hours_left(last_trading: dt.datetime, at: dt.datetime) -> float | None:
    """Hours to the last trade on the last trading day, never below 0; None on every other day."""
    if new_york_date(last_trading) != new_york_date(at):
        return None
    return max(0.0, (last_trading - at) / dt.timedelta(hours=1))


def is_expired(root: str, expiry: dt.date, at: dt.datetime, session_close: dt.datetime | None = None) -> bool:
    """Whether a contract has expired at an aware moment; arguments as in `expiry_moment`."""
    return at >= expiry_moment(root, expiry, session_close)


def _new_york(day: dt.date, time: dt.time) -> dt.datetime:
    return dt.datetime.combine(day, time, NEW_YORK)


def _weekday_before(day: dt.date) -> dt.date:
    before = day - dt.timedelta(days=1)
    while before.weekday() >= _SATURDAY:
        before -= dt.timedelta(days=1)
    return before
