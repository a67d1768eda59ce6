"""The common form of incoming quotes and trades, and the conversion of every dialect to it.

The streams' decoder creates it from msgpack. Everything else goes through `to_wire`: the short keys of raw
messages and of REST (`S`, `bp`, `ap`, `bs`, `as`, `p`, `s`, `t`; Alpaca's Market Data API, schemas
`option_quote`, `stock_quote`, `option_trade`, `stock_trade`), and mappings and objects with the long names of
alpaca-py's models. In both cases a field of the wrong type makes the message malformed.
"""

from __future__ import annotations

import datetime as dt
from typing import TypeVar

import msgspec
import numpy as np

from options_helper.data.values import carries, read, to_utc


class WireQuote(
    msgspec.Struct,
    tag_field="T",
    tag="q",
    gc=False,
    rename={
        "symbol": "S",
        "bid_price": "bp",
        "ask_price": "ap",
        "bid_size": "bs",
        "ask_size": "as",
        "timestamp": "t",
    },
):
    """A quote as sent, with the names of alpaca-py's own model."""

    symbol: str
    bid_price: float | None = None
    ask_price: float | None = None
    bid_size: float | None = None
    ask_size: float | None = None
    timestamp: dt.datetime | None = None


class WireTrade(
    msgspec.Struct,
    tag_field="T",
    tag="t",
    gc=False,
    rename={"symbol": "S", "price": "p", "size": "s", "timestamp": "t"},
):
    """A trade as sent, with the names of alpaca-py's own model."""

    symbol: str
    price: float | None = None
    size: float | None = None
    timestamp: dt.datetime | None = None


Wire = TypeVar("Wire", WireQuote, WireTrade)


def to_wire(raw: object, kind: type[Wire], *, symbol: str | None = None) -> Wire | None:
    """Return a quote or trade of any dialect in this form, or None if it is malformed.

    Args:
        raw: A raw mapping, or an object with `symbol`, `bid_price`, `ask_price` and the like.
        kind: `WireQuote` or `WireTrade`.
        symbol: The symbol of a REST row, which does not contain it.
    """
    if isinstance(raw, kind):
        return raw
    names = zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True)
    fields = {short: _plain(read(raw, short if carries(raw, short) else long)) for short, long in names}
    at = to_utc(fields["t"])
    if at is None and fields["t"] is not None:
        return None  # otherwise its age would be unknown
    try:
        return msgspec.convert({**fields, "S": symbol or fields["S"], "t": at}, kind)
    except msgspec.ValidationError:
        return None


def _plain(value: object) -> object:
    # msgspec does not know NumPy's numbers.
    return value.item() if isinstance(value, np.generic) else value
