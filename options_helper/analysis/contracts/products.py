"""Facts about option products that no message of the market carries, by contract root.

Sources: for settlement the product specifications of Cboe (SPX, SPXW, XSP, VIX, RUT, DJX, OEX, XEO, MRUT) and
of Nasdaq (NDX, NDXP, XND); for the late close brokers' lists of options that trade until 4:15 p.m.
(Firstrade's and tastytrade's help pages). Such lists change now and then; these are of November 2026.
"""

from __future__ import annotations

import datetime as dt

# Settled at the open of the date in their symbol; they trade for the last time on the day before. VIX and
# VIXW settle on a Wednesday morning, the others on the third Friday's.
AM_SETTLED_ROOTS = frozenset({"DJX", "NDX", "RUT", "SPX", "VIX", "VIXW"})

# Settled at the close; on their last day they stop with the regular session, not 15 minutes after it.
PM_SETTLED_INDEX_ROOTS = frozenset({"DJXW", "MRUT", "NDXP", "OEX", "RUTW", "SPXW", "XEO", "XND", "XSP"})

INDEX_ROOTS = AM_SETTLED_ROOTS | PM_SETTLED_INDEX_ROOTS

# Indexes that people name as an underlying, or as a benchmark, without options of their own at Alpaca.
INDEX_SYMBOLS = INDEX_ROOTS | frozenset({"COMP", "DJI", "DJIA", "RVX", "VIX9D", "VVIX", "VXN"})

# Funds and notes whose options trade 15 minutes past the regular close, on their last day too.
# fmt: off
LATE_FUND_ROOTS = frozenset({
    "AMJ", "DBA", "DBB", "DBC", "DBO", "DIA", "EEM", "EFA", "GAZ", "GLD", "IWM", "IWN", "IWO", "IWV", "JJC",
    "KBE", "KRE", "MDY", "MOO", "OEF", "OIL", "QQQ", "SLX", "SPY", "SVIX", "SVXY", "UNG", "UUP", "UVIX",
    "UVXY", "VIXM", "VIXY", "VXX", "VXZ", "XHB", "XLB", "XLC", "XLE", "XLF", "XLI", "XLK", "XLP", "XLRE",
    "XLU", "XLV", "XLY", "XME", "XRT",
})
# fmt: on

LATE_ROOTS = LATE_FUND_ROOTS | INDEX_ROOTS

# The index behind each root that has another name than its index.
INDEX_OF_ROOT = {"DJXW": "DJX", "NDXP": "NDX", "RUTW": "RUT", "SPXW": "SPX", "VIXW": "VIX", "XEO": "OEX"}

# These roots have third-Friday expiries only; every other expiry of the index has the root on the right.
OTHER_EXPIRIES_ROOT = {"NDX": "NDXP", "RUT": "RUTW", "SPX": "SPXW"}

_THURSDAY, _FRIDAY = 3, 4


def is_index(symbol: str) -> bool:
    """Return whether an underlying is an index, which has no shares and is not on the stock stream."""
    return symbol in INDEX_SYMBOLS


def is_adjusted(root: str) -> bool:
    """Return whether a contract's root ends in a digit, the clearing house's mark of an adjusted contract.

    Its deliverable is unknown: it may differ from 100 shares, and may include cash.
    """
    return root[-1:].isdigit()


def is_monthly_expiry(day: dt.date) -> bool:
    """Return whether a day is its month's third Friday, or the Thursday before, in case of a holiday."""
    friday = day + dt.timedelta(days=_FRIDAY - day.weekday())
    return day.weekday() in {_THURSDAY, _FRIDAY} and 15 <= friday.day <= 21  # noqa: PLR2004 - the third
