"""Quotes and trades: one record out of every dialect."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_helper.data.streaming.normalize.quotes import normalize_quote, normalize_trade
from options_helper.data.streaming.normalize.values import to_amount, to_utc, to_word
from options_helper.market import Quote, Trade

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


def test_a_raw_quote_of_the_stream() -> None:
    """The stream's short keys become a Quote with sizes as floats."""
    assert normalize_quote(QUOTE, RECEIVED) == Quote(CALL, 1.6, 1.65, 10.0, 7.0, AT, RECEIVED)


def test_a_raw_trade_of_the_stream() -> None:
    """The stream's short keys become a Trade."""
    assert normalize_trade(TRADE, RECEIVED) == Trade(CALL, 1.62, 3.0, AT, RECEIVED)


def test_a_row_of_rest_gets_its_symbol_from_outside() -> None:
    """A REST row has no symbol of its own, keeps its true time and is marked as REST's."""
    row = {"bp": 1.6, "ap": 1.65, "bs": 10, "as": 7, "t": "2026-11-20T15:00:05.123456789Z"}
    quote = normalize_quote(row, RECEIVED, symbol=CALL, from_rest=True)
    assert quote == Quote(CALL, 1.6, 1.65, 10.0, 7.0, AT, RECEIVED, from_rest=True)
    trade = normalize_trade(
        {"p": 1.62, "s": 3, "t": "2026-11-20T15:00:05.123456Z"}, RECEIVED, symbol=CALL, from_rest=True
    )
    assert trade == Trade(CALL, 1.62, 3.0, AT, RECEIVED, from_rest=True)


LONG_QUOTE = {
    "symbol": CALL,
    "bid_price": 1.6,
    "ask_price": 1.65,
    "bid_size": 10,
    "ask_size": 7,
    "timestamp": AT,
}
LONG_TRADE = {"symbol": CALL, "price": 1.62, "size": 3, "timestamp": AT}


@pytest.mark.parametrize("wrap", [dict, lambda row: SimpleNamespace(**row)])
def test_long_names_in_mappings_and_objects(wrap: Callable[[dict[str, Any]], object]) -> None:
    """Mappings and objects with alpaca-py's names give the same records as the raw messages."""
    assert normalize_quote(wrap(LONG_QUOTE), RECEIVED) == normalize_quote(QUOTE, RECEIVED)
    assert normalize_trade(wrap(LONG_TRADE), RECEIVED) == normalize_trade(TRADE, RECEIVED)


def test_alpaca_py_models() -> None:
    """The SDK's own models give the same records as the raw messages, their time as plain UTC."""
    models = pytest.importorskip("alpaca.data.models", reason="alpaca-py is not installed")
    quote = normalize_quote(models.Quote(CALL, QUOTE), RECEIVED)
    trade = normalize_trade(models.Trade(CALL, TRADE), RECEIVED)
    assert quote == normalize_quote(QUOTE, RECEIVED)
    assert trade == normalize_trade(TRADE, RECEIVED)
    assert quote is not None
    assert quote.timestamp is not None
    assert quote.timestamp.tzinfo is dt.UTC


class Stamp:
    """As msgpack.Timestamp: seconds and nanoseconds."""

    def __init__(self, seconds: object, nanoseconds: object) -> None:
        self.seconds = seconds
        self.nanoseconds = nanoseconds


class SubclassedDatetime(dt.datetime):
    """As pandas.Timestamp: a datetime of another class."""


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
    """Datetimes, msgpack timestamps, nanoseconds and ISO text all become the same UTC moment."""
    quote = normalize_quote({**QUOTE, "t": given_time}, RECEIVED)
    trade = normalize_trade({**TRADE, "t": given_time}, RECEIVED)
    assert quote is not None
    assert trade is not None
    assert quote.timestamp == trade.timestamp == AT
    assert quote.timestamp is not None
    assert quote.timestamp.tzinfo is dt.UTC


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
    """A quote or trade with an unreadable time is None, because its age would be unknown."""
    assert normalize_quote({**QUOTE, "t": given_time}, RECEIVED) is None
    assert normalize_trade({**TRADE, "t": given_time}, RECEIVED) is None
    assert normalize_quote({**LONG_QUOTE, "timestamp": given_time}, RECEIVED) is None
    assert normalize_trade({**LONG_TRADE, "timestamp": given_time}, RECEIVED) is None


@pytest.mark.parametrize("raw", [{**QUOTE, "t": None}, {**LONG_QUOTE, "timestamp": None}])
def test_no_time_at_all_stays_none(raw: dict[str, Any]) -> None:
    """A quote without any time is kept, its timestamp None."""
    quote = normalize_quote(raw, RECEIVED)
    assert quote is not None
    assert quote.timestamp is None


BAD_NUMBERS = [math.nan, math.inf, -math.inf, -0.01, -1, "1.6", True, False, None, [], {}]


@pytest.mark.parametrize("bad", BAD_NUMBERS)
def test_a_bad_price_of_one_side_leaves_the_other(bad: object) -> None:
    """A price that is no finite number of at least 0 is None; the rest of the quote is kept."""
    for raw, key in ((QUOTE, "bp"), (LONG_QUOTE, "bid_price")):
        quote = normalize_quote({**raw, key: bad}, RECEIVED)
        assert quote is not None
        assert (quote.bid_price, quote.ask_price) == (None, 1.65)


@pytest.mark.parametrize("bad", BAD_NUMBERS)
def test_without_a_usable_price_there_is_no_row(bad: object) -> None:
    """A quote with two bad sides, or a trade with a bad price, is malformed; a bad size is only None."""
    assert normalize_quote({**QUOTE, "bp": bad, "ap": bad}, RECEIVED) is None
    assert normalize_quote({**LONG_QUOTE, "bid_price": bad, "ask_price": bad}, RECEIVED) is None
    assert normalize_trade({**TRADE, "p": bad}, RECEIVED) is None
    assert normalize_trade({**LONG_TRADE, "price": bad}, RECEIVED) is None
    sized = normalize_trade({**TRADE, "s": bad}, RECEIVED)
    assert sized is not None
    assert sized.size is None


def test_zero_is_a_price() -> None:
    """A bid of 0 means that there is no bidder; it is not missing."""
    quote = normalize_quote({**QUOTE, "bp": 0}, RECEIVED)
    assert quote is not None
    assert quote.bid_price == 0.0


@pytest.mark.parametrize("symbol", [None, "", 7, []])
def test_without_a_symbol_there_is_no_row(symbol: object) -> None:
    """A message of no symbol is malformed."""
    assert normalize_quote({**QUOTE, "S": symbol}, RECEIVED) is None
    assert normalize_trade({**TRADE, "S": symbol}, RECEIVED) is None
    assert normalize_quote({**LONG_QUOTE, "symbol": symbol}, RECEIVED) is None
    assert normalize_trade({**LONG_TRADE, "symbol": symbol}, RECEIVED) is None


@pytest.mark.parametrize("raw", [None, 7, "text", b"bytes", [], {}, {"T": "q"}, object()])
def test_what_is_no_message_gives_none(raw: object) -> None:
    """Anything but a quote or trade is None, never an exception."""
    assert normalize_quote(raw, RECEIVED) is None
    assert normalize_trade(raw, RECEIVED) is None


def test_numbers_of_other_kinds_are_read() -> None:
    """Decimals and the like are numbers; an integer too large for a float is none."""
    assert to_amount(Decimal("1.25")) == 1.25
    assert to_amount(Decimal(-1)) is None
    assert to_amount(10**400) is None


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
    quote, trade = normalize_quote(raw, RECEIVED), normalize_trade(raw, RECEIVED)
    numbers = [] if quote is None else [quote.bid_price, quote.ask_price, quote.bid_size, quote.ask_size]
    numbers += [] if trade is None else [trade.price, trade.size]
    assert all(number is None or (math.isfinite(number) and number >= 0) for number in numbers)
    assert all(row is None or isinstance(row.symbol, str) for row in (quote, trade))


def test_a_days_rows_share_their_words() -> None:
    """Equal words in two rows are one object."""
    assert to_word("FILLED") is to_word(" filled ")
