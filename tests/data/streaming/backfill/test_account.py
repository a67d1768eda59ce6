"""The account's history over several looks."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, cast

import pytest

from options_helper.data.rest.account_history import read_cash
from options_helper.data.rest.client import AlpacaRest
from options_helper.data.streaming.backfill.account import AccountFetch
from options_helper.errors import AlpacaRestError
from tests.builders import NOW, make_fill
from tests.data.streaming.backfill.test_unreadable_rows import make_event
from tests.fakes import FakeClock, FakeRest, FakeResults


class AccountDesk:
    """The fetch of an account with an answer to change."""

    def __init__(self) -> None:
        self.rest, self.sink = FakeRest(), FakeResults.__new__(FakeResults)
        self.sink.reference = {}
        self.clock = FakeClock()
        self.fetch = AccountFetch(cast("AlpacaRest", self.rest), self.sink, self.clock.now)

    def look(self) -> Any:
        """Return the history after one more look."""
        self.fetch.fetch_history()
        return self.sink.reference["broker_history"]


@pytest.mark.parametrize("row", [make_event(), make_fill(1)], ids=["event", "fill"])
def test_what_alpaca_takes_back_later_is_forgotten(row: dict[str, Any]) -> None:
    """An earlier look has read it; the later one removes it."""
    desk = AccountDesk()
    desk.rest.fills = [row]
    assert [*desk.look().fills, *desk.look().events]
    desk.rest.fills = [{**row, "status": "canceled"}]
    assert [*desk.look().fills, *desk.look().events] == []


def test_nothing_is_concluded_from_a_history_that_lacks_a_row() -> None:
    """The readable rows are known, but not as complete, until the broken one can be read."""
    desk = AccountDesk()
    desk.rest.fills = [make_fill(1), make_fill(2, side=None)]
    with pytest.raises(AlpacaRestError, match="1 row could not be read"):
        desk.look()
    history = desk.sink.reference["broker_history"]
    assert (history.since, [one.activity_id for one in history.fills]) == (None, ["a00001"])
    desk.rest.fills = [make_fill(1), make_fill(2)]
    assert (desk.look().since, len(desk.look().fills)) == (dt.date(2026, 10, 21), 2)


def test_a_settlement_keeps_its_amount() -> None:
    """It is the event's own, and no fee or dividend; a fee that was taken back is none."""
    desk = AccountDesk()
    settled = make_event(activity_type="OPCSH", net_amount="-2000")
    desk.rest.fills = [
        settled,
        make_event(id="2", net_amount="7"),
        make_event(id="3", activity_type="OPCSH", net_amount=None),
    ]
    assert [one.amount for one in desk.look().events] == [-2000, None, None]
    fee = {"activity_type": "FEE", "id": "f", "date": "2026-11-20", "net_amount": "-0.5"}
    assert [one.amount for one in read_cash([settled, fee, {**fee, "status": "canceled"}], [])] == [
        Decimal("-0.5")
    ]


@pytest.mark.parametrize("fails", [False, True])
def test_positions_are_published_with_the_history_that_follows_them(*, fails: bool) -> None:
    """Between the two, a fill would be in the positions only; if the history fails, they come without it."""
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


def test_cash_for_securities_is_no_income() -> None:
    """A merger pays for shares: its cash is reported as unread, or it would look like a profit."""
    left_out: list[str] = []
    for kind in ("MA", "REORG", "CIL"):
        row = {"activity_type": kind, "id": "m", "date": "2026-11-20", "net_amount": "5000"}
        assert read_cash([row], left_out) == []
    assert left_out == [f"An activity could not be read ({kind})." for kind in ("ma", "reorg", "cil")]


def test_fees_are_fetched_since_the_session_before_a_long_weekend(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a Monday without a session, Friday is the account's day."""
    desk, asked = AccountDesk(), list[dt.datetime]()

    def cash_pages(after: dt.datetime) -> list[list[object]]:
        asked.append(after)
        return []

    monkeypatch.setattr(desk.rest, "cash_pages", cash_pages)
    desk.fetch.fetch_cash()
    assert asked[0] <= NOW - dt.timedelta(days=4)
