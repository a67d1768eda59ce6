"""The betas of the portfolio's stocks, from one year of daily closes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import numpy as np

from options_helper.data.rest.client import AlpacaRest
from options_helper.data.values import to_number, to_utc
from options_helper.market import Betas
from options_helper.times import new_york_date

BENCHMARK = "SPY"
LEAST_RETURNS = 120
_YEAR = dt.timedelta(days=366)
_DAY = dt.timedelta(days=1)


def fetch_betas(rest: AlpacaRest, stocks: Sequence[str], today: dt.date) -> Betas | None:
    """Return the stocks' betas over the year before today, or None if the benchmark's history is too short.

    Raises:
        AlpacaRestError: There was no usable answer.
    """
    symbols = list(dict.fromkeys([BENCHMARK, *stocks]))
    return compute_betas(rest.daily_bars(symbols, today - _YEAR, today - _DAY))


def compute_betas(bars: Mapping[str, object]) -> Betas | None:
    """Return betas from daily bars: the covariance with the benchmark's returns over their variance."""
    closes = {symbol: read_closes(rows) for symbol, rows in bars.items()}
    market = closes.get(BENCHMARK, {})
    if len(market) <= LEAST_RETURNS:
        return None
    until = max(market)
    values = {symbol: _beta(own, market) for symbol, own in closes.items()}
    return Betas(
        benchmark=BENCHMARK,
        price=market[until],
        until=until,
        values={symbol: value for symbol, value in values.items() if value is not None},
        returns=len(market) - 1,
    )


def read_closes(rows: object) -> dict[dt.date, float]:
    """Return the closes of daily bars by New York date, without unreadable bars."""
    found = {}
    for row in rows if isinstance(rows, list) else ():
        at = to_utc(row.get("t")) if isinstance(row, dict) else None
        close = to_number(row.get("c")) if isinstance(row, dict) else None
        if at is not None and close is not None and close > 0:
            found[new_york_date(at)] = close
    return found


def _beta(own: Mapping[dt.date, float], market: Mapping[dt.date, float]) -> float | None:
    days = sorted(own.keys() & market.keys())
    if len(days) <= LEAST_RETURNS:
        return None
    returns = np.diff(np.log([[own[day] for day in days], [market[day] for day in days]]))
    covariance = np.cov(returns)
    return float(covariance[0, 1] / covariance[1, 1]) if covariance[1, 1] > 0 else None
