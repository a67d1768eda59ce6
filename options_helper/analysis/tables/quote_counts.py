"""Counts of the portfolio's quotes by state, from its tables."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from options_helper.analysis.osi import stock_symbol
from options_helper.analysis.status.diagnosis import QuoteCounts
from options_helper.analysis.text.figures import format_strike
from options_helper.analysis.valuation.quote_state import QuoteState
from options_helper.market import StreamName

if TYPE_CHECKING:
    from numpy.typing import NDArray

_COLUMNS = ["state", "mark_age_seconds", "quote_time", "symbol", "strike", "option_type"]


def count_quotes(positions: pd.DataFrame, legs: pd.DataFrame, stale_after_seconds: float) -> QuoteCounts:
    """Counts at the tables' own time; expired rows count nowhere."""
    rows = pd.concat([positions[_COLUMNS], legs[_COLUMNS]], ignore_index=True)
    rows = rows[rows["state"] != QuoteState.EXPIRED]
    states = rows["state"].astype(str)
    is_stale = states.isin([QuoteState.STALE, QuoteState.FROM_YESTERDAY]).to_numpy()
    is_quiet = (states == QuoteState.QUIET).to_numpy()
    of_stocks = rows["option_type"].isna().to_numpy()
    ages = rows["mark_age_seconds"].to_numpy(dtype=np.float64)
    if is_stale.any():
        ages = np.where(is_stale, ages, np.nan)
    oldest = int(np.nanargmax(ages)) if np.isfinite(ages).any() else None
    newest = rows["quote_time"].max()
    return QuoteCounts(
        total=len(rows),
        stale=int(is_stale.sum()),
        stale_by_stream=_by_stream(of_stocks[is_stale]),
        quiet=int(is_quiet.sum()),
        quiet_by_stream=_by_stream(of_stocks[is_quiet]),
        missing=int(states.isin([QuoteState.NO_DATA, QuoteState.NOT_SUBSCRIBED]).sum()),
        oldest_seconds=None if oldest is None else float(ages[oldest]),
        oldest_name="" if oldest is None else _name(rows.iloc[oldest]),
        newest_at=None if pd.isna(newest) else newest.to_pydatetime(),
        stale_after_seconds=stale_after_seconds,
    )


def _by_stream(of_stocks: NDArray[np.bool_]) -> dict[StreamName, int]:
    """Return the number of rows by stream, without streams that have none."""
    stocks = int(of_stocks.sum())
    counts = {StreamName.OPTIONS: len(of_stocks) - stocks, StreamName.STOCKS: stocks}
    return {stream: number for stream, number in counts.items() if number}


def grown_older(counts: QuoteCounts, counted_at: dt.datetime, now: dt.datetime) -> QuoteCounts:
    """Return the same counts later: ages grow although nothing was computed."""
    if counts.oldest_seconds is None:
        return counts
    return replace(counts, oldest_seconds=counts.oldest_seconds + (now - counted_at).total_seconds())


def _name(row: pd.Series) -> str:
    """`BRK.B 500 call`, or `SPY shares`."""
    symbol = stock_symbol(str(row["symbol"]))
    if pd.isna(row["option_type"]):
        return f"{symbol} shares"
    return f"{symbol} {format_strike(float(row['strike']))} {row['option_type']}"
