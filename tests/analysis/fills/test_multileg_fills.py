"""Fills of multi-leg orders: one line each, with its legs and a net price if it is known."""

from __future__ import annotations

from typing import Any

import pytest

from options_helper.analysis.fills.day import FillDayBuilder
from options_helper.analysis.fills.records import FillKind
from options_helper.analysis.fills.words import execution_name, execution_price, order_name, order_price
from options_helper.analysis.text.order_words import side_words
from tests.analysis.fills.rows import HIGHER, rest, spread
from tests.said import note, steps_words

FIRST = spread("partial_fill", 1, 1, (3.1, 1.48), fill_qty=1.0, fill_price=-1.62, execution_id="m1")
SECOND = spread("fill", 2, 2, (3.11, 1.48), fill_qty=1.0, fill_price=-1.64, execution_id="m2")
LEG_FILLS = [
    rest(1, 1, 1, 3.1, order_id="l1", qty=2.0, side="sell", activity_id="a1"),
    rest(1, 1, 1, 1.48, order_id="l2", symbol=HIGHER, qty=2.0, activity_id="a2"),
    rest(2, 2, 1, 3.12, order_id="l1", qty=2.0, side="sell", activity_id="a3"),
    rest(2, 2, 1, 1.48, order_id="l2", symbol=HIGHER, qty=2.0, activity_id="a4"),
]


@pytest.mark.parametrize("sent", [[], LEG_FILLS[:1], LEG_FILLS])
def test_a_multi_leg_fill_is_a_line_with_its_legs_below(sent: list[dict[str, Any]]) -> None:
    """The line always has the net price in words; the legs follow with their own prices."""
    fill_day = FillDayBuilder().build([FIRST, SECOND], sent)
    assert [(one.kind.value, one.quantity, execution_price(one)) for one in fill_day.executions] == [
        ("parent", 1.0, "1.64 credit"),
        ("leg", 1.0, "3.12"),
        ("leg", 1.0, "1.48"),
        ("parent", 1.0, "1.62 credit"),
        ("leg", 1.0, "3.10"),
        ("leg", 1.0, "1.48"),
    ]
    line, leg = fill_day.executions[:2]
    assert (execution_name(line), side_words(line.side, line.intent), line.filled, line.total) == (
        "AAPL multi-leg",
        "sell/buy",
        2.0,
        2.0,
    )
    assert line.average_price == -1.63
    assert (execution_name(leg), side_words(leg.side, leg.intent), leg.parent_id) == (
        "AAPL 18 Dec 2026 250 call",
        "sell to open",
        "p",
    )
    assert [one.kind.value for one in fill_day.fills] == ["parent", "parent"]
    assert order_name(fill_day.orders[0]) == "AAPL 18 Dec 2026 250 call / AAPL 18 Dec 2026 260 call"
    assert (order_price(fill_day.orders[0], fill_day.orders[0].limit_price), len(fill_day.orders)) == (
        "1.60 credit",
        1,
    )
    assert steps_words(fill_day.orders[0]) == "new → partial fill → fill"


def test_legs_are_separate_fills_until_their_order_is_known() -> None:
    """REST's leg fills appear as single fills, then below their order's line once the order is known."""
    alone = FillDayBuilder().build([], LEG_FILLS[:2])
    assert [one.kind.value for one in alone.executions] == ["single", "single"]
    order = {**spread("new", 0, 2, (3.11, 1.48)), "origin": "rest"}
    fill_day = FillDayBuilder().build([], LEG_FILLS, [order])
    assert [one.kind.value for one in fill_day.executions] == ["parent", "leg", "leg"] * 2


def test_a_multi_leg_order_without_its_legs_is_not_blank() -> None:
    """Before its legs are known, the line has the order's name and its net price in words."""
    update = {**FIRST, "legs": None, "symbol": None, "side": None}
    fill_day = FillDayBuilder().build([update])
    (line,) = fill_day.executions
    assert (line.kind, execution_name(line), execution_price(line)) == (
        FillKind.PARENT,
        "Multi-leg order",
        "1.62 credit",
    )
    assert (
        order_name(fill_day.orders[0]),
        order_price(fill_day.orders[0], fill_day.orders[0].limit_price),
    ) == (
        "Multi-leg order",
        "1.60 credit",
    )
    healed = FillDayBuilder().build([update], LEG_FILLS[:2], [{**FIRST, "origin": "rest"}])
    assert [(one.kind.value, execution_name(one)) for one in healed.executions] == [
        ("parent", "AAPL multi-leg"),
        ("leg", "AAPL 18 Dec 2026 250 call"),
        ("leg", "AAPL 18 Dec 2026 260 call"),
    ]


def test_a_leg_still_missing_leaves_the_line_without_a_net_price() -> None:
    """If a leg's execution is unknown, the line shows no net price."""
    order = spread("new", 0, 0, (0.0, 0.0))
    fill_day = FillDayBuilder().build([order], LEG_FILLS[:1])
    line, leg = fill_day.executions
    assert (line.quantity, execution_price(line), line.kind) == (None, "—", FillKind.PARENT)
    assert (leg.quantity, leg.price) == (1.0, 3.1)


def test_legs_in_finer_parts_make_one_line() -> None:
    """A leg with two executions counts in one line, up to the quantity that all legs have reached."""
    order = spread("filled", 2, 2, (3.11, 1.48))
    sent = [LEG_FILLS[0], LEG_FILLS[2], rest(2, 2, 2, 1.48, order_id="l2", symbol=HIGHER, qty=2.0)]
    fill_day = FillDayBuilder().build([], sent, [order])
    assert [(one.kind.value, one.quantity, one.price) for one in fill_day.executions] == [
        ("parent", 2.0, -1.63),
        ("leg", 1.0, 3.12),
        ("leg", 1.0, 3.1),
        ("leg", 2.0, 1.48),
    ]


def test_a_leg_out_of_step_is_not_confirmed_by_the_stream() -> None:
    """A leg with a total that does not match its order's is unconfirmed until REST reports it."""
    update = spread("partial_fill", 1, 1, (3.1, 1.48), fill_qty=1.0, fill_price=-1.62)
    update["legs"][1] = {**update["legs"][1], "filled_qty": 2.0}
    legs = FillDayBuilder().build([update]).leaf_fills
    assert {(one.order_id, one.quantity, one.confirmed) for one in legs} == {
        ("l1", 1.0, True),
        ("l2", 2.0, False),
    }


def test_the_rest_legs_take_precedence_over_the_streams_net_price() -> None:
    """If REST reports every leg, the net price is their sum, whatever the stream reported."""
    update = {**FIRST, "fill_price": -1.61}
    assert FillDayBuilder().build([update]).executions[0].price == -1.61
    assert FillDayBuilder().build([update], LEG_FILLS[:2]).executions[0].price == -1.62


def test_shares_and_contracts_have_no_net_price() -> None:
    """With a leg of shares, only Alpaca's own net price is shown."""
    update = spread("partial_fill", 1, 1, (3.1, 272.0), fill_qty=1.0, fill_price=268.9)
    update["legs"][1] |= {"symbol": "AAPL", "qty": 200.0, "ratio_qty": 100.0, "filled_qty": 100.0}
    sent = [LEG_FILLS[0], rest(1, 100, 100, 272.0, order_id="l2", symbol="AAPL", qty=200.0)]
    reported = FillDayBuilder().build([update], sent).executions[0]
    assert (reported.quantity, reported.price, note(reported)) == (1.0, 268.9, "")
    silent = FillDayBuilder().build([{**update, "fill_price": None}], sent).executions[0]
    assert (silent.quantity, silent.price) == (1.0, None)
    assert "no net price for shares with contracts" in note(silent)
    assert execution_price(silent) == "—"


def test_a_ratio_follows_from_the_quantities() -> None:
    """Without ratio_qty, a leg's ratio is its quantity divided by the order's."""
    update = spread("partial_fill", 1, 1, (3.1, 1.48), fill_qty=1.0, fill_price=-0.14)
    update["legs"] = [{**leg, "ratio_qty": None} for leg in update["legs"]]
    update["legs"][1] |= {"qty": 4.0, "filled_qty": 2.0}
    sent = [LEG_FILLS[0], rest(1, 2, 2, 1.48, order_id="l2", symbol=HIGHER, qty=4.0)]
    line = FillDayBuilder().build([update], sent).executions[0]
    assert (line.quantity, line.price, execution_price(line)) == (1.0, -0.14, "0.14 credit")


def test_busts_and_corrections_of_a_multi_leg_fill() -> None:
    """A bust marks the line and its legs; a correction changes the line's net price."""
    bust = spread("trade_bust", 3, 1, (3.1, 1.48), previous_execution_id="m2", fill_qty=1.0, fill_price=-1.64)
    fill_day = FillDayBuilder().build([FIRST, SECOND, bust], LEG_FILLS)
    assert [one.busted for one in fill_day.executions] == [True] * 3 + [False] * 3
    correction = {**bust, "event": "trade_correct", "fill_price": -1.7}
    fill_day = FillDayBuilder().build([FIRST, SECOND, correction], LEG_FILLS)
    assert [(one.price, note(one)) for one in fill_day.fills] == [(-1.7, "corrected"), (-1.62, "")]


def test_a_leg_without_an_id_still_has_a_place() -> None:
    """Legs without an id are distinguished by their index; a leg with its order's id is ignored."""
    update = spread("partial_fill", 1, 1, (3.1, 1.48), fill_qty=1.0, fill_price=-1.62)
    update["legs"] = [{**leg, "order_id": None} for leg in update["legs"]]
    update["legs"].append({**update["legs"][0], "order_id": "p"})
    fill_day = FillDayBuilder().build([update])
    assert [one.order_id for one in fill_day.leaf_fills] == ["p/0", "p/1"]
