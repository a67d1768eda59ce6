"""From the messages of one batch to the change in a table."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_helper.data.streaming.normalize.batches import MarketChange, quote_change, trade_change
from options_helper.data.streaming.normalize.wire import WireQuote, WireTrade
from options_helper.market import Quote, Trade
from options_helper.quote_tables import QuoteTable, TradeTable

NOW = dt.datetime(2026, 11, 20, 15, 0, 0, 250_000, tzinfo=dt.UTC)

_symbols = st.sampled_from(["A", "B", "C", "D", ""])
_numbers = st.none() | st.floats() | st.just(0.0)
_times = st.none() | st.datetimes(
    min_value=dt.datetime(1971, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    timezones=st.just(dt.UTC),
)
_quotes = st.lists(st.builds(WireQuote, _symbols, _numbers, _numbers, _numbers, _numbers, _times))
_trades = st.lists(st.builds(WireTrade, _symbols, _numbers, _numbers, _times))


def _as_raw(items: list[Any]) -> list[Any]:
    names = {"timestamp": "t", "symbol": "S"}
    names |= {"bid_price": "bp", "ask_price": "ap", "bid_size": "bs", "ask_size": "as"}
    names |= {"price": "p", "size": "s"}
    return [{names[name]: getattr(item, name) for name in item.__struct_fields__} for item in items]


def _as_mappings(items: list[Any]) -> list[Any]:
    return [{name: getattr(item, name) for name in item.__struct_fields__} for item in items]


def _as_sdk_objects(items: list[Any]) -> list[Any]:
    return [SimpleNamespace(**row) for row in _as_mappings(items)]


def _facts(change: MarketChange, table: Any) -> tuple[Any, ...]:
    return dict(table.updated(change.rows)), change.known, change.conflated, sorted(change.stamps)


@pytest.mark.parametrize("dialect", [_as_raw, _as_mappings, _as_sdk_objects])
@given(items=_quotes)
def test_quotes_of_every_dialect_make_the_same_change(dialect: Any, items: list[WireQuote]) -> None:
    """Raw messages, mappings and objects give the decoder's rows, counts and times."""
    table = QuoteTable.empty(["A", "B", "C"])
    given_so = quote_change(dialect(items), NOW)
    assert _facts(given_so, table) == _facts(quote_change(items, NOW), table)


@pytest.mark.parametrize("dialect", [_as_raw, _as_mappings, _as_sdk_objects])
@given(items=_trades)
def test_trades_of_every_dialect_make_the_same_change(dialect: Any, items: list[WireTrade]) -> None:
    """Trades as raw messages, mappings and objects give the decoder's rows, counts and times."""
    table = TradeTable.empty(["A", "B", "C"])
    given_so = trade_change(dialect(items), NOW)
    assert _facts(given_so, table) == _facts(trade_change(items, NOW), table)


def test_a_batch_may_mix_dialects_and_a_malformed_message_loses_only_itself() -> None:
    """Only well-formed messages count, whatever the others are."""
    mixed = quote_change([WireQuote("A", 1.0, 1.2), {"S": "B", "bp": 2.0}, {"S": "C", "bp": "2"}, 7], NOW)
    assert (list(mixed.rows.symbols), mixed.known) == (["A", "B"], 2)
    assert not quote_change([], NOW).rows


@pytest.mark.parametrize("year", [1, 1999, 2200, 9999])
def test_a_quote_from_another_century_is_malformed(year: int) -> None:
    """A quote from a distant year is malformed, because its time may not exist in the reader's zone."""
    far = dt.datetime(year, 12, 31, 23, 59, tzinfo=dt.UTC)
    assert quote_change([WireQuote("A", 1.0, 1.1, 1, 1, far)], NOW).known == 0


def test_an_absurdly_large_price_is_none() -> None:
    """A quote is malformed if the sum of its prices would be infinite."""
    assert quote_change([WireQuote("A", 1e308, 1.7e308, 1, 1, NOW)], NOW).known == 0


def test_the_stream_replaces_rest_rows_and_marks_them_as_its_own() -> None:
    """A streamed row replaces a row from REST with the same time, and is marked as streamed."""
    table = QuoteTable.of([Quote("A", 9.0, 9.2, timestamp=NOW, from_rest=True), Quote("B", 1.0, 1.1)])
    table = table.updated(quote_change([WireQuote("A", 1.0, 1.2, 3.0, 4.0, NOW)], NOW).rows)
    assert table["A"] == Quote("A", 1.0, 1.2, 3.0, 4.0, timestamp=NOW, received_at=NOW)
    assert table["B"] == Quote("B", 1.0, 1.1)


@pytest.mark.parametrize(
    ("seconds", "bid"),
    [((0, -5), 1.0), ((0, 0), 2.0), ((-5, 0), 2.0), ((0, None), 2.0), ((None, -5), 2.0), ((7200, 0), 2.0)],
)
def test_the_newer_of_two_messages_in_a_batch_counts(
    seconds: tuple[float | None, float | None], bid: float
) -> None:
    """The later message counts unless its time is earlier, and a time far in the future hides nothing."""
    times = [None if each is None else NOW + dt.timedelta(seconds=each) for each in seconds]
    batch = [WireQuote("A", number, number + 0.2, 1, 1, at) for number, at in enumerate(times, 1)]
    change = quote_change(batch, NOW)
    assert QuoteTable.empty(["A"]).updated(change.rows)["A"].bid_price == bid
    assert (change.known, change.conflated) == (2, 1)


def test_unrequested_symbols_find_a_place() -> None:
    """An unknown symbol is added, and the earlier version does not change."""
    before = TradeTable.of([Trade("A", 1.0)])
    after = before.updated(trade_change([WireTrade("B", 2.0), WireTrade("C", 3.0)], NOW).rows)
    assert {symbol: trade.price for symbol, trade in after.items()} == {"A": 1.0, "B": 2.0, "C": 3.0}
    assert set(before) == {"A"}


@pytest.mark.parametrize("seconds", [[], [1.0], [0.5, 1.0, 2.0]])
def test_the_lag_is_the_median_age_on_receipt(seconds: list[float]) -> None:
    """The lag counts from event to receipt, and is None if no time is known."""
    items = [WireQuote(f"S{age}", 1.0, 1.2, timestamp=NOW - dt.timedelta(seconds=age)) for age in seconds]
    assert quote_change([*items, WireQuote("X", 1.0)], NOW).lag_seconds(NOW) == (
        seconds[len(seconds) // 2] if seconds else None
    )
