"""The mark rule: the price that a quote or a trade gives, if any.

`settlement.py` prices expired contracts, `value_rows.py` decides which last trades are usable, and
`tables/structures.py` adds up legs.

| the quote | mark | method | warning |
| --- | --- | --- | --- |
| bid below ask, spread up to 25 % of the mid | the mid | `mid` | |
| bid below ask, spread over 25 % of the mid | the mid | `mid` | `wide_spread` |
| ask minus bid over 0.50 and spread over 100 % of the mid | none | `none` | `stub_quote` |
| bid equals ask | that price | `locked` | |
| bid 0, ask up to 0.20 | half the ask | `half_ask` | `zero_bid` |
| bid 0, ask over 0.20 | none | `none` | `zero_bid` |
| bid above ask | none | `none` | `crossed` |
| a bid (0 included) without an ask | none | `none` | `missing_ask` |
| an ask without a bid | none | `none` | `missing_bid` |
| none; a usable last trade | the last price | `last` | `missing_quote`, `last_trade_mark` |
| none; no usable trade | none | `none` | `missing_quote` |

Shares trade in cents, so stricter rows apply to their quotes; the other rows above apply to both:

| the quote of shares | mark | method | warning |
| --- | --- | --- | --- |
| spread up to 1 % of the mid, or of one cent | the mid | `mid` | |
| wider; a recent last trade inside it | the last price | `last` | `wide_spread`, `last_trade_mark` |
| wider; no such trade | none | `none` | `wide_spread` |
| bid 0 below an ask | none | `none` | `zero_bid` |

A share's last trade is recent for five minutes while the market is open. Outside the regular session, it is
recent if it was made on the trading day.

A last trade is usable if it was made on the current New York day. Trades of contracts on the `indicative`
feed are not usable, because they are 15 minutes late (Alpaca, "Real-time Option Data"). An old trade never
replaces a bad quote. Alpaca writes 0 for a missing side: an ask of 0 is not an ask, and a bid of 0 means that
nobody bids. A negative or infinite price does not count. A quote dated on a day without a session, such as a
test price on a Saturday, makes no mark (`outside_session`), even if it is read in a later session.

All prices are in dollars per share.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import numpy as np

from options_helper.analysis.arrays.types import Codes, Flags, Floats, Numbers
from options_helper.analysis.valuation.row_warnings import RowWarning, flag
from options_helper.market import Quote

WIDE_SPREAD_FRACTION = 0.25
ZERO_BID_MAX_ASK = 0.20
STUB_SPREAD_DOLLARS = 0.50
STUB_SPREAD_FRACTION = 1.00
SHARE_SPREAD_FRACTION = 0.01
SHARE_SPREAD_DOLLARS = 0.01
SHARE_TRADE_SECONDS = 300.0
DELAYED_TRADE_FEEDS = frozenset({"indicative"})

# Prices are in cents, so a float error at a threshold must not decide.
PRICE_TOLERANCE = 1e-9


class MarkMethod(StrEnum):
    """The method of a mark; `SETTLED` is used for expired contracts (see `settlement`)."""

    MID = "mid"
    LOCKED = "locked"
    HALF_ASK = "half_ask"
    LAST = "last"
    SETTLED = "settled"
    NONE = "none"


MARK_METHODS = tuple(MarkMethod)
_CODE = {method: number for number, method in enumerate(MARK_METHODS)}


class Marks(NamedTuple):
    """Marks of n rows.

    Attributes:
        mark: Dollars per share; NaN if there is none.
        methods: int8 indices into `MARK_METHODS`.
        warnings: Bits of `RowWarning`.
        bid, ask: The sides as given; NaN if the value is not a price.
        spread_pct: (ask - bid) / mid as a fraction; NaN unless both sides are known.
    """

    mark: Floats
    methods: Codes
    warnings: Numbers
    bid: Floats
    ask: Floats
    spread_pct: Floats


class _Quotes(NamedTuple):
    """Flags for the kinds of quotes that the mark rule distinguishes; `apart` is a bid below the ask."""

    absent: Flags
    only_ask: Flags
    only_bid: Flags
    zero: Flags
    locked: Flags
    crossed: Flags
    apart: Flags
    stub: Flags
    wide: Flags


def compute_marks(
    bid: Floats,
    ask: Floats,
    last: Floats,
    last_is_usable: Flags,
    *,
    is_share: Flags | bool = False,
    last_is_recent: Flags | bool = False,
) -> Marks:
    """Return the marks of n rows under the mark rule; NaN is a missing side or trade."""
    bid = np.where((bid >= 0) & (bid < np.inf), bid, np.nan)
    ask = np.where((ask > 0) & (ask < np.inf), ask, np.nan)
    shares = np.broadcast_to(np.asarray(is_share, dtype=np.bool_), bid.shape)
    mid, width = (bid + ask) / 2, ask - bid
    quotes = _classify(bid, ask, shares)
    no_market = quotes.wide & shares
    half = quotes.zero & ~shares & (ask <= ZERO_BID_MAX_ASK + PRICE_TOLERANCE)
    inside = no_market & last_is_recent & (bid <= last) & (last <= ask)
    by_last = ((quotes.absent & last_is_usable) | inside) & (last > 0) & (last < np.inf)
    by_mid = quotes.apart & ~quotes.stub & ~no_market

    mark = np.where(by_mid | quotes.locked | half, mid, np.where(by_last, last, np.nan))
    methods = np.full(len(mark), _CODE[MarkMethod.NONE], dtype=np.int8)
    np.putmask(methods, by_mid, _CODE[MarkMethod.MID])
    np.putmask(methods, quotes.locked, _CODE[MarkMethod.LOCKED])
    np.putmask(methods, half, _CODE[MarkMethod.HALF_ASK])
    np.putmask(methods, by_last, _CODE[MarkMethod.LAST])
    warnings = _quote_warnings(quotes) | flag(by_last, RowWarning.LAST_TRADE_MARK)
    return Marks(mark, methods, warnings, bid, ask, width / mid)


def _classify(bid: Floats, ask: Floats, shares: Flags) -> _Quotes:
    """Return the kinds of n quotes; NaN is a missing side."""
    has_bid, has_ask = bid >= 0, ask > 0
    mid, width = (bid + ask) / 2, ask - bid
    apart = (bid > 0) & (bid < ask)
    stub = (
        apart
        & ~shares
        & (width > STUB_SPREAD_DOLLARS + PRICE_TOLERANCE)
        & (width > STUB_SPREAD_FRACTION * mid + PRICE_TOLERANCE)
    )
    limit = np.where(shares, SHARE_SPREAD_FRACTION, WIDE_SPREAD_FRACTION) * mid
    return _Quotes(
        absent=~(has_bid | has_ask),
        only_ask=has_ask & ~has_bid,
        only_bid=has_bid & ~has_ask,
        zero=has_ask & (bid == 0),
        locked=bid == ask,
        crossed=bid > ask,
        apart=apart,
        stub=stub,
        wide=apart
        & ~stub
        & (width > limit + PRICE_TOLERANCE)
        & (~shares | (width > SHARE_SPREAD_DOLLARS + PRICE_TOLERANCE)),
    )


def _quote_warnings(quotes: _Quotes) -> Numbers:
    return (
        flag(quotes.absent, RowWarning.MISSING_QUOTE)
        | flag(quotes.only_ask, RowWarning.MISSING_BID)
        | flag(quotes.only_bid, RowWarning.MISSING_ASK)
        | flag(quotes.zero, RowWarning.ZERO_BID)
        | flag(quotes.crossed, RowWarning.CROSSED)
        | flag(quotes.stub, RowWarning.STUB_QUOTE)
        | flag(quotes.wide, RowWarning.WIDE_SPREAD)
    )


def mark_contract(quote: Quote) -> float | None:
    """Return a contract's mark from its quote alone, or None if the quote makes no mark."""
    bid, ask = (np.array([np.nan if side is None else side]) for side in (quote.bid_price, quote.ask_price))
    mark = float(compute_marks(bid, ask, np.array([np.nan]), np.array([False])).mark[0])
    return None if np.isnan(mark) else mark


def compute_natural(bid: Floats, ask: Floats, quantity: Floats) -> Floats:
    """Return the price of closing each row now: the bid for a long, the ask for a short; NaN if crossed."""
    return np.where(bid > ask, np.nan, np.where(quantity > 0, bid, ask))
