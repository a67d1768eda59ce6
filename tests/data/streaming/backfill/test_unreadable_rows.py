"""REST rows that cannot be read: counted, dated, logged without ids, and requested again."""

from __future__ import annotations

import copy
import datetime as dt
import logging
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from options_helper.analysis.fills.day import FillDayBuilder
from options_helper.analysis.fills.words import completeness_words
from options_helper.data.account.activities import MOVES_POSITIONS, kind_of
from options_helper.data.masking import masked_text
from options_helper.data.rest.client import CUT_SHORT
from options_helper.data.streaming.backfill.order_history import OrderHistory
from options_helper.errors import AlpacaRestError
from tests.builders import NOW, make_event, make_fill, make_order, rest_fill_row
from tests.fakes import MIDNIGHT, FakeRest, order_history

NEW_YORK = ZoneInfo("America/New_York")
DAY = dt.date(2026, 11, 20)
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
    make_fill(1, id=None),
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
    """Return the day as one fetch reads it."""
    history = order_history(rest)
    history.update(at)
    return history


def heading(history: OrderHistory) -> tuple[bool, str]:
    """Return whether the day claims to be complete, and the words of its heading."""
    day = FillDayBuilder().build([], history.fills, history.orders, unreadable=history.unreadable, day=DAY)
    said = day.completeness
    return said.complete, completeness_words(said, NEW_YORK)


@pytest.mark.parametrize("row", BROKEN_FILLS, ids=repr)
def test_a_fill_that_cannot_be_read_ends_the_claim(row: Any) -> None:
    """With an unreadable FILL among good ones, the heading says how many are unreadable, and since when."""
    rest = FakeRest()
    rest.fills, rest.todays_orders = [make_fill(0), row], [make_order("o1", filled_qty="1")]
    assert heading(look(rest)) == (False, "1 row from Alpaca could not be read since 10:00:00")


@pytest.mark.parametrize("row", BROKEN_ORDERS, ids=repr)
def test_an_order_that_cannot_be_read_ends_the_claim(row: Any) -> None:
    """An unreadable order or leg in either list of orders ends the claim."""
    rest = FakeRest()
    rest.todays_orders = [make_order("o2"), row]
    assert heading(look(rest)) == (False, "1 row from Alpaca could not be read since 10:00:00")
    rest.todays_orders, rest.open_orders = [], [row]
    assert not heading(look(rest))[0]


def test_truncated_pages_end_the_claim() -> None:
    """Orders or activities on pages that could not be requested are missing, so the day is incomplete."""
    for change in ({"todays_orders": [make_order("o1"), CUT_SHORT]}, {"fills": [CUT_SHORT]}):
        rest = FakeRest()
        for name, rows in change.items():
            setattr(rest, name, rows)
        assert heading(look(rest)) == (False, "1 row from Alpaca could not be read since 10:00:00")


@pytest.mark.parametrize(
    "broken",
    [
        {"symbol": None},
        {"date": "soon"},
        {"qty": None},
        {"qty": "2,0"},
        {"id": None},
        {"activity_type": "OPTRD", "price": "n/a"},
    ],
)
def test_an_option_event_that_cannot_be_read_ends_the_claim(broken: dict[str, Any]) -> None:
    """An assignment or expiry that cannot be read makes the day incomplete."""
    rest = FakeRest()
    rest.fills = [make_event(), {**make_event(id="2"), **broken}]
    assert heading(look(rest)) == (False, "1 row from Alpaca could not be read since 10:00:00")


@pytest.mark.parametrize("kind", ["OPCA", "OPCSH"])
def test_a_corporate_action_needs_no_quantity(kind: str) -> None:
    """A corporate action without a quantity is readable, because it may only move cash."""
    rest = FakeRest()
    rest.fills = [make_event(activity_type=kind, qty=None, net_amount="-12.5")]
    history = look(rest)
    assert heading(history)[0]
    assert [(one.kind, one.quantity, one.amount) for one in history._log.events] == [(kind.lower(), 0, -12.5)]


def test_rows_about_other_days_end_no_claim() -> None:
    """Yesterday's fill and an activity of another type are read and do not end the claim."""
    rest = FakeRest()
    rest.fills = [make_fill(2, transaction_time="2026-11-19T20:00:00Z"), {"activity_type": "DIV", "id": "d"}]
    assert heading(look(rest))[0]


def test_a_row_counts_once_and_from_when_it_was_first_seen() -> None:
    """Later fetches return the same rows again; two equal rows still count as two."""
    rest = FakeRest()
    rest.fills = [None, None, make_fill(1, cum_qty=None)]
    history = look(rest)
    history.update(NOW + MINUTE)
    assert (history.unreadable.count, history.unreadable.since) == (3, NOW)


def test_a_row_that_can_be_read_later_restores_the_claim() -> None:
    """The span of the unreadable row is requested again, however many fills have come since."""
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


def test_a_failed_fetch_forgets_no_unreadable_row() -> None:
    """Only a complete fetch can show that a row is gone."""
    rest = FakeRest()
    rest.fills = [None]
    history = look(rest)
    failure = AlpacaRestError("/v2/account/activities", "the server failed (500)", status=500)
    rest.fills, rest.failing = [], {"fills": failure, "history": failure}
    with pytest.raises(AlpacaRestError):
        history.update(NOW + MINUTE)
    assert history.unreadable.count == 1


class DatedRest(FakeRest):
    """A source that lists only rows since the given time, and may fail after its first page."""

    fails_later = False

    def fill_pages(self, after: dt.datetime) -> Iterator[list[Any]]:
        """Yield pages of two."""
        rows = [row for row in self.fills if dt.datetime.fromisoformat(row["transaction_time"]) >= after]
        for start in range(0, max(len(rows), 1), 2):
            yield rows[start : start + 2]
            if self.fails_later:
                raise AlpacaRestError("/v2/account/activities", "the server failed (500)", status=500)


@pytest.mark.parametrize("looks_before", [0, 1])
@pytest.mark.parametrize("broken", [{"price": None}, {"activity_type": "OPEXP", "date": None, "qty": None}])
def test_a_row_is_requested_again_after_a_failed_fetch(broken: dict[str, Any], looks_before: int) -> None:
    """The day is incomplete until the row can be read, however many fills have come since."""
    rest, later = DatedRest(), make_fill(3600, order_id="o2", cum_qty="1")
    rest.todays_orders = [make_order("o1", filled_qty="1"), make_order("o2", filled_qty="1")]
    rest.fills = [make_fill(0, **broken), later]
    history = order_history(rest)
    for _ in range(looks_before):
        history.update(NOW + 60 * MINUTE)
    rest.fails_later = True
    with pytest.raises(AlpacaRestError):
        history.update(NOW + 61 * MINUTE)
    rest.fails_later = False
    for minutes in (62, 63, 64):
        history.update(NOW + minutes * MINUTE)
        assert not heading(history)[0]
    rest.fills = [make_fill(0), later]
    history.update(NOW + 65 * MINUTE)
    assert heading(history)[0]


def test_an_earlier_order_that_cannot_be_read_in_full_is_requested_again() -> None:
    """An order filled today that is in no list is requested by each fetch until it can be read."""
    rest = FakeRest()
    rest.fills = [make_fill(0)]
    old = {"submitted_at": "2026-11-17T15:00:00Z", "status": "filled"}
    rest.single = {"o1": make_order("o1", filled_qty="5,000", **old)}
    history = look(rest)
    history.update(NOW + MINUTE)
    assert not heading(history)[0]
    rest.single = {"o1": make_order("o1", filled_qty="1", **old)}
    for minutes in (2, 3):
        history.update(NOW + minutes * MINUTE)
        assert heading(history)[0]
    assert rest.calls["order o1"] == 3


def test_a_new_day_begins_without_unreadable_rows() -> None:
    """Yesterday's unreadable row does not concern today."""
    rest = FakeRest()
    rest.fills = [None]
    history = look(rest)
    rest.fills = []
    history.update(NOW + dt.timedelta(days=1))
    assert history.unreadable.count == 0


def test_the_row_is_logged_once_without_ids(caplog: pytest.LogCaptureFixture) -> None:
    """The log quotes the row, with ids and anything like a key masked."""
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
    """Control characters from a server are escaped, and a huge row is cut."""
    assert "\n" not in masked_text({"symbol": "A\n\x1b[31m"})
    assert len(masked_text({"symbol": "A" * 10_000 + " b"})) < 3000


wrong = st.sampled_from([None, "", "5,000", "junk", [], {}, "NaN"])
NEEDED_OF_FILLS = ["order_id", "cum_qty", "qty", "transaction_time", "price", "side"]
NEEDED_OF_ORDERS = ["id", "filled_qty"]


@given(data=st.data(), count=st.integers(1, 5))
def test_completeness_is_never_claimed_after_a_skipped_row(data: st.DataObject, count: int) -> None:
    """Whichever field of whichever row is broken, every row is read or the claim ends."""
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


odd = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from(["1", "2", "FILL", "OPASN", "o"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
rows = st.one_of(
    odd,
    *(
        st.fixed_dictionaries({}, optional={name: st.just(value) | odd for name, value in good.items()})
        for good in (make_fill(1), make_order("o1", filled_qty="1"), make_event())
    ),
)


@given(fills=st.lists(rows, max_size=4), orders=st.lists(rows, max_size=3))
@settings(max_examples=100, deadline=None)
def test_no_rest_row_disappears_uncounted(fills: list[Any], orders: list[Any]) -> None:
    """Each row is kept, of another kind, or counted, and a counted one ends the claim."""
    rest = FakeRest()
    rest.fills, rest.todays_orders = fills, orders
    history = look(rest)
    kept = len(history.fills) + len(history._log.events) + len(history.orders) + history.unreadable.count
    other = [row for row in fills if kind_of(row) not in MOVES_POSITIONS]
    named = [row["id"] for row in (*fills, *orders) if isinstance(row, dict) and row.get("id")]
    again = len(named) - len(set(map(str, named)))  # one id is one row, however often it comes
    early = [row for row in map(rest_fill_row, fills) if row is not None and row["timestamp"] < MIDNIGHT]
    assert kept + len(other) + len(early) + again >= len(fills) + len(orders)
    assert heading(history)[0] is False or history.unreadable.count == 0
