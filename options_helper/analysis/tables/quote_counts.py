"""The numbers of the portfolio's quotes in each state, counted in its tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from options_helper.analysis.arrays.typed_columns import ColumnValues
from options_helper.analysis.arrays.types import Flags
from options_helper.analysis.osi import stock_symbol
from options_helper.analysis.status.diagnosis import QuoteCounts
from options_helper.analysis.text.figures import format_strike
from options_helper.analysis.valuation.quote_state import CODE, OLD, QuoteState
from options_helper.market import StreamName
from options_helper.times import from_microseconds

_ABSENT = [CODE[QuoteState.NO_DATA], CODE[QuoteState.NOT_SUBSCRIBED]]


def count_quotes(
    positions: Mapping[str, ColumnValues], legs: Mapping[str, ColumnValues], stale_after_seconds: float
) -> QuoteCounts:
    """Count the quotes in the columns of two tables; expired rows are not counted."""
    tables = (positions, legs)
    states = np.concatenate([table["state"].codes for table in tables])
    alive = states != CODE[QuoteState.EXPIRED]
    is_stale, is_quiet = np.isin(states, OLD), states == CODE[QuoteState.QUIET]
    of_stocks = np.concatenate([table["option_type"].isna() for table in tables])
    ages = np.concatenate([table["mark_age_seconds"] for table in tables])
    ages = np.where(is_stale if is_stale.any() else alive, ages, np.nan)
    oldest = int(np.nanargmax(ages)) if np.isfinite(ages).any() else None
    times = np.concatenate([table["quote_time"].to_numpy(dtype="M8[us]") for table in tables])
    times = times[alive & ~np.isnat(times)]
    return QuoteCounts(
        total=int(alive.sum()),
        stale=int(is_stale.sum()),
        stale_by_stream=_by_stream(of_stocks[is_stale]),
        quiet=int(is_quiet.sum()),
        quiet_by_stream=_by_stream(of_stocks[is_quiet]),
        missing=int(np.isin(states, _ABSENT).sum()),
        oldest_seconds=None if oldest is None else float(ages[oldest]),
        oldest_name="" if oldest is None else _name(*tables, oldest),
        newest_at=from_microseconds(int(times.max().astype(np.int64))) if len(times) else None,
        stale_after_seconds=stale_after_seconds,
    )


def _by_stream(of_stocks: Flags) -> dict[StreamName, int]:
    """Return the number of rows per stream, without streams that have none."""
    stocks = int(of_stocks.sum())
    counts = {StreamName.OPTIONS: len(of_stocks) - stocks, StreamName.STOCKS: stocks}
    return {stream: number for stream, number in counts.items() if number}


def grown_older(counts: QuoteCounts, counted_at: dt.datetime, now: dt.datetime) -> QuoteCounts:
    """Return the same counts at a later time, with the oldest age increased."""
    if counts.oldest_seconds is None:
        return counts
    return replace(counts, oldest_seconds=counts.oldest_seconds + (now - counted_at).total_seconds())


def _name(positions: Mapping[str, ColumnValues], legs: Mapping[str, ColumnValues], number: int) -> str:
    """Return the name of a row in the two tables, such as `BRK.B 500 call` or `SPY shares`."""
    singles = len(positions["symbol"])
    table, row = (positions, number) if number < singles else (legs, number - singles)
    symbol, strike, kind = (table[name][row] for name in ("symbol", "strike", "option_type"))
    stock = stock_symbol(str(symbol))
    return f"{stock} shares" if pd.isna(kind) else f"{stock} {format_strike(float(strike))} {kind}"
