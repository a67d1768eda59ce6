"""The risk that all tabs share: at most once a second, and only what has moved."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from dataclasses import replace

import pytest

from options_helper.models import Portfolio
from options_helper.session.risk import shared_risk
from options_helper.session.risk.shared_risk import RiskRequest, SharedRisk
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


def test_only_changed_quotes_are_solved_again() -> None:
    """Only the contract with a changed quote is solved again."""
    portfolio = Portfolio(positions=[single(), single(id="p", option_type="put")])
    risks = SharedRisk()
    first = risks.exact(RiskRequest(portfolio, 30.0), _live(0, 1))
    assert risks._solver.solved == 2
    second = risks.exact(RiskRequest(portfolio, 30.0), _live(0.1, 2, bid=25.0))
    assert risks._solver.solved == 3
    assert second.legs["iv"][0] > first.legs["iv"][0]
    assert second.legs["iv"][1] == first.legs["iv"][1]


def test_an_alert_reads_the_risk_of_its_own_snapshot() -> None:
    """The page's risk may be older, but an alert's is that of its own snapshot, so a replay has the same."""
    portfolio, risks = Portfolio(positions=[single()]), SharedRisk()
    first, live = risks.to_show(RiskRequest(portfolio, 30.0), _live(0, 1)), _live(0.5, 2)
    exact = risks.exact(RiskRequest(portfolio, 30.0), live)
    assert exact.at is live
    assert exact is not first
    assert risks.exact(RiskRequest(portfolio, 30.0), live) is exact


def test_all_tabs_show_the_same_risk_within_a_second() -> None:
    """Within a second, every page gets the same risk, and it needs no further work."""
    portfolio, risks = Portfolio(positions=[single()]), SharedRisk()
    first = risks.to_show(RiskRequest(portfolio, 30.0), _live(0, 1))
    live = _live(0.5, 2, bid=24.9)
    risks.keep_current(portfolio, live)
    assert risks.to_show(RiskRequest(portfolio, 30.0), live) is first
    assert risks._solver.solved == 1


def test_an_unchanged_snapshot_keeps_its_risk_for_a_while() -> None:
    """Without new data, the risk is kept until time has changed it noticeably."""
    portfolio, risks = Portfolio(positions=[single()]), SharedRisk()
    first = risks.to_show(RiskRequest(portfolio, 30.0), _live(0, 1))
    assert risks.to_show(RiskRequest(portfolio, 30.0), _live(15, 1)) is first
    assert risks.to_show(RiskRequest(portfolio, 30.0), _live(65, 1)) is not first


def test_after_stop_the_last_prices_have_a_risk_and_it_is_frozen(wait_until) -> None:
    """At first the last risk is shown, then a frozen one with the prices and stream states at Stop."""
    portfolio, stopped_at = Portfolio(positions=[single()]), AT + dt.timedelta(seconds=4)
    risks, request = SharedRisk(), RiskRequest(portfolio, 30.0)
    first = risks.to_show(request, _live(0, 1))
    stopped = replace(_live(4.5, 2, bid=25.0), stopped_at=stopped_at)
    assert risks.to_show(request, stopped) is first
    risks.keep_current(portfolio, stopped)
    wait_until(lambda: risks.to_show(request, stopped) is not first)
    last = risks.to_show(request, stopped)
    assert (last.at.as_of, last.at.health) == (stopped_at, first.at.health)
    assert last.legs["extrinsic"][0] == pytest.approx(first.legs["extrinsic"][0] + 0.2)
    later = replace(stopped, as_of=AT + dt.timedelta(hours=1))
    risks.keep_current(portfolio, later)
    assert risks.exact(request, later).at is later, "an alert's risk is that of its own snapshot"
    assert risks.to_show(request, later) is last
    assert risks.to_show(request, replace(_live(8, 3), started_at=AT + dt.timedelta(seconds=8))) is not last


def test_a_stop_long_after_the_last_risk_computes_one_from_the_last_prices() -> None:
    """If there is no risk from the last seconds before Stop, the page waits once for a new one."""
    portfolio = Portfolio(positions=[single()])
    risks, request = SharedRisk(), RiskRequest(portfolio, 30.0)
    first = risks.to_show(request, _live(0, 1))
    stopped = replace(_live(7, 2), stopped_at=AT + dt.timedelta(seconds=6))
    second = risks.to_show(request, stopped)
    assert second is not first
    assert risks.to_show(request, replace(stopped, as_of=AT + dt.timedelta(hours=1))) is second


def test_another_rate_is_another_risk() -> None:
    """Each interest rate has its own risk."""
    portfolio, risks = Portfolio(positions=[single()]), SharedRisk()
    first = risks.exact(RiskRequest(portfolio, 30.0), _live(0, 1))
    assert risks.exact(RiskRequest(portfolio, 30.0, 0.10), _live(0, 1)).legs["iv"][0] < first.legs["iv"][0]


def test_a_page_shows_the_last_risk_and_the_next_one_is_computed_in_a_thread(wait_until) -> None:
    """With new prices a page gets the last risk at once, and the new one as soon as it is computed."""
    portfolio, risks = Portfolio(positions=[single()]), SharedRisk()
    first = risks.to_show(RiskRequest(portfolio, 30.0), _live(0, 1))
    live = _live(1.5, 2, bid=25.0)
    with risks._computing:  # nobody could compute now
        assert risks.to_show(RiskRequest(portfolio, 30.0), live) is first
    risks.keep_current(portfolio, live)
    wait_until(lambda: risks.to_show(RiskRequest(portfolio, 30.0), live) is not first)
    second = risks.to_show(RiskRequest(portfolio, 30.0), live)
    assert second.legs["iv"][0] > first.legs["iv"][0]
    assert second.at is live


@pytest.mark.parametrize("change", ["later", "another run"])
def test_a_page_waits_for_a_risk_that_is_too_far_from_its_prices(change: str) -> None:
    """A risk more than 5 seconds older than the prices, or of an earlier run, is never shown beside them."""
    portfolio, risks = Portfolio(positions=[single()]), SharedRisk()
    first = risks.to_show(RiskRequest(portfolio, 30.0), _live(0, 1))
    live = _live(4.9, 2, bid=25.0)
    assert risks.to_show(RiskRequest(portfolio, 30.0), live) is first
    if change == "later":
        live = _live(5.1, 2, bid=25.0)
    else:
        live = replace(live, started_at=AT + dt.timedelta(seconds=1))
    assert risks.to_show(RiskRequest(portfolio, 30.0), live).at is live


def test_a_risk_that_nobody_reads_is_not_kept_current(monkeypatch: pytest.MonkeyPatch) -> None:
    """A risk is computed once after each time that it was shown, and never for another portfolio."""
    threads = _note_threads(monkeypatch)
    portfolio, risks = Portfolio(positions=[single()]), SharedRisk()
    request, live = RiskRequest(portfolio, 30.0), _live(1.5, 2, bid=25.0)
    risks.to_show(request, _live(0, 1))
    risks.keep_current(Portfolio(positions=[single()]), live)
    assert threads == []
    risks.keep_current(portfolio, live)
    threads[0].join()
    risks.keep_current(portfolio, _live(3, 3, bid=25.2))
    assert len(threads) == 1
    assert risks.to_show(request, _live(3, 3, bid=25.2)).at is live
    risks.keep_current(portfolio, _live(3, 3, bid=25.2))
    threads[1].join()
    assert risks._solver.solved == 3


def test_without_a_thread_the_next_reader_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a system that refuses threads, the risk is computed by the reader that needs it."""
    portfolio, risks = Portfolio(positions=[single()]), SharedRisk()
    first = risks.to_show(RiskRequest(portfolio, 30.0), _live(0, 1))
    monkeypatch.setattr(shared_risk.threading, "Thread", lambda **_: _NoThread())
    risks.keep_current(portfolio, _live(1.5, 2, bid=25.0))
    assert risks.to_show(RiskRequest(portfolio, 30.0), _live(1.5, 2, bid=25.0)) is first
    assert risks.to_show(RiskRequest(portfolio, 30.0), _live(6, 3, bid=25.0)) is not first


def test_a_failure_while_nobody_waits_is_logged_and_reaches_the_next_reader(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, wait_until
) -> None:
    """A risk that cannot be computed is logged; a reader who needs it gets the error itself."""
    portfolio, risks = Portfolio(positions=[single()]), SharedRisk()
    risks.to_show(RiskRequest(portfolio, 30.0), _live(0, 1))

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(risks._solver, "solve_all", fail)
    with caplog.at_level(logging.ERROR):
        risks.keep_current(portfolio, _live(1.5, 2, bid=25.0))
        wait_until(lambda: "The risk raised ZeroDivisionError" in caplog.text)
    with pytest.raises(ZeroDivisionError):
        risks.to_show(RiskRequest(portfolio, 30.0), _live(6, 3, bid=25.0))


def _note_threads(monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
    """Return the threads that are started from now on."""
    threads: list[threading.Thread] = []

    class Noted(threading.Thread):
        def start(self) -> None:
            threads.append(self)
            super().start()

    monkeypatch.setattr(shared_risk.threading, "Thread", Noted)
    return threads


class _NoThread:
    """A thread that the system refuses."""

    def start(self) -> None:
        """Refuse to start."""
        raise RuntimeError("can't start new thread")
