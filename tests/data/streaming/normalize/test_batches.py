"""From the messages of one batch to the change of a table."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_helper.data.streaming.connection.decoder import WireQuote, WireTrade
from options_helper.data.streaming.normalize.batches import MarketChange, quote_change, trade_change
from options_helper.market import Quote, Trade
from options_helper.quote_tables import Columns, QuoteTable, TradeTable

NOW = dt.datetime(2026, 11, 20, 15, 0, 0, 250_000, tzinfo=dt.UTC)

_symbols = st.sampled_from(["A", "B", "C", "D", ""])
_numbers = st.none() | st.floats() | st.just(0.0)
_times = st.none() | st.datetimes(
    min_value=dt.datetime(1971, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    timezones=st.just(dt.UTC),
)
_quotes = st.lists(st.builds(WireQuote, _symbols, _numbers, _numbers, _numbers, _numbers, _times))
_trades = st.lists(st.builds(WireTrade, _symbols, _numbers, _numbers, _times))


def _as_sdk_objects(items: list[Any], names: tuple[str, ...]) -> list[Any]:
    return [SimpleNamespace(**{name: getattr(item, name) for name in names}) for item in items]


def _facts(change: MarketChange[Any], table: Any) -> tuple[Any, ...]:
    return dict(table.updated(change.rows)), change.known, change.conflated, sorted(change.stamps)


@given(_quotes)
def test_quotes_by_columns_change_what_quotes_one_by_one_change(items: list[WireQuote]) -> None:
    """Both ways give the same rows, counts and times for any numbers."""
    names = ("symbol", "bid_price", "ask_price", "bid_size", "ask_size", "timestamp")
    table = QuoteTable.empty(["A", "B", "C"])
    slow = quote_change(_as_sdk_objects(items, names), NOW)
    assert _facts(quote_change(items, NOW), table) == _facts(slow, table)


@given(_trades)
def test_trades_by_columns_change_what_trades_one_by_one_change(items: list[WireTrade]) -> None:
    """The fast way is the slow way for trades too."""
    table = TradeTable.empty(["A", "B", "C"])
    slow = trade_change(_as_sdk_objects(items, ("symbol", "price", "size", "timestamp")), NOW)
    assert _facts(trade_change(items, NOW), table) == _facts(slow, table)


def test_a_batch_off_the_wire_goes_by_columns_and_a_mixed_one_does_not() -> None:
    """Only messages that are all of one kind are taken together."""
    quote = WireQuote("A", 1.0, 1.2)
    assert isinstance(quote_change([quote], NOW).rows, Columns)
    mixed = quote_change([quote, {"S": "B", "bp": 2.0, "ap": 2.2}], NOW)
    assert [row.symbol for row in mixed.rows] == ["A", "B"]  # type: ignore[union-attr]
    assert not quote_change([], NOW).rows


def test_the_stream_replaces_what_rest_gave_and_marks_it_as_its_own() -> None:
    """A row of the stream replaces a newer one of REST, and is marked as streamed."""
    table = QuoteTable.of([Quote("A", 9.0, 9.2, timestamp=NOW, from_rest=True), Quote("B", 1.0, 1.1)])
    older = NOW - dt.timedelta(minutes=1)
    table = table.updated(quote_change([WireQuote("A", 1.0, 1.2, 3.0, 4.0, older)], NOW).rows)
    assert table["A"] == Quote("A", 1.0, 1.2, 3.0, 4.0, timestamp=older, received_at=NOW)
    assert table["B"] == Quote("B", 1.0, 1.1)


def test_symbols_nobody_asked_for_find_a_place() -> None:
    """A symbol the table does not know is added, and the version before does not change."""
    before = TradeTable.of([Trade("A", 1.0)])
    after = before.updated(trade_change([WireTrade("B", 2.0), WireTrade("C", 3.0)], NOW).rows)
    assert {symbol: trade.price for symbol, trade in after.items()} == {"A": 1.0, "B": 2.0, "C": 3.0}
    assert set(before) == {"A"}


@pytest.mark.parametrize("seconds", [[], [1.0], [0.5, 1.0, 2.0]])
def test_the_lag_is_the_median_age_on_receipt(seconds: list[float]) -> None:
    """The lag counts from the event's time to receipt; None if nothing has a time."""
    items = [WireQuote(f"S{age}", 1.0, 1.2, timestamp=NOW - dt.timedelta(seconds=age)) for age in seconds]
    assert quote_change([*items, WireQuote("X", 1.0)], NOW).lag_seconds(NOW) == (
        seconds[len(seconds) // 2] if seconds else None
    )
