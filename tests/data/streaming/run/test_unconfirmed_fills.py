"""The gaps in a run's fills: when they open, and when REST closes them."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable

from options_helper.data.streaming.reconnect import change_log
from options_helper.data.streaming.run.cache import LiveCache
from options_helper.data.streaming.run.config import LiveStreamConfig
from options_helper.data.streaming.run.fill_gaps import FillGaps
from options_helper.market import (
    FillGap,
    LiveSnapshot,
    StreamName,
    StreamState,
)
from tests.conftest import WaitUntil
from tests.data.streaming.run.run_desk import NOW, RunDesk

MIDNIGHT = dt.datetime(2026, 11, 20, 5, 0, tzinfo=dt.UTC)  # New York's, in winter


def test_fills_are_unconfirmed_from_midnight_until_rest_reports_them(desk) -> None:
    """The first gap is ended by the acknowledgement and closed by REST."""
    assert desk.run.snapshot().fill_gaps == (FillGap(MIDNIGHT),)
    desk.run.workers[StreamName.FILLS].subscribed(None)
    assert desk.run.snapshot().fill_gaps == (FillGap(MIDNIGHT, NOW),)
    assert desk.backfill.calls == ["start", "request_fills"]
    fill = {"order_id": "a", "timestamp": NOW}
    desk.run.results.put_order_history([fill], [fill], NOW)
    snapshot = desk.run.snapshot()
    assert snapshot.fill_gaps == ()
    assert (snapshot.rest_fills, snapshot.rest_orders) == ((fill,), (fill,))


def test_a_lost_fill_stream_opens_a_gap_from_when_it_was_last_heard(desk, wait_until) -> None:
    """Updates between the last sign of life and the next acknowledgement may be missing."""
    worker = desk.run.workers[StreamName.FILLS]
    worker.subscribed(None)
    desk.run.results.put_order_history([], [], NOW)
    desk.pass_seconds(10)
    worker.heard()
    heard = desk.now
    desk.pass_seconds(5)
    desk.made[StreamName.FILLS][-1].fail("the connection was reset")
    wait_until(lambda: len(desk.made[StreamName.FILLS]) == 2)
    assert desk.run.snapshot().fill_gaps == (FillGap(heard),)
    desk.pass_seconds(1)
    worker.subscribed(None)
    assert desk.run.snapshot().fill_gaps == (FillGap(heard, desk.now),)
    assert desk.backfill.calls.count("request_fills") == 2


def test_a_loss_is_never_shown_without_its_gap(desk: RunDesk, wait_until: WaitUntil) -> None:
    """The fills are incomplete from the moment the stream is reconnecting."""
    seen: list[LiveSnapshot] = []

    class Look(logging.Handler):
        """Takes a snapshot when the change is logged, before the run has reacted to it."""

        def emit(self, record: logging.LogRecord) -> None:
            if "fills stream is reconnecting" in record.getMessage():
                seen.append(desk.run.snapshot())

    worker = desk.run.workers[StreamName.FILLS]
    worker.subscribed(None)
    desk.run.results.put_order_history([], [], NOW)
    assert desk.run.snapshot().fill_gaps == ()
    desk.pass_seconds(5)
    change_log.logger.addHandler(look := Look())
    try:
        desk.made[StreamName.FILLS][-1].fail("the connection was reset")
        wait_until(lambda: seen)
    finally:
        change_log.logger.removeHandler(look)
    assert seen[0].health[StreamName.FILLS].state is StreamState.RECONNECTING
    assert seen[0].fill_gaps == (FillGap(NOW),)


def test_a_confirmation_does_not_hide_a_loss_that_came_at_the_same_time(wait_until, monkeypatch) -> None:
    """If the stream is lost while REST's confirmation is published, the new gap stays."""
    plain = LiveCache.apply_gaps
    before: list[Callable[[], None]] = []

    def publish(cache: LiveCache, gaps: FillGaps) -> None:
        if before:
            before.pop()()
        plain(cache, gaps)

    monkeypatch.setattr(LiveCache, "apply_gaps", publish)
    desk = RunDesk()
    desk.run.start()
    wait_until(lambda: desk.made[StreamName.FILLS])
    desk.run.workers[StreamName.FILLS].subscribed(None)

    def lose() -> None:
        desk.made[StreamName.FILLS][-1].fail("the connection was reset")
        wait_until(lambda: desk.run.snapshot().fill_gaps == (FillGap(NOW),))

    before.append(lose)
    desk.run.results.put_order_history([], [], NOW)
    assert before == []
    assert desk.run.snapshot().fill_gaps == (FillGap(NOW),)
    desk.run.stop(20)


def test_a_failed_fetch_is_reported_in_the_gap(desk) -> None:
    """The snapshot has the words of each part, and the gap has those of the fills."""
    desk.run.results.put_progress("fills", "HTTP 503; tried again")
    desk.run.results.put_progress("greeks", "HTTP 403")
    snapshot = desk.run.snapshot()
    assert snapshot.backfill == {"fills": "HTTP 503; tried again", "greeks": "HTTP 403"}
    assert snapshot.fill_gaps == (FillGap(MIDNIGHT, None, "HTTP 503; tried again"),)


def test_after_stop_no_part_promises_another_try(desk: RunDesk) -> None:
    """Reasons stay after Stop, without the tries or waits that no longer follow."""
    results = desk.run.results
    results.put_progress("fills", "GET /v2/orders: the server failed (500). Trying again in 16 s.")
    results.put_progress("account", "GET /v2/account: too many requests (429). Waiting 52 s.")
    results.put_progress("greeks", "fetching")
    results.put_progress("market", "")
    desk.run.stop(5)
    snapshot = desk.run.snapshot()
    failed = "GET /v2/orders: the server failed (500)."
    assert snapshot.backfill == {
        "fills": failed,
        "account": "GET /v2/account: too many requests (429).",
        "greeks": "not fetched before Stop",
        "market": "",
    }
    assert {gap.reason for gap in snapshot.fill_gaps} == {failed}


def test_without_the_fill_stream_there_are_no_gaps(wait_until) -> None:
    """Without a subscription to fills, no fill is missing."""
    desk = RunDesk(LiveStreamConfig(stocks=("AAPL",), stream_fills=False), with_backfill=False)
    desk.run.start()
    wait_until(lambda: desk.made[StreamName.STOCKS])
    desk.run.results.put_progress("fills", "off")
    desk.run.results.put_order_history([], [], NOW)
    assert desk.run.snapshot().fill_gaps == ()
    desk.run.stop(20)


def test_an_acknowledgement_without_a_backfill_bounds_the_gap_only(wait_until) -> None:
    """Without REST, the gap stays unconfirmed."""
    desk = RunDesk(with_backfill=False)
    desk.run.start()
    wait_until(lambda: desk.made[StreamName.FILLS])
    desk.run.workers[StreamName.FILLS].subscribed(None)
    assert desk.run.snapshot().fill_gaps == (FillGap(MIDNIGHT, NOW),)
    desk.run.stop(20)


def test_rest_orders_are_dropped_when_new_yorks_day_ends(desk) -> None:
    """After a Restart in the evening, REST's orders of the day are still dropped at midnight."""
    desk.run.snapshot()
    fill, order = {"order_id": "a", "timestamp": NOW}, {"order_id": "a", "timestamp": NOW}
    desk.run.results.put_order_history([fill], [order], NOW)
    desk.now = MIDNIGHT + dt.timedelta(hours=23, minutes=59)
    evening = desk.run.snapshot()
    assert (evening.rest_fills, evening.rest_orders) == ((fill,), (order,))
    desk.pass_seconds(120)
    night = desk.run.snapshot()
    assert (night.fills, night.rest_fills, night.rest_orders) == ((), (), ())


def test_an_open_order_from_an_earlier_day_outlives_the_next_snapshot(desk) -> None:
    """REST's rows from after midnight stay, although an order update of the evening was still there."""
    desk.run.cache.apply_orders([{"order_id": "evening", "timestamp": NOW}], now=NOW)
    assert desk.run.snapshot().fills
    desk.now = MIDNIGHT + dt.timedelta(days=1, minutes=1)
    assert desk.run.snapshot().fills == ()
    carried = {"order_id": "carried", "timestamp": NOW}
    desk.run.results.put_order_history([], [carried], desk.now)
    for _ in range(2):
        assert desk.run.snapshot().rest_orders == (carried,)
