"""The page's tables are computed when something is new or a deadline passes, and at no other time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from apps.streamlit.components.view import live_view
from apps.streamlit.components.view.chart_view import chart_view
from apps.streamlit.components.view.live_view import compute_live_view
from options_helper.market import LiveSnapshot, Quote
from options_helper.models import Portfolio, Position
from options_helper.quote_tables import QuoteTable

AT = dt.datetime(2026, 11, 18, 15, 0, tzinfo=dt.UTC)
STALE = 30.0
EXPIRY = dt.date(2026, 12, 18)
MICROSECOND = dt.timedelta(microseconds=1)


class Desk:
    """A portfolio, its snapshots, and a count of table computations."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.portfolio = Portfolio(
            positions=[
                Position(
                    id="a",
                    symbol="AAPL",
                    option_type="call",
                    expiry=EXPIRY,
                    strike=250,
                    contracts=1,
                    cost_basis=1,
                )
            ]
        )
        self.computed = 0
        compute: Callable[..., Any] = live_view.compute_live_position_rows

        def counting(*arguments: Any, **more: Any) -> Any:
            self.computed += 1
            return compute(*arguments, **more)

        monkeypatch.setattr(live_view, "compute_live_position_rows", counting)

    def view(self, live: LiveSnapshot) -> live_view.LiveView:
        """Return a tab's view."""
        return compute_live_view(self.portfolio, live, STALE)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk of its own for each test."""
    return Desk(monkeypatch)


def snapshot(at: dt.datetime, *, version: int = 1, bid: float = 20.0) -> LiveSnapshot:
    """One live quote of `AT`, seen at a time."""
    quote = Quote("AAPL261218C00250000", bid, bid + 0.2, timestamp=AT, received_at=AT)
    return LiveSnapshot(as_of=at, version=version, market_phase="open", option_quotes=QuoteTable.of([quote]))


def test_unchanged_tables_are_kept_to_the_microsecond_of_their_deadline(desk: Desk) -> None:
    """However often and late one looks, nothing is computed before the quote turns stale; then once."""
    turns_stale = AT + dt.timedelta(seconds=STALE) + MICROSECOND
    first = desk.view(snapshot(AT))
    for second in range(30):
        assert desk.view(snapshot(AT + dt.timedelta(seconds=second))) is first
    assert desk.view(snapshot(turns_stale - MICROSECOND)) is first
    assert desk.computed == 1
    late = desk.view(snapshot(turns_stale))
    assert desk.computed == 2
    assert (first.positions["state"].iloc[0], late.positions["state"].iloc[0]) == ("live", "stale")


def test_a_new_date_in_new_york_makes_new_tables(desk: Desk) -> None:
    """Without new data, midnight alone recomputes the days to expiry."""
    closed = replace(snapshot(AT + dt.timedelta(hours=12)), market_phase="closed")
    evening = desk.view(closed)
    midnight = dt.datetime(2026, 11, 19, 5, tzinfo=dt.UTC)
    assert desk.view(replace(closed, as_of=midnight - MICROSECOND)) is evening
    morning = desk.view(replace(closed, as_of=midnight))
    assert [int(view.positions["dte"].iloc[0]) for view in (evening, morning)] == [30, 29]


def test_a_new_version_makes_new_tables_once_a_moment_has_passed(desk: Desk) -> None:
    """Tabs share a view for at most a quarter of a second; no later look sees an old price."""
    desk.view(snapshot(AT))
    desk.view(snapshot(AT + dt.timedelta(seconds=0.2), version=2, bid=21.0))
    assert desk.computed == 1
    newer = desk.view(snapshot(AT + dt.timedelta(seconds=0.25), version=2, bid=21.0))
    assert newer.positions["bid"].iloc[0] == 21.0
    assert desk.computed == 2


def test_a_clock_that_is_set_back_does_not_hold_the_tables(desk: Desk) -> None:
    """After the clock goes back an hour, the page shows newer prices at once."""
    desk.view(snapshot(AT))
    back = AT - dt.timedelta(hours=1)
    assert desk.view(snapshot(back, version=2, bid=21.0)).positions["bid"].iloc[0] == 21.0


def test_charts_follow_a_clock_that_is_set_back() -> None:
    """A chart is at most some seconds old, even after the clock goes back an hour."""

    class Monitor:
        def view(self) -> Any:
            return SimpleNamespace(as_of=self.now)

        now = AT

    monitor: Any = Monitor()
    kept = chart_view(monitor, AT)
    assert chart_view(monitor, AT + dt.timedelta(seconds=9)) is kept
    monitor.now = AT - dt.timedelta(hours=1)
    assert chart_view(monitor, monitor.now).as_of == monitor.now
