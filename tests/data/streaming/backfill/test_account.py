"""The account's history over several fetches."""

from __future__ import annotations

import datetime as dt
from typing import Any, cast

import pytest

from options_helper.data.account.activity_log import ActivityLog
from options_helper.data.rest.client import AlpacaRest
from options_helper.data.streaming.backfill.account import AccountFetch
from options_helper.errors import AlpacaRestError
from options_helper.times import new_york_date
from tests.builders import NOW, make_event, make_fill
from tests.fakes import FakeClock, FakeRest, FakeResults

FIRST = dt.date(2026, 10, 21)


class AccountDesk:
    """The fetch of an account, with an answer that tests change."""

    def __init__(self) -> None:
        self.rest, self.sink = FakeRest(), FakeResults.__new__(FakeResults)
        self.sink.reference, self.sink.clock_ahead = {}, dt.timedelta()
        self.clock = FakeClock()
        self.log = ActivityLog(self.rest)
        self.fetch = AccountFetch(cast("AlpacaRest", self.rest), self.log, self.sink, self.clock.now)

    def look(self) -> Any:
        """Return the history after one more fetch."""
        self.fetch.fetch_history()
        return self.sink.reference["broker_history"]


def test_nothing_is_concluded_from_a_history_that_lacks_a_row() -> None:
    """The readable rows are published, but not as complete, until the broken one can be read."""
    desk = AccountDesk()
    desk.rest.fills = [make_fill(1), make_fill(2, side=None)]
    with pytest.raises(AlpacaRestError, match="1 row could not be read"):
        desk.look()
    history = desk.sink.reference["broker_history"]
    assert (history.since, [one.activity_id for one in history.fills]) == (None, ["a00001"])
    desk.rest.fills = [make_fill(1), make_fill(2)]
    assert (desk.look().since, len(desk.look().fills)) == (FIRST, 2)


@pytest.mark.parametrize(("hours", "ahead"), [(13, 100), (13.9, -100), (0, 0)])
def test_days_follow_alpacas_clock(hours: float, ahead: int) -> None:
    """Dates follow Alpaca's clock even if this computer's is 100 minutes off near midnight."""
    desk = AccountDesk()
    desk.sink.clock_ahead = dt.timedelta(minutes=ahead)
    alpacas = NOW + dt.timedelta(hours=hours)
    desk.clock.seconds = (alpacas + desk.sink.clock_ahead - NOW).total_seconds()
    today = new_york_date(alpacas)
    assert desk.look().since == today - dt.timedelta(days=30)
    desk.fetch.fetch_closes(["AAPL"])
    assert desk.sink.reference["daily_closes"] == {"AAPL": {today - dt.timedelta(days=1): 101.5}}


@pytest.mark.parametrize("fails", [False, True])
def test_positions_are_published_with_the_history_that_follows_them(*, fails: bool) -> None:
    """Positions wait for the history, or a fill could be in them only; if it fails, they come alone."""
    desk = AccountDesk()
    desk.fetch.fetch_positions()
    assert desk.sink.reference["broker_positions_at"] == NOW
    desk.look()
    desk.clock.seconds = 60.0
    desk.fetch.fetch_positions()
    assert desk.sink.reference["broker_positions_at"] == NOW
    if fails:
        desk.rest.failing["history"] = AlpacaRestError("/v2/account/activities", "it failed", status=500)
        with pytest.raises(AlpacaRestError):
            desk.look()
    else:
        desk.look()
    assert desk.sink.reference["broker_positions_at"] == NOW + dt.timedelta(minutes=1)


def test_an_event_counts_with_the_first_positions_that_follow_it() -> None:
    """An event has only a date, so the positions are fetched again at once, and then the fills."""
    desk = AccountDesk()
    desk.rest.activities = [make_event(id="booked before")]
    desk.log.update(NOW, NOW)
    desk.fetch.fetch_positions()
    desk.clock.seconds = 60.0
    desk.rest.activities += [make_event(id="between"), make_event(id="long ago", date="2026-11-02")]
    history = desk.look()
    assert (history.since, len(history.events)) == (FIRST, 3)
    assert desk.sink.reference["broker_positions_at"] == NOW + dt.timedelta(minutes=1)
    assert desk.rest.log[-5:] == ["history", "activities", "positions", "history", "activities"]
    assert desk.look().since == FIRST
    assert desk.rest.calls["positions"] == 2


def test_an_event_booked_while_the_positions_are_fetched_waits_for_the_next_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An event booked during the fetch of the positions leaves the history incomplete until the next ones."""
    desk = AccountDesk()
    desk.fetch.fetch_positions()
    desk.rest.activities = [make_event(id="first")]
    positions = desk.rest.positions

    def positions_and_an_event() -> list[Any]:
        desk.rest.activities.append(make_event(id="second"))
        monkeypatch.undo()
        return positions()

    monkeypatch.setattr(desk.rest, "positions", positions_and_an_event)
    history = desk.look()
    assert (history.since, [one.activity_id for one in history.events]) == (None, ["first"])
    history = desk.look()
    assert (history.since, len(history.events)) == (FIRST, 2)


@pytest.mark.parametrize(
    ("row", "since"),
    [
        ({"activity_type": "DIV", "date": "2026-11-20", "net_amount": "5"}, FIRST),
        ({"activity_type": "MA", "date": "2026-11-16", "net_amount": "5000"}, dt.date(2026, 11, 17)),
        ({"activity_type": "MA", "date": "2026-09-16", "net_amount": "5000"}, FIRST),
        ({"activity_type": "FEE", "date": "soon", "net_amount": "-1"}, None),
    ],
    ids=repr,
)
def test_cash_is_known_from_the_day_after_an_unreadable_change(
    row: dict[str, str], since: dt.date | None
) -> None:
    """The executions and events stay complete, and later days are not affected."""
    desk = AccountDesk()
    desk.rest.activities = [{**row, "id": "c"}]
    history = desk.look()
    assert (history.since, history.cash_since) == (FIRST, since)
