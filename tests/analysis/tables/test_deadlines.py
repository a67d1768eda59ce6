"""The tables are recomputed whenever something that they depend on changes."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from options_helper.analysis.tables.deadlines import recompute_key
from options_helper.analysis.tables.view import compute_view
from options_helper.market import LiveSnapshot, Quote, StreamHealth, StreamName, StreamState
from options_helper.models import Portfolio, Position
from options_helper.quote_tables import QuoteTable
from options_helper.session.monitor import PortfolioMonitor

AT = dt.datetime(2026, 11, 27, 15, 0, tzinfo=dt.UTC)  # the half day after Thanksgiving, 10:00 in New York
CONTRACT = "AAPL261127C00250000"
PORTFOLIO = Portfolio(
    positions=[
        Position(
            id="a", symbol="AAPL", option_type="call", expiry=AT.date(), strike=250, contracts=1, cost_basis=1
        )
    ]
)
LIVE = LiveSnapshot(
    as_of=AT,
    version=5,
    started_at=AT,
    market_phase="open",
    option_quotes=QuoteTable.of([Quote(CONTRACT, 20.0, 20.2, timestamp=AT, received_at=AT)]),
)
CHANGES = {
    "started_at": AT - dt.timedelta(days=1),
    "market_phase": "after",
    "market_phase_until": AT + dt.timedelta(hours=3),
    "session_open": AT - dt.timedelta(minutes=30),
    "session_close": AT + dt.timedelta(hours=3),
    "trading_date": AT.date(),
    "previous_trading_date": dt.date(2026, 11, 25),
    "subscribed": frozenset({"MSFT"}),
    "status": "error",
    "status_by_stream": {"options": "error"},
}


@pytest.mark.parametrize("name", CHANGES)
def test_changes_that_no_version_covers_make_new_tables(name: str) -> None:
    """Each input other than the version makes the page recompute."""
    view = compute_view(PORTFOLIO, LIVE, stale_after_seconds=30.0)
    later = replace(LIVE, as_of=AT + dt.timedelta(seconds=1))
    assert view.holds_for(later)
    changed: dict[str, Any] = {name: CHANGES[name]}
    assert not view.holds_for(replace(later, **changed))
    assert recompute_key(replace(later, **changed)) != recompute_key(LIVE)


@pytest.mark.parametrize("stream", [StreamName.STOCKS, StreamName.OPTIONS])
def test_a_stream_that_falls_silent_makes_new_tables(stream: StreamName) -> None:
    """A missing pong has its effect at the next refresh; while pongs arrive, nothing is recomputed."""

    def heard(seconds: float) -> LiveSnapshot:
        record = StreamHealth(stream, StreamState.RUNNING, last_heard_at=AT + dt.timedelta(seconds=seconds))
        return replace(LIVE, health={stream: record})

    view = compute_view(PORTFOLIO, heard(0), stale_after_seconds=30.0)
    later = AT + dt.timedelta(seconds=11)
    assert view.holds_for(replace(heard(4), as_of=later))
    assert not view.holds_for(replace(heard(0), as_of=later))


def test_no_price_stays_live_on_a_lost_stream() -> None:
    """A stream that reconnects is lost after 5 s, long before its prices are too old."""
    record = StreamHealth(StreamName.OPTIONS, StreamState.RECONNECTING, last_heard_at=AT)
    away = replace(LIVE, health={StreamName.OPTIONS: record})
    soon = replace(away, as_of=AT + dt.timedelta(seconds=1))
    view = compute_view(PORTFOLIO, soon, stale_after_seconds=30.0)
    assert view.holds_for(replace(away, as_of=AT + dt.timedelta(seconds=4)))
    assert not view.holds_for(replace(away, as_of=AT + dt.timedelta(seconds=6)))


def test_nothing_is_recomputed_after_stop() -> None:
    """After the streams have ended, nothing is recomputed, however much time passes."""
    record = StreamHealth(StreamName.OPTIONS, StreamState.STOPPED, last_heard_at=AT)
    stopped = replace(
        LIVE, status="stopped", status_by_stream={"options": "stopped"}, health={"options": record}
    )
    first = compute_view(
        PORTFOLIO, replace(stopped, as_of=AT + dt.timedelta(minutes=1)), stale_after_seconds=30.0
    )
    for minutes in (2, 10, 50):
        later = replace(stopped, as_of=AT + dt.timedelta(minutes=minutes))
        assert first.holds_for(later)


def test_the_early_close_shows_as_soon_as_it_is_known() -> None:
    """When the calendar arrives, the expiry moves from 16:00 to 13:00."""
    before = compute_view(PORTFOLIO, LIVE, stale_after_seconds=30.0).positions.iloc[0]
    reported = replace(LIVE, session_close=AT + dt.timedelta(hours=3))
    after = compute_view(PORTFOLIO, reported, stale_after_seconds=30.0).positions.iloc[0]
    assert (before["hours_left"], after["hours_left"]) == (6, 3)


def test_the_monitor_sees_the_same_changes() -> None:
    """The monitor expires a contract at an early close at once, not at the old deadline."""
    now = [LIVE]
    monitor = PortfolioMonitor(PORTFOLIO, lambda: now[0])
    monitor.look()
    assert monitor.view().marks.column("a")[-1] == pytest.approx(20.1)
    past = AT + dt.timedelta(seconds=20)
    now[0] = replace(LIVE, as_of=past, session_close=past)
    monitor.look()
    assert np.isnan(monitor.view().marks.column("a")[-1])
