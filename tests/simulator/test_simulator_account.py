"""The simulated account's money, and the ways in which the demonstration's account differs from its file."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from decimal import Decimal
from typing import Any

import pytest

pytest.importorskip("aiohttp", reason="the simulator needs aiohttp (pip install -e '.[dev]')")

from collections.abc import Iterator

from options_helper.analysis.account.day_result import sum_up_day
from options_helper.analysis.account.equity import explain_equity
from options_helper.data.account.activity_log import ActivityLog
from options_helper.data.rest.client import AlpacaRest
from options_helper.data.settings import load_settings
from options_helper.data.streaming.backfill.rest_rows import read_broker_account, read_positions
from options_helper.simulator.account.differences import ASSIGNED_AFTER_STEPS
from options_helper.simulator.account.orders import LegRequest
from options_helper.simulator.account.portfolio import demo_portfolio, with_expired
from options_helper.simulator.market.contracts import parse_contract
from options_helper.simulator.server import AlpacaSimulator
from options_helper.times import new_york_date, start_of_day, utc_now

pytestmark = pytest.mark.integration


@pytest.fixture
def simulator() -> Iterator[AlpacaSimulator]:
    """The demonstration's account before anything happened today."""
    document = demo_portfolio(new_york_date(utc_now()))
    with AlpacaSimulator(portfolio=document, tick_seconds=0, order_interval_seconds=0) as simulator:
        yield simulator


@pytest.fixture
def rest(simulator: AlpacaSimulator) -> Iterator[AlpacaRest]:
    """A client of the account."""
    with closing(AlpacaRest(load_settings(simulator.environment()))) as rest:
        yield rest


def held(simulator: AlpacaSimulator) -> dict[str, Decimal]:
    """Signed quantity by symbol."""
    return simulator.call(
        lambda: {symbol: quantity for symbol, quantity, _ in simulator._world.desk.positions}
    )


def money(rest: AlpacaRest) -> dict[str, Decimal]:
    """The account's figures."""
    row = rest.account()
    return {name: Decimal(str(row[name])) for name in ("cash", "equity", "last_equity")}


def test_money_follows_every_trade(simulator: AlpacaSimulator, rest: AlpacaRest) -> None:
    """A purchase reduces cash by its price, and equity is cash plus the value of all positions."""
    before = money(rest)
    symbol = next(one for one in held(simulator) if parse_contract(one))
    simulator.fill_now(symbol, "buy" if held(simulator)[symbol] > 0 else "sell", 1, 2.5)
    after = money(rest)
    assert abs(after["cash"] - before["cash"]) == 250
    values = sum((Decimal(str(row["market_value"])) for row in rest.positions()), Decimal(0))
    assert after["equity"] == after["cash"] + values
    assert after["last_equity"] == before["last_equity"]


def test_a_day_of_trades_earns_what_equity_gained(simulator: AlpacaSimulator, rest: AlpacaRest) -> None:
    """Opens, closes, a roll, an assignment, an expiry, fees and a deposit add up to equity's change."""
    longs = [one for one, quantity in held(simulator).items() if quantity > 0 and parse_contract(one)]
    shorts = [one for one, quantity in held(simulator).items() if quantity < 0 and parse_contract(one)]
    put = next(one for one in shorts if not is_call(one))
    shares = next(one for one in held(simulator) if parse_contract(one) is None)
    simulator.fill_now(longs[0], "sell", 1, 3.3)
    simulator.fill_now(longs[1], "buy", 2, 4.1)
    simulator.fill_now(shares, "sell", 5, 640.5)
    calls = [one for one in longs if is_call(one)]
    roll = [LegRequest(calls[-1], "sell"), LegRequest(calls[0], "buy")]
    simulator.fill(simulator.place_multileg_order(roll), prices=[2.2, 3.1])
    simulator.settle("OPASN", put, 1)
    simulator.settle("OPEXP", longs[1], 1)
    simulator.move_cash("FEE", -0.65)
    simulator.move_cash("DIV", 12.5)
    simulator.move_cash("CSD", 400)
    simulator.tick()
    rows: dict[str, dict[str, Any]] = {str(row["symbol"]): row for row in rest.positions()}
    log = ActivityLog(rest)
    log.update(utc_now(), start_of_day(new_york_date(utc_now())))
    closes = {symbol: Decimal(row["lastday_price"]) for symbol, row in rows.items()}
    closes |= {
        symbol: simulator.call(lambda symbol=symbol: previous_close(simulator, symbol))
        for symbol in {one.symbol for one in (*log.fills, *log.events)} - set(closes)
    }
    day = sum_up_day(
        {symbol: Decimal(row["qty"]) for symbol, row in rows.items()},
        {symbol: Decimal(row["current_price"]) for symbol, row in rows.items()},
        closes,
        [*log.fills, *log.events],
        log.cash,
    )
    figures = money(rest)
    assert (day.complete, log.unreadable.rows) == (True, [])
    assert (day.cash, day.deposits) == (Decimal("11.85"), 400)
    assert day.known == figures["equity"] - figures["last_equity"] - 400


@pytest.mark.parametrize("ticks", [0, 40])
def test_prices_that_move_between_the_brokers_answers_are_named(
    simulator: AlpacaSimulator, rest: AlpacaRest, ticks: int
) -> None:
    """However far apart the two requests are, the unexplained rest is zero."""
    positions = read_positions(rest.positions())
    simulator.tick(ticks)
    for symbol in positions:
        simulator.push_trade(symbol, 3.0 + ticks)
    later = read_positions(rest.positions())
    broker = read_broker_account(rest.account(), utc_now())
    bridge = explain_equity([], Decimal(0), positions, broker)
    assert bridge is not None
    size = {symbol: 100 if parse_contract(symbol) else 1 for symbol in positions}
    moved = sum(
        Decimal(str(one.quantity)) * (Decimal(str(one.price)) - Decimal(str(later[one.symbol].price)))
        * size[one.symbol]
        for one in positions.values()
    )  # fmt: skip
    assert (bridge.rest, bridge.unpriced, bridge.between) == (0, 0, moved)
    assert moved != 0


def is_call(symbol: str) -> bool:
    """Return whether a contract is a call."""
    contract = parse_contract(symbol)
    return contract is not None and contract.is_call


def previous_close(simulator: AlpacaSimulator, symbol: str) -> Decimal:
    """The previous close of a former holding, which no position reports; called on the simulator's loop."""
    contract, market = parse_contract(symbol), simulator._world.market
    close = market.previous_close(symbol) if contract is None else market.previous_option_close(contract)
    return Decimal(str(close)).quantize(Decimal("0.01"))


def test_the_demo_account_differs_from_its_file() -> None:
    """The demo's account has had a split, an adjustment, an exercise, an expiry, trades and an assignment."""
    today = new_york_date(utc_now())
    document = with_expired(demo_portfolio(today), today)
    settings: dict[str, Any] = {"portfolio": document, "tick_seconds": 0, "order_interval_seconds": 0}
    with AlpacaSimulator(**settings) as plain, AlpacaSimulator(**settings, differs=True) as simulator:
        file, account = held(plain), held(simulator)
        prices = [
            one.call(lambda one=one: one._world.market.previous_close("SPY")) for one in (plain, simulator)
        ]
        assert (account["SPY"], prices[1]) == (2 * file["SPY"], pytest.approx(prices[0] / 2, abs=0.01))
        gone, new = set(file) - set(account), set(account) - set(file)
        [expired] = {one for one in gone if (contract := parse_contract(one)) and contract.expiry < today}
        gone.remove(expired)
        adjusted = {one for one in new if (contract := parse_contract(one)) and contract.adjusted}
        assert {account[one] for one in adjusted} == {file[one] for one in gone if file[one] < 0}
        assert len(adjusted) == 1
        [exercised] = {one for one in gone if file[one] > 0}
        contract = parse_contract(exercised)
        assert contract is not None
        [opened] = new - adjusted - {contract.underlying}
        assert (account[opened], account[contract.underlying]) == (2, 100 * file[exercised])
        changed = {symbol for symbol in set(file) & set(account) if file[symbol] != account[symbol]}
        assert len(changed) == 2
        days = {one.at.to_new_york().date() for one in simulator.ledger().executions}
        assert days > {today - dt.timedelta(days=days) for days in (0, 2)}, "structures have orders too"
        for _ in range(ASSIGNED_AFTER_STEPS):
            simulator.call(simulator._world.step_orders)
        events = simulator.call(lambda: simulator._world.desk.events.rows)
        assert [event.kind for event in events] == ["OPEXP", "OPEXC", "OPTRD", "OPASN", "OPTRD"]
        assert events[0].at.to_new_york().date() == parse_contract(expired).expiry
