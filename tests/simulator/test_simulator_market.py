"""The seeded market: reproducible, consistent and plausible."""

from __future__ import annotations

import datetime as dt
import math

import pytest
import time_machine
from hypothesis import example, given
from hypothesis import strategies as st

from options_helper.analysis.contracts.expiry import expiry_time
from options_helper.data.calendar.market_clock import ExchangeCalendar, _exchange_sessions
from options_helper.simulator.account.portfolio import demo_portfolio, holdings, with_nearest_expiry
from options_helper.simulator.market.contracts import (
    contract_symbol,
    is_stock_symbol,
    parse_contract,
    root_of,
)
from options_helper.simulator.market.holidays import is_trading_day
from options_helper.simulator.market.market import Market, is_index, price_step
from options_helper.simulator.market.mid_session import NEW_YORK, MidSession
from options_helper.simulator.market.pricing import RATE, value_option
from options_helper.simulator.market.tape import Tape

TODAY = dt.date(2026, 11, 20)
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
SYMBOLS = ["AAPL", "BRK.B", "ZQXW", "AAPL261218C00270000", "BRKB261218P00500000", "SPXW261218C06700000"]


def walk(market: Market, symbols: list[str], steps: int) -> list[object]:
    """Return every quote, trade and choice of these symbols over a number of steps."""
    seen: list[object] = []
    for _ in range(steps):
        market.tick()
        seen += [(market.quote(one), market.trade_price(one), market.quotes_now(one)) for one in symbols]
    return seen


def test_one_seed_one_market() -> None:
    """Two markets with the same seed have the same prices at each step; another seed gives others."""
    assert walk(Market(7, TODAY), SYMBOLS, 50) == walk(Market(7, TODAY), SYMBOLS, 50)
    assert walk(Market(7, TODAY), SYMBOLS, 50) != walk(Market(8, TODAY), SYMBOLS, 50)


def test_prices_do_not_depend_on_earlier_requests() -> None:
    """A symbol's price does not depend on when it is first requested."""
    asked, late = Market(7, TODAY), Market(7, TODAY)
    walk(asked, ["AAPL", "MSFT"], 30)
    for _ in range(30):
        late.tick()
    assert late.spot("MSFT") == asked.spot("MSFT")


def test_prices_move_and_stay_near() -> None:
    """Over a few thousand steps a price moves, and stays within a few percent of yesterday's close."""
    market = Market(7, TODAY)
    prices = []
    for _ in range(5000):
        market.tick()
        prices.append(market.spot("AAPL"))
    assert len({round(price, 2) for price in prices}) > 200
    assert max(abs(price / market.previous_close("AAPL") - 1) for price in prices) < 0.06


@given(
    st.sampled_from(["AAPL", "BRK.B", "TSLA", "QWER", "SPX"]),
    st.floats(0.5, 1.6),
    st.integers(0, 400),
    st.sampled_from(["call", "put"]),
)
def test_option_quotes_are_quotes(underlying, share, days, kind) -> None:
    """Any option has a bid below its ask, both on its price steps, around its theoretical value."""
    market = Market(7, TODAY)
    strike = max(round(market.previous_close(underlying) * share), 1)
    symbol = contract_symbol(root_of(underlying), TODAY + dt.timedelta(days=days), kind, strike)
    contract = parse_contract(symbol)
    assert contract is not None
    value, quote = market.option_value(contract), market.option_quote(contract)
    assert value is not None
    assert quote is not None
    assert 0 <= quote.bid < quote.ask
    assert quote.bid <= value.price + 0.051
    assert quote.ask >= value.price - 0.051
    step = price_step(value.price)
    assert math.isclose(quote.ask / step, round(quote.ask / step), abs_tol=1e-6)
    assert min(quote.bid_size, quote.ask_size) >= 1
    price = market.trade_price(symbol)
    assert price is not None
    assert quote.bid - 0.051 <= price <= quote.ask + 0.051


@given(st.floats(50, 500), st.floats(0.5, 2.0), st.floats(0.02, 2.0), st.floats(0.1, 1.0))
def test_calls_and_puts_keep_parity(spot, moneyness, years, volatility) -> None:
    """Call minus put is the price minus the discounted strike, and their deltas differ by one."""
    strike = spot * moneyness
    call = value_option(spot, strike, years, volatility, is_call=True)
    put = value_option(spot, strike, years, volatility, is_call=False)
    assert call.price - put.price == pytest.approx(spot - strike * math.exp(-RATE * years), abs=1e-6)
    assert call.delta - put.delta == pytest.approx(1)
    assert (call.gamma, call.vega) == pytest.approx((put.gamma, put.vega))


def test_greeks_are_slopes() -> None:
    """Each Greek is the slope of the price with respect to its variable."""

    def price(spot: float = 100, years: float = 0.5, volatility: float = 0.3) -> float:
        return value_option(spot, 105, years, volatility, is_call=True).price

    value = value_option(100, 105, 0.5, 0.3, is_call=True)
    assert value.delta == pytest.approx((price(spot=100.01) - price(spot=99.99)) / 0.02, rel=1e-4)
    gamma = (price(spot=100.1) - 2 * price() + price(spot=99.9)) / 0.01
    assert value.gamma == pytest.approx(gamma, rel=1e-3)
    assert value.vega == pytest.approx((price(volatility=0.301) - price(volatility=0.299)) / 0.2, rel=1e-3)
    day = 1 / 365
    assert value.theta == pytest.approx((price(years=0.5 - day) - price(years=0.5 + day)) / 2, rel=1e-3)


def test_quotes_are_consistent() -> None:
    """When a price is pinned higher, calls are worth more and puts less."""
    market = Market(7, TODAY)
    call, put = "AAPL261218C00270000", "AAPL261218P00270000"
    before = market.quote(call), market.quote(put)
    market.pin("AAPL", 300.0)
    after = market.quote(call), market.quote(put)
    assert before[0] is not None
    assert before[1] is not None
    assert after[0] is not None
    assert after[1] is not None
    assert after[0].bid > before[0].ask
    assert after[1].ask < before[1].bid
    assert market.stock_quote("AAPL").bid < 300 < market.stock_quote("AAPL").ask + 0.01


def test_some_contracts_are_quiet() -> None:
    """About one contract in eight is hardly ever quoted, and no stock is."""
    market = Market(7, TODAY)
    symbols = [f"AAPL261218C{strike * 1000:08d}" for strike in range(100, 500)]
    quiet = [symbol for symbol in symbols if market.is_quiet(symbol)]
    assert 25 < len(quiet) < 80
    assert all(market.activity(symbol) < 0.01 for symbol in quiet)
    assert not market.is_quiet("AAPL")


def test_an_expired_contract_has_no_price() -> None:
    """After its expiry, a contract has no value, quote, trade or close."""
    market, gone = Market(7, TODAY), parse_contract("AAPL261119C00270000")
    assert gone is not None
    tape = Tape(market)
    assert market.option_value(gone) is None
    assert market.previous_option_close(gone) is None
    assert tape.latest_quote(gone.symbol) is None
    assert tape.latest_trade(gone.symbol) is None
    for _ in range(50):
        market.tick()
        assert tape.tick([gone.symbol]) == []


@pytest.mark.parametrize("at", ["2026-11-20 00:00:20", "2026-11-01 00:00:01", "2026-11-20 00:30:00"])
def test_no_first_quote_is_from_the_day_before(at) -> None:
    """The first quotes and trades have an age, but are from today."""
    now = dt.datetime.fromisoformat(at).replace(tzinfo=NEW_YORK)
    with time_machine.travel(now, tick=False):
        tape = Tape(Market(7, now.date()))
        symbols = ["AAPL", *(f"AAPL261218C00{strike}000" for strike in range(240, 290, 5))]
        messages = [m for s in symbols for m in (tape.latest_quote(s), tape.latest_trade(s)) if m is not None]
    times = [message["t"].to_new_york() for message in messages]
    assert {one.date() for one in times} == {now.date()}
    assert min(times) < now, "no message is older than this moment"


def test_the_last_day_has_a_price() -> None:
    """A contract is priced until the end of its last day."""
    assert Market(7, TODAY).quote("AAPL261120C00270000") is not None


@pytest.mark.parametrize(
    ("symbol", "underlying", "strike", "adjusted", "european"),
    [
        ("AAPL261218C00270000", "AAPL", 270.0, False, False),
        ("BRKB261218P00500500", "BRK.B", 500.5, False, False),
        ("CSGP1261218P00001000", "CSGP", 1.0, True, False),
        ("SPXW261218C06700000", "SPX", 6700.0, False, True),
        ("AAPL991218C00270000", "AAPL", 270.0, False, False),
    ],
)
def test_contract_symbols(symbol, underlying, strike, adjusted, european) -> None:
    """A contract symbol gives its underlying and strike, and whether it is adjusted or European."""
    contract = parse_contract(symbol)
    assert contract is not None
    assert (contract.underlying, contract.strike) == (underlying, strike)
    assert (contract.adjusted, contract.european) == (adjusted, european)
    assert contract.expiry.year // 100 == 20
    kind = "call" if contract.is_call else "put"
    assert contract_symbol(contract.root, contract.expiry, kind, contract.strike) == symbol


@pytest.mark.parametrize(
    "symbol", ["AAPL", "BRK.B261218C00500000", "AAPL261332C00270000", "aapl261218C00270000", ""]
)
def test_invalid_contracts_are_refused(symbol) -> None:
    """A malformed symbol gives no contract."""
    assert parse_contract(symbol) is None


def test_stock_symbols() -> None:
    """Stocks are capitals with a class after a dot; indices are known by name."""
    assert is_stock_symbol("BRK.B")
    assert not is_stock_symbol("BRK-B")
    assert is_index("SPX")
    assert not is_index("SPY")


@given(st.integers(0, 2 * 365 * 24 * 60), st.integers(0, 60))
def test_it_is_always_mid_session(minutes, hours) -> None:
    """Whenever it started, the market is open, its close is ahead, and today is a trading day."""
    started = dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=minutes)
    session, now = MidSession(started), started + dt.timedelta(hours=hours)
    close = session.next_close(now)
    assert dt.timedelta(minutes=30) <= close - now <= dt.timedelta(hours=3)
    opening = session.next_open(now)
    assert opening > close
    library = ExchangeCalendar()
    assert library.session(opening.date())
    today = now.astimezone(NEW_YORK).date()
    [day] = session.days(today, today, now)
    assert day.early <= day.open < day.close <= day.late
    previous = session.previous_day(now)
    assert previous < today
    assert library.session(previous)
    assert library.session(session.settlement(today))


@pytest.mark.slow
def test_the_exchanges_holidays_equal_the_librarys() -> None:
    """On every day of twenty years the simulator and the calendar library agree."""
    first, last = dt.date(2026, 1, 1), dt.date(2045, 12, 31)
    days = [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]
    library = [session.date for session in _exchange_sessions(first.year, last.year)]
    assert [day for day in days if is_trading_day(day)] == library


def test_a_calendar_omits_thanksgiving() -> None:
    """The days of a span are those with a session, and the simulator's own day."""
    now = dt.datetime(2026, 11, 24, 17, tzinfo=dt.UTC)
    days = MidSession(now).days(dt.date(2026, 11, 25), dt.date(2026, 11, 30), now)
    assert [day.date.day for day in days] == [25, 27, 30]
    assert MidSession(now).settlement(dt.date(2026, 11, 25)) == dt.date(2026, 11, 27)


@given(st.dates(dt.date(2026, 1, 1), dt.date(2027, 12, 31)))
def test_the_demo_portfolio_fits_any_day(today) -> None:
    """On any day, expiries are future Fridays, prices are near the market's, and ids are unique."""
    portfolio = demo_portfolio(today)
    assert portfolio["cash"] == 12_400
    positions = portfolio["positions"]
    assert len({position["id"] for position in positions}) == len(positions) == 9
    for position in positions:
        for part in position.get("legs", [position]):
            if "expiry" in part:
                expiry = dt.date.fromisoformat(part["expiry"])
                assert expiry > today
                assert expiry.weekday() == 4
                assert ExchangeCalendar().session(expiry)
    market = Market(7, today)
    held = holdings(portfolio, today)
    assert held["AMZN"][0] == 100
    for symbol, (_, entry) in held.items():
        quote = market.quote(symbol)
        assert quote is not None, symbol
        assert entry == pytest.approx((quote.bid + quote.ask) / 2, rel=0.5, abs=3)


@given(st.integers(0, 9 * 365 * 24 * 60).map(lambda minutes: START + dt.timedelta(minutes=minutes)))
@example(dt.datetime(2026, 11, 27, 19, 59, tzinfo=dt.UTC)).via("a Friday, a minute before 15:00 in New York")
@example(dt.datetime(2026, 11, 27, 20, 0, tzinfo=dt.UTC)).via("a minute later")
@example(dt.datetime(2026, 11, 29, 23, 30, tzinfo=dt.UTC)).via("a Sunday evening")
@example(dt.datetime(2026, 12, 1, 4, 50, tzinfo=dt.UTC)).via("ten minutes before midnight in New York")
def test_the_demos_nearest_positions_are_alive_at_any_hour(now) -> None:
    """The nearest positions are quoted; they expire today before 15:00, else on the next trading day."""
    here = now.astimezone(NEW_YORK)
    portfolio = with_nearest_expiry({"positions": []}, now)
    parts = [leg for one in portfolio["positions"] for leg in one.get("legs", [one])]
    (expiry,) = {dt.date.fromisoformat(part["expiry"]) for part in parts}
    trades_today = ExchangeCalendar().session(here.date()) is not None
    assert (expiry == here.date()) == (trades_today and here.hour < 15)
    assert ExchangeCalendar().session(expiry)
    assert expiry_time("QQQ", expiry) - now > dt.timedelta(hours=1)
    market = Market(7, here.date())
    assert all(market.quote(symbol) for symbol in holdings(portfolio, here.date()))


def test_holdings_add_up() -> None:
    """One contract in two positions is one holding at the average price; a sum of zero is none."""
    terms = {"option_type": "call", "expiry": "2026-12-18", "strike": 270}
    single = {"symbol": "AAPL", **terms, "contracts": 2, "cost_basis": 4.0}
    other = {**single, "contracts": 2, "cost_basis": 6.0}
    assert holdings({"positions": [single, other]}, TODAY) == {"AAPL261218C00270000": (4, 5)}
    short = {"symbol": "AAPL", "legs": [{"side": "short", **terms, "contracts": 2}]}
    assert holdings({"positions": [single, short]}, TODAY) == {"AAPL261218C00270000": (0, 0)}
    rooted = {"symbol": "SPX", **terms, "root": "SPXW", "strike": 6700, "contracts": -1, "cost_basis": 9.0}
    assert holdings({"positions": [rooted]}, TODAY) == {"SPXW261218C06700000": (-1, 9)}
