"""Busts and corrections: what they undo is visible, and nothing else changes."""

from __future__ import annotations

import datetime as dt

from options_helper.analysis.fills.day import FillDayBuilder
from options_helper.analysis.fills.words import contradiction_words
from tests.analysis.fills.rows import OPEN, at, filled, live, rest, shown
from tests.said import details, note, steps_words


def test_a_bust_undoes_its_execution_visibly() -> None:
    """A bust marks its execution, excludes it from the average, and appears in the timeline."""
    rows = [
        filled(1, 2, 2, 1.6),
        filled(2, 3, 1, 1.9),
        live("trade_bust", 3, previous_execution_id="x1", fill_qty=2.0, fill_price=1.6, filled_qty=1.0),
    ]
    fill_day = FillDayBuilder().build(rows)
    assert shown(fill_day) == [(1.0, 1.9, 3.0, "live", ""), (2.0, 1.6, 2.0, "live", "busted")]
    assert fill_day.executions[0].average_price == 1.9
    assert steps_words(fill_day.orders[0]) == "new → partial fill → partial fill → trade bust"
    assert fill_day.orders[0].filled == 1.0
    assert details(fill_day.orders[0])[-1] == "2 @ 1.60"


def test_a_bust_of_an_execution_known_from_rest_only_is_found_by_its_figures() -> None:
    """Without the stream's id, an equal quantity and price identify it; a repeated report counts once."""
    bust = live("trade_bust", 3, previous_execution_id="lost", fill_qty=1.0, fill_price=1.9, filled_qty=2.0)
    fill_day = FillDayBuilder().build([bust, bust], [rest(1, 2, 2, 1.6), rest(2, 3, 1, 1.9)])
    assert [(one.price, one.busted) for one in fill_day.executions] == [(1.9, True), (1.6, False)]


def test_a_bust_that_fits_no_execution_changes_none() -> None:
    """A bust that names an unknown execution changes no execution, and appears in the timeline."""
    bust = live("trade_bust", 3, previous_execution_id="lost", fill_qty=1.0, fill_price=9.9, filled_qty=2.0)
    fill_day = FillDayBuilder().build([filled(1, 2, 2, 1.6), filled(2, 3, 1, 1.9), bust])
    assert not any(one.busted for one in fill_day.executions)
    assert steps_words(fill_day.orders[0]).endswith("trade bust")


def test_a_correction_shows_what_it_changed() -> None:
    """A corrected execution has its new figures and shows the earlier ones."""
    rows = [
        filled(1, 2, 2, 1.6),
        live("trade_correct", 3, previous_execution_id="x1", fill_qty=2.0, fill_price=1.55, filled_qty=2.0),
    ]
    one = FillDayBuilder().build(rows).executions[0]
    assert (one.quantity, one.price, one.average_price) == (2.0, 1.55, 1.55)
    assert note(one) == "corrected, was 2 @ 1.60"
    unchanged = live("trade_correct", 3, previous_execution_id="x1", filled_qty=2.0)
    assert note(FillDayBuilder().build([rows[0], unchanged]).executions[0]) == "corrected"


def test_a_correction_that_the_stream_missed_is_visible_too() -> None:
    """If REST corrects an execution's price, its row shows the earlier one."""
    (one,) = FillDayBuilder().build([filled(1, 2, 2, 1.6)], [rest(1, 2, 2, 1.55)]).executions
    assert (one.price, note(one)) == (1.55, "corrected, was 2 @ 1.60")
    sent = live("trade_correct", 3, previous_execution_id="x1", fill_qty=2.0, fill_price=1.55, filled_qty=2.0)
    (one,) = FillDayBuilder().build([filled(1, 2, 2, 1.6), sent], [rest(1, 2, 2, 1.55)]).executions
    assert (one.price, note(one)) == (1.55, "corrected, was 2 @ 1.60")


def test_a_correction_of_a_carried_order_is_not_guessed() -> None:
    """A carried order's correction is ignored if its execution is unknown, as it may be an earlier day's."""
    began = {"submitted_at": OPEN - dt.timedelta(days=2)}
    order = live("held", 1, filled_qty=4.0, origin="rest", **began)
    sent = live(
        "trade_correct", 3, previous_execution_id="of-yesterday", fill_price=1.5, fill_qty=1.0, **began
    )
    (one,) = FillDayBuilder().build([sent], [rest(2, 4, 1, 1.7)], [order]).executions
    assert (one.price, one.corrected) == (1.7, False)
    of_today = FillDayBuilder().build([{**sent, "submitted_at": at(0)}], [rest(2, 1, 1, 1.7)], []).executions
    assert (of_today[0].price, of_today[0].corrected) == (1.5, True)


def test_the_reason_of_a_bust_is_not_shown_as_a_rejection() -> None:
    """The reason for a bust is not shown as a reason for rejection."""
    bust = live("trade_bust", 3, previous_execution_id="x1", fill_qty=2.0, fill_price=1.6, reason="ERR")
    (story,) = FillDayBuilder().build([filled(1, 2, 2, 1.6), bust]).orders
    assert story.reject_reason == ""


def test_a_second_correction_may_name_the_first() -> None:
    """A correction is found by the execution's id or by the id of an earlier correction of it."""
    first = live("trade_correct", 3, previous_execution_id="x1", execution_id="c1", fill_price=1.55)
    second = live("trade_correct", 4, previous_execution_id="c1", execution_id="c2", fill_price=1.5)
    fill_day = FillDayBuilder().build([filled(1, 2, 2, 1.6), filled(2, 5, 3, 1.7), second, first])
    assert [(one.price, note(one)) for one in fill_day.executions] == [
        (1.7, ""),
        (1.5, "corrected, was 2 @ 1.60"),
    ]


def test_a_bust_that_rest_already_deducted_undoes_nothing_else() -> None:
    """If the order's total covers the remaining executions, a bust of an unknown one changes none of them."""
    bust = live("trade_bust", 3, previous_execution_id="lost", fill_qty=1.0, fill_price=1.6, filled_qty=1.0)
    fill_day = FillDayBuilder().build([bust], [rest(2, 1, 1, 1.6)])
    assert [(one.price, one.busted) for one in fill_day.executions] == [(1.6, False)]
    assert fill_day.completeness.complete


def test_the_rest_price_stays_if_the_orders_average_confirms_it() -> None:
    """If a later correction was missed, an earlier one does not replace REST's price."""
    rows = [
        filled(1, 1, 1, 1.5),
        filled(2, 2, 1, 9.0),
        live("trade_correct", 3, previous_execution_id="x1", fill_qty=1.0, fill_price=1.55),
        live("trade_bust", 5, previous_execution_id="x2", fill_qty=1.0, fill_price=9.0, filled_qty=1.0),
    ]
    order = live("canceled", 6, filled_qty=1.0, filled_avg_price=1.6, origin="rest")
    fill_day = FillDayBuilder().build(rows, [rest(1, 1, 1, 1.6)], [order])
    assert [(one.price, one.busted, note(one)) for one in fill_day.executions] == [
        (9.0, True, "busted"),
        (1.6, False, "corrected, was 1 @ 1.50"),
    ]


def test_a_bust_reported_by_rest_counts_too() -> None:
    """REST's execution type for a bust counts like the stream's."""
    fill_day = FillDayBuilder().build([], [rest(1, 2, 2, 1.6), rest(2, 2, 2, 1.6, event="trade_bust")])
    assert [one.busted for one in fill_day.executions] == [True]


def test_a_missed_bust_is_a_visible_contradiction() -> None:
    """If an order's fills exceed its total, its timeline says so."""
    after = live("partially_filled", 4, filled_qty=1.0, filled_avg_price=1.6, origin="rest")
    rows = [filled(1, 1, 1, 1.6), filled(2, 2, 1, 1.7)]
    fill_day = FillDayBuilder().build(rows, [], [after])
    assert contradiction_words(fill_day.orders[0]) == "its fills add up to 2, but the order reports 1"
    bust = live("trade_bust", 3, previous_execution_id="x2", fill_qty=1.0, fill_price=1.7, filled_qty=1.0)
    assert contradiction_words(FillDayBuilder().build([*rows, bust], [], [after]).orders[0]) == ""
    newer = rest(5, 2, 1, 1.7)
    assert contradiction_words(FillDayBuilder().build(rows[:1], [newer], [after]).orders[0]) == ""


def test_the_same_total_reached_again_after_a_bust() -> None:
    """If an order reaches a total again after a bust, both executions are shown, each once."""
    rows = [
        filled(1, 1, 1, 1.6),
        filled(2, 2, 1, 1.7),
        live("trade_bust", 3, previous_execution_id="x2", fill_qty=1.0, fill_price=1.7, filled_qty=1.0),
        filled(4, 2, 1, 1.8),
    ]
    sent = [rest(1, 1, 1, 1.6), rest(2, 2, 1, 1.7), rest(4, 2, 1, 1.8)]
    for stream in (rows, rows[:3], [*rows, *rows]):
        fill_day = FillDayBuilder().build(stream, [*sent, *sent])
        assert [(one.price, one.filled, one.busted) for one in fill_day.executions] == [
            (1.8, 2.0, False),
            (1.7, 2.0, True),
            (1.6, 1.0, False),
        ]
        assert len({one.key for one in fill_day.executions}) == 3
