"""Activities of the account, read strictly, because a broken row must not be read as a different fact."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from options_helper.data.account.activities import date_of, is_canceled, read_activity
from options_helper.data.account.history import read_parents
from options_helper.market import BrokerEvent, BrokerFill, CashChange
from tests.builders import make_fill

SHARES = {
    "activity_type": "OPTRD",
    "id": "t1",
    "symbol": "AAPL",
    "qty": "100",
    "price": "240",
    "date": "2026-11-20",
    "group_id": "g",
}
EXPIRY = {"activity_type": "OPEXP", "id": "e1", "symbol": "AAPL261120C00250000", "qty": "-1"}
FEE = {"activity_type": "FEE", "id": "f", "date": "2026-11-20", "net_amount": "-0.5"}


@pytest.mark.parametrize(
    "broken",
    [
        make_fill(1, side=None),
        make_fill(1, side="held"),
        make_fill(1, id=None),
        make_fill(1, id=""),
        make_fill(1, id=7),
        make_fill(1, order_id=None),
        make_fill(1, symbol=""),
        make_fill(1, qty="0"),
        make_fill(1, price="n/a"),
        make_fill(1, cum_qty=None),
        make_fill(1, activity_type=None),
        {**SHARES, "id": None},
        {**SHARES, "price": "n/a"},
        {**SHARES, "price": None},
        {**SHARES, "symbol": ""},
        EXPIRY,
        {**FEE, "date": None},
        {**FEE, "net_amount": None},
        *({**FEE, "activity_type": kind, "net_amount": "5000"} for kind in ("MA", "REORG", "CIL")),
        *(
            {**FEE, "activity_type": kind, "net_amount": "0", "qty": "100"}
            for kind in ("ACATS", "JNLS", "SPIN")
        ),
    ],
    ids=repr,
)
def test_a_broken_row_is_unreadable(broken: dict[str, Any]) -> None:
    """A fill without a side or price is unreadable; a merger's cash and transferred shares are not income."""
    assert read_activity(broken) is None


@pytest.mark.parametrize(("side", "quantity"), [("buy", 1), ("sell", -1), ("sell_short", -1), ("SELL", -1)])
def test_a_fill_is_signed_by_its_side(side: str, quantity: int) -> None:
    """Each of Alpaca's words for a side gives the quantity its sign."""
    fill = read_activity(make_fill(1, side=side))
    assert isinstance(fill, BrokerFill)
    assert fill.quantity == quantity


def test_only_shares_need_a_price() -> None:
    """An expiry has no price; without a date of its own, it gets the New York date of its booking."""
    shares, expiry = read_activity(SHARES), read_activity({**EXPIRY, "created_at": "2026-11-21T02:00:00Z"})
    assert isinstance(shares, BrokerEvent)
    assert isinstance(expiry, BrokerEvent)
    assert (shares.price, expiry.price, expiry.date) == (240, None, dt.date(2026, 11, 20))


def test_a_settlement_keeps_its_amount() -> None:
    """The amount belongs to the event, and is neither a fee nor a dividend."""
    settled = read_activity(
        {**EXPIRY, "activity_type": "OPCSH", "date": "2026-11-20", "qty": None, "net_amount": "-2000"}
    )
    assert isinstance(settled, BrokerEvent)
    assert (settled.quantity, settled.amount) == (0, -2000)


@pytest.mark.parametrize(
    ("kind", "is_transfer"), [("FEE", False), ("DIVNRA", False), ("CSD", True), ("JNLC", True)]
)
def test_cash_is_a_result_unless_it_is_transferred(kind: str, is_transfer: bool) -> None:
    """Fees and dividends are part of the result; deposits and journals are not."""
    change = read_activity({**FEE, "activity_type": kind})
    assert isinstance(change, CashChange)
    assert (change.amount, change.is_transfer) == (Decimal("-0.5"), is_transfer)


@pytest.mark.parametrize("status", ["executed", "correct", "canceled", "cancelled", None])
def test_a_canceled_row_did_not_happen(status: str | None) -> None:
    """Both of Alpaca's spellings of "canceled" are understood."""
    assert is_canceled({**FEE, "status": status}) is (status in {"canceled", "cancelled"})


def test_an_unreadable_row_may_still_have_a_date() -> None:
    """An unreadable row has its own date in New York, or the one at the beginning of its id."""
    late = {"transaction_time": "2026-11-21T02:00:00Z", "id": "20261130xyz"}
    dates = [date_of(row) for row in (late, {"date": "2026-11-20"}, {"id": "20261119150005123::x"}, {}, None)]
    assert dates == [dt.date(2026, 11, 20), dt.date(2026, 11, 20), dt.date(2026, 11, 19), None, None]


def test_legs_without_an_id_have_no_parent() -> None:
    """A missing id is not read as text, and an order that is not a leg has no parent."""
    legs = [{"id": "a"}, {"id": None}, {}, None]
    orders = [
        {"id": None, "order_class": "mleg", "legs": legs},
        {"id": "o", "order_class": "mleg", "legs": legs},
    ]
    assert read_parents(orders) == {"a": "o"}
