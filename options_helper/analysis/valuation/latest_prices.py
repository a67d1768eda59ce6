"""The newest prices of a fixed list of symbols.

All snapshots of one run share one `index` object per table, so the row numbers of a portfolio's symbols are
looked up once per run; after that, each refresh needs only one `take` per table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from options_helper.analysis.arrays.memo import IdentityMemo
from options_helper.analysis.arrays.types import Flags, Floats, Numbers, Times
from options_helper.market import LiveSnapshot
from options_helper.quote_tables import QuoteTable, TradeTable


class LatestPrices(NamedTuple):
    """The newest quote and trade of n symbols; missing numbers are NaN and missing times 0."""

    bid: Floats
    ask: Floats
    bid_size: Floats
    ask_size: Floats
    quote_time: Times
    quote_received: Times
    quote_from_rest: Flags
    last: Floats
    trade_time: Times
    trade_received: Times
    trade_from_rest: Flags


def latest_prices(
    symbols: Sequence[str], is_stock: Flags, live: LiveSnapshot, memo: IdentityMemo
) -> LatestPrices:
    """Return the newest prices, of stocks from the snapshot's stock tables, else from its option tables."""
    has_stocks, has_options = bool(is_stock.any()), not bool(is_stock.all())
    if not has_stocks:
        return _read_stream("options", symbols, live, memo)
    stocks = _read_stream("stocks", symbols, live, memo)
    if not has_options:
        return stocks
    options = _read_stream("options", symbols, live, memo)
    return LatestPrices(*(np.where(is_stock, *pair) for pair in zip(stocks, options, strict=True)))


def _read_stream(stream: str, symbols: Sequence[str], live: LiveSnapshot, memo: IdentityMemo) -> LatestPrices:
    of_stocks = stream == "stocks"
    quotes = QuoteTable.from_mapping(live.stock_quotes if of_stocks else live.option_quotes)
    trades = TradeTable.from_mapping(live.stock_trades if of_stocks else live.option_trades)
    quote, quoted = _take(f"{stream} quotes", symbols, quotes, memo)
    trade, traded = _take(f"{stream} trades", symbols, trades, memo)
    return LatestPrices(
        np.where(quoted, quote["bid_price"], np.nan),
        np.where(quoted, quote["ask_price"], np.nan),
        np.where(quoted, quote["bid_size"], np.nan),
        np.where(quoted, quote["ask_size"], np.nan),
        np.where(quoted, quote["timestamp"], 0),
        np.where(quoted, quote["received_at"], 0),
        quoted & quote["from_rest"],
        np.where(traded, trade["price"], np.nan),
        np.where(traded, trade["timestamp"], 0),
        np.where(traded, trade["received_at"], 0),
        traded & trade["from_rest"],
    )


def _take(
    key: str, symbols: Sequence[str], table: QuoteTable | TradeTable, memo: IdentityMemo
) -> tuple[NDArray[Any], Flags]:
    """Return the table's rows of these symbols, and flags for those that exist."""
    index = table.index

    def look_up() -> Numbers:
        return np.fromiter((index.get(symbol, -1) for symbol in symbols), np.int64, len(symbols))

    if not len(table.rows):
        return np.zeros(len(symbols), table.rows.dtype), np.zeros(len(symbols), np.bool_)
    numbers = memo.get(key, index, look_up, extent=len(index))  # an index may grow in place
    rows = table.rows.take(numbers, mode="clip")
    return rows, rows["present"] & (numbers >= 0) & (numbers < len(table.rows))
