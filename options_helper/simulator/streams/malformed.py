"""Malformed frames, by kind."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from options_helper.simulator.market.contracts import parse_contract
from options_helper.simulator.market.market import PricedQuote
from options_helper.simulator.market.messages import option_quote_message, stock_quote_message
from options_helper.simulator.wire import Message, Nanoseconds, to_msgpack

_CUT_BYTES = 7
_TOO_DEEP = 100_000


def malformed_payloads(stream: str, symbol: str) -> dict[str, bytes | str]:
    """Return malformed payloads by kind: msgpack for the data streams, JSON for "fills".

    Kinds: "truncated", "not encoded", "text", "empty", "not a list", "nan", "unknown type", "missing fields",
    "null fields", "extra fields", "among good" (a bad message between two good ones); fills also
    have "nested too deep" and "odd acknowledgement".
    """
    return _of_fills() if stream == "fills" else _of_data(symbol)


def _of_data(symbol: str) -> dict[str, bytes | str]:
    make = stock_quote_message if parse_contract(symbol) is None else option_quote_message
    good = make(symbol, PricedQuote(1.0, 1.05, 1, 1), Nanoseconds.now())
    better = make(symbol, PricedQuote(1.1, 1.15, 1, 1), Nanoseconds.now())

    def changed(**values: object) -> bytes:
        return to_msgpack([good | values])

    return {
        "truncated": to_msgpack([good])[:-_CUT_BYTES],
        "not encoded": b"\xc1\xc1\xc1",
        "text": "this is text",
        "empty": b"",
        "not a list": msgspec.msgpack.encode({"T": "q", "S": symbol}),
        "nan": changed(bp=math.nan, ap=math.inf),
        "unknown type": changed(T="zz"),
        "missing fields": to_msgpack([{"T": "q", "S": symbol}, {"T": "q"}, {}]),
        "null fields": to_msgpack([dict.fromkeys(good) | {"T": "q", "S": symbol}]),
        "extra fields": changed(new=1, newer={"a": [1]}),
        "among good": to_msgpack([good, _bad(good), better]),
    }


def _bad(good: Message) -> Message:
    return good | {"bp": "not a number", "t": "never"}


def _of_fills() -> dict[str, bytes | str]:
    def update(data: Any) -> bytes:  # noqa: ANN401 - anything at all may come
        return msgspec.json.encode({"stream": "trade_updates", "data": data})

    order = {"id": "x", "symbol": "AAPL", "status": "strange", "qty": "one"}
    return {
        "truncated": update({"event": "new", "order": order})[:-_CUT_BYTES],
        "not encoded": b"\xc1\xc1\xc1",
        "text": "this is text",
        "empty": b"",
        "not a list": b"[]",
        "nan": b'{"stream":"trade_updates","data":{"event":"fill","price":NaN,"order":{}}}',
        "unknown type": msgspec.json.encode({"stream": "weather_updates", "data": {}}),
        "missing fields": update({"event": "fill"}),
        "null fields": update(dict.fromkeys(("event", "timestamp", "price", "qty", "order"))),
        "extra fields": update({"event": "new", "new": 1, "order": order | {"newer": []}}),
        "among good": update(None),
        "nested too deep": b"[" * _TOO_DEEP,
        "odd acknowledgement": msgspec.json.encode({"stream": "listening", "data": "yes"}),
    }
