"""The risk that all tabs share: at most once a second, and only what has moved."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from options_helper.models import Portfolio
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


def test_risk_is_computed_at_most_once_a_second_and_only_for_what_moved() -> None:
    """Within a second, all readers get the same risk; then only the contract that moved is solved."""
    portfolio = Portfolio(positions=[single(), single(id="p", option_type="put")])
    views = SharedViews()
    first = views.risk(portfolio, _live(0, 1), 30.0, None)
    assert views._solver.solved == 2
    assert views.risk(portfolio, _live(0.5, 2, bid=24.9), 30.0, None) is first
    second = views.risk(portfolio, _live(1.1, 3, bid=25.0), 30.0, None)
    assert second is not first
    assert views._solver.solved == 3
    assert second.legs["iv"][0] > first.legs["iv"][0]
    assert second.legs["iv"][1] == first.legs["iv"][1]


def test_an_unchanged_snapshot_keeps_its_risk_for_a_while() -> None:
    """Without new data, the risk is kept until time has changed it noticeably."""
    portfolio, views = Portfolio(positions=[single()]), SharedViews()
    first = views.risk(portfolio, _live(0, 1), 30.0, None)
    assert views.risk(portfolio, _live(15, 1), 30.0, None) is first
    assert views.risk(portfolio, _live(65, 1), 30.0, None) is not first


def test_another_rate_is_another_risk() -> None:
    """Each interest rate has its own risk."""
    portfolio, views = Portfolio(positions=[single()]), SharedViews()
    first = views.risk(portfolio, _live(0, 1), 30.0, None)
    assert views.risk(portfolio, _live(0, 1), 30.0, 0.10).legs["iv"][0] < first.legs["iv"][0]


def test_readers_do_not_wait_while_another_computes() -> None:
    """While one reader computes, the others get the last risk at once."""
    portfolio, views = Portfolio(positions=[single()]), SharedViews()
    first = views.risk(portfolio, _live(0, 1), 30.0, None)
    with views._risk_lock:
        assert views.risk(portfolio, _live(5, 2), 30.0, None) is first
