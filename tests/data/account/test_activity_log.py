"""The log of activities: new, canceled and unreadable ones."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from options_helper.data.account.activity_log import ActivityLog
from options_helper.data.rest.client import CUT_SHORT
from options_helper.errors import AlpacaRestError
from tests.builders import NOW, make_event, make_fill
from tests.fakes import MIDNIGHT, FakeRest

DAY = dt.timedelta(days=1)
MINUTE = dt.timedelta(minutes=1)
FEE = {"activity_type": "FEE", "id": "f", "date": "2026-11-20", "net_amount": "-0.5"}


class Desk:
    """A log of activities, with answers that tests change."""

    def __init__(self) -> None:
        self.rest = FakeRest()
        self.log = ActivityLog(self.rest)

    def look(self, at: dt.datetime = NOW, since: dt.datetime = MIDNIGHT) -> set[str]:
        """Return the ids of all known activities after one more fetch."""
        self.log.update(at, since)
        return {one.activity_id for one in (*self.log.fills, *self.log.events, *self.log.cash)}


def test_an_update_adds_executions_events_and_cash() -> None:
    """Each fetch reads a week of activities, because Alpaca books some of them late."""
    desk = Desk()
    desk.rest.fills, desk.rest.activities = [make_fill(1)], [make_event(date="2026-11-13"), FEE]
    assert desk.look(since=NOW - 2 * MINUTE) == {"a00001", "1", "f"}
    assert desk.rest.asked_after == [NOW - 2 * MINUTE]
    assert desk.rest.activities_asked_after == [MIDNIGHT - 7 * DAY]
    desk.look(since=MIDNIGHT - 30 * DAY)
    assert desk.rest.activities_asked_after[-1] == MIDNIGHT - 30 * DAY


@pytest.mark.parametrize("row", [make_event(), make_fill(1), FEE], ids=["event", "fill", "fee"])
def test_what_alpaca_withdraws_did_not_happen(row: dict[str, Any]) -> None:
    """A canceled row is removed whenever it is reported, is not counted as unreadable, and stays removed."""
    desk = Desk()
    desk.rest.fills = [{**row, "status": "executed"}]
    assert len(desk.look()) == 1
    desk.rest.activities = [{**row, "status": "canceled"}]
    assert desk.look() == desk.look() == set()
    assert desk.log.unreadable.rows == []


@pytest.mark.parametrize("row", [CUT_SHORT, make_event(symbol=None), None], ids=repr)
def test_a_row_that_cannot_be_read_is_counted(row: object) -> None:
    """An unreadable row counts until a fetch no longer returns it."""
    desk = Desk()
    desk.rest.activities = [row]
    desk.look()
    desk.look(NOW + MINUTE)
    assert [one.seen_at for one in desk.log.unreadable.rows] == [NOW]
    desk.rest.activities = []
    desk.look()
    assert desk.log.unreadable.rows == []


def test_an_execution_dated_tomorrow_is_not_a_fill_of_today() -> None:
    """An execution dated tomorrow counts as unreadable until its day, so that nothing is called complete."""
    desk = Desk()
    desk.rest.fills = [make_fill(1, transaction_time=(NOW + DAY).isoformat())]
    assert desk.look() == set()
    assert [one.kind for one in desk.log.unreadable.rows] == ["fill"]
    assert desk.look(NOW + DAY) == {"a00001"}
    assert desk.log.unreadable.rows == []


@pytest.mark.parametrize("looks", [1, 2, 5])
def test_an_unreadable_row_is_requested_again_however_old_it_is(looks: int) -> None:
    """Each fetch begins a day before the row that precedes the unreadable one, and no earlier."""
    desk, first = Desk(), NOW - 20 * DAY
    desk.rest.activities = [make_event(date="2026-11-05"), make_event(id="2", qty=None), FEE]
    desk.look(since=first)
    for number in range(looks):
        desk.look(NOW + number * MINUTE)
        assert desk.rest.activities_asked_after[-1].date() == dt.date(2026, 11, 4)
        assert len(desk.log.unreadable.rows) == 1
    desk.rest.activities = [make_event(date="2026-11-05"), make_event(id="2"), FEE]
    assert desk.look() == {"1", "2", "f"}
    desk.look()
    assert desk.rest.activities_asked_after[-1] == MIDNIGHT - 7 * DAY


def test_a_failed_update_forgets_nothing() -> None:
    """A failed fetch keeps the known activities and the unreadable rows."""
    desk = Desk()
    desk.rest.fills, desk.rest.activities = [make_fill(1)], [make_event(), None]
    desk.look()
    desk.rest.activities = []
    desk.rest.failing["activities"] = AlpacaRestError("/v2/account/activities", "it failed", status=500)
    with pytest.raises(AlpacaRestError):
        desk.look()
    assert (len(desk.log.fills), len(desk.log.events), len(desk.log.unreadable.rows)) == (1, 1, 1)


def test_a_record_that_did_not_change_stays_the_same_object() -> None:
    """An unchanged record is not replaced, so that views cached by identity are not computed again."""
    desk = Desk()
    desk.rest.activities = [make_event()]
    desk.look()
    known = desk.log.events
    desk.look()
    assert desk.log.events[0] is known[0]
