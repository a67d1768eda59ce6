"""The columnar tables of the newest quotes and trades."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_helper.market import Quote, Trade
from options_helper.quote_tables import Columns, QuoteTable, TradeTable
from options_helper.times import to_microseconds

NOON = dt.datetime(2026, 11, 20, 17, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)

moments = st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2100, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001
prices = st.none() | st.floats(0, 1e6, allow_nan=False)
quotes = st.builds(
    Quote,
    symbol=st.sampled_from(["A", "B", "C", "D"]),
    bid_price=prices,
    ask_price=prices,
    bid_size=prices,
    ask_size=prices,
    timestamp=st.none() | moments,
    received_at=st.none() | moments,
    from_rest=st.booleans(),
)


@given(st.lists(quotes, max_size=12))
def test_a_table_is_a_mapping_of_the_newest_rows(rows: list[Quote]) -> None:
    """As a mapping, a table returns each symbol's last row, with missing numbers as None."""
    from_stream = [Quote(**{**_fields(row), "from_rest": False, "timestamp": None}) for row in rows]
    expected = {row.symbol: row for row in from_stream}
    table = QuoteTable.of(from_stream)
    assert dict(table) == expected
    assert len(table) == len(expected)
    assert set(table) == set(expected)


def _fields(row: Quote) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Quote.__slots__}


@given(st.lists(quotes, max_size=8), st.lists(quotes, max_size=8))
def test_an_older_version_never_changes(first: list[Quote], then: list[Quote]) -> None:
    """Updating returns a new table, and the earlier one does not change."""
    table = QuoteTable.of(first)
    before = dict(table)
    table.updated(then)
    assert dict(table) == before


@pytest.mark.parametrize(
    ("rest_time", "bid"),
    [(NOON - SECOND, 1.0), (NOON, 1.0), (NOON + SECOND, 2.0), (None, 1.0)],
)
def test_an_older_rest_row_never_replaces_a_newer_one(rest_time: dt.datetime | None, bid: float) -> None:
    """A first quote from REST replaces the stream's only if it is newer."""
    streamed = Quote("A", bid_price=1.0, timestamp=NOON)
    fetched = Quote("A", bid_price=2.0, timestamp=rest_time, from_rest=True)
    assert QuoteTable.of([streamed]).updated([fetched])["A"].bid_price == bid


def test_an_event_without_a_time_is_as_new_as_its_receipt() -> None:
    """An older quote from REST does not replace a streamed one without a time."""
    streamed = Quote("A", bid_price=1.0, received_at=NOON - SECOND)
    older = Quote("A", bid_price=2.0, timestamp=NOON - 60 * SECOND, from_rest=True)
    newer = Quote("A", bid_price=3.0, timestamp=NOON, from_rest=True)
    table = QuoteTable.of([streamed])
    assert table.updated([older])["A"] == streamed
    assert table.updated([newer])["A"] == newer


def _columns(bid: float, at: dt.datetime | None) -> Columns:
    """One quote of A as the columns of a batch."""
    values = {"bid_price": np.array([bid]), "timestamp": np.array([to_microseconds(at)], "i8")}
    return Columns(["A"], {**values, "received_at": to_microseconds(NOON), "from_rest": False})


@pytest.mark.parametrize("from_rest", [False, True])
@pytest.mark.parametrize("as_columns", [False, True])
@pytest.mark.parametrize(
    ("kept_at", "next_at", "bid"),
    [
        (NOON, NOON - SECOND, 1.0),
        (NOON, NOON, 2.0),
        (NOON, None, 2.0),
        (None, NOON, 2.0),
        (NOON + 7200 * SECOND, NOON, 2.0),
    ],
    ids=["older", "same time", "no time", "first time", "kept from the future"],
)
def test_an_older_event_that_arrives_later_is_not_newer(
    kept_at: dt.datetime | None, next_at: dt.datetime | None, bid: float, *, as_columns: bool, from_rest: bool
) -> None:
    """The newest event wins, or a correction with the same time, whatever the order and source."""
    kept = Quote("A", bid_price=1.0, timestamp=kept_at, received_at=NOON, from_rest=from_rest)
    table = QuoteTable.of([kept])
    late = Quote("A", bid_price=2.0, timestamp=next_at, received_at=NOON)
    updated = table.updated(_columns(2.0, next_at) if as_columns else [late])
    assert updated["A"].bid_price == bid


def test_a_table_is_read_only() -> None:
    """Neither a table's array nor its index can be changed."""
    table = QuoteTable.of([Quote("A", bid_price=1.0)]).updated([Quote("B", bid_price=2.0)])
    with pytest.raises(ValueError, match="read-only"):
        table.rows["bid_price"][0] = 5.0
    with pytest.raises(TypeError, match="item assignment"):
        table.index["C"] = 2  # type: ignore[index]
    assert (table["A"].bid_price, table.without(["A", "Z"]).get("A"), len(table)) == (1.0, None, 2)


def test_an_empty_place_is_not_a_row() -> None:
    """A subscribed symbol without a quote has a row number and is not in the mapping."""
    table = TradeTable.empty(["A", "B", "A"])
    assert table.index == {"A": 0, "B": 1}
    assert len(table) == 0
    assert list(table) == []
    assert "A" not in table
    with pytest.raises(KeyError):
        table["A"]
    filled = table.updated([Trade("A", price=5.0, from_rest=True)])
    assert filled["A"] == Trade("A", price=5.0, from_rest=True)
    assert filled.get("B") is None
    assert filled.get("unknown") is None
    assert repr(filled) == "TradeTable(1 of 2 symbols)"


def test_row_numbers_are_kept_over_versions() -> None:
    """The index is the same object until a new symbol comes, and grows at its end."""
    table = QuoteTable.empty(["A", "B"])
    same = table.updated([Quote("B", bid_price=1.0)])
    assert same.index is table.index
    grown = same.updated([Quote("C", bid_price=2.0)])
    assert grown.index == {"A": 0, "B": 1, "C": 2}
    assert table.index == {"A": 0, "B": 1}
    assert grown["B"].bid_price == 1.0


def test_columns_hold_numbers_and_microseconds() -> None:
    """Missing numbers are NaN, missing times zero, and only used rows are present."""
    rows = QuoteTable.empty(["A", "B"]).updated([Quote("A", bid_price=0.0, timestamp=NOON)]).rows
    assert rows["bid_price"][0] == 0.0
    assert np.isnan(rows["ask_price"][0])
    assert rows["timestamp"].tolist() == [to_microseconds(NOON), 0]
    assert rows["present"].tolist() == [True, False]


def test_any_mapping_becomes_a_table() -> None:
    """A dict of quotes, or of similar objects, becomes a table; a table stays the same object."""
    alike = SimpleNamespace(
        symbol="ignored", bid_price=1.0, ask_price=None, bid_size=None, ask_size=3, timestamp=NOON
    )
    table = QuoteTable.from_mapping({"A": Quote("A", bid_price=2.0), "B": alike})
    assert QuoteTable.from_mapping(table) is table
    assert table["A"] == Quote("A", bid_price=2.0)
    assert table["B"] == Quote("B", bid_price=1.0, ask_size=3.0, timestamp=NOON)
