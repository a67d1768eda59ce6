"""The timeline of each order, with its replacements."""

from __future__ import annotations

import pytest

from options_helper.analysis.fills.day import FillDayBuilder
from options_helper.analysis.fills.words import contradiction_words
from tests.analysis.fills.rows import CALL, at, filled, live, rest, spread
from tests.said import details, steps_words


def test_replaced_orders_share_one_timeline() -> None:
    """An order and its replacement are one entry, with the changes and the newest terms."""
    first = live("replaced", 2, replaced_by="o2", replaced_at=at(2), limit_price=1.6)
    second = [
        live("new", 2, order_id="o2", replaces="o1", submitted_at=at(2), qty=4.0, limit_price=1.65),
        filled(3, 4, 4, 1.65, order_id="o2", qty=4.0, status="filled", submitted_at=at(2)),
    ]
    (story,) = FillDayBuilder().build([live("new", 0, limit_price=1.6), first, *second]).orders
    assert story.order_ids == ("o1", "o2")
    assert steps_words(story) == "new → replaced → fill"
    assert details(story) == ["5 @ 1.60 limit", "limit 1.60 → 1.65, quantity 5 → 4", "4 @ 1.65"]
    assert (story.quantity, story.status, story.filled, story.submitted_at) == (4.0, "filled", 4.0, at(0))


def test_a_replaced_net_price_is_written_in_words() -> None:
    """A changed limit of a spread is written as a credit or a debit."""
    first = {
        **spread("replaced", 0, 2, (None, None)),
        "replaced_by": "o2",
        "limit_price": -1.6,
        "status": "replaced",
    }
    second = live("new", 2, order_id="o2", replaces="p", order_class="mleg", limit_price=-1.5, qty=2.0)
    (story,) = FillDayBuilder().build([first, second]).orders
    by_event = dict(zip((step.event for step in story.steps), details(story), strict=True))
    assert by_event["replaced"] == "limit 1.60 credit → 1.50 credit"


@pytest.mark.parametrize("link", ["replaced_by", "replaces"])
def test_either_end_joins_a_chain(link: str) -> None:
    """One of the two links is enough to join a replacement to what it replaced."""
    first = live("replaced", 2, **({"replaced_by": "o2"} if link == "replaced_by" else {}))
    second = live("new", 2, order_id="o2", **({"replaces": "o1"} if link == "replaces" else {}))
    (story,) = FillDayBuilder().build([second, first]).orders
    assert story.order_ids == ("o1", "o2")


def test_a_ring_of_replacements_ends() -> None:
    """Orders that replace each other in a ring are shown, each once."""
    rows = [live("replaced", 1, replaced_by="o2"), live("replaced", 2, order_id="o2", replaced_by="o1")]
    assert sum(len(story.order_ids) for story in FillDayBuilder().build(rows).orders) == 2


@pytest.mark.parametrize(
    ("status", "field"), [("canceled", "canceled_at"), ("expired", "expired_at"), ("rejected", "failed_at")]
)
def test_an_orders_end_is_its_last_step(status: str, field: str) -> None:
    """A canceled, expired or rejected order ends with that event, at its time, with its reason."""
    row = live(status, 3, **{field: at(2.5)}, reject_reason="too far from the market")
    (story,) = FillDayBuilder().build([live("new", 0), filled(1, 2, 2, 1.6), row]).orders
    assert steps_words(story) == f"new → partial fill → {status}"
    assert (story.steps[-1].at, details(story)[-1]) == (at(2.5), "too far from the market")
    assert (story.reject_reason, story.filled) == ("too far from the market", 2.0)
    untimed = FillDayBuilder().build([live(status, 3)]).orders[0]
    assert untimed.steps[-1].at == at(3)


def test_a_rejection_without_a_reason_says_so() -> None:
    """If a rejection has no known reason, the entry says so; other endings need no reason."""
    (story,) = FillDayBuilder().build([live("rejected", 3)]).orders
    assert steps_words(story) == "rejected"
    assert (story.steps[-1].event, details(story)[-1]) == ("rejected", "no reason reported")
    (story,) = FillDayBuilder().build([live("canceled", 3)]).orders
    assert (story.steps[-1].event, details(story)[-1]) == ("canceled", "")


def test_simultaneous_executions_are_separate_steps() -> None:
    """Equal fills in the same microsecond are separate steps, ordered by the order's total."""
    rows = [filled(1, n, 1, price, execution_id=f"x{n}") for n, price in ((1, 1.6), (2, 1.6), (3, 1.5))]
    (story,) = FillDayBuilder().build(rows[::-1]).orders
    assert details(story)[1:] == ["1 @ 1.60", "1 @ 1.60", "1 @ 1.50"]
    assert FillDayBuilder().build(rows).orders == (story,)


def test_other_events_and_unknown_ones_are_separate_steps() -> None:
    """An unusual event is shown once, with the stream's own word."""
    odd = live("order_cancel_rejected", 2, status="new", reason="too late")
    rows = [odd, odd, live("moonwalk", 3, status="new")]
    (story,) = FillDayBuilder().build(rows).orders
    assert steps_words(story) == "new → order cancel rejected → moonwalk"
    assert details(story)[1] == "too late"


def test_a_notional_order_ends_with_a_fill() -> None:
    """An order without a quantity is complete once it is filled; earlier fills were partial."""
    rows = [
        filled(1, 0.25, 0.25, 400.0, qty=None, status="partially_filled"),
        filled(2, 0.375, 0.125, 400.0, qty=None, status="filled"),
    ]
    (story,) = FillDayBuilder().build(rows).orders
    assert steps_words(story) == "new → partial fill → fill"


def test_a_contradiction_of_a_replaced_order_is_in_its_timeline() -> None:
    """A missed bust of a replaced order is shown in the timeline of the whole chain."""
    first = live("replaced", 4, replaced_by="o2", filled_qty=0.0)
    (story,) = FillDayBuilder().build([filled(1, 1, 1, 1.6), first, live("new", 4, order_id="o2")]).orders
    assert contradiction_words(story) == "its fills add up to 1, but the order reports 0"


def test_an_order_known_from_its_fills_only() -> None:
    """Before REST's orders are known, fills alone give an order's symbol, quantity and status."""
    (story,) = FillDayBuilder().build([], [rest(1, 2, 2, 1.62)]).orders
    assert (story.symbol, story.quantity, story.filled, story.status) == (CALL, 5.0, 2.0, "partially_filled")
    assert steps_words(story) == "partial fill"


def test_the_legs_of_a_bracket_are_listed_below_it() -> None:
    """A bracket's legs are orders with their own fills, listed below the bracket."""
    leg = {**live("held", 1), "order_id": "stop", "side": "sell", "stop_price": 1.2, "filled_qty": 0.0}
    parent = filled(1, 5, 5, 1.6, order_class="bracket", legs=[leg])
    sold = filled(9, 5, 5, 1.2, order_id="stop", side="sell", order_class="bracket")
    fill_day = FillDayBuilder().build([parent, sold])
    assert [(one.order_id, one.kind.value) for one in fill_day.executions] == [
        ("stop", "single"),
        ("o1", "single"),
    ]
    (story,) = fill_day.orders
    assert [(one.order_id, one.side) for one in story.legs] == [("stop", "sell")]


@pytest.mark.parametrize("backwards", [False, True])
def test_the_last_received_of_two_simultaneous_states_counts(*, backwards: bool) -> None:
    """If two states have the same time, the one received later is the newer."""
    same = {"updated_at": at(1), "filled_qty": 0.0}
    rows = [live("new", 1, status="new", **same), live("canceled", 2, status="canceled", **same)]
    (story,) = FillDayBuilder().build(rows[::-1] if backwards else rows).orders
    assert story.status == "canceled"
