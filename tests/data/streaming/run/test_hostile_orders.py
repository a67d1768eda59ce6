"""Order updates of any shape: none raises or disappears uncounted; a broken one makes the day incomplete."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from options_helper.analysis.fills.day import FillDay, FillDayBuilder
from options_helper.data.streaming.run.cache import LiveCache
from options_helper.data.streaming.run.consumer import Consumer
from options_helper.data.streaming.run.fill_gaps import FillGaps
from options_helper.data.streaming.run.inbox import Batch, EventInbox
from options_helper.market import StreamName
from options_helper.recording.journal import Journal
from options_helper.times import start_of_day
from tests.analysis.fills.test_fills_odd_input import AT, DAY, updates

Json = dict[str, Any]


class Counts:
    """The record of the fills stream, as far as the consumer writes it."""

    def __init__(self) -> None:
        self.malformed = 0

    def applied(self, *, malformed: int, **_figures: object) -> None:
        """Count the messages that were not understood."""
        self.malformed += malformed

    def skipped(self, messages: int) -> None:
        """Count the messages that could not be read."""
        self.malformed += messages


def consume(*received: Any) -> tuple[LiveCache, Counts, FillDay]:
    """Return the cache, the counts and the day after some updates; REST has confirmed all earlier ones."""
    cache, counts, inbox = LiveCache(), Counts(), EventInbox(8)
    gaps = FillGaps(start_of_day(DAY), cache.apply_gaps)
    gaps.acknowledged(AT)
    gaps.confirmed(AT)
    at = AT + dt.timedelta(seconds=1)
    consumer = Consumer(
        inbox, cache, {StreamName.FILLS: counts}, lambda: at, gaps.unread, Journal(lambda: at)
    )  # type: ignore[dict-item]
    for update in received:
        inbox.offer(Batch(StreamName.FILLS, at, orders=(update,)))
    inbox.close()
    consumer.start()
    consumer.thread.join()
    state = cache.state
    return cache, counts, FillDayBuilder().build(state.fills, gaps=state.fill_gaps, day=DAY)


def update(event: str = "fill", **changes: Any) -> Json:
    """A fill of two, or another update of the order."""
    order = {"id": "o", "symbol": "SPY", "side": "buy", "qty": "2", "filled_qty": "2", "status": "filled"}
    figures = {"qty": "2", "price": "5", "execution_id": "x", "timestamp": AT.isoformat()}
    return {"event": event, "order": {**order, **changes.pop("order", {})}, **figures, **changes}


def test_a_whole_fill_leaves_the_claim_standing() -> None:
    """Without an unreadable update, the day stays complete."""
    assert consume(update())[2].complete


@pytest.mark.parametrize(
    "broken",
    [
        None,
        "junk",
        update(qty="5,000"),
        update(qty=None),
        update(qty="1e308"),
        update(price=None),
        update(order={"id": None}),
        update(order={"filled_qty": "2,0"}),
        update("partial_fill", qty="0"),
        update("new", order={"id": ""}),
        update("trade_bust", qty=None),
        update(legs=[{"order_id": "l", "qty": "2", "price": None}]),
    ],
    ids=repr,
)
def test_an_update_without_its_figures_ends_the_claim(broken: Any) -> None:
    """An update without its figures cannot be assigned, so the day is incomplete."""
    assert not consume(update(), broken)[2].complete


@given(st.lists(updates | st.none() | st.text(max_size=3), max_size=6))
@settings(max_examples=60, deadline=None)
def test_no_update_disappears_uncounted(received: list[Any]) -> None:
    """Each update is a row of the day, or is counted as from another day or as unreadable."""
    cache, counts, day = consume(*received)
    assert len(cache.state.fills) + cache.updates_of_other_days + counts.malformed == len(received)
    placed = {one.order_id for one in day.executions} | {one.parent_id for one in day.executions}
    fills = [row for row in cache.state.fills if row["event"] in {"fill", "partial_fill"}]
    assert not day.complete or {row["order_id"] for row in fills} <= placed
