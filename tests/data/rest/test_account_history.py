"""Activities of the account: strictly read, because a broken row must not become another fact."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from options_helper.data.rest.account_history import read_activities, read_parents
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
        {**SHARES, "id": None},
        {**SHARES, "price": "n/a"},
        {**SHARES, "price": None},
        {**SHARES, "symbol": ""},
        EXPIRY,
    ],
    ids=repr,
)
def test_a_broken_row_is_unreadable(broken: dict[str, Any]) -> None:
    """Without a side it is no sale, without a price its shares are not free, without an id it is no row."""
    left_out: list[str] = []
    assert read_activities([broken, make_fill(2), SHARES], left_out)[0][0].quantity == 1
    assert len(left_out) == 1


@pytest.mark.parametrize(("side", "quantity"), [("buy", 1), ("sell", -1), ("sell_short", -1), ("SELL", -1)])
def test_a_fill_is_signed_by_its_side(side: str, quantity: int) -> None:
    """Each word of Alpaca's for a side has its sign."""
    [fill], _ = read_activities([make_fill(1, side=side)], [])
    assert fill.quantity == quantity


def test_only_shares_need_a_price() -> None:
    """An expiry has none, and is dated by New York's day of its booking if it has no date."""
    _, [shares, expiry] = read_activities([SHARES, {**EXPIRY, "created_at": "2026-11-21T02:00:00Z"}], [])
    assert (shares.price, expiry.price, expiry.date) == (240, None, dt.date(2026, 11, 20))


def test_legs_without_an_id_have_no_parent() -> None:
    """A missing id is not the text of nothing."""
    legs = [{"id": "a"}, {"id": None}, {}]
    orders = [
        {"id": None, "order_class": "mleg", "legs": legs},
        {"id": "o", "order_class": "mleg", "legs": legs},
    ]
    assert read_parents(orders) == {"a": "o"}
