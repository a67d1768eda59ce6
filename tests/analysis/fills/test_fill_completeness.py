"""The sentences about the completeness of the fills."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from options_helper.analysis.fills.day import FillDay, FillDayBuilder
from options_helper.analysis.fills.words import completeness_words
from options_helper.market import FillGap

NEW_YORK = ZoneInfo("America/New_York")
DAY = dt.date(2026, 11, 20)
OPEN = dt.datetime(2026, 11, 20, 14, 30, tzinfo=dt.UTC)
BOOK = FillDay(day=DAY, since=OPEN)


def at(minutes: float) -> dt.datetime:
    """Minutes after the open."""
    return OPEN + dt.timedelta(minutes=minutes)


def sentence(*gaps: FillGap) -> str:
    """Return the sentence about a day with these gaps."""
    return completeness_words(replace(BOOK, gaps=gaps).completeness, NEW_YORK)


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        (FillGap(BOOK.day_start, at(1)), "fills before 09:31:00 not confirmed"),
        (FillGap(BOOK.day_start), "fills since 00:00:00 not confirmed"),
        (FillGap(at(-30), at(-20)), "fills between 09:00:00 and 09:10:00 not confirmed"),
        (FillGap(at(71.5), at(72)), "fills between 10:41:30 and 10:42:00 not confirmed"),
        (FillGap(at(71.5)), "fills since 10:41:30 not confirmed"),
        (FillGap(at(-1440), at(1)), "fills before 09:31:00 not confirmed"),
    ],
)
def test_a_gap_is_named_by_both_its_ends(gap: FillGap, words: str) -> None:
    """Only a gap that starts with the day has no beginning; later gaps have both ends."""
    assert sentence(gap) == words


def test_the_newest_of_many_gaps_are_named() -> None:
    """After a day of reconnects, the line names three gaps and counts the earlier ones."""
    gaps = [FillGap(at(minute), at(minute + 0.5)) for minute in range(200)]
    named = "between 12:47:00 and 12:47:30, between 12:48:00 and 12:48:30 and between 12:49:00 and 12:49:30"
    assert sentence(*gaps) == f"fills in 197 earlier spans, {named} not confirmed"
    assert sentence(*gaps[-4:]) == f"fills in 1 earlier span, {named} not confirmed"
    assert sentence(*gaps[-3:]) == f"fills {named} not confirmed"


def test_yesterdays_gap_casts_no_doubt_on_today() -> None:
    """A gap that ended before midnight in New York does not concern the day that is shown."""
    assert sentence(FillGap(at(-1440), at(-1400))) == "complete since 09:30"
    assert replace(BOOK, gaps=(FillGap(at(-1440), at(-1400)),)).complete


def test_an_order_that_contradicts_its_fills_casts_doubt() -> None:
    """If fills exceed their order's total, as after a missed bust, the day is incomplete."""
    common = {"order_id": "o1", "symbol": "SPY", "side": "buy", "qty": 5.0, "origin": "rest"}
    fills = [
        {**common, "timestamp": at(n), "event": "fill", "filled_qty": n, "fill_qty": 1.0, "fill_price": 1.6}
        for n in (1.0, 2.0)
    ]
    order = {**common, "timestamp": at(4), "updated_at": at(4), "filled_qty": 1.0, "status": "canceled"}
    found = FillDayBuilder().build([], fills, [order], day=DAY, since=OPEN).completeness
    assert not found.complete
    assert completeness_words(found, NEW_YORK) == "the fills of 1 order add up to more than the order reports"
    two = [{**row, "order_id": "o2"} for row in (*fills, order)]
    found = FillDayBuilder().build([], [*fills, *two[:2]], [order, two[2]], day=DAY, since=OPEN).completeness
    assert (
        completeness_words(found, NEW_YORK) == "the fills of 2 orders add up to more than the orders report"
    )


def test_overlapping_fills_cast_doubt_whatever_the_orders_time() -> None:
    """Overlapping fills of 1 and 3 exceed an order of 3, even if the order was last updated before them."""
    common = {
        "order_id": "o1",
        "symbol": "SPY",
        "side": "buy",
        "qty": 3.0,
        "fill_price": 1.6,
        "event": "fill",
    }
    first = {**common, "timestamp": at(1), "filled_qty": 1.0, "fill_qty": 1.0, "origin": "live"}
    both = {**common, "timestamp": at(2), "filled_qty": 3.0, "fill_qty": 3.0, "origin": "rest"}
    order = {**common, "timestamp": at(0), "updated_at": at(0), "filled_qty": 3.0, "origin": "rest"}
    found = FillDayBuilder().build([first], [both], [order], day=DAY, since=OPEN).completeness
    assert completeness_words(found, NEW_YORK) == "the fills of 1 order add up to more than the order reports"
