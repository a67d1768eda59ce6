"""The account's history over several looks."""

from __future__ import annotations

from typing import Any, cast

import pytest

from options_helper.data.rest.client import AlpacaRest
from options_helper.data.streaming.backfill.account import AccountFetch
from tests.builders import make_fill
from tests.data.streaming.backfill.test_unreadable_rows import make_event
from tests.fakes import FakeClock, FakeRest, FakeResults


class AccountDesk:
    """The fetch of an account with an answer to change."""

    def __init__(self) -> None:
        self.rest, self.sink = FakeRest(), FakeResults.__new__(FakeResults)
        self.sink.reference = {}
        self.fetch = AccountFetch(cast("AlpacaRest", self.rest), self.sink, FakeClock().now)

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
