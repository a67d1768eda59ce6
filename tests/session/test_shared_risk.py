"""The risk that all tabs share: at most once a second, and only what has moved."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import replace

import pytest

from options_helper.models import Portfolio
from options_helper.session import views as shared_views
from options_helper.session.views import SharedViews
from tests.builders import AT, CALL, quote, single, snapshot

PUT = "AAPL261218P00250000"


def _live(after: float, version: int, bid: float = 24.8):
    at = AT + dt.timedelta(seconds=after)
    live = snapshot(
        quote(CALL, bid, bid + 0.4, at=at),
        quote(PUT, 2.0, 2.1, at=at),
        as_of=at,
        version=version,
        stock_quotes={"AAPL": quote("AAPL", 271.9, 272.1, at=at)},
    )
    return replace(live, started_at=AT)


def test_only_what_moved_is_solved_again() -> None:
    """Of two contracts, only the one with another quote is solved again."""
    portfolio = Portfolio(positions=[single(), single(id="p", option_type="put")])
    views = SharedViews()
    first = views.risk(portfolio, _live(0, 1), 30.0, None)
    assert views._solver.solved == 2
    second = views.risk(portfolio, _live(0.1, 2, bid=25.0), 30.0, None)
    assert views._solver.solved == 3
    assert second.legs["iv"][0] > first.legs["iv"][0]
    assert second.legs["iv"][1] == first.legs["iv"][1]


def test_an_alert_reads_the_risk_of_its_own_snapshot() -> None:
    """A risk that is shown may be older; an alert's is of exactly its snapshot, so a replay has the same."""
    portfolio, views = Portfolio(positions=[single()]), SharedViews()
    first, live = views.risk_to_show(portfolio, _live(0, 1), 30.0, None), _live(0.5, 2)
    exact = views.risk(portfolio, live, 30.0, None)
    assert exact.at is live
    assert exact is not first
    assert views.risk(portfolio, live, 30.0, None) is exact


def test_all_tabs_show_the_same_risk_within_a_second() -> None:
    """Within a second, every page gets the same risk, and it needs no further work."""
    portfolio, views = Portfolio(positions=[single()]), SharedViews()
    first = views.risk_to_show(portfolio, _live(0, 1), 30.0, None)
    live = _live(0.5, 2, bid=24.9)
    views.keep_risk_current(portfolio, live)
    assert views.risk_to_show(portfolio, live, 30.0, None) is first
    assert views._solver.solved == 1


def test_an_unchanged_snapshot_keeps_its_risk_for_a_while() -> None:
    """Without new data, the risk is kept until time has changed it noticeably."""
    portfolio, views = Portfolio(positions=[single()]), SharedViews()
    first = views.risk_to_show(portfolio, _live(0, 1), 30.0, None)
    assert views.risk_to_show(portfolio, _live(15, 1), 30.0, None) is first
    assert views.risk_to_show(portfolio, _live(65, 1), 30.0, None) is not first


def test_another_rate_is_another_risk() -> None:
    """Each interest rate has its own risk."""
    portfolio, views = Portfolio(positions=[single()]), SharedViews()
    first = views.risk(portfolio, _live(0, 1), 30.0, None)
    assert views.risk(portfolio, _live(0, 1), 30.0, 0.10).legs["iv"][0] < first.legs["iv"][0]


def test_a_page_shows_the_last_risk_and_the_next_one_is_computed_in_a_thread(wait_until) -> None:
    """With new prices a page gets the last risk at once, and the new one as soon as it is computed."""
    portfolio, views = Portfolio(positions=[single()]), SharedViews()
    first = views.risk_to_show(portfolio, _live(0, 1), 30.0, None)
    live = _live(1.5, 2, bid=25.0)
    with views._risk_lock:  # nobody could compute now
        assert views.risk_to_show(portfolio, live, 30.0, None) is first
    views.keep_risk_current(portfolio, live)
    wait_until(lambda: views.risk_to_show(portfolio, live, 30.0, None) is not first)
    second = views.risk_to_show(portfolio, live, 30.0, None)
    assert second.legs["iv"][0] > first.legs["iv"][0]
    assert second.at is live


@pytest.mark.parametrize("change", ["later", "another run"])
def test_a_page_waits_for_a_risk_that_is_too_far_from_its_prices(change: str) -> None:
    """A risk more than 5 seconds older than the prices, or of an earlier run, is never shown beside them."""
    portfolio, views = Portfolio(positions=[single()]), SharedViews()
    first = views.risk_to_show(portfolio, _live(0, 1), 30.0, None)
    live = _live(4.9, 2, bid=25.0)
    assert views.risk_to_show(portfolio, live, 30.0, None) is first
    if change == "later":
        live = _live(5.1, 2, bid=25.0)
    else:
        live = replace(live, started_at=AT + dt.timedelta(seconds=1))
    assert views.risk_to_show(portfolio, live, 30.0, None).at is live


def test_a_risk_that_nobody_reads_is_not_kept_current(monkeypatch: pytest.MonkeyPatch) -> None:
    """A risk that was last shown too long ago, or of another portfolio, is not computed again."""
    threads: list[object] = []
    monkeypatch.setattr(shared_views.threading, "Thread", lambda **_: threads.append(1) or _NoThread())
    portfolio, views = Portfolio(positions=[single()]), SharedViews()
    views.risk_to_show(portfolio, _live(0, 1), 30.0, None)
    live = _live(1.5, 2, bid=25.0)
    views.keep_risk_current(Portfolio(positions=[single()]), live)
    assert threads == []
    views.keep_risk_current(portfolio, live)
    assert threads == [1]
    monkeypatch.setattr(shared_views, "_RISK_READ_WITHIN_SECONDS", -1.0)
    views.keep_risk_current(portfolio, live)
    assert threads == [1]


def test_a_failure_while_nobody_waits_is_logged_and_reaches_the_next_reader(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, wait_until
) -> None:
    """A risk that cannot be computed is logged; a reader who needs it gets the error itself."""
    portfolio, views = Portfolio(positions=[single()]), SharedViews()
    views.risk_to_show(portfolio, _live(0, 1), 30.0, None)

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(views._solver, "solve_all", fail)
    with caplog.at_level(logging.ERROR):
        views.keep_risk_current(portfolio, _live(1.5, 2, bid=25.0))
        wait_until(lambda: "The risk raised ZeroDivisionError" in caplog.text)
    with pytest.raises(ZeroDivisionError):
        views.risk_to_show(portfolio, _live(6, 3, bid=25.0), 30.0, None)


class _NoThread:
    """A thread that the system refuses."""

    def start(self) -> None:
        """Refuse to start."""
        raise RuntimeError("can't start new thread")
