"""Quotes, trades and statuses as messages of the two market data streams."""

from __future__ import annotations

from options_helper.simulator.market.market import PricedQuote
from options_helper.simulator.wire import Message, Nanoseconds

_TAPES = {"N": "A", "P": "B", "Q": "C"}
_STOCK_EXCHANGES = "NPQ"
_OPTION_EXCHANGES = "ABCNPQXZ"


def _pick(letters: str, symbol: str, turn: int) -> str:
    return letters[(sum(symbol.encode()) + turn) % len(letters)]


def _tape(symbol: str) -> str:
    return _TAPES[_pick(_STOCK_EXCHANGES, symbol, 0)]


def stock_quote_message(symbol: str, quote: PricedQuote, at: Nanoseconds) -> Message:
    """Return a stock quote; its conditions are a list."""
    exchange = _pick(_STOCK_EXCHANGES, symbol, quote.bid_size)
    return {
        "T": "q",
        "S": symbol,
        "bx": exchange,
        "bp": quote.bid,
        "bs": quote.bid_size,
        "ax": exchange,
        "ap": quote.ask,
        "as": quote.ask_size,
        "c": ["R"],
        "z": _tape(symbol),
        "t": at,
    }


def stock_trade_message(symbol: str, price: float, size: int, number: int, at: Nanoseconds) -> Message:
    """Return a stock trade; `i` is the exchange's trade number."""
    return {
        "T": "t",
        "S": symbol,
        "i": number,
        "x": _pick(_STOCK_EXCHANGES, symbol, size),
        "p": price,
        "s": size,
        "c": ["@"],
        "z": _tape(symbol),
        "t": at,
    }


def option_quote_message(symbol: str, quote: PricedQuote, at: Nanoseconds) -> Message:
    """Return an option quote; its condition is a single string."""
    return {
        "T": "q",
        "S": symbol,
        "bx": _pick(_OPTION_EXCHANGES, symbol, quote.bid_size),
        "bp": quote.bid,
        "bs": quote.bid_size,
        "ax": _pick(_OPTION_EXCHANGES, symbol, quote.ask_size),
        "ap": quote.ask,
        "as": quote.ask_size,
        "c": "A",
        "t": at,
    }


def option_trade_message(symbol: str, price: float, size: int, at: Nanoseconds) -> Message:
    """Return an option trade."""
    return {
        "T": "t",
        "S": symbol,
        "x": _pick(_OPTION_EXCHANGES, symbol, size),
        "p": price,
        "s": size,
        "c": "I",
        "t": at,
    }


def status_message(symbol: str, code: str, text: str, reason: str, at: Nanoseconds) -> Message:
    """Return a stock's trading status: code "H" with a reason halts, "T" resumes."""
    return {
        "T": "s",
        "S": symbol,
        "sc": code,
        "sm": text,
        "rc": reason,
        "rm": "",
        "t": at,
        "z": _tape(symbol),
    }


def correction_message(wrong: Message, number: int, price: float, at: Nanoseconds) -> Message:
    """Return the correction of a stock trade's price."""
    return {
        "T": "c",
        "S": wrong["S"],
        "x": wrong["x"],
        "oi": wrong["i"],
        "op": wrong["p"],
        "os": wrong["s"],
        "oc": wrong["c"],
        "ci": number,
        "cp": price,
        "cs": wrong["s"],
        "cc": wrong["c"],
        "z": wrong["z"],
        "t": at,
    }


def cancel_message(wrong: Message, at: Nanoseconds) -> Message:
    """Return the cancellation of a stock trade; `a` is "C" for cancelled, "E" for an error."""
    return {
        "T": "x",
        "S": wrong["S"],
        "i": wrong["i"],
        "x": wrong["x"],
        "p": wrong["p"],
        "s": wrong["s"],
        "a": "C",
        "z": wrong["z"],
        "t": at,
    }


def without_type(message: Message) -> Message:
    """Return a message as a REST row: no type, no symbol, and the time as text."""
    row = {key: value for key, value in message.items() if key not in {"T", "S"}}
    row["t"] = Nanoseconds(message["t"]).to_text()
    return row
