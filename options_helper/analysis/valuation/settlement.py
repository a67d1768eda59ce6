"""The provisional settlement of expired contracts at their intrinsic value, until they leave the file.

| case | settled at | warning |
| --- | --- | --- |
| the underlying's official close of the expiry date is known | that close | `settled_at_close` |
| otherwise, until the next trading day | the underlying's mark, or its last trade | `settled_at_spot` |
| settled at the open (SPX, VIX, …), adjusted, or neither price is known | nothing | `settlement_unknown` |

The values are provisional: exercise, assignment and the clearing house's settlement decide. After the trading
day of the expiry, the value no longer changes, known or not, so P/L Day is zero.
"""

from __future__ import annotations

import datetime as dt

import numpy as np

from options_helper.analysis.arrays.types import Flags, Floats
from options_helper.analysis.holdings.instruments import Instruments
from options_helper.analysis.valuation.marks import MARK_METHODS, MarkMethod
from options_helper.analysis.valuation.previous_closes import find_jumps
from options_helper.analysis.valuation.row_warnings import RowWarning, flag
from options_helper.analysis.valuation.value_rows import Valuation
from options_helper.market import LiveSnapshot
from options_helper.times import new_york_date

_SETTLED = np.int8(MARK_METHODS.index(MarkMethod.SETTLED))


def settle(rows: Instruments, now: Valuation, stocks: Valuation, live: LiveSnapshot) -> Valuation:
    """Return the valuation with expired contracts at their provisional settlement.

    Args:
        rows: The instruments.
        now: Their valuation, in which expired contracts have no mark.
        stocks: The valuation of the portfolio's underlyings, in the order of `rows.underlying_codes`.
        live: The snapshot of both valuations.
    """
    now = _withhold_jumps(rows, now, stocks)
    if not now.expired.any():
        return now
    codes = rows.underlying_codes
    today = (live.trading_date or new_york_date(live.as_of)).toordinal()
    is_newest = stocks.closes.day[codes] == rows.expiry_days
    closes = np.where(
        is_newest, stocks.closes.daily[codes], _earlier_closes(rows, now.expired & ~is_newest, live)
    )
    at_close = ~np.isnan(closes)
    spots = np.where(np.isnan(stocks.mark), stocks.ticks.last, stocks.mark)[codes]
    at_spot = ~at_close & (rows.expiry_days == today)
    price = np.where(at_spot, spots, closes)
    known = now.expired & ~rows.adjusted & ~rows.clock.settles_at_open & (price > 0) & (price < np.inf)
    value = np.maximum(np.where(rows.is_put, rows.strike - price, price - rows.strike), 0.0)
    mark = np.where(known, value, now.mark)
    return now._replace(
        mark=mark,
        methods=np.where(known, _SETTLED, now.methods),
        close=np.where(known & (rows.expiry_days < today), mark, now.close),
        is_over=now.expired & (rows.expiry_days < today),
        warnings=now.warnings
        | flag(known & at_close, RowWarning.SETTLED_AT_CLOSE)
        | flag(known & at_spot, RowWarning.SETTLED_AT_SPOT)
        | flag(now.expired & ~known, RowWarning.SETTLEMENT_UNKNOWN),
    )


def _earlier_closes(rows: Instruments, wanted: Flags, live: LiveSnapshot) -> Floats:
    """Return the underlying's close on the expiry date in the wanted rows; NaN if unknown."""
    found = np.full(len(wanted), np.nan)
    for row in np.flatnonzero(wanted):
        closes = live.daily_closes.get(rows.underlyings[row], {})
        found[row] = closes.get(dt.date.fromordinal(int(rows.expiry_days[row])), np.nan)
    return found


def _withhold_jumps(rows: Instruments, now: Valuation, stocks: Valuation) -> Valuation:
    """Withhold the previous close of rows with an underlying that jumped since its own previous close."""
    jumped = find_jumps(stocks.mark, stocks.close)[rows.underlying_codes] & ~now.expired
    if not jumped.any():
        return now
    return now._replace(
        close=np.where(jumped, np.nan, now.close),
        close_doubts=now.close_doubts | flag(jumped & ~np.isnan(now.close), RowWarning.PREVIOUS_CLOSE_JUMP),
    )
