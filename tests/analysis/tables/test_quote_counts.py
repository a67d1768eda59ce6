"""Counts of stale, quiet and missing quotes, by stream."""

from __future__ import annotations

import datetime as dt

from options_helper.analysis.status.stream_diagnosis import QuoteCounts
from options_helper.analysis.tables.view import compute_view
from options_helper.market import LiveSnapshot, Quote, StreamHealth, StreamName, StreamState
from options_helper.models import EquityPosition, Portfolio
from tests.builders import single

AT = dt.datetime(2026, 11, 18, 15, 30, tzinfo=dt.UTC)
CALL = "AAPL261218C00250000"
PORTFOLIO = Portfolio(
    positions=[
        single(id="call", contracts=1, cost_basis=5.0),
        EquityPosition(id="shares", symbol="SPY", shares=10, cost_basis=600.0),
    ]
)


def _count(*, heard_seconds_ago: float) -> QuoteCounts:
    """Counts with a threshold of 30 s: the option's quote is a minute old, the shares' a second."""
    heard = AT - dt.timedelta(seconds=heard_seconds_ago)
    record = StreamHealth(
        StreamName.OPTIONS, state=StreamState.RUNNING, asked=frozenset([CALL]), last_heard_at=heard
    )
    minute, second = AT - dt.timedelta(minutes=1), AT - dt.timedelta(seconds=1)
    live = LiveSnapshot(
        as_of=AT,
        running=True,
        status="running",
        market_phase="open",
        options_feed="opra",
        stock_feed="sip",
        health={StreamName.OPTIONS: record, StreamName.STOCKS: StreamHealth(StreamName.STOCKS)},
        option_quotes={CALL: Quote(CALL, 4.9, 5.1, timestamp=minute, received_at=minute)},
        stock_quotes={"SPY": Quote("SPY", 661.0, 661.1, timestamp=second, received_at=second)},
    )
    return compute_view(PORTFOLIO, live, stale_after_seconds=30).quotes


def test_a_quiet_quote_is_counted_with_its_stream() -> None:
    """A quote is quiet if it is older than the threshold but its stream was heard a moment ago."""
    counts = _count(heard_seconds_ago=1)
    assert (counts.total, counts.stale, counts.quiet) == (2, 0, 1)
    assert counts.quiet_by_stream == {StreamName.OPTIONS: 1}
    assert (counts.oldest_seconds, counts.oldest_name) == (60, "AAPL 250 call")


def test_a_stale_quote_is_counted_with_its_stream() -> None:
    """A quote is stale if it is older than the threshold and its stream was not heard from recently."""
    counts = _count(heard_seconds_ago=11)
    assert (counts.stale, counts.stale_by_stream) == (1, {StreamName.OPTIONS: 1})
    assert (counts.quiet, counts.quiet_by_stream) == (0, {})
