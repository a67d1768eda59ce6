"""REST rows that cannot be read: counted, dated, logged without ids, and asked for again."""

from __future__ import annotations

import copy
import datetime as dt
import logging
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_helper.analysis.fills.day import FillDayBuilder
from options_helper.data.streaming.backfill.order_history import OrderHistory
from options_helper.data.streaming.backfill.unreadable import masked_text
from options_helper.errors import AlpacaRestError
from tests.data.streaming.backfill.test_backfill import MIDNIGHT, NOW, FakeRest, make_fill, make_order

NEW_YORK = ZoneInfo("America/New_York")
MINUTE = dt.timedelta(minutes=1)
BROKEN_FILLS: list[Any] = [
    None,
    "junk",
    make_fill(1, cum_qty=None),
    make_fill(1, cum_qty="5,000"),
    make_fill(1, qty=None),
    make_fill(1, price=None),
    make_fill(1, price="1,000.50"),
    make_fill(1, transaction_time=None),
    make_fill(1, transaction_time="yesterday"),
    make_fill(1, order_id=None),
]
BROKEN_ORDERS: list[Any] = [
    None,
    7,
    {"id": None},
    make_order("o1", filled_qty=None),
    make_order("o1", filled_qty="5,000"),
    make_order("o1", qty="5,000"),
    make_order("o1", submitted_at=None, updated_at=None),
    make_order("o1", legs=[None]),
    make_order("o1", legs="junk"),
    make_order("o1", legs=[make_order("leg", filled_qty="1,0")]),
]


def look(rest: FakeRest, at: dt.datetime = NOW) -> OrderHistory:
    """The day after one look."""
    history = OrderHistory(rest)
    history.update(at)
    return history


def heading(history: OrderHistory) -> tuple[bool, str]:
    """Return whether the day claims to be complete, and its words."""
    day = FillDayBuilder().build([], history.fills, history.orders, unreadable=history.unreadable)
    said = day.completeness
    return said.complete, said.sentence(NEW_YORK)


@pytest.mark.parametrize("row", BROKEN_FILLS, ids=repr)
def test_a_fill_that_cannot_be_read_ends_the_claim(row: Any) -> None:
    """One unreadable FILL among good ones: the heading says how many and since when, never "complete"."""
    rest = FakeRest()
    rest.fills, rest.todays_orders = [make_fill(0), row], [make_order("o1", filled_qty="1")]
    assert heading(look(rest)) == (False, "1 row from Alpaca could not be read since 10:00:00")


@pytest.mark.parametrize("row", BROKEN_ORDERS, ids=repr)
def test_an_order_that_cannot_be_read_ends_the_claim(row: Any) -> None:
    """One unreadable order, or leg of one, in either list of orders."""
    rest = FakeRest()
    rest.todays_orders = [make_order("o2"), row]
    assert heading(look(rest)) == (False, "1 row from Alpaca could not be read since 10:00:00")
    rest.todays_orders, rest.open_orders = [], [row]
    assert not heading(look(rest))[0]


def test_rows_that_say_nothing_of_today_end_no_claim() -> None:
    """A fill of yesterday and an activity of another type are read, and put aside."""
    rest = FakeRest()
    rest.fills = [make_fill(2, transaction_time="2026-11-19T20:00:00Z"), {"activity_type": "DIV", "id": "d"}]
    assert heading(look(rest))[0]


def test_a_row_counts_once_and_from_when_it_was_first_seen() -> None:
    """Later looks meet the same rows again; two rows that are alike are still two."""
    rest = FakeRest()
    rest.fills = [None, None, make_fill(1, cum_qty=None)]
    history = look(rest)
    history.update(NOW + MINUTE)
    assert (history.unreadable.count, history.unreadable.since) == (3, NOW)


def test_a_row_that_can_be_read_later_restores_the_claim() -> None:
    """The span of the unreadable row is asked for again, however much was filled since."""
    rest = FakeRest()
    later = make_fill(3600, order_id="o2", cum_qty="1")
    rest.todays_orders = [make_order("o1", filled_qty="2"), make_order("o2", filled_qty="1")]
    rest.fills = [make_fill(0), make_fill(1, cum_qty=None), later]
    history = look(rest)
    assert not heading(history)[0]
    rest.fills = [make_fill(0), make_fill(1), later]
    history.update(NOW + 90 * MINUTE)
    assert rest.asked_after[0] == MIDNIGHT
    assert rest.asked_after[1] < dt.datetime.fromisoformat(make_fill(0)["transaction_time"])
    assert heading(history)[0]


def test_a_look_that_fails_forgets_no_unreadable_row() -> None:
    """Only a look that reached all rows can say that one is gone."""
    rest = FakeRest()
    rest.fills = [None]
    history = look(rest)
    failure = AlpacaRestError("/v2/account/activities", "the server failed (500)", status=500)
    rest.fills, rest.failing = [], {"fills": failure}
    with pytest.raises(AlpacaRestError):
        history.update(NOW + MINUTE)
    assert history.unreadable.count == 1


def test_a_new_day_begins_without_unreadable_rows() -> None:
    """Yesterday's unreadable row says nothing of today."""
    rest = FakeRest()
    rest.fills = [None]
    history = look(rest)
    rest.fills = []
    history.update(NOW + dt.timedelta(days=1))
    assert history.unreadable.count == 0


def test_the_row_is_logged_once_without_ids(caplog: pytest.LogCaptureFixture) -> None:
    """The text of the row helps to mend it; ids and anything like a key are masked."""
    rest = FakeRest()
    order_id = "00000002-0000-4000-8000-000000000002"
    like_a_key = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCd"
    rest.fills = [make_fill(1, cum_qty="5,000", order_id=order_id, note=like_a_key)]
    with caplog.at_level(logging.WARNING):
        history = look(rest)
        history.update(NOW + MINUTE)
    (line,) = [record.getMessage() for record in caplog.records]
    assert '"cum_qty": "5,000"' in line
    assert '"symbol": "AAPL261218C00250000"' in line
    assert order_id not in line
    assert like_a_key not in line


def test_a_logged_row_stays_on_its_line() -> None:
    """Control characters of a server are escaped, and a huge row is cut."""
    assert "\n" not in masked_text({"symbol": "A\n\x1b[31m"})
    assert len(masked_text({"symbol": "A" * 10_000 + " b"})) < 3000


wrong = st.sampled_from([None, "", "5,000", "junk", [], {}, "NaN"])
NEEDED_OF_FILLS = ["order_id", "cum_qty", "qty", "transaction_time", "price"]
NEEDED_OF_ORDERS = ["id", "filled_qty"]


@given(data=st.data(), count=st.integers(1, 5))
def test_completeness_is_never_claimed_after_a_skipped_row(data: st.DataObject, count: int) -> None:
    """Whatever field of whatever row is broken: every row is read, or the claim ends."""
    rest = FakeRest()
    rest.fills = [make_fill(number) for number in range(count)]
    rest.todays_orders = [make_order("o1", filled_qty=str(count))]
    assert heading(look(rest))[0]
    fills, orders = copy.deepcopy(rest.fills), copy.deepcopy(rest.todays_orders)
    rows, needed = data.draw(st.sampled_from([(fills, NEEDED_OF_FILLS), (orders, NEEDED_OF_ORDERS)]))
    place = data.draw(st.integers(0, len(rows) - 1))
    if data.draw(st.booleans()):
        rows[place][data.draw(st.sampled_from(needed))] = data.draw(wrong)
    else:
        rows[place] = data.draw(wrong)
    rest.fills, rest.todays_orders = fills, orders
    assert not heading(look(rest))[0]
