"""Real days in many variations: expiries, openings, weekends, wide quotes of shares, previous closes."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from options_helper.analysis.osi import contract_symbol
from options_helper.analysis.tables.view import TablesView, compute_view
from options_helper.data.calendar.market_clock import ExchangeCalendar, market_state
from options_helper.market import (
    LiveSnapshot,
    PreviousClose,
    Quote,
    Split,
    StreamHealth,
    StreamName,
    StreamState,
    Trade,
)
from options_helper.models import EquityPosition, Portfolio, Position
from options_helper.times import NEW_YORK

pytestmark = pytest.mark.slow

TUESDAY = dt.date(2026, 11, 24)
DECEMBER = dt.date(2026, 12, 18)
SECOND = dt.timedelta(seconds=1)
Sides = tuple[float | None, float | None]


def new_york(day: dt.date, hour: int, minute: int = 0, second: int = 0) -> dt.datetime:
    """Return a time of a New York day, in UTC."""
    return dt.datetime.combine(day, dt.time(hour, minute, second), NEW_YORK).astimezone(dt.UTC)


def world(at: dt.datetime, **more: Any) -> LiveSnapshot:
    """Return a snapshot without prices, with running streams and the exchange's own calendar."""
    market = market_state(ExchangeCalendar(), at)
    health = {
        name: StreamHealth(
            name,
            StreamState.RUNNING,
            connected_at=at - dt.timedelta(hours=20),
            complete_at=at - SECOND,
            last_heard_at=at - SECOND,
        )
        for name in StreamName
    }
    base: dict[str, Any] = {
        "as_of": at,
        "market_phase": market.phase,
        "market_phase_until": market.until,
        "session_open": market.session_open,
        "session_close": market.session_close,
        "market_next_open": market.next_open,
        "trading_date": market.trading_date,
        "previous_trading_date": market.previous_trading_date,
        "options_feed": "opra",
        "stock_feed": "sip",
        "health": health,
    }
    return LiveSnapshot(**(base | more))


def quoted(live: LiveSnapshot, made: dt.datetime, prices: dict[str, Sides]) -> LiveSnapshot:
    """Return the snapshot with quotes that were made and received at one time."""
    quotes = {name: Quote(name, *sides, 1, 1, made, made) for name, sides in prices.items()}
    return replace(
        live,
        option_quotes={name: quote for name, quote in quotes.items() if len(name) > 8},
        stock_quotes={name: quote for name, quote in quotes.items() if len(name) <= 8},
    )


def option(symbol: str, strike: float, **terms: Any) -> Position:
    """Return two contracts of a call, bought at 2.00."""
    fields = {"option_type": "call", "expiry": DECEMBER, "contracts": 2, "cost_basis": 2.0, **terms}
    return Position(id="a", symbol=symbol, strike=strike, **fields)


def view_of(position: Position | EquityPosition, live: LiveSnapshot) -> tuple[pd.Series[Any], TablesView]:
    """Return the row of a portfolio's one position, and everything computed with it."""
    view = compute_view(Portfolio(positions=[position]), live, stale_after_seconds=30.0)
    return view.positions.iloc[0], view


HALF_DAY = dt.date(2026, 11, 27)
EXPIRIES = {
    "a put in the money, sold": ("XYZ", 55, "put", -2, TUESDAY, (16, 0, 2), 4.5),
    "a put in the money": ("XYZ", 55, "put", 2, TUESDAY, (16, 0, 2), 4.5),
    "a call in the money, sold": ("XYZ", 45, "call", -2, TUESDAY, (16, 0, 2), 5.5),
    "a call out of the money": ("XYZ", 55, "call", 2, TUESDAY, (16, 0, 2), 0.0),
    "a put out of the money, sold": ("XYZ", 45, "put", -2, TUESDAY, (16, 0, 2), 0.0),
    "at the money": ("XYZ", 50.5, "call", 2, TUESDAY, (16, 0, 2), 0.0),
    "late that evening": ("XYZ", 45, "call", -2, TUESDAY, (23, 59, 59), 5.5),
    "a second before": ("XYZ", 45, "call", -2, TUESDAY, (15, 59, 59), None),
    "a fund before its end": ("SPY", 45, "call", -2, TUESDAY, (16, 14, 59), None),
    "a fund after its end": ("SPY", 45, "call", -2, TUESDAY, (16, 15, 1), 5.5),
    "an index settled at the close": ("XSP", 45, "call", -2, TUESDAY, (16, 0, 2), 5.5),
    "a half day": ("XYZ", 45, "call", -2, HALF_DAY, (13, 0, 2), 5.5),
    "a half day before its end": ("XYZ", 45, "call", -2, HALF_DAY, (12, 59, 59), None),
    "a fund on a half day before its end": ("QQQ", 45, "call", -2, HALF_DAY, (13, 14, 59), None),
    "a fund on a half day": ("QQQ", 45, "call", -2, HALF_DAY, (13, 15, 1), 5.5),
}


@pytest.mark.parametrize(
    ("symbol", "strike", "kind", "contracts", "day", "time", "settled"), EXPIRIES.values(), ids=EXPIRIES
)
def test_a_days_result_stays_after_the_last_trade(
    symbol: str,
    strike: float,
    kind: str,
    contracts: int,
    day: dt.date,
    time: tuple[int, int, int],
    settled: float | None,
) -> None:
    """Until its end, a contract has its mark; after it, its intrinsic value at the spot of 50.50."""
    position = option(symbol, strike, option_type=kind, contracts=contracts, expiry=day, opened_at=day)
    at = new_york(day, *time)
    prices: dict[str, Sides] = {symbol: (50.49, 50.51), contract_symbol(symbol, position): (3.0, 3.2)}
    row, view = view_of(position, quoted(world(at), at - SECOND, prices))
    price = 3.1 if settled is None else settled
    gain = (price - 2.0) * 100 * contracts
    assert (row["state"] == "expired") == (settled is not None)
    assert row["mark"] == pytest.approx(price)
    for total in (view.totals.open_pnl, view.totals.day_pnl):
        assert total.value == pytest.approx(gain)
    assert view.totals.market_value.value == pytest.approx(price * 100 * contracts)
    assert (view.totals.expired, view.totals.settled) == ((1, 1) if settled is not None else (0, 0))


UNKNOWN: dict[str, tuple[str, dict[str, Any], dict[str, Sides]]] = {
    "settled at the open": ("SPX", {"root": "SPX"}, {"SPX": (50.4, 50.6)}),
    "volatility": ("VIX", {}, {"VIX": (50.4, 50.6)}),
    "a Nasdaq index": ("NDX", {}, {"NDX": (50.4, 50.6)}),
    "adjusted": ("XYZ", {"root": "XYZ1"}, {"XYZ": (50.49, 50.51)}),
    "no price of the stock": ("XYZ", {}, {}),
    "a stock without a market": ("XYZ", {}, {"XYZ": (40.0, 60.0)}),
    "a crossed stock": ("XYZ", {}, {"XYZ": (50.6, 50.4)}),
    "an empty quote": ("XYZ", {}, {"XYZ": (0.0, None)}),
}


@pytest.mark.parametrize(("symbol", "terms", "prices"), UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_result_withholds_the_totals(
    symbol: str, terms: dict[str, Any], prices: dict[str, Sides]
) -> None:
    """The totals do not shrink to those of the other positions; the leg still counts as missing."""
    at = new_york(TUESDAY, 16, 0, 2)
    position = option(symbol, 45, expiry=TUESDAY, **terms)
    shares = EquityPosition(id="s", symbol="ABC", shares=10, cost_basis=10)
    live = quoted(world(at), at - SECOND, {**prices, "ABC": (11.0, 11.0)})
    view = compute_view(Portfolio(positions=[position, shares]), live, stale_after_seconds=30.0)
    assert "settlement_unknown" in view.positions.iloc[0]["warnings"]
    assert (view.totals.open_pnl.value, view.totals.open_pnl.partial) == (None, pytest.approx(10))
    assert (view.totals.open_pnl.covered, view.totals.open_pnl.legs) == (1, 2)
    assert view.totals.portfolio_value.value is None


@pytest.mark.parametrize(
    ("close", "spot", "mark"),
    [
        (50.0, (50.49, 50.51), 5.0),
        (44.0, (50.49, 50.51), 0.0),
        (50.0, (40.0, 60.0), 5.0),
        (50.0, (None, None), 5.0),
    ],
)
def test_the_official_close_wins_over_the_last_price(close: float, spot: Sides, mark: float) -> None:
    """Once the close of the expiry date is known, trading after hours changes nothing."""
    at = new_york(TUESDAY, 18)
    closes = {"XYZ": PreviousClose(close, TUESDAY)}
    live = quoted(world(at, previous_closes=closes), at - SECOND, {"XYZ": spot})
    row, _ = view_of(option("XYZ", 45, expiry=TUESDAY), live)
    assert (row["mark"], row["warnings"][-1]) == (pytest.approx(mark), "settled_at_close")


# The closes that are known, and the mark of a call with a strike of 45 that expired on Tuesday.
LATER: dict[str, tuple[dt.date, dict[dt.date, float], float | None]] = {
    "the day after": (dt.date(2026, 11, 25), {TUESDAY: 50.0}, 5.0),
    "the second trading day": (HALF_DAY, {TUESDAY: 50.0, dt.date(2026, 11, 25): 60.0}, 5.0),
    "the week after": (dt.date(2026, 12, 2), {TUESDAY: 44.0, HALF_DAY: 60.0}, 0.0),
    "no close of its day": (dt.date(2026, 12, 2), {HALF_DAY: 60.0}, None),
    "no closes": (dt.date(2026, 12, 2), {}, None),
}


@pytest.mark.parametrize(("day", "closes", "mark"), LATER.values(), ids=LATER)
def test_a_result_stays_known_on_later_days(
    day: dt.date, closes: dict[dt.date, float], mark: float | None
) -> None:
    """The close of the expiry date decides, not the newest one; without it, totals are withheld."""
    at = new_york(day, 11)
    newest = PreviousClose(70.0, market_state(ExchangeCalendar(), at).previous_trading_date or day)
    more = {"previous_closes": {"XYZ": newest} if day > HALF_DAY else {}, "daily_closes": {"XYZ": closes}}
    live = quoted(world(at, **more), at - SECOND, {"XYZ": (79.99, 80.01)})
    row, view = view_of(option("XYZ", 45, expiry=TUESDAY), live)
    assert row["warnings"][-1] == ("settlement_unknown" if mark is None else "settled_at_close")
    assert view.totals.portfolio_value.value == (None if mark is None else pytest.approx(200 * mark))
    assert view.totals.open_pnl.value == (None if mark is None else pytest.approx(200 * (mark - 2)))
    assert view.totals.day_pnl.value == 0.0


OPENINGS = {
    "yesterday's close": ((23, 15, 59, 58), (24, 9, 30, 40), "from_yesterday"),
    "yesterday's morning": ((23, 9, 45, 0), (24, 9, 31, 0), "from_yesterday"),
    "yesterday's evening": ((23, 19, 59, 0), (24, 10, 0, 0), "from_yesterday"),
    "the week before": ((20, 15, 59, 0), (24, 12, 0, 0), "from_yesterday"),
    "before a weekend": ((20, 15, 59, 59), (23, 9, 30, 1), "from_yesterday"),
    "before a holiday": ((25, 15, 59, 59), (27, 9, 31, 0), "from_yesterday"),
    "a minute before the opening": ((24, 9, 29, 0), (24, 9, 30, 40), "stale"),
    "that night": ((24, 0, 0, 1), (24, 9, 30, 40), "stale"),
    "the opening second": ((24, 9, 30, 0), (24, 9, 31, 0), "quiet"),
    "since the opening": ((24, 9, 30, 5), (24, 9, 45, 0), "quiet"),
    "young": ((24, 9, 30, 15), (24, 9, 30, 40), "live"),
    "young, and from before": ((24, 9, 29, 50), (24, 9, 30, 10), "live"),
    "before the opening all is closed": ((23, 15, 59, 58), (24, 9, 29, 59), "closed"),
}


@pytest.mark.parametrize(("made", "now", "state"), OPENINGS.values(), ids=OPENINGS)
def test_a_proof_of_life_extends_back_only_to_the_opening(
    made: tuple[int, int, int, int], now: tuple[int, int, int, int], state: str
) -> None:
    """A quote from before the opening is never quiet, although the stream was heard a second ago."""
    times = [new_york(dt.date(2026, 11, day), *clock) for day, *clock in (made, now)]
    position = option("XYZ", 50)
    live = quoted(world(times[1]), times[0], {contract_symbol("XYZ", position): (3.0, 3.2)})
    row, view = view_of(position, live)
    assert row["state"] == state
    assert view.totals.states == {state: 1}
    assert row["mark"] == pytest.approx(3.1), "an old price is still the last one known"


OUTSIDE = {
    "Saturday morning": ((2026, 11, 28, 10), (2026, 11, 28, 10, 1), True),
    "Saturday, seen on Sunday": ((2026, 11, 28, 10), (2026, 11, 29, 18), True),
    "Saturday, seen before Monday's opening": ((2026, 11, 28, 10), (2026, 11, 30, 8), True),
    "Saturday, seen on Monday": ((2026, 11, 28, 10), (2026, 11, 30, 11), True),
    "Sunday, seen at midnight": ((2026, 11, 29, 23, 59), (2026, 11, 30, 0, 1), True),
    "Thanksgiving": ((2026, 11, 26, 11), (2026, 11, 26, 12), True),
    "Thanksgiving, seen on Friday": ((2026, 11, 26, 11), (2026, 11, 27, 11), True),
    "Christmas": ((2026, 12, 25, 11), (2026, 12, 25, 11, 1), True),
    "New Year's Day, seen on Monday": ((2027, 1, 1, 11), (2027, 1, 4, 9, 31), True),
    "Friday, seen on Saturday": ((2026, 11, 27, 12, 59), (2026, 11, 28, 10), False),
    "Friday evening, seen on Sunday": ((2026, 11, 27, 16, 59), (2026, 11, 29, 10), False),
    "Friday, seen on Monday": ((2026, 11, 27, 12, 59), (2026, 11, 30, 11), False),
    "Wednesday, seen on Thanksgiving": ((2026, 11, 25, 15, 59), (2026, 11, 26, 12), False),
    "today": ((2026, 11, 24, 10), (2026, 11, 24, 10, 1), False),
    "this morning": ((2026, 11, 24, 7), (2026, 11, 24, 8), False),
    "the day the clocks change": ((2026, 11, 1, 1, 30), (2026, 11, 2, 9, 31), True),
}


@pytest.mark.parametrize("kind", ["option", "shares"])
@pytest.mark.parametrize(("made", "now", "is_outside"), OUTSIDE.values(), ids=OUTSIDE)
def test_a_price_from_a_day_without_a_session_makes_no_mark(
    made: tuple[int, ...], now: tuple[int, ...], is_outside: bool, kind: str
) -> None:
    """Neither a quote nor a trade of such a day makes a mark, on that day or later."""
    day, at = (dt.datetime(*each, tzinfo=NEW_YORK).astimezone(dt.UTC) for each in (made, now))
    position: Any = (
        option("XYZ", 50, expiry=dt.date(2027, 1, 15))
        if kind == "option"
        else EquityPosition(id="a", symbol="XYZ", shares=10, cost_basis=3)
    )
    symbol = contract_symbol("XYZ", position) if kind == "option" else "XYZ"
    row, view = view_of(position, quoted(world(at), day, {symbol: (1.10, 1.11)}))
    assert pd.isna(row["mark"]) == is_outside
    assert ("outside_session" in row["warnings"]) == is_outside
    assert (view.totals.open_pnl.value is None) == is_outside
    traded = Trade(symbol, 1.1, 1, day, day)
    live = world(at, **{"option_trades" if kind == "option" else "stock_trades": {symbol: traded}})
    row, _ = view_of(position, live)
    assert not is_outside or row["mark_method"] == "none"


@pytest.mark.parametrize(
    ("made", "now", "kind", "is_outside"),
    [
        ((2026, 11, 29, 21), (2026, 11, 29, 21, 1), "shares", False),
        ((2026, 11, 29, 21), (2026, 11, 30, 2), "shares", False),
        ((2026, 11, 29, 21), (2026, 11, 30, 10), "shares", False),
        ((2026, 11, 29, 19, 59), (2026, 11, 29, 21), "shares", True),
        ((2026, 11, 29, 19, 59), (2026, 11, 30, 10), "shares", True),
        ((2026, 11, 28, 21), (2026, 11, 29, 21), "shares", True),
        ((2026, 11, 26, 21), (2026, 11, 27, 3), "shares", False),
        ((2026, 11, 26, 11), (2026, 11, 27, 3), "shares", True),
        ((2026, 11, 29, 21), (2026, 11, 29, 21, 1), "option", True),
        ((2026, 11, 29, 21), (2026, 11, 30, 10), "option", True),
    ],
)
def test_overnight_trading_begins_on_the_evening_before(
    made: tuple[int, ...], now: tuple[int, ...], kind: str, is_outside: bool
) -> None:
    """On Sunday evening, a share's price belongs to Monday, and options do not trade."""
    day, at = (dt.datetime(*each, tzinfo=NEW_YORK).astimezone(dt.UTC) for each in (made, now))
    position: Any = (
        option("XYZ", 50)
        if kind == "option"
        else EquityPosition(id="a", symbol="XYZ", shares=1, cost_basis=1)
    )
    symbol = contract_symbol("XYZ", position) if kind == "option" else "XYZ"
    row, _ = view_of(position, quoted(world(at, stock_feed="overnight"), day, {symbol: (1.10, 1.11)}))
    assert ("outside_session" in row["warnings"]) == is_outside


WIDE: dict[str, tuple[Sides, tuple[float, float] | None, float | None]] = {
    "one cent on a cheap stock": ((0.50, 0.51), None, 0.505),
    "one cent on a penny stock": ((0.01, 0.02), None, 0.015),
    "two cents on a cheap stock": ((0.50, 0.52), None, None),
    "one per cent": ((99.5, 100.5), None, 100.0),
    "a little more": ((99.5, 100.51), None, None),
    "24 %, a trade inside": ((180.0, 230.0), (190.02, 1), 190.02),
    "24 %, a trade at the bid": ((180.0, 230.0), (180.0, 1), 180.0),
    "24 %, a trade outside": ((180.0, 230.0), (179.99, 1), None),
    "24 %, an old trade": ((180.0, 230.0), (190.0, 301), None),
    "24 %, a trade of five minutes ago": ((180.0, 230.0), (190.0, 300), 190.0),
    "24 %, no trade": ((180.0, 230.0), None, None),
    "no bid": ((0.0, 0.01), (0.01, 1), None),
    "no ask": ((180.0, None), (190.0, 1), None),
    "crossed": ((180.1, 180.0), (180.05, 1), None),
    "locked": ((180.0, 180.0), None, 180.0),
    "a small price": ((0.0001, 0.0002), None, 0.00015),
}


@pytest.mark.parametrize(("sides", "trade", "mark"), WIDE.values(), ids=WIDE)
def test_a_wide_quote_of_shares_makes_no_mark(
    sides: Sides, trade: tuple[float, float] | None, mark: float | None
) -> None:
    """The middle counts if the spread is within 1 % or a cent, otherwise a recent trade inside the quote."""
    at = new_york(TUESDAY, 11)
    live = quoted(world(at, stock_feed="iex"), at - SECOND, {"XYZ": sides})
    if trade is not None:
        made = at - dt.timedelta(seconds=trade[1])
        live = replace(live, stock_trades={"XYZ": Trade("XYZ", trade[0], 1, made, made)})
    cost = sides[1] or sides[0] or 1
    row, view = view_of(EquityPosition(id="a", symbol="XYZ", shares=100, cost_basis=cost), live)
    assert (None if pd.isna(row["mark"]) else row["mark"]) == (None if mark is None else pytest.approx(mark))
    assert bool(row["warnings"]) == (mark is None or trade is not None)
    assert (view.totals.open_pnl.value is None) == (mark is None)


CLOSES = {
    "a good close": (PreviousClose(2.9, dt.date(2026, 11, 23)), 2.9, None),
    "many trades": (PreviousClose(2.9, dt.date(2026, 11, 23), trades=40), 2.9, None),
    "one late trade": ((2.9, 15, 59), 2.9, None),
    "one trade at half past three": ((2.9, 15, 30), 2.9, None),
    "one trade before": ((2.9, 15, 29), None, "previous_close_early"),
    "one trade of 9:36": ((1.0, 9, 36), None, "previous_close_early"),
    "one trade of an unknown time": (
        PreviousClose(2.9, dt.date(2026, 11, 23), trades=1), None, "previous_close_early",
    ),
    "a close of Friday": (PreviousClose(2.9, dt.date(2026, 11, 20)), None, "previous_close_old"),
    "a close of today": (PreviousClose(2.9, TUESDAY), None, "previous_close_old"),
    "a close of last year": (PreviousClose(2.9, dt.date(2025, 11, 24)), None, "previous_close_old"),
    "no close": (None, None, None),
}  # fmt: skip


@pytest.mark.parametrize(("close", "base", "warning"), CLOSES.values(), ids=CLOSES)
def test_the_days_result_has_a_sound_base_or_is_withheld(
    close: Any, base: float | None, warning: str | None
) -> None:
    """If one symbol is withheld, the total shows its known part."""
    at = new_york(TUESDAY, 11)
    position = option("XYZ", 50)
    symbol = contract_symbol("XYZ", position)
    if isinstance(close, tuple):
        made = new_york(dt.date(2026, 11, 23), *close[1:])
        close = PreviousClose(close[0], dt.date(2026, 11, 23), trades=1, traded_at=made)
    closes = {"ABC": PreviousClose(9.0, dt.date(2026, 11, 23))} | ({} if close is None else {symbol: close})
    live = quoted(world(at, previous_closes=closes), at - SECOND, {symbol: (3.0, 3.2), "ABC": (10.0, 10.0)})
    shares = EquityPosition(id="s", symbol="ABC", shares=10, cost_basis=5)
    view = compute_view(Portfolio(positions=[position, shares]), live, stale_after_seconds=30.0)
    row = view.positions.iloc[0]
    expected = None if base is None else pytest.approx((3.1 - base) * 200)
    assert (None if pd.isna(row["pnl_day"]) else row["pnl_day"]) == expected
    assert row["warnings"] == (() if warning is None else (warning,))
    assert view.totals.day_pnl.partial == pytest.approx(10 + (0 if base is None else (3.1 - base) * 200))


@pytest.mark.parametrize(
    ("before", "now", "withheld"),
    [
        (1208.5, 122.0, True),
        (122.0, 1208.5, True),
        (100.0, 50.0, False),
        (100.0, 39.9, True),
        (100.0, 40.0, False),
        (100.0, 160.0, False),
        (100.0, 160.2, True),
        (30.0, 10.0, True),
        (40.0, 20.0, False),
        (0.5, 5.0, True),
        (0.0, 5.0, False),
    ],
)
def test_a_jump_over_night_withholds_the_day_of_everything_on_the_stock(
    before: float, now: float, withheld: bool
) -> None:
    """The closes of the stock's contracts are not adjusted either, so they are withheld."""
    at = new_york(TUESDAY, 11)
    position = option("XYZ", 50)
    symbol = contract_symbol("XYZ", position)
    monday = dt.date(2026, 11, 23)
    closes = {"XYZ": PreviousClose(before, monday), symbol: PreviousClose(2.9, monday)}
    prices: dict[str, Sides] = {"XYZ": (now, now), symbol: (3.0, 3.2)}
    row, _ = view_of(position, quoted(world(at, previous_closes=closes), at - SECOND, prices))
    assert pd.isna(row["pnl_day"]) == withheld
    assert ("previous_close_jump" in row["warnings"]) == withheld


SPLITS: dict[str, tuple[int, int, dt.date, float, float, bool]] = {
    "2 : 1": (2, 1, TUESDAY, 100.0, 50.0, True),
    "3 : 2": (3, 2, TUESDAY, 90.0, 60.0, True),
    "21 : 20, a dividend in stock": (21, 20, TUESDAY, 105.0, 100.0, True),
    "10 : 1": (10, 1, TUESDAY, 1208.5, 121.0, True),
    "1 : 20": (1, 20, TUESDAY, 0.5, 10.0, True),
    "1 : 2, and it fell": (1, 2, TUESDAY, 10.0, 15.0, True),
    "of the day before": (2, 1, dt.date(2026, 11, 23), 50.0, 51.0, False),
    "of last week": (2, 1, dt.date(2026, 11, 17), 50.0, 51.0, False),
    "of tomorrow": (2, 1, dt.date(2026, 11, 25), 100.0, 101.0, False),
}


@pytest.mark.parametrize("kind", ["option", "shares", "another stock"])
@pytest.mark.parametrize(("new", "old", "day", "before", "now", "withheld"), SPLITS.values(), ids=SPLITS)
def test_a_split_is_applied_to_the_shares_and_withholds_the_day_of_contracts(
    new: int, old: int, day: dt.date, before: float, now: float, withheld: bool, kind: str
) -> None:
    """On the day of any split, the shares' close is divided, and other symbols are unaffected."""
    at, monday, symbol = new_york(TUESDAY, 11), dt.date(2026, 11, 23), "XYZ"
    position: Any = EquityPosition(id="a", symbol="XYZ", shares=10, cost_basis=3)
    if kind == "option":
        position = option("XYZ", 50)
        symbol = contract_symbol("XYZ", position)
    closes = {"XYZ": PreviousClose(before, monday), symbol: PreviousClose(before, monday)}
    split = Split(
        symbol="ABC" if kind == "another stock" else "XYZ", new=Decimal(new), old=Decimal(old), date=day
    )
    live = world(at, previous_closes=closes, splits=(split,))
    row, view = view_of(position, quoted(live, at - SECOND, {"XYZ": (now, now), symbol: (now, now)}))
    base = before * old / new if withheld and kind != "another stock" else before
    withheld = abs(now / base - 1) > 0.6 or (withheld and kind == "option")
    assert pd.isna(row["pnl_day"]) == withheld == (view.totals.day_pnl.value is None)
    assert withheld or kind == "option" or row["pnl_day"] == pytest.approx((now - base) * 10)
    assert ("previous_close_jump" in row["warnings"]) == withheld


DAYS_LEFT = {
    "the last minute of an evening": ((2026, 11, 23, 23, 59), (2026, 11, 24), 1),
    "midnight": ((2026, 11, 24, 0, 0), (2026, 11, 24), 0),
    "the last hour": ((2026, 11, 24, 15, 59), (2026, 11, 24), 0),
    "after the close": ((2026, 11, 24, 17, 0), (2026, 11, 24), 0),
    "the day after": ((2026, 11, 25, 9, 0), (2026, 11, 24), -1),
    "the Friday before the clocks go back": ((2026, 10, 30, 23, 30), (2026, 11, 2), 3),
    "the hour that comes twice": ((2026, 11, 1, 1, 30), (2026, 11, 2), 1),
    "after the clocks went back": ((2026, 11, 1, 23, 30), (2026, 11, 2), 1),
    "the Friday before the clocks go forward": ((2027, 3, 12, 23, 30), (2027, 3, 15), 3),
    "after the clocks went forward": ((2027, 3, 14, 23, 30), (2027, 3, 15), 1),
    "over a leap day": ((2028, 2, 28, 12, 0), (2028, 3, 1), 2),
    "over the end of a year": ((2026, 12, 31, 23, 59), (2027, 1, 4), 4),
}


@pytest.mark.parametrize(("now", "expiry", "days"), DAYS_LEFT.values(), ids=DAYS_LEFT)
def test_days_are_counted_in_new_york_dates(now: tuple[int, ...], expiry: tuple[int, ...], days: int) -> None:
    """Neither a day of 23 or 25 hours nor the reader's own midnight changes the number of days."""
    at = dt.datetime(*now, tzinfo=NEW_YORK).astimezone(dt.UTC)
    row, _ = view_of(option("XYZ", 50, expiry=dt.date(*expiry)), world(at))
    assert row["dte"] == days


@pytest.mark.parametrize(
    ("asleep", "awake", "state"),
    [
        ((2026, 11, 24, 11, 0), (2026, 11, 24, 11, 20), "quiet"),
        ((2026, 11, 24, 11, 0), (2026, 11, 24, 16, 5), "expired"),
        ((2026, 11, 23, 15, 59), (2026, 11, 23, 23, 0), "closed"),
        ((2026, 11, 23, 15, 59), (2026, 11, 24, 0, 0), "closed"),
        ((2026, 11, 23, 15, 59), (2026, 11, 24, 9, 31), "from_yesterday"),
        ((2026, 11, 20, 15, 59), (2026, 11, 22, 12, 0), "closed"),
        ((2026, 11, 20, 15, 59), (2026, 11, 23, 9, 31), "from_yesterday"),
        ((2026, 11, 23, 9, 0), (2026, 11, 23, 9, 31), "stale"),
        ((2026, 11, 24, 15, 0), (2026, 11, 25, 11, 0), "expired"),
        ((2026, 11, 20, 15, 59), (2026, 11, 28, 12, 0), "expired"),
    ],
)
def test_a_laptop_that_slept_shows_nothing_as_current(
    asleep: tuple[int, ...], awake: tuple[int, ...], state: str
) -> None:
    """Without a new price, the tables are recomputed, and the age has grown."""
    before, after = (dt.datetime(*each, tzinfo=NEW_YORK).astimezone(dt.UTC) for each in (asleep, awake))
    position = option("XYZ", 50, expiry=TUESDAY)
    prices: dict[str, Sides] = {contract_symbol("XYZ", position): (3.0, 3.2)}
    made = before - SECOND
    _, evening = view_of(position, quoted(world(before), made, prices))
    live = quoted(world(after), made, prices)
    row, _ = view_of(position, live)
    assert row["state"] == state
    assert row["quote_age_seconds"] == (after - made).total_seconds()
    assert not evening.holds_for(live)
