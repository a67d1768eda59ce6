"""Converts REST rows into records; unreadable rows are skipped and counted.

Sources: the schemas `option_snapshot`, `stock_snapshot`, `option_greeks` and `index_value` of Alpaca's
Market Data API; `Position` and `OptionContract` of its Trading API.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TypeAlias

from options_helper.analysis.contracts.products import INDEX_ROOTS, is_adjusted
from options_helper.analysis.osi import contract_root, is_contract_symbol, underlying_of
from options_helper.analysis.valuation.marks import mark_contract
from options_helper.data.streaming.normalize.batches import quote_change, trade_change
from options_helper.data.streaming.normalize.wire import Wire, WireQuote, WireTrade, to_wire
from options_helper.data.values import to_amount, to_date, to_decimal, to_number, to_utc, to_word
from options_helper.errors import AlpacaRestError
from options_helper.market import (
    BrokerAccount,
    BrokerPosition,
    Dividend,
    Greeks,
    PreviousClose,
    Quote,
    Split,
    Trade,
)
from options_helper.quote_tables import QuoteTable, TradeTable
from options_helper.times import new_york_date

Raw: TypeAlias = "Mapping[str, object]"

_OK = 200
_ONE = Decimal(1)
_GREEKS = ("delta", "gamma", "theta", "vega", "rho")


@dataclass(slots=True)
class SnapshotRows:
    """The readable parts of some snapshots; `skipped` counts the unreadable ones."""

    quotes: list[Quote] = field(default_factory=list)
    trades: list[Trade] = field(default_factory=list)
    previous_closes: dict[str, PreviousClose] = field(default_factory=dict)
    greeks: dict[str, Greeks] = field(default_factory=dict)
    skipped: int = 0


def read_snapshots(
    snapshots: Raw,
    *,
    received_at: dt.datetime,
    trading_date: dt.date,
    previous_date: dt.date | None = None,
) -> SnapshotRows:
    """Return the quotes, trades and previous closes of snapshots, and Greeks with the time of their quote.

    Args:
        snapshots: By symbol, as `AlpacaRest.option_snapshots` or `stock_snapshots` returns them.
        received_at: When they were received.
        trading_date: The New York date whose previous close is wanted.
        previous_date: The trading date before that one, for closing quotes; None if unknown.
    """
    readable = {symbol: row for symbol, row in snapshots.items() if isinstance(row, dict)}
    rows = _read_market(readable, received_at)
    rows.skipped += len(snapshots) - len(readable)
    quotes = {quote.symbol: quote for quote in rows.quotes}
    for symbol, snapshot in readable.items():
        daily = _previous_close(snapshot, trading_date)
        close = _with_closing_quote(daily, quotes.get(symbol), previous_date)
        if close is not None:
            rows.previous_closes[symbol] = close
        greeks = _greeks(snapshot, received_at)
        if greeks is not None:
            rows.greeks[symbol] = greeks
    return rows


def _read_market(snapshots: Mapping[str, Raw], received_at: dt.datetime) -> SnapshotRows:
    quotes = _read_part(snapshots, "latestQuote", WireQuote)
    trades = _read_part(snapshots, "latestTrade", WireTrade)
    new_quotes = quote_change(quotes, received_at, from_rest=True)
    new_trades = trade_change(trades, received_at, from_rest=True)
    return SnapshotRows(
        quotes=list(QuoteTable.empty().updated(new_quotes.rows).values()),
        trades=list(TradeTable.empty().updated(new_trades.rows).values()),
        skipped=len(quotes) + len(trades) - new_quotes.known - new_trades.known,
    )


def _read_part(snapshots: Mapping[str, Raw], part: str, kind: type[Wire]) -> list[Wire | None]:
    """Return one part of each snapshot that has it, None if it is malformed."""
    given = {symbol: snapshot.get(part) for symbol, snapshot in snapshots.items()}
    return [
        to_wire(raw, kind, symbol=symbol)
        for symbol, raw in given.items()
        if raw is not None and not _is_nothing(raw)
    ]


def _is_nothing(raw: object) -> bool:
    """Return whether a row has the zero time of Alpaca's servers, which means no quote or trade."""
    at = raw.get("t") if isinstance(raw, dict) else None
    return isinstance(at, str) and at.startswith("0001-01-01")


def _previous_close(snapshot: Raw, trading_date: dt.date) -> PreviousClose | None:
    """Return the newest daily close before a date; `dailyBar` has it until the day's first trade."""
    closes = []
    for name in ("dailyBar", "prevDailyBar"):
        bar = snapshot.get(name)
        if not isinstance(bar, dict):
            continue
        price, at = to_amount(bar.get("c")), to_utc(bar.get("t"))
        if price and at is not None and new_york_date(at) < trading_date:
            closes.append(_close_of(bar, price, new_york_date(at), snapshot.get("latestTrade")))
    return max(closes, key=lambda close: close.date, default=None)


def _with_closing_quote(
    close: PreviousClose | None, quote: Quote | None, day: dt.date | None
) -> PreviousClose | None:
    """Return the close with the midpoint of a contract's closing quote, or the midpoint alone.

    Until a day's first quote, the latest one is the previous day's closing quote.
    """
    if quote is None or quote.timestamp is None or new_york_date(quote.timestamp) != day:
        return close
    mid = mark_contract(quote)
    if mid is None or not is_contract_symbol(quote.symbol):
        return close
    known = close if close is not None and close.date == day else PreviousClose(mid, day, trades=0)
    return replace(known, mid=mid)


def _close_of(bar: Raw, price: float, day: dt.date, trade: object) -> PreviousClose:
    """Return a bar's close with its number of trades, and the time of its last trade if known."""
    trades = to_number(bar.get("n"))
    at = to_utc(trade.get("t")) if isinstance(trade, dict) else None
    traded_at = at if at is not None and new_york_date(at) == day else None
    return PreviousClose(price, day, None if trades is None else int(trades), traded_at)


def _greeks(snapshot: Raw, received_at: dt.datetime) -> Greeks | None:
    raw = snapshot.get("greeks")
    values = {name: to_number(raw.get(name)) for name in _GREEKS} if isinstance(raw, dict) else {}
    volatility = to_amount(snapshot.get("impliedVolatility")) or None
    # If the vendor cannot compute a contract's Greeks, it sends five zeros, and no volatility or one of 0.
    if volatility is None and not any(values.values()):
        return None
    quote = snapshot.get("latestQuote")
    # The vendor computes them from the quote and sends no time of their own.
    at = to_utc(quote.get("t")) if isinstance(quote, dict) else None
    return Greeks(**values, implied_volatility=volatility, timestamp=at or received_at)


def read_index_values(values: Raw, received_at: dt.datetime) -> list[Trade]:
    """Return index values as trades without a size."""
    trades = [
        to_wire({"p": value.get("v"), "t": value.get("t")}, WireTrade, symbol=symbol)
        for symbol, value in values.items()
        if isinstance(value, dict)
    ]
    change = trade_change(trades, received_at, from_rest=True)
    return list(TradeTable.empty().updated(change.rows).values())


def require_all(path: str, *, wanted: int, read: int) -> None:
    """Raise if some rows of an answer could not be read; call it after using the others.

    Raises:
        AlpacaRestError: Some rows were unreadable, so the answer is requested again.
    """
    if read < wanted:
        skipped = wanted - read
        raise AlpacaRestError(
            path, f"{skipped} row{'' if skipped == 1 else 's'} could not be read", status=_OK
        )


def read_positions(rows: Iterable[object]) -> dict[str, BrokerPosition]:
    """Return the broker's readable positions by symbol, with signed quantities."""
    positions = {}
    for row in rows:
        if not isinstance(row, dict):
            continue
        symbol, quantity = row.get("symbol"), to_number(row.get("qty"))
        if not isinstance(symbol, str) or not symbol or quantity is None:
            continue
        short = to_word(row.get("side")) == "short"
        positions[symbol] = BrokerPosition(
            symbol,
            -abs(quantity) if short else quantity,
            to_number(row.get("current_price")),
            to_number(row.get("market_value")),
            to_number(row.get("avg_entry_price")),
            to_number(row.get("lastday_price")),
        )
    return positions


def find_unread(rows: Iterable[object], positions: Mapping[str, BrokerPosition]) -> frozenset[str]:
    """Return the symbols of rows that `read_positions` could not read, "" for a row without a symbol."""
    symbols = (row.get("symbol") if isinstance(row, dict) else None for row in rows)
    named = {symbol if isinstance(symbol, str) else "" for symbol in symbols}
    return frozenset(named - set(positions))


def read_broker_account(row: Raw, as_of: dt.datetime) -> BrokerAccount:
    """Return the account's balances; a missing or unreadable figure is None."""
    long, short = to_number(row.get("long_market_value")), to_number(row.get("short_market_value"))
    return BrokerAccount(
        equity=to_number(row.get("equity")),
        last_equity=to_number(row.get("last_equity")),
        cash=to_number(row.get("cash")),
        buying_power=to_number(row.get("buying_power")),
        options_buying_power=to_number(row.get("options_buying_power")),
        position_value=None if long is None or short is None else long - abs(short),
        as_of=as_of,
    )


def read_splits(rows: Iterable[object]) -> list[Split]:
    """Return the readable splits, stock dividends, spin-offs and rights of a corporate-actions answer."""
    splits = []
    for row in rows:
        if not isinstance(row, dict):
            continue
        new, old = _split_ratio(row)
        date = to_date(row.get("ex_date")) or to_date(row.get("effective_date"))
        symbol = row.get("source_symbol") or row.get("old_symbol") or row.get("symbol")
        if new and old and new > 0 and old > 0 and date is not None and isinstance(symbol, str):
            splits.append(Split(symbol=symbol, new=new, old=old, date=date))
    return splits


def _split_ratio(row: Raw) -> tuple[Decimal | None, Decimal | None]:
    """Return the numbers of new and old shares; a stock dividend has a rate per share.

    If one security becomes several (a spin-off, rights, a split unit), prices have no ratio, so it is 1:1.
    """
    if "source_symbol" in row or "old_symbol" in row:
        return _ONE, _ONE
    rate = to_decimal(row.get("rate"))
    if rate is not None:
        return _ONE + rate, _ONE
    return to_decimal(row.get("new_rate")), to_decimal(row.get("old_rate"))


def read_dividends(rows: Iterable[object]) -> list[Dividend]:
    """Return the readable cash dividends of a corporate-actions answer."""
    dividends = []
    for row in rows:
        if not isinstance(row, dict):
            continue
        amount, date, symbol = to_decimal(row.get("rate")), to_date(row.get("ex_date")), row.get("symbol")
        if amount and amount > 0 and date is not None and isinstance(symbol, str):
            dividends.append(Dividend(symbol=symbol, amount=amount, ex_date=date))
    return dividends


def read_multiplier(contract: Raw) -> float | None:
    """Return the dollars per point of premium: `multiplier`, never `size`, which is the deliverable."""
    multiplier = to_number(contract.get("multiplier"))
    return multiplier if multiplier and multiplier > 0 else None


def indices_of(contracts: Iterable[str]) -> list[str]:
    """Return the indices behind these contracts, without duplicates; no stream carries their values."""
    roots = map(contract_root, contracts)
    return list(dict.fromkeys(underlying_of(root) for root in roots if root in INDEX_ROOTS))


def adjusted_contracts(symbols: Iterable[str]) -> list[str]:
    """Return the adjusted contracts; all others have a multiplier of 100 and need no request."""
    return [symbol for symbol in symbols if is_adjusted(contract_root(symbol))]
