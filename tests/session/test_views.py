"""Tables and fills are computed when something is new or a deadline passes, and at no other time."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pandas as pd
import pytest

from options_helper.analysis.live_portfolio_metrics import compute_live_position_rows
from options_helper.analysis.tables.view import TablesView, compute_view
from options_helper.market import FillGap, LiveSnapshot, Quote
from options_helper.models import Portfolio
from options_helper.quote_tables import QuoteTable
from options_helper.session.monitor import PortfolioMonitor
from options_helper.session.views import SharedViews
from tests.builders import single

AT = dt.datetime(2026, 11, 18, 15, 0, tzinfo=dt.UTC)
STALE = 30.0
MICROSECOND = dt.timedelta(microseconds=1)


class ViewsDesk:
    """A portfolio, its snapshots, and a count of table computations."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.portfolio = Portfolio(positions=[single(contracts=1, cost_basis=1)])
        self.computed = 0
        self.views = SharedViews()

        def counting(portfolio: Portfolio, live: LiveSnapshot, *, stale_after_seconds: float) -> TablesView:
            self.computed += 1
            return compute_view(portfolio, live, stale_after_seconds=stale_after_seconds)

        monkeypatch.setattr("options_helper.session.views.compute_view", counting)

    def view(self, live: LiveSnapshot) -> TablesView:
        """Return a tab's view."""
        return self.views.tables(self.portfolio, live, STALE)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> ViewsDesk:
    """Return a new desk for each test."""
    return ViewsDesk(monkeypatch)


def snapshot(at: dt.datetime, *, version: int = 1, bid: float = 20.0) -> LiveSnapshot:
    """One live quote of `AT`, seen at a time."""
    quote = Quote("AAPL261218C00250000", bid, bid + 0.2, timestamp=AT, received_at=AT)
    return LiveSnapshot(as_of=at, version=version, market_phase="open", option_quotes=QuoteTable.of([quote]))


def test_unchanged_tables_are_kept_to_the_microsecond_of_their_deadline(desk: ViewsDesk) -> None:
    """Nothing is computed before the quote becomes stale, and then once."""
    turns_stale = AT + dt.timedelta(seconds=STALE) + MICROSECOND
    first = desk.view(snapshot(AT))
    for second in range(30):
        assert desk.view(snapshot(AT + dt.timedelta(seconds=second))) is first
    assert desk.view(snapshot(turns_stale - MICROSECOND)) is first
    assert desk.computed == 1
    late = desk.view(snapshot(turns_stale))
    assert desk.computed == 2
    assert (first.positions["state"].iloc[0], late.positions["state"].iloc[0]) == ("live", "stale")


def test_a_new_date_in_new_york_makes_new_tables(desk: ViewsDesk) -> None:
    """Without new data, midnight alone recomputes the days to expiry."""
    closed = replace(snapshot(AT + dt.timedelta(hours=12)), market_phase="closed")
    evening = desk.view(closed)
    midnight = dt.datetime(2026, 11, 19, 5, tzinfo=dt.UTC)
    assert desk.view(replace(closed, as_of=midnight - MICROSECOND)) is evening
    morning = desk.view(replace(closed, as_of=midnight))
    assert [int(view.positions["dte"].iloc[0]) for view in (evening, morning)] == [30, 29]


def test_a_new_version_makes_new_tables_after_a_short_while(desk: ViewsDesk) -> None:
    """Tabs share a view for at most a tenth of a second."""
    desk.view(snapshot(AT))
    desk.view(snapshot(AT + dt.timedelta(seconds=0.09), version=2, bid=21.0))
    assert desk.computed == 1
    newer = desk.view(snapshot(AT + dt.timedelta(seconds=0.1), version=2, bid=21.0))
    assert newer.positions["bid"].iloc[0] == 21.0
    assert desk.computed == 2


def test_a_clock_that_is_set_back_does_not_hold_the_tables(desk: ViewsDesk) -> None:
    """After the clock goes back an hour, the page shows newer prices at once."""
    desk.view(snapshot(AT))
    back = AT - dt.timedelta(hours=1)
    assert desk.view(snapshot(back, version=2, bid=21.0)).positions["bid"].iloc[0] == 21.0


def test_charts_follow_a_clock_that_is_set_back() -> None:
    """A chart is at most a few seconds old, even after the clock goes back an hour."""
    now = AT
    monitor = PortfolioMonitor(Portfolio(), lambda: LiveSnapshot(as_of=now), clock=lambda: AT)
    monitor.look()
    kept = monitor.charts(AT)
    now = AT + dt.timedelta(seconds=9)
    monitor.look()
    assert monitor.charts(now) is kept
    now = AT - dt.timedelta(hours=1)
    monitor.look()
    assert monitor.charts(now).as_of == now


def test_the_monitor_and_every_tab_read_the_same_tables(desk: ViewsDesk) -> None:
    """One computation serves the alerts, the curves and two tabs, and a change costs one more."""
    now = snapshot(AT)
    monitor = PortfolioMonitor(desk.portfolio, lambda: now, stale_after_seconds=STALE, views=desk.views)
    monitor.look()
    first = desk.view(snapshot(AT + dt.timedelta(seconds=0.1)))
    assert desk.view(snapshot(AT + dt.timedelta(seconds=0.2))) is first
    assert desk.computed == 1
    now = snapshot(AT + dt.timedelta(seconds=1), version=2, bid=21.0)
    monitor.look()
    assert desk.view(now).positions["bid"].iloc[0] == 21.0
    assert desk.computed == 2


def test_threads_that_ask_at_once_get_the_one_view(desk: ViewsDesk) -> None:
    """Eight readers of one snapshot wait for one computation and get the same object."""
    live, together = snapshot(AT), threading.Barrier(8)

    def read(_: int) -> TablesView:
        together.wait(timeout=10)
        return desk.view(live)

    with ThreadPoolExecutor(max_workers=8) as readers:
        views = list(readers.map(read, range(8)))
    assert len({id(view) for view in views}) == desk.computed == 1


def test_a_file_saved_without_a_change_shares_its_tables_with_the_monitor(desk: ViewsDesk) -> None:
    """The monitor takes over the tabs' object of an equal portfolio, and keeps its curves."""
    monitor = PortfolioMonitor(
        desk.portfolio, lambda: snapshot(AT), stale_after_seconds=STALE, views=desk.views
    )
    monitor.look()
    saved_again = desk.portfolio.model_copy(deep=True)
    monitor.use(saved_again, STALE)
    monitor.look()
    assert desk.computed == 2
    desk.views.tables(saved_again, snapshot(AT), STALE)
    assert desk.computed == 2
    assert len(monitor.view().pnl) == 1


def test_writing_into_a_shared_table_raises(desk: ViewsDesk) -> None:
    """No reader can change a cell or a column for the others."""
    view = desk.view(snapshot(AT))
    for table in (view.positions, view.underlyings):
        before = table.copy(deep=True)
        for number, name in enumerate(table.columns):
            value = table[name].iloc[0]
            with pytest.raises((ValueError, AssertionError)):  # the second from pandas, for whole numbers
                table.iloc[0, number] = value
            with pytest.raises(ValueError, match=r"read.only|with a sequence"):
                table[name].array[0] = value
        pd.testing.assert_frame_equal(table, before)


def test_no_two_rows_share_a_list_of_warnings(desk: ViewsDesk) -> None:
    """A view's warnings are immutable; in a caller's own tables, equal warnings are separate lists."""
    row = desk.portfolio.positions[0]
    twice = Portfolio(positions=[row, row.model_copy(update={"id": "b"})])
    empty = LiveSnapshot(as_of=AT)
    seen = desk.views.tables(twice, empty, STALE)
    assert all(isinstance(each, tuple) for each in (*seen.positions["warnings"], *seen.legs["warnings"]))
    tables = [compute_live_position_rows(twice, empty, stale_after_seconds=STALE) for _ in range(2)]
    lists = [each for table in tables for each in table["warnings"]]
    assert lists == [["missing_quote"]] * 4
    assert len({id(each) for each in lists}) == 4


def test_the_days_fills_are_one_object_until_something_is_known() -> None:
    """Portfolios share the day's fills; a gap makes a new object, but time alone does not."""
    views = SharedViews()
    first, second = Portfolio(cash=1.0), Portfolio(cash=2.0)
    live = LiveSnapshot(as_of=AT, started_at=AT)
    seen = views.fills(first, live, None)
    later = replace(live, as_of=AT + dt.timedelta(seconds=5), version=9)
    assert views.fills(first, later, None) is seen
    assert views.fills(second, later, None).day is seen.day is views.fill_day(later)
    gapped = replace(later, fill_gaps=(FillGap(AT, None, "down"),))
    assert views.fills(first, gapped, None) is not seen
    assert not views.fills(first, gapped, None).day.complete
