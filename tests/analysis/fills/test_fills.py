"""The day's fills and orders: golden cases."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from options_helper.analysis.fills.by_position import fills_for_portfolio
from options_helper.analysis.fills.day import FillDay, FillDayBuilder
from options_helper.analysis.fills.records import FillKind
from options_helper.analysis.fills.words import (
    completeness_words,
    contradiction_words,
    execution_name,
    execution_price,
    fill_fact_words,
    order_name,
    order_price,
)
from options_helper.analysis.text.order_words import (
    contract_words,
    fill_words,
    net_words,
    plain,
    price_words,
    side_words,
)
from options_helper.market import FillGap
from options_helper.models import Portfolio
from tests.said import course, details, note

NEW_YORK = ZoneInfo("America/New_York")
DAY = dt.date(2026, 11, 20)
CALL = "AAPL261218C00250000"
HIGHER = "AAPL261218C00260000"
OPEN = dt.datetime(2026, 11, 20, 14, 30, tzinfo=dt.UTC)


def at(minutes: float) -> dt.datetime:
    """Minutes after the open."""
    return OPEN + dt.timedelta(minutes=minutes)


def live(event: str, minutes: float, **changes: Any) -> dict[str, Any]:
    """An order update, as the normalizer makes it."""
    return {
        "timestamp": at(minutes),
        "updated_at": at(minutes),
        "event": event,
        "order_id": "o1",
        "symbol": CALL,
        "side": "buy",
        "qty": 5.0,
        "filled_qty": 0.0,
        "filled_avg_price": None,
        "status": event,
        "type": "limit",
        "tif": "day",
        "limit_price": 1.65,
        "order_class": "simple",
        "position_intent": "buy_to_open",
        "submitted_at": at(0),
        "origin": "live",
        **changes,
    }


def filled(minutes: float, total: float, quantity: float, price: float, **changes: Any) -> dict[str, Any]:
    """A live fill of `quantity` which brings the order to `total`."""
    defaults = {
        "filled_qty": total,
        "fill_qty": quantity,
        "fill_price": price,
        "execution_id": f"x{minutes}",
        "position_qty": total,
        "filled_avg_price": price,
        "status": "filled" if total == 5 else "partially_filled",
    }
    return live("fill" if total == 5 else "partial_fill", minutes, **{**defaults, **changes})


def rest(minutes: float, total: float, quantity: float, price: float, **changes: Any) -> dict[str, Any]:
    """A REST fill, as the normalizer makes it."""
    return {
        "timestamp": at(minutes),
        "event": "partial_fill",
        "order_id": "o1",
        "symbol": CALL,
        "side": "buy",
        "qty": 5.0,
        "filled_qty": total,
        "filled_avg_price": None,
        "status": "partially_filled",
        "fill_qty": quantity,
        "fill_price": price,
        "activity_id": f"a{minutes}",
        "origin": "rest",
        **changes,
    }


def shown(book: FillDay) -> list[tuple[Any, ...]]:
    """Quantity, price, filled, source and note of each line."""
    return [(one.quantity, one.price, one.filled, one.source.value, note(one)) for one in book.executions]


# Words


@pytest.mark.parametrize(
    ("symbol", "words"),
    [
        (CALL, "AAPL 18 Dec 2026 250 call"),
        ("BRKB261218P00500000", "BRKB 18 Dec 2026 500 put"),
        ("SPXW270104C04512500", "SPXW 4 Jan 2027 4,512.5 call"),
        ("SPY", "SPY"),
        ("", "—"),
        (None, "—"),
    ],
)
def test_contracts_are_said_in_words(symbol: str | None, words: str) -> None:
    """A contract is written as root, date, strike and type; other symbols are unchanged."""
    assert contract_words(symbol) == words


def test_prices_and_sides_are_said_in_words() -> None:
    """Net prices name debit or credit, prices have at least two decimals, and underscores are removed."""
    assert [net_words(price) for price in (-1.62, 0.5, 0.0, None)] == [
        "1.62 credit",
        "0.50 debit",
        "even",
        "—",
    ]
    assert [price_words(price) for price in (1.6, 1.625, 1234.5, None)] == ["1.60", "1.625", "1,234.50", "—"]
    assert [plain(number) for number in (2.0, 0.25, -0.0, 1234.0, None)] == ["2", "0.25", "0", "1,234", "—"]
    assert side_words("sell", "sell_to_close") == "sell to close"
    assert side_words("sell_short") == "sell short"
    assert side_words(None) == "—"


# Executions


def test_one_row_per_execution_newest_first() -> None:
    """Reports of one execution from the stream and REST become one row with the data of both."""
    book = FillDayBuilder().build([filled(1, 2, 2, 1.62)], [rest(1, 2, 2, 1.62), rest(2, 5, 3, 1.64)])
    assert shown(book) == [(3.0, 1.64, 5.0, "rest", ""), (2.0, 1.62, 2.0, "both", "")]
    newest, oldest = book.executions
    assert (newest.average_price, oldest.average_price) == (1.632, 1.62)
    assert (oldest.position_after, oldest.execution_id, oldest.activity_id) == (2.0, "x1", "a1")
    assert (
        execution_name(oldest),
        side_words(oldest.side, oldest.intent),
        fill_words(oldest.quantity, oldest.price),
    ) == (
        "AAPL 18 Dec 2026 250 call",
        "buy to open",
        "2 @ 1.62",
    )
    assert (oldest.total, oldest.kind, execution_price(oldest)) == (5.0, FillKind.SINGLE, "1.62")
    assert book.day == DAY


def test_rests_account_wins() -> None:
    """If the two reports of an execution differ, REST's figures count."""
    book = FillDayBuilder().build([filled(1, 2, 2, 1.62)], [rest(1.5, 2, 2, 1.61)])
    assert [(one.price, one.at) for one in book.executions] == [(1.61, at(1.5))]


def test_a_missed_execution_is_a_visible_hole() -> None:
    """A higher total shows the missing quantity as not confirmed, with a price from the averages."""
    first, last = filled(1, 1, 1, 1.6), filled(3, 4, 1, 1.7, filled_avg_price=1.65)
    book = FillDayBuilder().build([first, last])
    assert shown(book) == [
        (1.0, 1.7, 4.0, "live", ""),
        (2.0, None, 3.0, "derived", "not confirmed"),
        (1.0, 1.6, 1.0, "live", ""),
    ]
    seen = live("held", 2, filled_qty=3.0, filled_avg_price=1.6333)
    book = FillDayBuilder().build([first, last, seen])
    assert shown(book)[1] == (2.0, 1.65, 3.0, "derived", "not confirmed · price derived from averages")
    healed = FillDayBuilder().build([first, last, seen], [rest(1.5, 2, 1, 1.64), rest(2, 3, 1, 1.66)])
    assert [(one.quantity, one.price, one.confirmed) for one in healed.executions] == [
        (1.0, 1.7, True),
        (1.0, 1.66, True),
        (1.0, 1.64, True),
        (1.0, 1.6, True),
    ]


@pytest.mark.parametrize(
    ("total", "quantity", "average", "price"),
    [
        (3.0, 1.0, 1.3333, 2.0),  # 1 @ 1, 1 @ 1, then the one price in cents that rounds to this average
        (3.0, 1.0, 1.335, None),  # no price in whole cents does
        (300.0, 1.0, 1.0001, None),  # several do
    ],
)
def test_a_price_is_derived_only_where_there_is_no_choice(
    total: float, quantity: float, average: float, price: float | None
) -> None:
    """An average determines a price only if exactly one price in whole cents fits it."""
    first = filled(1, total - quantity, total - quantity, 1.0, qty=total)
    seen = live("held", 2, qty=total, filled_qty=total, filled_avg_price=average)
    book = FillDayBuilder().build([first, seen])
    assert book.executions[0].price == price


def test_an_order_that_only_its_total_is_known_of() -> None:
    """A filled order from REST without its fills is shown as one unconfirmed quantity."""
    order = live("filled", 4, filled_qty=5.0, filled_avg_price=1.62, origin="rest")
    book = FillDayBuilder().build([], [], [order])
    assert shown(book) == [(5.0, 1.62, 5.0, "derived", "not confirmed · price derived from averages")]


def test_an_order_from_before_the_day_has_no_hole_at_its_start() -> None:
    """Earlier days' fills of a good-till-canceled order do not count as missed today."""
    began = {"submitted_at": OPEN - dt.timedelta(days=2)}
    today = filled(1, 4, 1, 1.7, filled_avg_price=1.65, **began)
    book = FillDayBuilder().build([today])
    assert shown(book) == [(1.0, 1.7, 4.0, "live", "")]
    assert book.executions[0].average_price == 1.65
    before = live(
        "held", -1200, updated_at=OPEN - dt.timedelta(days=1), filled_qty=2.0, filled_avg_price=1.63, **began
    )
    book = FillDayBuilder().build([today], [], [before], day=DAY)
    assert [(one.quantity, one.filled) for one in book.executions] == [(1.0, 4.0), (1.0, 3.0)]
    unfilled = live("held", 1, filled_qty=2.0, filled_avg_price=1.63, **began)
    assert FillDayBuilder().build([unfilled]).executions == ()
    unpriced = filled(1, 4, 1, 1.7, filled_avg_price=None, **began)
    assert FillDayBuilder().build([unpriced]).executions[0].average_price is None


def test_what_lies_below_rests_first_execution_of_the_day_was_of_an_earlier_one() -> None:
    """A total below REST's first execution of the day belongs to an earlier day."""
    began = {"submitted_at": OPEN - dt.timedelta(days=2)}
    before = live("held", -1200, updated_at=OPEN - dt.timedelta(days=1), filled_qty=1.0, **began)
    book = FillDayBuilder().build([before], [rest(2, 4, 1, 1.7)], day=DAY)
    assert [(one.quantity, one.filled) for one in book.executions] == [(1.0, 4.0)]
    live_only = FillDayBuilder().build([before, filled(2, 4, 1, 1.7, **began)], day=DAY)
    assert [(one.quantity, one.confirmed) for one in live_only.executions] == [(1.0, True), (2.0, False)]


def test_fills_of_an_earlier_day_are_left_out() -> None:
    """Rows of another New York day make no rows of this day."""
    book = FillDayBuilder().build([filled(-1440, 2, 2, 1.6)], [rest(1, 5, 3, 1.7)], day=DAY)
    assert [(one.quantity, one.filled) for one in book.executions] == [(3.0, 5.0)]


def test_one_account_in_finer_parts_is_not_counted_twice() -> None:
    """If the stream reports two executions as one, REST's parts are not counted again."""
    book = FillDayBuilder().build([filled(1, 3, 3, 1.62)], [rest(1, 1, 1, 1.6)])
    assert [(one.quantity, one.filled, one.price) for one in book.executions] == [
        (2.0, 3.0, 1.63),
        (1.0, 1.0, 1.6),
    ]


def test_nonsense_from_the_wire_makes_no_row() -> None:
    """Fills without an order, a total or a finite quantity are left out; the others stay."""
    rows = [
        filled(1, 2, 2, 1.62),
        filled(2, 5, 3, 1.7, order_id=None),
        filled(3, 5, 3, 1.7, order_id="o2", filled_qty=None),
        filled(4, 1e300, 3, 1.7, order_id="o3"),
    ]
    assert [(one.order_id, one.quantity) for one in FillDayBuilder().build(rows).executions] == [("o1", 2.0)]


# Busts and corrections


def test_a_bust_undoes_its_execution_visibly() -> None:
    """A bust marks its execution, excludes it from the average, and appears in the timeline."""
    rows = [
        filled(1, 2, 2, 1.6),
        filled(2, 3, 1, 1.9),
        live("trade_bust", 3, previous_execution_id="x1", fill_qty=2.0, fill_price=1.6, filled_qty=1.0),
    ]
    book = FillDayBuilder().build(rows)
    assert shown(book) == [(1.0, 1.9, 3.0, "live", ""), (2.0, 1.6, 2.0, "live", "busted")]
    assert book.executions[0].average_price == 1.9
    assert course(book.orders[0]) == "new → partial fill → partial fill → trade bust"
    assert book.orders[0].filled == 1.0
    assert details(book.orders[0])[-1] == "2 @ 1.60"


def test_a_bust_of_an_execution_known_from_rest_only_is_found_by_its_figures() -> None:
    """Without the stream's id, equal quantity and price identify it; a repeated report counts once."""
    bust = live("trade_bust", 3, previous_execution_id="lost", fill_qty=1.0, fill_price=1.9, filled_qty=2.0)
    book = FillDayBuilder().build([bust, bust], [rest(1, 2, 2, 1.6), rest(2, 3, 1, 1.9)])
    assert [(one.price, one.busted) for one in book.executions] == [(1.9, True), (1.6, False)]


def test_a_bust_that_fits_none_changes_none() -> None:
    """A bust that names an unknown execution changes no execution, and appears in the timeline."""
    bust = live("trade_bust", 3, previous_execution_id="lost", fill_qty=1.0, fill_price=9.9, filled_qty=2.0)
    book = FillDayBuilder().build([filled(1, 2, 2, 1.6), filled(2, 3, 1, 1.9), bust])
    assert not any(one.busted for one in book.executions)
    assert course(book.orders[0]).endswith("trade bust")


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


def test_a_correction_that_the_stream_did_not_bring_is_visible_too() -> None:
    """If REST corrects an execution's price, its row shows the earlier one."""
    (one,) = FillDayBuilder().build([filled(1, 2, 2, 1.6)], [rest(1, 2, 2, 1.55)]).executions
    assert (one.price, note(one)) == (1.55, "corrected, was 2 @ 1.60")
    told = live("trade_correct", 3, previous_execution_id="x1", fill_qty=2.0, fill_price=1.55, filled_qty=2.0)
    (one,) = FillDayBuilder().build([filled(1, 2, 2, 1.6), told], [rest(1, 2, 2, 1.55)]).executions
    assert (one.price, note(one)) == (1.55, "corrected, was 2 @ 1.60")


def test_a_correction_of_a_carried_order_is_not_guessed() -> None:
    """A carried order's correction of an unknown execution is not applied; it may be of an earlier day."""
    began = {"submitted_at": OPEN - dt.timedelta(days=2)}
    order = live("held", 1, filled_qty=4.0, origin="rest", **began)
    told = live(
        "trade_correct", 3, previous_execution_id="of-yesterday", fill_price=1.5, fill_qty=1.0, **began
    )
    (one,) = FillDayBuilder().build([told], [rest(2, 4, 1, 1.7)], [order]).executions
    assert (one.price, one.corrected) == (1.7, False)
    of_today = FillDayBuilder().build([{**told, "submitted_at": at(0)}], [rest(2, 1, 1, 1.7)], []).executions
    assert (of_today[0].price, of_today[0].corrected) == (1.5, True)


def test_why_an_execution_was_undone_is_no_rejection() -> None:
    """The reason for a bust is not shown as a reason for rejection."""
    bust = live("trade_bust", 3, previous_execution_id="x1", fill_qty=2.0, fill_price=1.6, reason="ERR")
    (story,) = FillDayBuilder().build([filled(1, 2, 2, 1.6), bust]).orders
    assert story.reject_reason == ""


def test_a_second_correction_may_name_the_first() -> None:
    """A correction is found by the execution's id or by the id of an earlier correction of it."""
    first = live("trade_correct", 3, previous_execution_id="x1", execution_id="c1", fill_price=1.55)
    second = live("trade_correct", 4, previous_execution_id="c1", execution_id="c2", fill_price=1.5)
    book = FillDayBuilder().build([filled(1, 2, 2, 1.6), filled(2, 5, 3, 1.7), second, first])
    assert [(one.price, note(one)) for one in book.executions] == [
        (1.7, ""),
        (1.5, "corrected, was 2 @ 1.60"),
    ]


def test_a_bust_that_rest_has_taken_off_already_strikes_nothing_else() -> None:
    """If the order's total covers the remaining executions, a bust of an unknown one changes none."""
    bust = live("trade_bust", 3, previous_execution_id="lost", fill_qty=1.0, fill_price=1.6, filled_qty=1.0)
    book = FillDayBuilder().build([bust], [rest(2, 1, 1, 1.6)])
    assert [(one.price, one.busted) for one in book.executions] == [(1.6, False)]
    assert book.completeness.complete


def test_rests_price_stands_where_the_orders_average_bears_it_out() -> None:
    """If a later correction was missed, an earlier one does not replace REST's price."""
    rows = [
        filled(1, 1, 1, 1.5),
        filled(2, 2, 1, 9.0),
        live("trade_correct", 3, previous_execution_id="x1", fill_qty=1.0, fill_price=1.55),
        live("trade_bust", 5, previous_execution_id="x2", fill_qty=1.0, fill_price=9.0, filled_qty=1.0),
    ]
    order = live("canceled", 6, filled_qty=1.0, filled_avg_price=1.6, origin="rest")
    book = FillDayBuilder().build(rows, [rest(1, 1, 1, 1.6)], [order])
    assert [(one.price, one.busted, note(one)) for one in book.executions] == [
        (9.0, True, "busted"),
        (1.6, False, "corrected, was 1 @ 1.50"),
    ]


def test_a_bust_reported_by_rest_counts_too() -> None:
    """REST's execution type for a bust counts like the stream's."""
    book = FillDayBuilder().build([], [rest(1, 2, 2, 1.6), rest(2, 2, 2, 1.6, event="trade_bust")])
    assert [one.busted for one in book.executions] == [True]


def test_a_missed_bust_is_a_visible_contradiction() -> None:
    """If an order's fills exceed its total, its timeline says so."""
    after = live("partially_filled", 4, filled_qty=1.0, filled_avg_price=1.6, origin="rest")
    rows = [filled(1, 1, 1, 1.6), filled(2, 2, 1, 1.7)]
    book = FillDayBuilder().build(rows, [], [after])
    assert contradiction_words(book.orders[0]) == "its fills add up to 2, the order reports 1"
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
    told = [rest(1, 1, 1, 1.6), rest(2, 2, 1, 1.7), rest(4, 2, 1, 1.8)]
    for stream in (rows, rows[:3], [*rows, *rows]):
        book = FillDayBuilder().build(stream, [*told, *told])
        assert [(one.price, one.filled, one.busted) for one in book.executions] == [
            (1.8, 2.0, False),
            (1.7, 2.0, True),
            (1.6, 1.0, False),
        ]
        assert len({one.key for one in book.executions}) == 3


# Multi-leg orders


def spread(
    event: str, minutes: float, units: float, prices: tuple[float, float], **changes: Any
) -> dict[str, Any]:
    """An update of a credit vertical of two units; `prices` are the legs' averages."""
    status = "filled" if units == 2 else "partially_filled" if units else "new"
    leg = {"qty": 2.0, "ratio_qty": 1.0, "filled_qty": units, "status": status}
    legs = [
        {
            **leg,
            "order_id": "l1",
            "symbol": CALL,
            "side": "sell",
            "position_intent": "sell_to_open",
            "filled_avg_price": prices[0],
        },
        {
            **leg,
            "order_id": "l2",
            "symbol": HIGHER,
            "side": "buy",
            "position_intent": "buy_to_open",
            "filled_avg_price": prices[1],
        },
    ]
    return live(
        event,
        minutes,
        **{
            "order_id": "p",
            "symbol": "AAPL",
            "side": "sell/buy",
            "order_class": "mleg",
            "position_intent": None,
            "limit_price": -1.6,
            "qty": 2.0,
            "filled_qty": units,
            "status": status,
            "legs": legs,
            **changes,
        },
    )


FIRST = spread("partial_fill", 1, 1, (3.1, 1.48), fill_qty=1.0, fill_price=-1.62, execution_id="m1")
SECOND = spread("fill", 2, 2, (3.11, 1.48), fill_qty=1.0, fill_price=-1.64, execution_id="m2")
LEG_FILLS = [
    rest(1, 1, 1, 3.1, order_id="l1", qty=2.0, side="sell", activity_id="a1"),
    rest(1, 1, 1, 1.48, order_id="l2", symbol=HIGHER, qty=2.0, activity_id="a2"),
    rest(2, 2, 1, 3.12, order_id="l1", qty=2.0, side="sell", activity_id="a3"),
    rest(2, 2, 1, 1.48, order_id="l2", symbol=HIGHER, qty=2.0, activity_id="a4"),
]


@pytest.mark.parametrize("told", [[], LEG_FILLS[:1], LEG_FILLS])
def test_a_multi_leg_fill_is_a_line_with_its_legs_under_it(told: list[dict[str, Any]]) -> None:
    """The line always has the net price in words; the legs follow with their own prices."""
    book = FillDayBuilder().build([FIRST, SECOND], told)
    assert [(one.kind.value, one.quantity, execution_price(one)) for one in book.executions] == [
        ("parent", 1.0, "1.64 credit"),
        ("leg", 1.0, "3.12"),
        ("leg", 1.0, "1.48"),
        ("parent", 1.0, "1.62 credit"),
        ("leg", 1.0, "3.10"),
        ("leg", 1.0, "1.48"),
    ]
    line, leg = book.executions[:2]
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
    assert [one.kind.value for one in book.fills] == ["parent", "parent"]
    assert order_name(book.orders[0]) == "AAPL 18 Dec 2026 250 call / AAPL 18 Dec 2026 260 call"
    assert (order_price(book.orders[0], book.orders[0].limit_price), len(book.orders)) == ("1.60 credit", 1)
    assert course(book.orders[0]) == "new → partial fill → fill"


def test_legs_without_their_order_are_fills_of_their_own_until_it_is_known() -> None:
    """REST's leg fills appear as single fills, and below their line once the order is known."""
    alone = FillDayBuilder().build([], LEG_FILLS[:2])
    assert [one.kind.value for one in alone.executions] == ["single", "single"]
    order = {**spread("new", 0, 2, (3.11, 1.48)), "origin": "rest"}
    book = FillDayBuilder().build([], LEG_FILLS, [order])
    assert [one.kind.value for one in book.executions] == ["parent", "leg", "leg"] * 2


def test_a_multi_leg_order_without_its_legs_is_not_blank() -> None:
    """Before its legs are known, the line has the order's name and its net price in words."""
    update = {**FIRST, "legs": None, "symbol": None, "side": None}
    book = FillDayBuilder().build([update])
    (line,) = book.executions
    assert (line.kind, execution_name(line), execution_price(line)) == (
        FillKind.PARENT,
        "Multi-leg order",
        "1.62 credit",
    )
    assert (order_name(book.orders[0]), order_price(book.orders[0], book.orders[0].limit_price)) == (
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
    book = FillDayBuilder().build([order], LEG_FILLS[:1])
    line, leg = book.executions
    assert (line.quantity, execution_price(line), line.kind) == (None, "—", FillKind.PARENT)
    assert (leg.quantity, leg.price) == (1.0, 3.1)


def test_legs_in_finer_parts_make_one_line() -> None:
    """A leg with two executions counts in one line, up to the quantity that all legs have reached."""
    order = spread("filled", 2, 2, (3.11, 1.48))
    told = [LEG_FILLS[0], LEG_FILLS[2], rest(2, 2, 2, 1.48, order_id="l2", symbol=HIGHER, qty=2.0)]
    book = FillDayBuilder().build([], told, [order])
    assert [(one.kind.value, one.quantity, one.price) for one in book.executions] == [
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


def test_the_legs_of_rest_outweigh_the_streams_net_price() -> None:
    """If REST reports every leg, the net price is their sum, whatever the stream reported."""
    update = {**FIRST, "fill_price": -1.61}
    assert FillDayBuilder().build([update]).executions[0].price == -1.61
    assert FillDayBuilder().build([update], LEG_FILLS[:2]).executions[0].price == -1.62


def test_shares_and_contracts_have_no_net_price() -> None:
    """With a leg of shares, only Alpaca's own net price is shown."""
    update = spread("partial_fill", 1, 1, (3.1, 272.0), fill_qty=1.0, fill_price=268.9)
    update["legs"][1] |= {"symbol": "AAPL", "qty": 200.0, "ratio_qty": 100.0, "filled_qty": 100.0}
    told = [LEG_FILLS[0], rest(1, 100, 100, 272.0, order_id="l2", symbol="AAPL", qty=200.0)]
    reported = FillDayBuilder().build([update], told).executions[0]
    assert (reported.quantity, reported.price, note(reported)) == (1.0, 268.9, "")
    silent = FillDayBuilder().build([{**update, "fill_price": None}], told).executions[0]
    assert (silent.quantity, silent.price) == (1.0, None)
    assert "no net price for shares with contracts" in note(silent)
    assert execution_price(silent) == "—"


def test_a_ratio_follows_from_the_quantities() -> None:
    """Without ratio_qty, a leg's ratio is its quantity divided by the order's."""
    update = spread("partial_fill", 1, 1, (3.1, 1.48), fill_qty=1.0, fill_price=-0.14)
    update["legs"] = [{**leg, "ratio_qty": None} for leg in update["legs"]]
    update["legs"][1] |= {"qty": 4.0, "filled_qty": 2.0}
    told = [LEG_FILLS[0], rest(1, 2, 2, 1.48, order_id="l2", symbol=HIGHER, qty=4.0)]
    line = FillDayBuilder().build([update], told).executions[0]
    assert (line.quantity, line.price, execution_price(line)) == (1.0, -0.14, "0.14 credit")


def test_busts_and_corrections_of_a_multi_leg_fill() -> None:
    """A bust marks the line and its legs; a correction changes the line's net price."""
    bust = spread("trade_bust", 3, 1, (3.1, 1.48), previous_execution_id="m2", fill_qty=1.0, fill_price=-1.64)
    book = FillDayBuilder().build([FIRST, SECOND, bust], LEG_FILLS)
    assert [one.busted for one in book.executions] == [True] * 3 + [False] * 3
    correction = {**bust, "event": "trade_correct", "fill_price": -1.7}
    book = FillDayBuilder().build([FIRST, SECOND, correction], LEG_FILLS)
    assert [(one.price, note(one)) for one in book.fills] == [(-1.7, "corrected"), (-1.62, "")]


def test_a_leg_without_an_id_still_has_a_place() -> None:
    """Legs without an id are distinguished by their index; a leg with its order's id is ignored."""
    update = spread("partial_fill", 1, 1, (3.1, 1.48), fill_qty=1.0, fill_price=-1.62)
    update["legs"] = [{**leg, "order_id": None} for leg in update["legs"]]
    update["legs"].append({**update["legs"][0], "order_id": "p"})
    book = FillDayBuilder().build([update])
    assert [one.order_id for one in book.leaf_fills] == ["p/0", "p/1"]


# Orders


def test_replaced_orders_are_one_story() -> None:
    """An order and its replacement are one entry, with the changes and the newest terms."""
    first = live("replaced", 2, replaced_by="o2", replaced_at=at(2), limit_price=1.6)
    second = [
        live("new", 2, order_id="o2", replaces="o1", submitted_at=at(2), qty=4.0, limit_price=1.65),
        filled(3, 4, 4, 1.65, order_id="o2", qty=4.0, status="filled", submitted_at=at(2)),
    ]
    (story,) = FillDayBuilder().build([live("new", 0, limit_price=1.6), first, *second]).orders
    assert story.order_ids == ("o1", "o2")
    assert course(story) == "new → replaced → fill"
    assert details(story) == [
        "5 @ 1.60 limit",
        "limit 1.60 → 1.65, quantity 5 → 4",
        "4 @ 1.65",
    ]
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
    assert course(story) == f"new → partial fill → {status}"
    assert (story.steps[-1].at, details(story)[-1]) == (at(2.5), "too far from the market")
    assert (story.reject_reason, story.filled) == ("too far from the market", 2.0)
    untimed = FillDayBuilder().build([live(status, 3)]).orders[0]
    assert untimed.steps[-1].at == at(3)


def test_a_rejection_without_a_reason_says_so() -> None:
    """If a rejection has no known reason, the entry says so; other endings need no reason."""
    (story,) = FillDayBuilder().build([live("rejected", 3)]).orders
    assert course(story) == "rejected"
    assert (story.steps[-1].event, details(story)[-1]) == ("rejected", "no reason reported")
    (story,) = FillDayBuilder().build([live("canceled", 3)]).orders
    assert (story.steps[-1].event, details(story)[-1]) == ("canceled", "")


def test_executions_of_one_moment_are_as_many_steps() -> None:
    """Equal fills in the same microsecond are separate steps, ordered by the order's total."""
    rows = [filled(1, n, 1, price, execution_id=f"x{n}") for n, price in ((1, 1.6), (2, 1.6), (3, 1.5))]
    (story,) = FillDayBuilder().build(rows[::-1]).orders
    assert details(story)[1:] == ["1 @ 1.60", "1 @ 1.60", "1 @ 1.50"]
    assert FillDayBuilder().build(rows).orders == (story,)


def test_other_events_and_unknown_ones_are_steps_of_their_own() -> None:
    """An unusual event is shown once, with the stream's own word."""
    odd = live("order_cancel_rejected", 2, status="new", reason="too late")
    rows = [odd, odd, live("moonwalk", 3, status="new")]
    (story,) = FillDayBuilder().build(rows).orders
    assert course(story) == "new → order cancel rejected → moonwalk"
    assert details(story)[1] == "too late"


def test_an_order_of_a_sum_of_money_ends_with_a_fill() -> None:
    """An order without a quantity is complete once it is filled; earlier fills were partial."""
    rows = [
        filled(1, 0.25, 0.25, 400.0, qty=None, status="partially_filled"),
        filled(2, 0.375, 0.125, 400.0, qty=None, status="filled"),
    ]
    (story,) = FillDayBuilder().build(rows).orders
    assert course(story) == "new → partial fill → fill"


def test_a_contradiction_of_a_replaced_order_is_in_its_timeline() -> None:
    """A missed bust of a replaced order is shown in the timeline of the whole chain."""
    first = live("replaced", 4, replaced_by="o2", filled_qty=0.0)
    (story,) = FillDayBuilder().build([filled(1, 1, 1, 1.6), first, live("new", 4, order_id="o2")]).orders
    assert contradiction_words(story) == "its fills add up to 1, the order reports 0"


def test_an_order_known_from_its_fills_only() -> None:
    """Before REST's orders are known, fills alone give an order's symbol, quantity and status."""
    (story,) = FillDayBuilder().build([], [rest(1, 2, 2, 1.62)]).orders
    assert (story.symbol, story.quantity, story.filled, story.status) == (CALL, 5.0, 2.0, "partially_filled")
    assert course(story) == "partial fill"


def test_the_legs_of_a_bracket_stand_under_it() -> None:
    """A bracket's legs are orders with their own fills, listed below the bracket."""
    leg = {**live("held", 1), "order_id": "stop", "side": "sell", "stop_price": 1.2, "filled_qty": 0.0}
    parent = filled(1, 5, 5, 1.6, order_class="bracket", legs=[leg])
    sold = filled(9, 5, 5, 1.2, order_id="stop", side="sell", order_class="bracket")
    book = FillDayBuilder().build([parent, sold])
    assert [(one.order_id, one.kind.value) for one in book.executions] == [
        ("stop", "single"),
        ("o1", "single"),
    ]
    (story,) = book.orders
    assert [(one.order_id, one.side) for one in story.legs] == [("stop", "sell")]


@pytest.mark.parametrize("backwards", [False, True])
def test_of_two_states_at_one_time_the_one_received_last_counts(*, backwards: bool) -> None:
    """If two states have the same time, the one received later is the newer."""
    same = {"updated_at": at(1), "filled_qty": 0.0}
    rows = [live("new", 1, status="new", **same), live("canceled", 2, status="canceled", **same)]
    (story,) = FillDayBuilder().build(rows[::-1] if backwards else rows).orders
    assert story.status == "canceled"


# Completeness


def test_complete_is_said_with_its_beginning() -> None:
    """Without gaps, fills are complete since the given time, or since midnight in New York."""
    book = FillDayBuilder().build([filled(1, 5, 5, 1.6)], since=OPEN)
    assert book.completeness.complete
    assert completeness_words(book.completeness, NEW_YORK) == "complete since 09:30"
    assert (
        completeness_words(FillDayBuilder().build([], day=DAY).completeness, NEW_YORK)
        == "complete since 00:00"
    )


def test_gaps_are_said_with_their_times() -> None:
    """A gap is named from start to end; touching gaps are joined, and the reason is kept."""
    gap = FillGap(at(71 + 7 / 60), at(71 + 52 / 60), "waiting for REST")
    book = FillDayBuilder().build([], gaps=[gap], day=DAY)
    told = book.completeness
    assert not told.complete
    assert completeness_words(told, NEW_YORK) == "fills between 10:41:07 and 10:41:52 not confirmed"
    assert told.reason == "waiting for REST"
    still_open = FillGap(at(71.5), None, "refused")
    told = FillDayBuilder().build([], gaps=[still_open, gap], day=DAY).completeness
    assert completeness_words(told, NEW_YORK) == "fills since 10:41:07 not confirmed"
    early = FillGap(book.day_start, at(1))
    told = FillDayBuilder().build([], gaps=[gap, early], day=DAY).completeness
    assert completeness_words(told, NEW_YORK) == (
        "fills before 09:31:00 and between 10:41:07 and 10:41:52 not confirmed"
    )


def test_a_hole_is_a_doubt_even_without_a_gap() -> None:
    """A quantity known only from totals keeps the day from being called complete."""
    told = FillDayBuilder().build([filled(3, 5, 2, 1.7)]).completeness
    assert not told.complete
    assert completeness_words(told, NEW_YORK) == "3 in 1 fill not confirmed"
    assert told.reason == ""


# Against the file


def portfolio() -> Portfolio:
    """A long call, a vertical with the same call, a covered call and shares of BRK.B."""
    terms = {"option_type": "call", "expiry": "2026-12-18"}
    return Portfolio.model_validate(
        {
            "positions": [
                {"id": "call", "symbol": "AAPL", "strike": 250, "contracts": 5, "cost_basis": 1.6, **terms},
                {
                    "id": "covered",
                    "symbol": "SPY",
                    "legs": [
                        {"side": "long", "shares": 100},
                        {"side": "short", "strike": 700, "contracts": 1, **terms},
                    ],
                },
                {"id": "shares", "symbol": "BRK-B", "shares": 10, "cost_basis": 400.0},
            ]
        }
    )


def test_fills_are_noted_on_the_positions_they_touch() -> None:
    """Each position has its facts, before and after saving; fills in other contracts are listed."""
    rows = [
        filled(1, 2, 2, 1.6),
        filled(2, 5, 3, 1.62),
        filled(72, 2, 2, 1.9, order_id="o2", side="sell", position_intent="sell_to_close", qty=2.0),
        filled(73, 1, 1, 480.0, order_id="o3", symbol="BRK.B", qty=1.0),
        filled(74, 40, 40, 650.0, order_id="o4", symbol="SPY", side="sell", qty=40.0),
        filled(75, 1, 1, 1.0, order_id="o5", symbol=HIGHER, qty=1.0),
        filled(20, 1, 1, 2.0, order_id="o6", symbol="SPY261218C00700000", qty=1.0),
    ]
    told = fills_for_portfolio(FillDayBuilder().build(rows), portfolio(), saved_at=at(60))
    sentences = {
        name: [fill_fact_words(fact, NEW_YORK) for fact in facts] for name, facts in told.by_position.items()
    }
    assert sentences == {
        "call": [
            "2 contracts sold 10:42, after the file was saved",
            "5 contracts bought 09:32, before the file was saved",
        ],
        "covered": [
            "40 shares sold 10:44, after the file was saved",
            "1 contract of SPY 18 Dec 2026 700 call bought 09:50, before the file was saved",
        ],
        "shares": ["1 share bought 10:43, after the file was saved"],
    }
    assert [one.symbol for one in told.not_in_file] == [HIGHER]


def test_a_contract_that_no_symbol_can_carry_is_passed_over() -> None:
    """A position with a contract that has no symbol has no facts, and does not affect the others."""
    file = Portfolio.model_validate(
        {
            "positions": [
                {
                    "id": "odd",
                    "symbol": "TOOLONGAROOT",
                    "option_type": "call",
                    "expiry": "2026-12-18",
                    "strike": 1,
                    "contracts": 1,
                    "cost_basis": 1,
                }
            ]
        }
    )
    told = fills_for_portfolio(FillDayBuilder().build([filled(1, 2, 2, 1.6)]), file)
    assert (told.by_position, len(told.not_in_file)) == ({}, 1)


def test_busted_fills_are_no_facts() -> None:
    """Busted fills do not count as facts; without a time of saving, none is stated."""
    bust = live("trade_bust", 3, previous_execution_id="x1", fill_qty=2.0, fill_price=1.6, filled_qty=3.0)
    told = fills_for_portfolio(
        FillDayBuilder().build([filled(1, 2, 2, 1.6), filled(2, 5, 3, 1.62), bust]), portfolio()
    )
    assert [fill_fact_words(fact, NEW_YORK) for fact in told.by_position["call"]] == [
        "3 contracts bought 09:32"
    ]
