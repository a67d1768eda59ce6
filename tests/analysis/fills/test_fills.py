"""The day's executions from the stream and from REST: one row each, with its price if it is known."""

from __future__ import annotations

import datetime as dt

import pytest

from options_helper.analysis.fills.day import FillDayBuilder
from options_helper.analysis.fills.records import FillKind
from options_helper.analysis.fills.words import execution_name, execution_price
from options_helper.analysis.text.order_words import (
    contract_words,
    fill_words,
    net_words,
    plain,
    price_words,
    side_words,
)
from tests.analysis.fills.rows import CALL, DAY, OPEN, at, filled, live, rest, shown


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
def test_contracts_are_written_in_words(symbol: str | None, words: str) -> None:
    """A contract is written as root, date, strike and type; other symbols are unchanged."""
    assert contract_words(symbol) == words


def test_prices_and_sides_are_written_in_words() -> None:
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


def test_one_row_per_execution_newest_first() -> None:
    """Reports of one execution from the stream and REST become one row with the data of both."""
    fill_day = FillDayBuilder().build([filled(1, 2, 2, 1.62)], [rest(1, 2, 2, 1.62), rest(2, 5, 3, 1.64)])
    assert shown(fill_day) == [(3.0, 1.64, 5.0, "rest", ""), (2.0, 1.62, 2.0, "both", "")]
    newest, oldest = fill_day.executions
    assert (newest.average_price, oldest.average_price) == (1.632, 1.62)
    assert (oldest.position_after, oldest.execution_id, oldest.activity_id) == (2.0, "x1", "a1")
    assert (
        execution_name(oldest),
        side_words(oldest.side, oldest.intent),
        fill_words(oldest.quantity, oldest.price),
    ) == ("AAPL 18 Dec 2026 250 call", "buy to open", "2 @ 1.62")
    assert (oldest.total, oldest.kind, execution_price(oldest)) == (5.0, FillKind.SINGLE, "1.62")
    assert fill_day.day == DAY


def test_rest_reports_win_over_the_stream() -> None:
    """If the two reports of an execution differ, REST's figures count."""
    fill_day = FillDayBuilder().build([filled(1, 2, 2, 1.62)], [rest(1.5, 2, 2, 1.61)])
    assert [(one.price, one.at) for one in fill_day.executions] == [(1.61, at(1.5))]


def test_a_missed_execution_is_a_visible_hole() -> None:
    """A higher total shows the missing quantity as not confirmed, with a price from the averages."""
    first, last = filled(1, 1, 1, 1.6), filled(3, 4, 1, 1.7, filled_avg_price=1.65)
    fill_day = FillDayBuilder().build([first, last])
    assert shown(fill_day) == [
        (1.0, 1.7, 4.0, "live", ""),
        (2.0, None, 3.0, "derived", "not confirmed"),
        (1.0, 1.6, 1.0, "live", ""),
    ]
    seen = live("held", 2, filled_qty=3.0, filled_avg_price=1.6333)
    fill_day = FillDayBuilder().build([first, last, seen])
    assert shown(fill_day)[1] == (2.0, 1.65, 3.0, "derived", "not confirmed · price derived from averages")
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
def test_a_price_is_derived_only_if_it_is_unambiguous(
    total: float, quantity: float, average: float, price: float | None
) -> None:
    """An average determines a price only if exactly one price in whole cents fits it."""
    first = filled(1, total - quantity, total - quantity, 1.0, qty=total)
    seen = live("held", 2, qty=total, filled_qty=total, filled_avg_price=average)
    fill_day = FillDayBuilder().build([first, seen])
    assert fill_day.executions[0].price == price


def test_an_order_of_which_only_the_total_is_known() -> None:
    """A filled order from REST without its fills is shown as one unconfirmed quantity."""
    order = live("filled", 4, filled_qty=5.0, filled_avg_price=1.62, origin="rest")
    fill_day = FillDayBuilder().build([], [], [order])
    assert shown(fill_day) == [(5.0, 1.62, 5.0, "derived", "not confirmed · price derived from averages")]


def test_an_order_from_before_the_day_has_no_hole_at_its_start() -> None:
    """Earlier days' fills of a good-till-canceled order do not count as missed today."""
    began = {"submitted_at": OPEN - dt.timedelta(days=2)}
    today = filled(1, 4, 1, 1.7, filled_avg_price=1.65, **began)
    fill_day = FillDayBuilder().build([today])
    assert shown(fill_day) == [(1.0, 1.7, 4.0, "live", "")]
    assert fill_day.executions[0].average_price == 1.65
    before = live(
        "held", -1200, updated_at=OPEN - dt.timedelta(days=1), filled_qty=2.0, filled_avg_price=1.63, **began
    )
    fill_day = FillDayBuilder().build([today], [], [before], day=DAY)
    assert [(one.quantity, one.filled) for one in fill_day.executions] == [(1.0, 4.0), (1.0, 3.0)]
    unfilled = live("held", 1, filled_qty=2.0, filled_avg_price=1.63, **began)
    assert FillDayBuilder().build([unfilled]).executions == ()
    unpriced = filled(1, 4, 1, 1.7, filled_avg_price=None, **began)
    assert FillDayBuilder().build([unpriced]).executions[0].average_price is None


def test_quantities_below_the_first_rest_execution_were_filled_on_an_earlier_day() -> None:
    """A total below REST's first execution of the day belongs to an earlier day."""
    began = {"submitted_at": OPEN - dt.timedelta(days=2)}
    before = live("held", -1200, updated_at=OPEN - dt.timedelta(days=1), filled_qty=1.0, **began)
    fill_day = FillDayBuilder().build([before], [rest(2, 4, 1, 1.7)], day=DAY)
    assert [(one.quantity, one.filled) for one in fill_day.executions] == [(1.0, 4.0)]
    live_only = FillDayBuilder().build([before, filled(2, 4, 1, 1.7, **began)], day=DAY)
    assert [(one.quantity, one.confirmed) for one in live_only.executions] == [(1.0, True), (2.0, False)]


def test_fills_from_an_earlier_day_are_left_out() -> None:
    """Rows from another New York day are not part of this one."""
    fill_day = FillDayBuilder().build([filled(-1440, 2, 2, 1.6)], [rest(1, 5, 3, 1.7)], day=DAY)
    assert [(one.quantity, one.filled) for one in fill_day.executions] == [(3.0, 5.0)]


def test_a_report_in_finer_parts_is_not_counted_twice() -> None:
    """If the stream reports two executions as one, REST's parts are not counted again."""
    fill_day = FillDayBuilder().build([filled(1, 3, 3, 1.62)], [rest(1, 1, 1, 1.6)])
    assert [(one.quantity, one.filled, one.price) for one in fill_day.executions] == [
        (2.0, 3.0, 1.63),
        (1.0, 1.0, 1.6),
    ]


def test_malformed_messages_make_no_row() -> None:
    """Fills without an order, a total or a finite quantity are left out; the others stay."""
    rows = [
        filled(1, 2, 2, 1.62),
        filled(2, 5, 3, 1.7, order_id=None),
        filled(3, 5, 3, 1.7, order_id="o2", filled_qty=None),
        filled(4, 1e300, 3, 1.7, order_id="o3"),
    ]
    assert [(one.order_id, one.quantity) for one in FillDayBuilder().build(rows).executions] == [("o1", 2.0)]
