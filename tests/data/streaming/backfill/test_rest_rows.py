"""The rows of Alpaca's REST answers: snapshots, Greeks, splits, positions and contracts."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from options_helper.data.streaming.backfill.rest_rows import (
    adjusted_contracts,
    indices_of,
    read_index_values,
    read_multiplier,
    read_positions,
    read_snapshots,
    read_splits,
)
from options_helper.market import Greeks, PreviousClose
from tests.builders import CALL, NOW
from tests.fakes import ADJUSTED, INDEX_CALL, SNAPSHOT


def test_the_previous_close_is_the_newest_before_the_trading_date() -> None:
    """Until the day's first trade, the previous close is `dailyBar`'s; afterwards, it is `prevDailyBar`'s."""

    def close(**bars: object) -> PreviousClose | None:
        rows = read_snapshots({CALL: bars}, received_at=NOW, trading_date=dt.date(2026, 11, 20))
        return rows.previous_closes.get(CALL)

    today = {"c": 1.6, "t": "2026-11-20T05:00:00Z"}
    yesterday = {"c": 1.5, "t": "2026-11-19T05:00:00Z"}
    older = {"c": 1.4, "t": "2026-11-18T05:00:00Z"}
    assert close(dailyBar=today, prevDailyBar=yesterday) == PreviousClose(1.5, dt.date(2026, 11, 19))
    assert close(dailyBar=yesterday, prevDailyBar=older) == PreviousClose(1.5, dt.date(2026, 11, 19))
    assert close(dailyBar=today) is None
    assert close(dailyBar={"c": 0, "t": "2026-11-19T05:00:00Z"}, prevDailyBar="junk") is None
    assert close(dailyBar={"c": 1.5}) is None


def test_the_closing_quote_is_known_until_the_days_first_quote() -> None:
    """An option's close has the closing quote's mid, and is that mid without a trade; a stock's has none."""
    quote = {"bp": 1.4, "ap": 1.8, "bs": 1, "as": 1, "t": "2026-11-19T20:59:58Z"}
    bar = {"c": 1.5, "n": 4, "t": "2026-11-19T05:00:00Z"}
    day = dt.date(2026, 11, 19)

    def close(symbol: str = CALL, *, date: dt.date = day, **parts: object) -> PreviousClose | None:
        asked = {"received_at": NOW, "trading_date": dt.date(2026, 11, 20), "previous_date": date}
        return read_snapshots({symbol: parts}, **asked).previous_closes.get(symbol)

    assert close(latestQuote=quote, dailyBar=bar) == PreviousClose(1.5, day, 4, mid=pytest.approx(1.6))
    assert close(latestQuote=quote) == PreviousClose(pytest.approx(1.6), day, 0, mid=pytest.approx(1.6))
    assert close("AAPL", latestQuote=quote, dailyBar=bar) == PreviousClose(1.5, day, 4)
    assert close(latestQuote=quote | {"t": "2026-11-20T14:31:00Z"}, dailyBar=bar) == PreviousClose(
        1.5, day, 4
    )
    assert close(latestQuote=quote | {"bp": 1.9}, dailyBar=bar) == PreviousClose(1.5, day, 4)
    assert close(latestQuote=quote, date=dt.date(2026, 11, 18)) is None


@pytest.mark.parametrize("junk", [None, 7, "text", []])
def test_junk_snapshots_are_skipped_and_counted(junk: object) -> None:
    """A snapshot that is not a mapping or has unreadable parts affects only itself."""
    bad_parts = {"latestQuote": {"bp": "x", "ap": None}, "latestTrade": {"p": -1}, "greeks": junk}
    rows = read_snapshots(
        {"A": junk, "B": bad_parts, CALL: SNAPSHOT}, received_at=NOW, trading_date=dt.date(2026, 11, 20)
    )
    assert [quote.symbol for quote in rows.quotes] == [CALL]
    assert list(rows.greeks) == [CALL]
    assert rows.skipped == 3


def test_greeks_without_a_quote_have_the_time_of_receipt() -> None:
    """Implied volatility alone is enough; without a quote's time, the time of receipt is used."""
    rows = read_snapshots(
        {CALL: {"impliedVolatility": 0.3, "greeks": {"delta": "x"}}},
        received_at=NOW,
        trading_date=dt.date(2026, 11, 20),
    )
    assert rows.greeks == {CALL: Greeks(implied_volatility=0.3, timestamp=NOW)}


@pytest.mark.parametrize("part", ["latestQuote", "latestTrade"])
def test_alpacas_zero_time_makes_no_row(part: str) -> None:
    """A trade of the year 1 means no trade, and is neither read nor counted."""
    nothing = {"t": "0001-01-01T00:00:00Z", "p": 0, "s": 0, "bp": 0, "ap": 0, "bs": 0, "as": 0}
    rows = read_snapshots(
        {CALL: {**SNAPSHOT, part: nothing}}, received_at=NOW, trading_date=dt.date(2026, 11, 20)
    )
    assert rows.skipped == 0
    assert len(rows.quotes if part == "latestQuote" else rows.trades) == 0


ZEROS = {"delta": 0, "gamma": 0, "theta": 0, "vega": 0, "rho": 0}


@pytest.mark.parametrize(
    ("snapshot", "known"),
    [
        ({"greeks": ZEROS}, False),
        ({"greeks": {**ZEROS, "rho": None}, "impliedVolatility": None}, False),
        ({"greeks": ZEROS, "impliedVolatility": 0}, False),
        ({"greeks": dict.fromkeys(ZEROS, -0.0), "impliedVolatility": 0.0}, False),
        ({"impliedVolatility": 0}, False),
        ({"greeks": ZEROS, "impliedVolatility": 0.0001}, True),
        ({"greeks": {**ZEROS, "delta": 1}}, True),
    ],
)
def test_zeros_without_a_volatility_are_not_greeks(snapshot: dict[str, Any], known: bool) -> None:
    """The vendor sends five zeros for a contract that it cannot compute; they count as unknown."""
    rows = read_snapshots({CALL: snapshot}, received_at=NOW, trading_date=dt.date(2026, 11, 20))
    assert (CALL in rows.greeks) is known


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"symbol": "AAPL", "new_rate": 4, "old_rate": 1}, ["AAPL 4:1"]),
        ({"symbol": "AAPL", "new_rate": "1", "old_rate": "20"}, ["AAPL 1:20"]),
        ({"symbol": "AAPL", "rate": 0.05}, ["AAPL 1.05:1"]),
        ({"source_symbol": "GE", "source_rate": 4, "new_symbol": "GEV", "new_rate": 1}, ["GE 1:1"]),
        ({"source_symbol": "GE", "new_symbol": "GE.RT", "rate": 0.25}, ["GE 1:1"]),
        (
            {"old_symbol": "XYZ.U", "old_rate": 1, "new_symbol": "XYZ", "new_rate": 1, "alternate_rate": 0.5},
            ["XYZ.U 1:1"],
        ),
        ({"symbol": "AAPL", "new_rate": 0, "old_rate": 1}, []),
        ({"symbol": "AAPL", "new_rate": 4}, []),
        ({"symbol": None, "rate": 0.05}, []),
    ],
)
def test_events_that_move_a_price_like_a_split_are_read(row: dict[str, Any], words: list[str]) -> None:
    """Splits in both directions, stock dividends and spin-offs are read."""
    date = "effective_date" if "old_symbol" in row else "ex_date"
    found = read_splits([{**row, date: "2026-11-20"}, None, {**row, date: None}])
    assert [f"{one.symbol} {one.words}" for one in found] == words


def test_positions_multipliers_and_values_of_odd_forms() -> None:
    """Quantities get their sign from the side, unreadable rows are left out, and size is not a multiplier."""
    rows = [
        {"symbol": "A", "qty": "3", "side": "short", "market_value": "-30"},
        {"symbol": "B", "qty": "2.5", "side": "long"},
        {"symbol": "", "qty": "1"},
        {"symbol": "C", "qty": "many"},
        None,
    ]
    assert [(one.symbol, one.quantity) for one in read_positions(rows).values()] == [("A", -3.0), ("B", 2.5)]
    assert [read_multiplier(row) for row in ({"size": "33"}, {"multiplier": "0"}, {"multiplier": "x"})] == [
        None
    ] * 3
    values = {"SPX": {"v": 7000.5, "t": "2026-11-20T14:59:59Z"}, "NDX": {"v": None}, "VIX": 7}
    assert [trade.symbol for trade in read_index_values(values, NOW)] == ["SPX"]


def test_which_contracts_are_adjusted_and_on_which_index() -> None:
    """A digit at the end of a root marks an adjusted contract; an index's roots lead to the index."""
    symbols = [
        CALL,
        ADJUSTED,
        INDEX_CALL,
        "SPX261218C07000000",
        "XSP261218C00700000",
        "NDXP261218P20000000",
        "X",
    ]
    assert adjusted_contracts(symbols) == [ADJUSTED]
    assert indices_of(symbols) == ["SPX", "XSP", "NDX"]
