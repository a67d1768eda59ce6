"""Prices, marks, ages, states and warnings of n instruments at the moment of one snapshot."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from options_helper.analysis.arrays.columns import Column, categories, category_type, moments, whole_numbers
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
from options_helper.analysis.text.figures import format_span
from options_helper.analysis.valuation.latest_prices import Ticks, latest_prices
from options_helper.analysis.valuation.marks import (
    DELAYED_TRADE_FEEDS,
    MARK_METHODS,
    SHARE_TRADE_SECONDS,
    MarkMethod,
    Marks,
    compute_marks,
    compute_natural,
)
from options_helper.analysis.valuation.quote_state import (
    TRUTH_STATES,
    RowFacts,
    compute_states,
)
from options_helper.analysis.valuation.reference import (
    PreviousCloses,
    find_broker_positions,
    find_greeks,
    find_halted,
    find_multipliers,
    find_polled,
    find_previous_closes,
    find_unsubscribed,
    previous_trading_day,
)
from options_helper.analysis.valuation.row_warnings import RowWarning, flag, to_bits
from options_helper.market import LiveSnapshot, MarketPhase
from options_helper.times import new_york_date, start_of_day, to_microseconds

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Numbers = NDArray[np.int64]

SOURCES = ("OPRA", "indicative", "IEX", "SIP", "delayed SIP", "Boats", "overnight", "REST snapshot", "demo")

_SOURCE_CODE = {name.lower().replace(" ", "_"): np.int8(number) for number, name in enumerate(SOURCES)}
_LAST = np.int8(MARK_METHODS.index(MarkMethod.LAST))
_NONE = np.int8(MARK_METHODS.index(MarkMethod.NONE))
STATE_TYPE = category_type(TRUTH_STATES)
_METHOD_TYPE = category_type(MARK_METHODS)
_OF_EXPIRED = to_bits([RowWarning.STALE_QUOTE, RowWarning.UNKNOWN_AGE, RowWarning.CLOCK_SKEW])


class Valuation(NamedTuple):
    """One snapshot's view of n instruments; prices in dollars per share, NaN for none.

    Attributes:
        mark, methods: The mark, and the number of its method; none if expired, until it is settled.
        natural: The price at which it can be closed now.
        multiplier, scale: Dollars per point, of one contract and of the whole signed quantity.
        quote_ages, mark_ages: Seconds, of the quote and of what the mark was made from.
        close: The previous close, NaN unless it is of the previous trading day.
        close_doubts: Bits of the warnings for which P/L Day is withheld.
        ends: When it expires and trades for the last time; early closes count.
        is_over: Flags for contracts that expired on an earlier trading day, whose value is final.
        states: Numbers in `TRUTH_STATES`.
        warnings: Bits of `RowWarning`.
    """

    ticks: Ticks
    marks: Marks
    mark: Floats
    methods: NDArray[np.int8]
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
    states: NDArray[np.int8]
    sources: NDArray[np.int8]
    warnings: Numbers


def compute_live_rows(rows: Instruments, live: LiveSnapshot, stale_after_seconds: float) -> Valuation:
    """Return everything that a snapshot says of these instruments.

    Raises:
        ValueError: `stale_after_seconds` is not above zero.
    """
    if not stale_after_seconds > 0:
        raise ValueError(f"stale_after_seconds must be above 0, not {stale_after_seconds}")
    as_of = to_microseconds(live.as_of)
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
    quote = compute_ages(live, ticks.quote_time, ticks.quote_received)
    basis = compute_basis_ages(quote, trades, by_last)
    quoted = ~np.isnan(marks.bid) | ~np.isnan(marks.ask)
    ends = find_contract_ends(rows, live)
    expired = ends.expires_at <= as_of
    outside = _is_outside_sessions(ticks.quote_time, live) & ~by_last
    unmarked = expired | outside
    standing = RowFacts(
        is_stock=rows.is_stock,
        trades_late=rows.clock.trades_late,
        expired=expired,
        not_subscribed=find_unsubscribed(rows, live),
        halted=find_halted(rows, live),
        has_price=quoted | by_last,
        streamed_at=_streamed_at(ticks, by_last),
        dated_at=np.where(by_last, ticks.trade_time, ticks.quote_time),
        polled=find_polled(rows, live),
    )
    multipliers = find_multipliers(rows, live)
    closes = find_previous_closes(rows, live)
    is_previous = closes.day == previous_trading_day(live)
    return Valuation(
        ticks=ticks,
        marks=marks,
        mark=np.where(unmarked, np.nan, marks.mark),
        methods=np.where(unmarked, _NONE, marks.methods),
        natural=np.where(unmarked, np.nan, compute_natural(marks.bid, marks.ask, rows.quantity)),
        multiplier=multipliers.value,
        scale=multipliers.scale,
        quote_ages=np.where(quoted, quote.seconds, np.nan),
        mark_ages=np.where(standing.has_price, basis.seconds, np.nan),
        closes=closes,
        close=np.where(is_previous & ~closes.is_early, closes.price, np.nan),
        close_doubts=flag((closes.day != 0) & ~is_previous & ~expired, RowWarning.PREVIOUS_CLOSE_OLD)
        | flag(is_previous & closes.is_early & ~expired, RowWarning.PREVIOUS_CLOSE_EARLY),
        ends=ends,
        expired=expired,
        is_over=np.zeros(len(rows), dtype=np.bool_),
        states=compute_states(basis.seconds, standing, live, stale_after_seconds),
        sources=_sources(rows, ticks, standing, by_last, live),
        warnings=_warnings(rows, marks, basis, standing, stale_after_seconds)
        | flag(rows.adjusted & ~expired, RowWarning.ADJUSTED_CONTRACT)
        | flag(outside & quoted & ~expired, RowWarning.OUTSIDE_SESSION),
    )


def _streamed_at(ticks: Ticks, by_last: Flags) -> Numbers:
    """Return when the marks' sources came by their stream; 0 for those from REST."""
    quote = np.where(ticks.quote_from_rest, 0, ticks.quote_received)
    return np.where(by_last, np.where(ticks.trade_from_rest, 0, ticks.trade_received), quote)


def _usable_trades(rows: Instruments, ticks: Ticks, live: LiveSnapshot) -> Flags:
    """Return flags for trades of the current New York day, in a session, on a feed that is not delayed."""
    today = new_york_date(live.as_of)
    midnights = [to_microseconds(start_of_day(day)) for day in (today, today + dt.timedelta(days=1))]
    of_today = (ticks.trade_time >= midnights[0]) & (ticks.trade_time < midnights[1])
    of_today = of_today & ~_is_outside_sessions(ticks.trade_time, live)
    return of_today & rows.is_stock if live.options_feed in DELAYED_TRADE_FEEDS else of_today


def _recent_trades(ticks: Ticks, trades: Ages, live: LiveSnapshot) -> Flags:
    """Return which trades are recent enough to stand in for a wide quote of shares."""
    if live.market_phase == MarketPhase.OPEN:
        recent: Flags = trades.seconds <= SHARE_TRADE_SECONDS
        return recent
    day = live.trading_date or new_york_date(live.as_of)
    return ticks.trade_time >= to_microseconds(start_of_day(day))


def _is_outside_sessions(times: Numbers, live: LiveSnapshot) -> Flags:
    """Return which times are on a day without a session, which only a calendar knows."""
    last = live.trading_date
    if last is None or new_york_date(live.as_of) <= last:
        return np.zeros(len(times), dtype=np.bool_)
    return times >= to_microseconds(start_of_day(last + dt.timedelta(days=1)))


def _warnings(
    rows: Instruments, marks: Marks, ages: Ages, standing: RowFacts, stale_after_seconds: float
) -> Numbers:
    priced = standing.has_price
    bits = (
        marks.warnings
        | flag(priced & ~(ages.seconds <= stale_after_seconds), RowWarning.STALE_QUOTE)
        | flag(priced & np.isnan(ages.seconds), RowWarning.UNKNOWN_AGE)
        | flag(priced & ages.skewed, RowWarning.CLOCK_SKEW)
        | flag(standing.not_subscribed, RowWarning.NOT_SUBSCRIBED)
        | flag(standing.halted, RowWarning.HALTED)
        | flag(rows.unspellable, RowWarning.NO_CONTRACT_SYMBOL)
    )
    return np.where(standing.expired, (bits & _OF_EXPIRED) | RowWarning.EXPIRED.bit, bits)


def _sources(
    rows: Instruments, ticks: Ticks, standing: RowFacts, by_last: Flags, live: LiveSnapshot
) -> NDArray[np.int8]:
    """Return the sources as numbers in the words of `source_type`, -1 for none."""
    has_price = standing.has_price
    streamed = _streamed_sources(rows, ticks, has_price, by_last, live)
    return np.where(has_price & standing.polled, np.int8(len(SOURCES)), streamed)


def _streamed_sources(
    rows: Instruments, ticks: Ticks, has_price: Flags, by_last: Flags, live: LiveSnapshot
) -> NDArray[np.int8]:
    """Return the sources as numbers in `SOURCES`, -1 for none."""
    if live.demo:
        return np.where(has_price, _SOURCE_CODE["demo"], np.int8(-1))
    unknown = np.int8(-1)
    stocks = _SOURCE_CODE.get((live.stock_feed or "").lower(), unknown)
    options = _SOURCE_CODE.get((live.options_feed or "").lower(), unknown)
    from_rest = np.where(by_last, ticks.trade_from_rest, ticks.quote_from_rest)
    streamed = np.where(rows.is_stock, stocks, options)
    return np.where(has_price, np.where(from_rest, _SOURCE_CODE["rest_snapshot"], streamed), unknown)


def source_type(live: LiveSnapshot) -> pd.CategoricalDtype:
    """Return the words for sources, the last of them for what REST polls: `REST, every 15 s`."""
    return _source_type(max((record.poll_seconds for record in live.health.values()), default=0.0))


@lru_cache(maxsize=8)
def _source_type(poll_seconds: float) -> pd.CategoricalDtype:
    return category_type((*SOURCES, f"REST, every {format_span(poll_seconds)}"))


def build_quote_columns(rows: Instruments, now: Valuation, live: LiveSnapshot) -> dict[str, Column]:
    """Return the columns that positions and legs share, without the static ones."""
    ticks = now.ticks
    greeks, broker = find_greeks(rows, live), find_broker_positions(rows, live)
    return {
        "dte": whole_numbers(days_until(rows.expiry_days, live), rows.is_stock.copy()),
        "hours_left": hours_until(now.ends.last_trading, rows.clock.last_day, live),
        "quantity": rows.quantity,
        "multiplier": now.multiplier,
        "bid": now.marks.bid,
        "ask": now.marks.ask,
        "bid_size": ticks.bid_size,
        "ask_size": ticks.ask_size,
        "last": ticks.last,
        "mark": now.mark,
        "mark_method": categories(now.methods, _METHOD_TYPE),
        "natural": now.natural,
        "spread_pct": now.marks.spread_pct,
        "state": categories(now.states, STATE_TYPE),
        "source": categories(now.sources, source_type(live)),
        "quote_age_seconds": now.quote_ages,
        "mark_age_seconds": now.mark_ages,
        "lag_seconds": compute_lags(ticks.quote_time, ticks.quote_received, ticks.quote_from_rest),
        "quote_time": moments(ticks.quote_time),
        "trade_time": moments(ticks.trade_time),
        "expires_at": moments(np.where(rows.is_stock, 0, now.ends.expires_at)),
        "previous_close": now.closes.price,
        "previous_close_date": now.closes.date,
        **greeks.columns,
        "greeks_time": greeks.time,
        "broker_quantity": broker.quantity,
        "broker_price": broker.price,
    }


def divide(value: Floats, base: Floats) -> Floats:
    """Return value / |base|, NaN at base zero."""
    base = np.abs(base)
    return value / np.where(base > 0, base, np.nan)
