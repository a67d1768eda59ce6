"""Option events of the days before: fetched each hour, and counted if they cannot be read."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from options_helper.data.rest.account_history import read_activities
from options_helper.data.rest.client import CUT_SHORT
from options_helper.data.streaming.backfill.option_events import EarlierOptionEvents
from options_helper.data.streaming.backfill.order_history import OrderHistory
from options_helper.errors import AlpacaRestError
from tests.builders import NOW, make_fill
from tests.data.streaming.backfill.test_unreadable_rows import make_event
from tests.fakes import MIDNIGHT, FakeRest

DAY = dt.timedelta(days=1)
MINUTE = dt.timedelta(minutes=1)


def earlier(rest: FakeRest) -> EarlierOptionEvents:
    """Return the events after one look."""
    events = EarlierOptionEvents(rest)
    events.update(NOW)
    return events


def test_the_events_of_a_week_are_kept() -> None:
    """An expiry of the day before is there; those of today come with the day's fills."""
    rest = FakeRest()
    rest.earlier_events = [make_event(date="2026-11-19"), make_event(id="2", date="2026-11-20")]
    assert [row["activity_id"] for row in earlier(rest).rows] == ["1"]
    assert rest.events_asked_after == MIDNIGHT - 7 * DAY


def test_they_are_asked_for_each_hour_and_on_a_new_day() -> None:
    """Alpaca books some of them late; once an hour is enough."""
    rest = FakeRest()
    events = earlier(rest)
    for minutes, times in ((59, 1), (61, 2), (62, 2), (14 * 60 - 1, 3), (14 * 60, 4)):
        events.update(NOW + minutes * MINUTE)
        assert rest.calls["option events"] == times, minutes


@pytest.mark.parametrize("row", [CUT_SHORT, make_event(symbol=None), None])
def test_an_event_that_cannot_be_read_is_counted(row: object) -> None:
    """It is counted until a look passes without it."""
    rest = FakeRest()
    rest.earlier_events = [row]
    events = earlier(rest)
    assert (events.unreadable.count, events.unreadable.since) == (1, NOW)
    rest.earlier_events = []
    events.update(NOW + DAY)
    assert events.unreadable.count == 0


@pytest.mark.parametrize(("status", "is_kept"), [("executed", True), ("correct", True), ("canceled", False)])
def test_what_alpaca_took_back_did_not_happen(status: str, is_kept: bool) -> None:
    """A canceled assignment is neither shown, a cause of a difference, nor counted as unreadable."""
    rest = FakeRest()
    rest.earlier_events = [make_event(date="2026-11-19", status=status)]
    events = earlier(rest)
    assert (len(events.rows), events.unreadable.count) == (int(is_kept), 0)
    rest.fills = [make_event(date="2026-11-20", status=status)]
    history = OrderHistory(rest)
    history.update(NOW)
    assert (len(history.events), history.unreadable.count) == (int(is_kept), 0)
    left_out: list[str] = []
    fills, events = read_activities([make_event(status=status)], left_out)
    assert (len(fills), len(events), left_out) == (0, int(is_kept), [])


@pytest.mark.parametrize("row", [make_event(date="2026-11-20"), make_fill(1)], ids=["event", "fill"])
def test_what_alpaca_takes_back_later_is_forgotten(row: dict[str, Any]) -> None:
    """The day's next look removes it; of an event, also the hourly look at the week."""
    rest = FakeRest()
    rest.fills = [row]
    history = OrderHistory(rest)
    history.update(NOW)
    assert len(history.events) + len(history.fills) == 1
    rest.fills = [{**row, "status": "canceled"}]
    history.update(NOW + MINUTE)
    assert (history.events, history.fills, history.unreadable.count) == ([], [], 0)
    rest.fills, rest.earlier_events = [row], [{**row, "status": "canceled"}]
    history.update(NOW + 2 * MINUTE)
    history.take_back(earlier(rest).taken_back)
    assert (history.events, history.fills) == ([], [])


def test_a_look_that_fails_keeps_the_events() -> None:
    """The next one begins again."""
    rest = FakeRest()
    rest.earlier_events = [make_event(date="2026-11-19")]
    events = earlier(rest)
    rest.failing = {
        "option events": AlpacaRestError("/v2/account/activities", "the server failed", status=500)
    }
    with pytest.raises(AlpacaRestError):
        events.update(NOW + DAY)
    rest.failing, rest.earlier_events = {}, []
    assert len(events.rows) == 1
    events.update(NOW + DAY)
    assert events.rows == []
