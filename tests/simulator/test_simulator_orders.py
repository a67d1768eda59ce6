"""The simulated account: its ledger adds up, its updates report what happened, its scripts are seeded."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from itertools import count, pairwise
from typing import Any

import pytest

from options_helper.simulator.account.brackets import place_bracket
from options_helper.simulator.account.order_desk import OrderDesk
from options_helper.simulator.account.order_flow import OrderFlow
from options_helper.simulator.account.orders import LegRequest, text_of, to_cents
from options_helper.simulator.account.portfolio import demo_portfolio, holdings
from options_helper.simulator.market.contracts import parse_contract
from options_helper.simulator.market.market import Market
from options_helper.simulator.wire import Nanoseconds

CALL, PUT = "AAPL271217C00270000", "AAPL271217P00270000"
TODAY = dt.date(2026, 11, 20)
NINE = Decimal(9)


class Account:
    """An account whose updates are kept and whose clock counts seconds."""

    def __init__(self, seed: int = 7) -> None:
        seconds = count(1_790_000_000)
        self.updates: list[dict[str, Any]] = []
        self.desk = OrderDesk(
            seed, self.updates.append, clock=lambda: Nanoseconds(next(seconds) * 1_000_000_000)
        )

    @property
    def events(self) -> list[str]:
        return [update["event"] for update in self.updates]


@pytest.fixture
def account() -> Account:
    """An empty account."""
    return Account()


def play(seed: int, steps: int) -> Account:
    """Return an account after a number of steps of its scripts."""
    account = Account(seed)
    market = Market(seed, TODAY)
    flow = OrderFlow(seed, account.desk, market, lambda: [CALL, PUT, "MSFT271217C00500000"])
    for _ in range(steps):
        market.tick()
        flow.step()
    return account


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 6))
def test_a_fill_comes_each_minute_or_so(seed) -> None:
    """In two hours of the demo, fills are at most 100 seconds apart, and at most 120 an hour."""
    now, filled_at = [0.0], []
    desk = OrderDesk(
        seed,
        lambda update: filled_at.append(now[0]) if "fill" in update["event"] else None,
        held=holdings(demo_portfolio(TODAY), TODAY),
        clock=lambda: Nanoseconds(int((1_790_000_000 + now[0]) * 1e9)),
    )
    contracts = [symbol for symbol, _, _ in desk.positions if parse_contract(symbol)]
    flow = OrderFlow(seed, desk, Market(seed, TODAY), lambda: contracts)
    for step in range(2 * 7_200):
        now[0] = step / 2
        flow.step()
    assert max(after - before for before, after in pairwise([0.0, *filled_at, now[0]])) < 100
    assert 80 < len(filled_at) < 240


def test_partial_fills_add_up(account) -> None:
    """Executions have their own quantities and prices, and the order has their sum and average."""
    order = account.desk.place(CALL, "buy", 3, limit_price=NINE)
    account.desk.fill(order, 1, [NINE])
    account.desk.fill(order, prices=[Decimal("8.7")])
    assert account.events == ["pending_new", "new", "partial_fill", "fill"]
    first, second = account.desk.executions
    assert (first.qty, first.cumulative, first.remaining, first.kind) == (1, 1, 2, "partial_fill")
    assert (second.qty, second.cumulative, second.remaining, second.kind) == (2, 3, 0, "fill")
    last = account.updates[-1]
    assert (last["price"], last["qty"], last["position_qty"]) == ("8.7", "2", "3")
    assert (last["order"]["filled_qty"], last["order"]["filled_avg_price"]) == ("3", "8.8")
    assert account.desk.ledger().filled_quantity(order.id) == 3


def test_a_closed_order_or_an_excess_quantity_cannot_be_filled(account) -> None:
    """Filling zero, more than remains, or a closed order raises."""
    order = account.desk.place(CALL, "buy", 1)
    for wrong in (0, 2):
        with pytest.raises(ValueError, match="cannot fill"):
            account.desk.fill(order, wrong, [NINE])
    account.desk.close(order, "canceled")
    with pytest.raises(ValueError, match="canceled"):
        account.desk.fill(order, 1, [NINE])


@pytest.mark.parametrize(
    ("status", "moment"),
    [
        ("canceled", "canceled_at"),
        ("expired", "expired_at"),
        ("rejected", "failed_at"),
        ("done_for_day", None),
    ],
)
def test_an_order_ends(account, status, moment) -> None:
    """An order that ends has its status and the matching time, and so do its legs."""
    order = account.desk.place_multileg([LegRequest(CALL, "buy"), LegRequest(PUT, "sell")], 1)
    account.desk.close(order, status, reason="CORPORATE_ACTION")
    update = account.updates[-1]
    assert (update["event"], update["reason"], update["order"]["status"]) == (
        status,
        "CORPORATE_ACTION",
        status,
    )
    assert {leg["status"] for leg in update["order"]["legs"]} == {status}
    set_moments = [name for name in update["order"] if name.endswith("_at") and update["order"][name]]
    expected = ["created_at", "updated_at", "submitted_at", *([moment] if moment else [])]
    assert set(set_moments) == set(expected)


def test_pending_new_comes_six_milliseconds_before_new(account) -> None:
    """An order is pending from its creation, and new six milliseconds later, before its executions."""
    legs = [LegRequest(CALL, "buy"), LegRequest(PUT, "sell")]
    orders = [account.desk.place(CALL, "buy", 1), account.desk.place_multileg(legs, 1)]
    account.desk.fill(orders[0], prices=[NINE])
    for pending, new, order in zip(account.updates[::2], account.updates[1::2], orders, strict=False):
        times = [Nanoseconds.parse(update["timestamp"]) for update in (pending, new)]
        assert times == [order.created_at, order.created_at + 6_000_000]
        for update in (pending, new):
            rows = [update["order"], *(update["order"]["legs"] or ())]
            assert {row["status"] for row in rows} == {update["event"]}
    assert Nanoseconds.parse(account.updates[-1]["timestamp"]) > orders[0].created_at + 6_000_000


def test_a_bracket_waits_for_its_entry(account) -> None:
    """A bracket's legs are held until the entry has filled; when one fills, the other is canceled."""
    entry = place_bracket(account.desk, "SPY", "buy", 11, limit_price=Decimal(700), stop_price=Decimal(640))
    profit, stop = entry.legs
    assert (profit.status, stop.status, profit.limit_price, stop.stop_price) == ("held", "held", 700, 640)
    account.desk.fill(entry, prices=[Decimal(660)])
    assert account.events == ["pending_new", "new", "fill", "new"]
    assert (entry.status, profit.status, stop.status) == ("filled", "new", "held")
    assert account.updates[-1]["order"]["id"] == profit.id
    account.desk.fill(profit, prices=[Decimal(700)])
    assert (profit.status, stop.status) == ("filled", "canceled")
    assert account.desk.positions.quantity("SPY") == 0
    assert account.events[-2:] == ["fill", "canceled"]


def test_a_legs_bust_comes_with_its_spread(account) -> None:
    """A leg's bust is an update of the multi-leg order, and names the leg's execution."""
    parent = account.desk.place_multileg([LegRequest(CALL, "buy"), LegRequest(PUT, "sell")], 2)
    account.desk.fill(parent, prices=[Decimal(3), Decimal(2)])
    busted = account.desk.executions[-1]
    account.desk.bust(busted.execution_id)
    update = account.updates[-1]
    assert (update["order"]["id"], update["previous_execution_id"]) == (parent.id, busted.execution_id)
    assert [leg["filled_qty"] for leg in update["order"]["legs"]] == ["2", "0"]
    assert account.desk.positions.quantity(PUT) == 0


def test_replaced_orders_are_joined(account) -> None:
    """A replaced order and its successor name each other."""
    order = account.desk.place(CALL, "buy", 2, limit_price=NINE)
    successor = account.desk.replace(order, qty=1, limit_price=Decimal("9.1"))
    assert account.events == ["pending_new", "new", "replaced", "new"]
    assert account.updates[2]["order"]["replaced_by"] == successor.id
    assert account.updates[3]["order"]["replaces"] == order.id
    assert order.closed


def test_a_multileg_fill_is_one_update_and_one_execution_per_leg(account) -> None:
    """The parent's price is net, negative for a credit, and legs have quantities by ratio."""
    legs = [LegRequest(CALL, "buy", ratio=1), LegRequest(PUT, "sell", ratio=2)]
    parent = account.desk.place_multileg(legs, 2, limit_price=Decimal(-1))
    account.desk.fill(parent, 1, [Decimal(3), Decimal(2)])
    account.desk.fill(parent, prices=[Decimal(4), Decimal(2)])
    assert account.events == ["pending_new", "new", "partial_fill", "fill"]
    update = account.updates[-1]
    assert (update["price"], update["qty"]) == ("0", "1")
    assert "position_qty" not in update
    assert account.updates[2]["price"] == "-1"
    order = update["order"]
    assert (order["symbol"], order["side"], order["asset_class"]) == ("", "buy", "")
    assert (order["filled_qty"], order["filled_avg_price"]) == ("2", "-0.5")
    assert [(leg["filled_qty"], leg["filled_avg_price"]) for leg in order["legs"]] == [
        ("2", "3.5"),
        ("4", "2"),
    ]
    executions = account.desk.ledger().executions
    assert [(one.symbol, one.qty) for one in executions] == [(CALL, 1), (PUT, 2), (CALL, 1), (PUT, 2)]
    assert {one.parent_id for one in executions} == {parent.id}
    assert len({one.execution_id for one in executions}) == 4
    assert len({one.activity_id for one in executions}) == 4


def test_a_bust_undoes(account) -> None:
    """A bust removes an execution from its order and its position, and the update names the execution."""
    order = account.desk.place(CALL, "sell", 2)
    account.desk.fill(order, 1, [NINE])
    account.desk.fill(order, 1, [Decimal(10)])
    first = account.desk.executions[0]
    account.desk.bust(first.execution_id)
    update = account.updates[-1]
    assert update["event"] == "trade_bust"
    assert update["previous_execution_id"] == first.execution_id
    assert update["execution_id"] != first.execution_id
    assert (update["order"]["filled_qty"], update["order"]["filled_avg_price"]) == ("1", "10")
    assert update["order"]["status"] == "partially_filled"
    assert update["position_qty"] == "-1"
    assert account.desk.ledger().filled_quantity(order.id) == 1
    with pytest.raises(KeyError):
        account.desk.bust("unknown")


def test_a_correction_changes_the_price(account) -> None:
    """A correction changes price and average, not the quantity."""
    order = account.desk.place(CALL, "buy", 1)
    account.desk.fill(order, prices=[NINE])
    account.desk.correct(account.desk.executions[0].execution_id, Decimal("8.5"))
    assert account.events[-1] == "trade_correct"
    assert account.updates[-1]["order"]["filled_avg_price"] == "8.5"
    assert account.desk.executions[0].price == Decimal("8.5")


@pytest.mark.parametrize(
    ("fills", "position"),
    [
        ([("buy", 2, 10), ("buy", 2, 20)], (4, 15)),
        ([("buy", 2, 10), ("sell", 1, 20)], (1, 10)),
        ([("buy", 2, 10), ("sell", 3, 20)], (-1, 20)),
        ([("sell", 2, 10), ("sell", 2, 20)], (-4, 15)),
        ([("sell", 2, 10), ("buy", 5, 20)], (3, 20)),
    ],
)
def test_positions_average_their_entry(account, fills, position) -> None:
    """Adding averages the entry price, reducing keeps it, and crossing zero starts again."""
    for side, quantity, price in fills:
        account.desk.fill(account.desk.place(CALL, side, quantity), prices=[Decimal(price)])
    assert list(account.desk.positions) == [(CALL, *position)]


def test_intents_follow_the_position(account) -> None:
    """Without a given intent, an order closes an opposite holding, or opens one."""
    intents = []
    for side in ("sell", "buy", "buy", "sell"):
        order = account.desk.place(CALL, side, 1)
        intents.append(order.intent)
        account.desk.fill(order, prices=[NINE])
    assert intents == ["sell_to_open", "buy_to_close", "buy_to_open", "sell_to_close"]


def test_order_flow_is_seeded() -> None:
    """One seed always gives the same scripts and identifiers, and another seed gives others."""
    assert play(7, 300).updates == play(7, 300).updates
    assert play(7, 300).updates != play(8, 300).updates


def test_every_kind_of_event_occurs() -> None:
    """A long day has whole and partial fills, cancels, rejections, replacements and spreads."""
    account = play(7, 6000)
    assert set(account.events) == {
        "pending_new",
        "new",
        "fill",
        "partial_fill",
        "pending_cancel",
        "canceled",
        "rejected",
        "replaced",
    }
    assert any(update["order"]["order_class"] == "mleg" for update in account.updates)


def test_the_ledger_adds_up_after_a_long_day() -> None:
    """Executions add up to each order's filled quantity and to the positions."""
    desk = play(11, 4000).desk
    ledger = desk.ledger()
    for order in ledger.orders:
        if not order.legs:
            assert ledger.filled_quantity(order.id) == order.filled_qty
    for symbol, held, _ in desk.positions:
        signed = (
            one.qty if one.side == "buy" else -one.qty for one in ledger.executions if one.symbol == symbol
        )
        assert sum(signed) == held


def test_no_contracts_no_orders() -> None:
    """Without a known contract, nothing happens; expired contracts are not traded."""
    for contracts in ([], ["AAPL200117C00270000"]):
        account = Account()
        flow = OrderFlow(7, account.desk, Market(7, TODAY), lambda known=contracts: known)
        for _ in range(200):
            flow.hurry()
            flow.step()
        assert account.updates == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 7, 23])
def test_no_execution_goes_through_zero(seed) -> None:
    """An opening order increases the position, and a closing one never crosses zero."""
    desk = play(seed, 12_000).desk
    assert len(desk.executions) > 100
    closing = [one for one in desk.executions if desk.orders[one.order_id].intent.endswith("to_close")]
    assert closing
    for one in desk.executions:
        before = one.position_after - (one.qty if one.side == "buy" else -one.qty)
        assert before * one.position_after >= 0
        shrank = abs(one.position_after) < abs(before)
        assert shrank is (one in closing)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        (Decimal(0), "0"),
        (Decimal("1.50"), "1.5"),
        (Decimal(1) / 3, "0.333333333"),
        (Decimal(100), "100"),
    ],
)
def test_numbers_as_alpaca_writes_them(value, text) -> None:
    """Numbers have plain digits, no trailing zeros and at most nine decimals."""
    assert text_of(value) == text


def test_prices_in_cents() -> None:
    """A price becomes a whole number of cents."""
    assert to_cents(1.005) in {Decimal("1.00"), Decimal("1.01")}
    assert to_cents(7.1) == Decimal("7.10")


@pytest.mark.parametrize(
    "text",
    ["2026-11-22T12:37:30.000000001Z", "2026-11-22T12:37:30.212885123Z", "2026-11-22T12:37:30.999999999Z"],
)
def test_times_keep_their_nanoseconds(text) -> None:
    """A time read from text and written again is the same, to the nanosecond."""
    assert Nanoseconds.parse(text).to_text() == text
    assert Nanoseconds.parse("2026-11-22") == Nanoseconds.of(dt.datetime(2026, 11, 22, tzinfo=dt.UTC))
