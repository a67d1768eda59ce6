"""The prices, marks, ages, states and warnings of n instruments in one snapshot."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import numpy as np

from options_helper.analysis.arrays.typed_columns import (
    ColumnValues,
    categories,
    category_type,
    datetimes,
)
from options_helper.analysis.arrays.types import Codes, Flags, Floats, Numbers
from options_helper.analysis.holdings.instruments import Instruments
from options_helper.analysis.holdings.session_ends import (
    ContractEnds,
    days_until,
    find_contract_ends,
    hours_until,
)
from options_helper.analysis.streams.ages import (
    Ages,
    compute_ages,
    compute_basis_ages,
    compute_lags,
)
from options_helper.analysis.valuation.latest_prices import LatestPrices, latest_prices
from options_helper.analysis.valuation.marks import (
    DELAYED_TRADE_FEEDS,
    MARK_METHODS,
    SHARE_TRADE_SECONDS,
    MarkMethod,
    Marks,
    compute_marks,
    compute_natural,
)
from options_helper.analysis.valuation.outside_sessions import find_outside_sessions
from options_helper.analysis.valuation.previous_closes import PreviousCloses, find_previous_closes
from options_helper.analysis.valuation.quote_state import (
    QUOTE_STATES,
    RowFacts,
    compute_states,
)
from options_helper.analysis.valuation.reference import (
    find_broker_positions,
    find_ex_dividend,
    find_greeks,
    find_halted,
    find_multipliers,
    find_polled,
    find_unsubscribed,
)
from options_helper.analysis.valuation.row_warnings import RowWarning, flag, to_bits
from options_helper.analysis.valuation.sources import find_sources, source_type
from options_helper.market import LiveSnapshot, MarketPhase
from options_helper.quote_tables import QuoteTable, TradeTable
from options_helper.times import new_york_date, start_of_day, to_microseconds

_LAST = np.int8(MARK_METHODS.index(MarkMethod.LAST))
_NONE = np.int8(MARK_METHODS.index(MarkMethod.NONE))
STATE_TYPE = category_type(QUOTE_STATES)
_METHOD_TYPE = category_type(MARK_METHODS)
_OF_EXPIRED = to_bits([RowWarning.STALE_QUOTE, RowWarning.UNKNOWN_AGE, RowWarning.CLOCK_SKEW])


class Valuation(NamedTuple):
    """The valuation of n instruments in one snapshot; prices in dollars per share, NaN if missing.

    Attributes:
        ticks: The newest quotes and trades.
        marks: The marks by the mark rule, including those of expired contracts.
        mark, methods: The mark and its method's index in `MARK_METHODS`; none for expired contracts until
            they are settled.
        natural: The price of closing now.
        multiplier, scale: Dollars per point, for one contract and for the whole signed quantity.
        quote_ages, mark_ages: The age in seconds of the quote, and of the price behind the mark.
        closes: The previous closes, including withheld ones.
        close: The previous close from which P/L Day counts; NaN if it is withheld or unknown.
        close_doubts: Bits of the warnings that explain why P/L Day is withheld.
        ends: The expiries and last trading times, adjusted for early closes.
        expired: Flags for expired contracts.
        is_over: Flags for contracts that expired on an earlier trading day; their value no longer changes.
        states: Indices into `QUOTE_STATES`.
        sources: Indices into the words of `source_type`.
        warnings: Bits of `RowWarning`.
    """

    ticks: LatestPrices
    marks: Marks
    mark: Floats
    methods: Codes
    natural: Floats
    multiplier: Floats
    scale: Floats
    quote_ages: Floats
    mark_ages: Floats
    closes: PreviousCloses
    close: Floats
    close_doubts: Numbers
    ends: ContractEnds
    expired: Flags
    is_over: Flags
    states: Codes
    sources: Codes
    warnings: Numbers


class _Prices(NamedTuple):
    """The prices and marks of n instruments, including expired contracts.

    Attributes:
        by_last: Flags for marks made from the last trade.
        quoted: Flags for quotes with at least one valid side.
        quote_ages, mark_ages: The ages of the quotes, and of the prices behind the marks.
    """

    ticks: LatestPrices
    marks: Marks
    by_last: Flags
    quoted: Flags
    quote_ages: Ages
    mark_ages: Ages


def compute_live_rows(rows: Instruments, live: LiveSnapshot, stale_after_seconds: float) -> Valuation:
    """Return the valuation of instruments in one snapshot; the last one is cached for all tables.

    Raises:
        ValueError: `stale_after_seconds` is not above zero.
    """
    if not stale_after_seconds > 0:
        raise ValueError(f"stale_after_seconds must be above 0, not {stale_after_seconds}")
    # A run's tables are immutable; a dictionary may change in place.
    prices = (live.stock_quotes, live.stock_trades, live.option_quotes, live.option_trades)
    if not all(isinstance(each, QuoteTable | TradeTable) or not each for each in prices):
        return _value(rows, live, stale_after_seconds)
    return rows.memo.get(
        "valuation", live, lambda: _value(rows, live, stale_after_seconds), extent=stale_after_seconds
    )


def _value(rows: Instruments, live: LiveSnapshot, stale_after_seconds: float) -> Valuation:
    prices, ends = _price_rows(rows, live), find_contract_ends(rows, live)
    marks = prices.marks
    expired = ends.expires_at <= to_microseconds(live.as_of)
    outside = find_outside_sessions(prices.ticks.quote_time, rows.is_stock, live) & ~prices.by_last
    unmarked = expired | outside
    facts = _collect_facts(rows, prices, expired, live)
    multipliers, previous = find_multipliers(rows, live), find_previous_closes(rows, expired, live)
    return Valuation(
        ticks=prices.ticks,
        marks=marks,
        mark=np.where(unmarked, np.nan, marks.mark),
        methods=np.where(unmarked, _NONE, marks.methods),
        natural=np.where(unmarked, np.nan, compute_natural(marks.bid, marks.ask, rows.quantity)),
        multiplier=multipliers.value,
        scale=multipliers.scale,
        quote_ages=np.where(prices.quoted, prices.quote_ages.seconds, np.nan),
        mark_ages=np.where(facts.has_price, prices.mark_ages.seconds, np.nan),
        closes=previous.closes,
        close=previous.usable,
        close_doubts=previous.doubts,
        ends=ends,
        expired=expired,
        is_over=np.zeros(len(rows), dtype=np.bool_),
        states=compute_states(prices.mark_ages.seconds, facts, live, stale_after_seconds),
        sources=find_sources(rows.is_stock, prices.ticks, facts, prices.by_last, live),
        warnings=_warnings(rows, prices, facts, stale_after_seconds)
        | flag(find_ex_dividend(rows, live), RowWarning.EX_DIVIDEND)
        | flag(outside & prices.quoted & ~expired, RowWarning.OUTSIDE_SESSION),
    )


def _price_rows(rows: Instruments, live: LiveSnapshot) -> _Prices:
    ticks = latest_prices(rows.symbols, rows.is_stock, live, rows.memo)
    trades = compute_ages(live, ticks.trade_time, ticks.trade_received)
    marks = compute_marks(
        ticks.bid,
        ticks.ask,
        ticks.last,
        _usable_trades(rows, ticks, live),
        is_share=rows.is_stock,
        last_is_recent=_recent_trades(ticks, trades, live),
    )
    by_last = marks.methods == _LAST
    quotes = compute_ages(live, ticks.quote_time, ticks.quote_received)
    return _Prices(
        ticks=ticks,
        marks=marks,
        by_last=by_last,
        quoted=~np.isnan(marks.bid) | ~np.isnan(marks.ask),
        quote_ages=quotes,
        mark_ages=compute_basis_ages(quotes, trades, by_last),
    )


def _collect_facts(rows: Instruments, prices: _Prices, expired: Flags, live: LiveSnapshot) -> RowFacts:
    ticks, by_last = prices.ticks, prices.by_last
    return RowFacts(
        is_stock=rows.is_stock,
        trades_late=rows.clock.trades_late,
        expired=expired,
        not_subscribed=find_unsubscribed(rows, live),
        halted=find_halted(rows, live),
        has_price=prices.quoted | by_last,
        streamed_at=_streamed_at(ticks, by_last),
        dated_at=np.where(by_last, ticks.trade_time, ticks.quote_time),
        polled=find_polled(rows, live),
    )


def _streamed_at(ticks: LatestPrices, by_last: Flags) -> Numbers:
    """Return the times at which the prices behind the marks arrived on a stream; 0 for prices from REST."""
    quote = np.where(ticks.quote_from_rest, 0, ticks.quote_received)
    return np.where(by_last, np.where(ticks.trade_from_rest, 0, ticks.trade_received), quote)


def _usable_trades(rows: Instruments, ticks: LatestPrices, live: LiveSnapshot) -> Flags:
    """Return flags for trades on the current New York day, in a session, and not from a delayed feed."""
    today = new_york_date(live.as_of)
    midnights = [to_microseconds(start_of_day(day)) for day in (today, today + dt.timedelta(days=1))]
    of_today = (ticks.trade_time >= midnights[0]) & (ticks.trade_time < midnights[1])
    of_today = of_today & ~find_outside_sessions(ticks.trade_time, rows.is_stock, live)
    return of_today & rows.is_stock if live.options_feed in DELAYED_TRADE_FEEDS else of_today


def _recent_trades(ticks: LatestPrices, trades: Ages, live: LiveSnapshot) -> Flags:
    """Return flags for trades recent enough to replace a wide quote of shares."""
    if live.market_phase == MarketPhase.OPEN:
        recent: Flags = trades.seconds <= SHARE_TRADE_SECONDS
        return recent
    day = live.trading_date or new_york_date(live.as_of)
    return ticks.trade_time >= to_microseconds(start_of_day(day))


def _warnings(rows: Instruments, prices: _Prices, facts: RowFacts, stale_after_seconds: float) -> Numbers:
    priced, ages = facts.has_price, prices.mark_ages
    bits = (
        prices.marks.warnings
        | flag(priced & ~(ages.seconds <= stale_after_seconds), RowWarning.STALE_QUOTE)
        | flag(priced & np.isnan(ages.seconds), RowWarning.UNKNOWN_AGE)
        | flag(priced & ages.skewed, RowWarning.CLOCK_SKEW)
        | flag(facts.not_subscribed, RowWarning.NOT_SUBSCRIBED)
        | flag(facts.halted, RowWarning.HALTED)
        | flag(rows.unspellable, RowWarning.NO_CONTRACT_SYMBOL)
        | flag(rows.adjusted, RowWarning.ADJUSTED_CONTRACT)
    )
    return np.where(facts.expired, (bits & _OF_EXPIRED) | RowWarning.EXPIRED.bit, bits)


def build_quote_columns(rows: Instruments, now: Valuation, live: LiveSnapshot) -> dict[str, ColumnValues]:
    """Return the price columns that positions and legs share, keyed by name."""
    greeks, broker = find_greeks(rows, live), find_broker_positions(rows, live)
    ends = now.ends.expires_at
    return {
        "dte": days_until(rows.expiry_days, live, rows.memo),
        "hours_left": hours_until(now.ends.last_trading, rows.clock.last_day, live),
        "expires_at": rows.memo.get("expires_at", ends, lambda: datetimes(np.where(rows.is_stock, 0, ends))),
        "quantity": rows.quantity,
        "multiplier": now.multiplier,
        "bid": now.marks.bid,
        "ask": now.marks.ask,
        "bid_size": now.ticks.bid_size,
        "ask_size": now.ticks.ask_size,
        "last": now.ticks.last,
        "mark": now.mark,
        "mark_method": categories(now.methods, _METHOD_TYPE),
        "natural": now.natural,
        "spread_pct": now.marks.spread_pct,
        "state": categories(now.states, STATE_TYPE),
        "source": categories(now.sources, source_type(live)),
        **_time_columns(now),
        "previous_close": now.closes.price,
        "previous_close_date": now.closes.date,
        **greeks.columns,
        "greeks_time": greeks.time,
        "broker_quantity": broker.quantity,
        "broker_price": broker.price,
    }


def _time_columns(now: Valuation) -> dict[str, ColumnValues]:
    """Return the columns of times, ages and lags on arrival."""
    ticks = now.ticks
    return {
        "quote_age_seconds": now.quote_ages,
        "mark_age_seconds": now.mark_ages,
        "lag_seconds": compute_lags(ticks.quote_time, ticks.quote_received, ticks.quote_from_rest),
        "quote_time": datetimes(ticks.quote_time),
        "trade_time": datetimes(ticks.trade_time),
    }


def divide(value: Floats, base: Floats) -> Floats:
    """Return value / |base|; NaN if the base is zero."""
    base = np.abs(base)
    return value / np.where(base > 0, base, np.nan)
