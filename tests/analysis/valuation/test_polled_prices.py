"""Prices that REST polls because they do not stream."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from options_helper.analysis.live_portfolio_metrics import compute_live_position_rows, compute_live_totals
from options_helper.analysis.tables.deadlines import recompute_key
from options_helper.analysis.tables.structures import compute_live_multileg_rows
from options_helper.analysis.tables.view import compute_view
from options_helper.market import (
    LiveSnapshot,
    MarketPhase,
    Quote,
    StreamHealth,
    StreamName,
    StreamState,
)
from options_helper.models import EquityPosition, Portfolio, Position

AT = dt.datetime(2026, 11, 18, 15, 30, tzinfo=dt.UTC)
CALL = "AAPL261218C00250000"
TERMS: dict[str, Any] = {"option_type": "call", "expiry": dt.date(2026, 12, 18), "strike": 250}
PORTFOLIO = Portfolio(
    positions=[
        Position(id="call", symbol="AAPL", contracts=1, cost_basis=5.0, **TERMS),
        EquityPosition(id="shares", symbol="SPY", shares=10, cost_basis=600.0),
    ]
)


def ago(seconds: float) -> dt.datetime:
    """A time before the snapshot."""
    return AT - dt.timedelta(seconds=seconds)


def polled(
    quote_seconds: float, *, answered: float | None = 3.0, interval: float = 15.0, **changes: Any
) -> LiveSnapshot:
    """A snapshot with a polled option; its quote and REST's last answer are this old."""
    record = StreamHealth(
        StreamName.OPTIONS,
        state=StreamState.RUNNING,
        asked=frozenset([CALL]),
        missing=frozenset([CALL]),
        connected_at=ago(600),
        last_heard_at=ago(1),
        polled=frozenset([CALL]),
        poll_seconds=interval,
        polled_at=None if answered is None else ago(answered),
    )
    stocks = StreamHealth(StreamName.STOCKS, state=StreamState.RUNNING, last_heard_at=ago(1))
    base: dict[str, Any] = {
        "as_of": AT,
        "status": StreamState.RUNNING,
        "market_phase": MarketPhase.OPEN,
        "health": {StreamName.OPTIONS: record, StreamName.STOCKS: stocks},
        "subscribed": frozenset(["SPY"]),
        "options_feed": "indicative",
        "stock_feed": "iex",
        "option_quotes": {
            CALL: Quote(CALL, 5.0, 5.2, 1, 1, ago(quote_seconds), ago(quote_seconds - 1), from_rest=True)
        },
        "stock_quotes": {"SPY": Quote("SPY", 668.0, 668.02, 1, 1, ago(2), ago(2))},
    }
    return LiveSnapshot(**base | changes)


def row(live: LiveSnapshot, *, stale_after: float = 30.0) -> Any:
    """The option's row."""
    return compute_live_position_rows(PORTFOLIO, live, stale_after_seconds=stale_after).iloc[0]


def test_a_polled_price_has_its_own_source_and_an_honest_age() -> None:
    """A polled price has a mark, its true age, and the interval in its source."""
    found = row(polled(4.0))
    assert (found["mark"], found["source"], found["quote_age_seconds"]) == (5.1, "REST, every 15 s", 4.0)
    assert found["state"] == "live"
    assert "not_subscribed" not in found["warnings"]


@pytest.mark.parametrize(
    ("age", "interval", "stale_after", "state"),
    [(15, 15, 30, "live"), (15.1, 15, 30, "quiet"), (30, 60, 30, "live"), (31, 60, 30, "quiet")],
)
def test_no_polled_price_is_live_beyond_its_interval_or_the_threshold(
    age: float, interval: float, stale_after: float, state: str
) -> None:
    """An older price is quiet while REST has answered within the interval."""
    assert row(polled(age, interval=interval), stale_after=stale_after)["state"] == state


@pytest.mark.parametrize(("answered", "state"), [(25.0, "quiet"), (25.1, "stale"), (None, "stale")])
def test_a_poll_that_is_overdue_makes_its_prices_stale(answered: float | None, state: str) -> None:
    """Ten seconds after the expected answer, the prices are stale, whatever the stream reports."""
    assert row(polled(40, answered=answered))["state"] == state


def test_polled_prices_survive_the_streams_end_but_not_stop() -> None:
    """Polling continues if the option stream ends for good; after Stop, nothing is live."""
    live = polled(4.0)
    ended = replace(live.health[StreamName.OPTIONS], state=StreamState.ERROR)
    assert row(replace(live, health={**live.health, StreamName.OPTIONS: ended}))["state"] == "live"
    assert row(replace(live, status=StreamState.STOPPED))["state"] == "stale"
    assert row(replace(live, market_phase=MarketPhase.CLOSED))["state"] == "closed"


def test_a_polled_portfolio_has_a_value() -> None:
    """Every row of a polled portfolio has a price, so the portfolio has a value."""
    live = polled(4.0)
    tables = [
        compute_live_position_rows(PORTFOLIO, live, stale_after_seconds=30),
        *compute_live_multileg_rows(PORTFOLIO, live, stale_after_seconds=30),
    ]
    totals = compute_live_totals(PORTFOLIO, *tables)
    assert totals.portfolio_value.value == pytest.approx(510 + 6680.1)
    assert totals.live_legs == 2


def test_the_tables_are_computed_again_when_the_interval_has_passed() -> None:
    """The next deadline is when the polled price is no longer live."""
    live = polled(4.0)
    assert compute_view(PORTFOLIO, live, stale_after_seconds=30).until <= AT + dt.timedelta(seconds=11.001)
    assert recompute_key(live) != recompute_key(replace(live, as_of=AT + dt.timedelta(seconds=60)))


def test_a_delayed_feed_is_never_live() -> None:
    """On delayed SIP, a price is stale whatever the threshold is."""
    live = replace(polled(4.0), stock_feed="delayed_sip")
    rows = compute_live_position_rows(PORTFOLIO, live, stale_after_seconds=3600)
    assert rows["state"].astype(str).tolist() == ["live", "stale"]
    assert rows["source"].tolist()[1] == "delayed SIP"
