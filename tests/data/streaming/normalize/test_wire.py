"""Quotes and trades of every dialect, in one form."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_helper.data.streaming.normalize.batches import quote_change, trade_change
from options_helper.data.streaming.normalize.wire import WireQuote, WireTrade, to_wire
from options_helper.data.values import (
    LONGEST_TEXT,
    to_amount,
    to_identifier,
    to_sentence,
    to_utc,
    to_word,
)
from options_helper.market import Quote, Trade
from options_helper.quote_tables import QuoteTable, TradeTable

CALL = "AAPL261218C00250000"
AT = dt.datetime(2026, 11, 20, 15, 0, 5, 123456, tzinfo=dt.UTC)
RECEIVED = AT + dt.timedelta(milliseconds=20)
QUOTE = {
    "T": "q",
    "S": CALL,
    "bx": "W",
    "bp": 1.6,
    "bs": 10,
    "ax": "C",
    "ap": 1.65,
    "as": 7,
    "c": "A",
    "t": AT,
}
TRADE = {"T": "t", "S": CALL, "p": 1.62, "s": 3, "x": "B", "c": "I", "t": AT}
LONG_QUOTE = {
    "symbol": CALL,
    "bid_price": 1.6,
    "ask_price": 1.65,
    "bid_size": 10,
    "ask_size": 7,
    "timestamp": AT,
}
LONG_TRADE = {"symbol": CALL, "price": 1.62, "size": 3, "timestamp": AT}


def quote_of(raw: object) -> Quote | None:
    """Return the quote that one message makes."""
    return next(iter(QuoteTable.empty().updated(quote_change([raw], RECEIVED).rows).values()), None)


def trade_of(raw: object) -> Trade | None:
    """Return the trade that one message makes."""
    return next(iter(TradeTable.empty().updated(trade_change([raw], RECEIVED).rows).values()), None)


def test_a_raw_quote_of_the_stream() -> None:
    """The stream's short keys become a Quote with sizes as floats."""
    assert quote_of(QUOTE) == Quote(CALL, 1.6, 1.65, 10.0, 7.0, AT, RECEIVED)


def test_a_raw_trade_of_the_stream() -> None:
    """The stream's short keys become a Trade."""
    assert trade_of(TRADE) == Trade(CALL, 1.62, 3.0, AT, RECEIVED)


def test_a_rest_row_gets_its_symbol_from_the_caller() -> None:
    """A REST row gets its symbol from the caller, keeps its time and is marked as REST's."""
    row = {"bp": 1.6, "ap": 1.65, "bs": 10, "as": 7, "t": "2026-11-20T15:00:05.123456789Z"}
    change = quote_change([to_wire(row, WireQuote, symbol=CALL)], RECEIVED, from_rest=True)
    quote = QuoteTable.empty().updated(change.rows)[CALL]
    assert quote == Quote(CALL, 1.6, 1.65, 10.0, 7.0, AT, RECEIVED, from_rest=True)


@pytest.mark.parametrize("wrap", [dict, lambda row: SimpleNamespace(**row)])
def test_long_names_are_read_from_mappings_and_objects(wrap: Callable[[dict[str, Any]], object]) -> None:
    """Mappings and objects with alpaca-py's names give the same records as the raw messages."""
    assert quote_of(wrap(LONG_QUOTE)) == quote_of(QUOTE)
    assert trade_of(wrap(LONG_TRADE)) == trade_of(TRADE)


@pytest.mark.integration
def test_alpaca_py_models() -> None:
    """The SDK's own models give the same records as the raw messages."""
    models = pytest.importorskip("alpaca.data.models", reason="alpaca-py is not installed")
    assert quote_of(models.Quote(CALL, QUOTE)) == quote_of(QUOTE)
    assert trade_of(models.Trade(CALL, TRADE)) == trade_of(TRADE)


class Stamp:
    """A stand-in for msgpack.Timestamp, with seconds and nanoseconds."""

    def __init__(self, seconds: object, nanoseconds: object) -> None:
        self.seconds = seconds
        self.nanoseconds = nanoseconds


class SubclassedDatetime(dt.datetime):
    """A stand-in for pandas.Timestamp, which is a datetime of another class."""


@pytest.mark.parametrize(
    "given_time",
    [
        AT,
        AT.replace(tzinfo=None),
        AT.astimezone(dt.timezone(dt.timedelta(hours=-5))),
        SubclassedDatetime(2026, 11, 20, 15, 0, 5, 123456, tzinfo=dt.UTC),
        Stamp(1_795_186_805, 123_456_789),
        1_795_186_805_123_456_789,
        "2026-11-20T15:00:05.123456789Z",
        "2026-11-20T10:00:05.123456-05:00",
        "2026-11-20 15:00:05.123456",
    ],
)
def test_every_form_of_time_becomes_aware_utc(given_time: object) -> None:
    """Datetimes, msgpack timestamps, nanoseconds and ISO text all become the same UTC time."""
    quote = to_wire({**QUOTE, "t": given_time}, WireQuote)
    trade = to_wire({**TRADE, "t": given_time}, WireTrade)
    assert quote is not None
    assert trade is not None
    assert quote.timestamp == trade.timestamp == AT
    assert quote.timestamp is not None
    assert quote.timestamp.utcoffset() == dt.timedelta()


def test_msgpack_timestamps() -> None:
    """The timestamp object of the msgpack package is read without importing that package."""
    msgpack = pytest.importorskip("msgpack", reason="msgpack is not installed")
    assert to_utc(msgpack.Timestamp(1_795_186_805, 123_456_789)) == AT


@pytest.mark.parametrize(
    "given_time",
    [
        "",
        "soon",
        "2026-11-20",
        0,
        -5,
        2**80,
        True,
        1.5,
        [],
        Stamp("a", 1),
        Stamp(10**15, 0),
        dt.datetime.max.replace(tzinfo=dt.timezone(dt.timedelta(hours=-1))),
    ],
)
def test_a_time_that_cannot_be_read_makes_the_message_malformed(given_time: object) -> None:
    """A quote or trade with an unreadable time is malformed, because its age would be unknown."""
    assert to_wire({**QUOTE, "t": given_time}, WireQuote) is None
    assert to_wire({**TRADE, "t": given_time}, WireTrade) is None
    assert to_wire({**LONG_QUOTE, "timestamp": given_time}, WireQuote) is None
    assert to_wire({**LONG_TRADE, "timestamp": given_time}, WireTrade) is None


@pytest.mark.parametrize("raw", [{**QUOTE, "t": None}, {**LONG_QUOTE, "timestamp": None}])
def test_no_time_at_all_stays_none(raw: dict[str, Any]) -> None:
    """A quote without a time is kept, and its timestamp is None."""
    quote = quote_of(raw)
    assert quote is not None
    assert quote.timestamp is None


NO_PRICES = [math.nan, math.inf, -math.inf, -0.01, -1, None]
WRONG_TYPES = ["1.6", True, False, [], {}, 10**400]


@pytest.mark.parametrize("bad", NO_PRICES)
def test_a_bad_price_on_one_side_leaves_the_other(bad: object) -> None:
    """A price that is not a finite number of at least 0 is None, and the rest of the quote is kept."""
    for raw, key in ((QUOTE, "bp"), (LONG_QUOTE, "bid_price")):
        quote = quote_of({**raw, key: bad})
        assert quote is not None
        assert (quote.bid_price, quote.ask_price) == (None, 1.65)


@pytest.mark.parametrize("bad", NO_PRICES)
def test_without_a_usable_price_there_is_no_row(bad: object) -> None:
    """A quote with two bad sides, or a trade with a bad price, is malformed; a bad size is None."""
    assert quote_of({**QUOTE, "bp": bad, "ap": bad}) is None
    assert quote_of({**LONG_QUOTE, "bid_price": bad, "ask_price": bad}) is None
    assert trade_of({**TRADE, "p": bad}) is None
    assert trade_of({**LONG_TRADE, "price": bad}) is None
    sized = trade_of({**TRADE, "s": bad})
    assert sized is not None
    assert sized.size is None


@pytest.mark.parametrize("bad", WRONG_TYPES)
@pytest.mark.parametrize("name", ["bp", "as"])
def test_a_field_of_the_wrong_type_makes_the_message_malformed(name: str, bad: object) -> None:
    """As in the stream's decoder, a number sent as text makes the whole message malformed."""
    assert to_wire({**QUOTE, name: bad}, WireQuote) is None


def test_zero_is_a_price() -> None:
    """A bid of 0 means that nobody bids; it is not missing."""
    quote = quote_of({**QUOTE, "bp": 0})
    assert quote is not None
    assert quote.bid_price == 0.0


@pytest.mark.parametrize("symbol", [None, "", 7, []])
def test_without_a_symbol_there_is_no_row(symbol: object) -> None:
    """A message without a symbol is malformed."""
    assert quote_of({**QUOTE, "S": symbol}) is None
    assert trade_of({**TRADE, "S": symbol}) is None
    assert quote_of({**LONG_QUOTE, "symbol": symbol}) is None
    assert trade_of({**LONG_TRADE, "symbol": symbol}) is None


@pytest.mark.parametrize("raw", [None, 7, "text", b"bytes", [], {}, {"T": "q"}, object()])
def test_anything_but_a_message_gives_none(raw: object) -> None:
    """Anything but a quote or trade gives None and raises nothing."""
    assert quote_of(raw) is None
    assert trade_of(raw) is None


@pytest.mark.parametrize("number", [Decimal("1.25"), np.float64(1.25), np.float32(1.25), np.int64(1)])
def test_other_kinds_of_numbers_are_read(number: Any) -> None:
    """Decimals and NumPy scalars count as numbers."""
    quote = quote_of({**QUOTE, "bp": number})
    assert quote is not None
    assert quote.bid_price == to_amount(number) == float(number)


@pytest.mark.parametrize("value", [Decimal(-1), 10**400, "1.6", True, math.nan])
def test_no_amount_is_negative_infinite_or_text(value: object) -> None:
    """An amount is a finite number of at least 0."""
    assert to_amount(value) is None


WIRE = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.datetimes()
    | st.lists(st.integers(), max_size=2)
)


@given(st.dictionaries(st.sampled_from([*QUOTE, *TRADE, *LONG_QUOTE, *LONG_TRADE]), WIRE))
def test_no_message_raises(raw: dict[str, Any]) -> None:
    """For any fields, the result is None or a record of finite, non-negative numbers."""
    quote, trade = quote_of(raw), trade_of(raw)
    numbers = [] if quote is None else [quote.bid_price, quote.ask_price, quote.bid_size, quote.ask_size]
    numbers += [] if trade is None else [trade.price, trade.size]
    assert all(number is None or (math.isfinite(number) and number >= 0) for number in numbers)
    assert all(row is None or isinstance(row.symbol, str) for row in (quote, trade))


def test_a_days_rows_share_their_words() -> None:
    """Equal words in two rows are the same object."""
    assert to_word("FILLED") is to_word(" filled ")


def test_overlong_text_is_not_kept() -> None:
    """An overlong id or word becomes None, and an overlong reason is cut."""
    longest = LONGEST_TEXT * "x"
    assert (to_identifier(longest), to_word(longest)) == (longest, longest)
    assert (to_identifier(f"{longest}x"), to_word(f"{longest}x")) == (None, None)
    assert (to_sentence(f" {longest}x"), to_sentence(" "), to_sentence(7)) == (longest, None, None)
