"""Facts about option products that market messages do not contain, keyed by contract root.

Sources: for settlement, the product specifications of Cboe (SPX, SPXW, XSP, VIX, RUT, DJX, OEX, XEO, MRUT)
and Nasdaq (NDX, NDXP, XND); for the late close, the lists of options that trade until 4:15 p.m. on the help
pages of Firstrade and tastytrade. Such lists change; these date from November 2026.
"""

from __future__ import annotations

import datetime as dt

# Settled at the open of the date in their symbol; the day before is their last trading day. VIX and VIXW
# settle on a Wednesday morning, the others on the morning of the third Friday.
AM_SETTLED_ROOTS = frozenset({"DJX", "NDX", "RUT", "SPX", "VIX", "VIXW"})

# Settled at the close; on their last day they stop trading at the regular close, not 15 minutes later.
PM_SETTLED_INDEX_ROOTS = frozenset({"DJXW", "MRUT", "NDXP", "OEX", "RUTW", "SPXW", "XEO", "XND", "XSP"})

INDEX_ROOTS = AM_SETTLED_ROOTS | PM_SETTLED_INDEX_ROOTS

# All other index options can be exercised only at expiry (European).
AMERICAN_INDEX_ROOTS = frozenset({"OEX"})

# Their prices follow a future on the index, so the index itself is not their spot.
FUTURE_ROOTS = frozenset({"VIX", "VIXW"})

# Including indexes without options at Alpaca that a file may name as an underlying or benchmark.
INDEX_SYMBOLS = INDEX_ROOTS | frozenset({"COMP", "DJI", "DJIA", "RVX", "VIX9D", "VVIX", "VXN"})

# Options on these funds and notes trade until 15 minutes after the regular close, on their last day too.
# fmt: off
LATE_FUND_ROOTS = frozenset({
    "AMJ", "DBA", "DBB", "DBC", "DBO", "DIA", "EEM", "EFA", "GAZ", "GLD", "IWM", "IWN", "IWO", "IWV", "JJC",
    "KBE", "KRE", "MDY", "MOO", "OEF", "OIL", "QQQ", "SLX", "SPY", "SVIX", "SVXY", "UNG", "UUP", "UVIX",
    "UVXY", "VIXM", "VIXY", "VXX", "VXZ", "XHB", "XLB", "XLC", "XLE", "XLF", "XLI", "XLK", "XLP", "XLRE",
    "XLU", "XLV", "XLY", "XME", "XRT",
})
# fmt: on

LATE_ROOTS = LATE_FUND_ROOTS | INDEX_ROOTS

# The index of each root that is not named after it.
INDEX_OF_ROOT = {"DJXW": "DJX", "NDXP": "NDX", "RUTW": "RUT", "SPXW": "SPX", "VIXW": "VIX", "XEO": "OEX"}

# The roots on the left have one expiry per month; the index's other expiries have the root on the right.
OTHER_EXPIRIES_ROOT = {"DJX": "DJXW", "NDX": "NDXP", "RUT": "RUTW", "SPX": "SPXW", "VIX": "VIXW"}

_THURSDAY, _FRIDAY = 3, 4


def is_index(symbol: str) -> bool:
    """Return whether an underlying is an index, without shares or quotes on the stock stream."""
    return symbol in INDEX_SYMBOLS


def is_adjusted(root: str) -> bool:
    """Return whether a root ends in a digit, as the clearing house marks adjusted contracts.

    The deliverable of an adjusted contract may differ from 100 shares and may include cash.
    """
    return root[-1:].isdigit()


def is_european(root: str) -> bool:
    """Return whether contracts with this root have European exercise (only at expiry)."""
    return root in INDEX_ROOTS - AMERICAN_INDEX_ROOTS


def other_root(root: str, expiry: dt.date) -> str | None:
    """Return the root that contracts with this expiry have instead, or None if `root` may be right."""
    other = OTHER_EXPIRIES_ROOT.get(root)
    if other is None:
        return None
    fits = is_vix_monthly_expiry(expiry) if root == "VIX" else is_monthly_expiry(expiry)
    return None if fits else other


def underlying_of_root(symbol: str) -> str | None:
    """Return the underlying if the symbol is a root that differs from it (`SPXW`, `CSGP1`), else None."""
    index = next((name for name, other in OTHER_EXPIRIES_ROOT.items() if other == symbol), None)
    if index is not None:
        return index
    return symbol.rstrip("0123456789") if is_adjusted(symbol) else None


def is_vix_monthly_expiry(day: dt.date) -> bool:
    """Return whether VIX's monthly contracts settle on a day, 30 or 31 days before a third Friday."""
    fridays = (day + dt.timedelta(days=days) for days in (30, 31))
    return any(each.weekday() == _FRIDAY and 15 <= each.day <= 21 for each in fridays)  # noqa: PLR2004 - the third


def is_monthly_expiry(day: dt.date) -> bool:
    """Return whether a day can be a monthly expiry: the third Friday, or the Thursday before it."""
    friday = day + dt.timedelta(days=_FRIDAY - day.weekday())
    return day.weekday() in {_THURSDAY, _FRIDAY} and 15 <= friday.day <= 21  # noqa: PLR2004 - the third
