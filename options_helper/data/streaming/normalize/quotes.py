"""Raw quotes and trades into `Quote` and `Trade`.

Three dialects arrive: the stream's and REST's short keys (`S`, `bp`, `ap`, `bs`, `as`, `p`, `s`, `t`;
Alpaca's Market Data API, schemas `option_quote`, `stock_quote`, `option_trade`, `stock_trade`), mappings
with long names, and objects with long names as alpaca-py's models have them. Names are looked up in that
order. A message without a symbol, a usable price or a readable time gives None; the caller counts those. A
price that is not a finite number of at least 0 is None in its row.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from options_helper.data.streaming.normalize.values import read, to_amount, to_utc
from options_helper.market import Quote, Trade

_UTC = dt.UTC
_datetime = dt.datetime


def normalize_quote(
    raw: Any,  # noqa: ANN401 - whatever the stream gave
    received_at: dt.datetime | None,
    *,
    symbol: str | None = None,
    from_rest: bool = False,
) -> Quote | None:
    """Return one quote, or None if it is malformed.

    Args:
        raw: A raw mapping, or an object with `symbol`, `bid_price`, `ask_price` and the like.
        received_at: When it came; aware.
        symbol: For a REST row, which does not contain its symbol.
        from_rest: Whether it came by REST.
    """
    if raw.__class__ is not dict or ("bp" not in raw and "ap" not in raw):
        return _long_quote(raw, received_at, symbol, from_rest=from_rest)
    name = symbol or raw.get("S")
    if name.__class__ is not str or not name:
        return None
    get = raw.get
    bid, ask = to_amount(get("bp")), to_amount(get("ap"))
    at = get("t")
    if at.__class__ is not _datetime or at.tzinfo is not _UTC:
        given, at = at, to_utc(at)
        if at is None and given is not None:
            return None
    if bid is None and ask is None:
        return None
    return Quote(name, bid, ask, to_amount(get("bs")), to_amount(get("as")), at, received_at, from_rest)


def normalize_trade(
    raw: Any,  # noqa: ANN401 - whatever the stream gave
    received_at: dt.datetime | None,
    *,
    symbol: str | None = None,
    from_rest: bool = False,
) -> Trade | None:
    """Return one trade, or None if it is malformed; arguments as in `normalize_quote`."""
    if raw.__class__ is not dict or "p" not in raw:
        return _long_trade(raw, received_at, symbol, from_rest=from_rest)
    name = symbol or raw.get("S")
    if name.__class__ is not str or not name:
        return None
    price, given = to_amount(raw["p"]), raw.get("t")
    at = to_utc(given)
    if price is None or (at is None and given is not None):
        return None
    return Trade(name, price, to_amount(raw.get("s")), at, received_at, from_rest)


def _long_quote(
    raw: object, received_at: dt.datetime | None, symbol: str | None, *, from_rest: bool
) -> Quote | None:
    name = symbol or read(raw, "symbol")
    bid, ask = to_amount(read(raw, "bid_price")), to_amount(read(raw, "ask_price"))
    given = read(raw, "timestamp")
    at = to_utc(given)
    if not isinstance(name, str) or not name or (at is None and given is not None):
        return None
    if bid is None and ask is None:
        return None
    sizes = to_amount(read(raw, "bid_size")), to_amount(read(raw, "ask_size"))
    return Quote(name, bid, ask, *sizes, at, received_at, from_rest)


def _long_trade(
    raw: object, received_at: dt.datetime | None, symbol: str | None, *, from_rest: bool
) -> Trade | None:
    name, price = symbol or read(raw, "symbol"), to_amount(read(raw, "price"))
    given = read(raw, "timestamp")
    at = to_utc(given)
    if not isinstance(name, str) or not name or price is None or (at is None and given is not None):
        return None
    return Trade(name, price, to_amount(read(raw, "size")), at, received_at, from_rest)
