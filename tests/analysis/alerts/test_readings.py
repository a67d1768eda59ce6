"""Underlyings, distances to strikes, lost streams and the account, as alerts read them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from options_helper.analysis.alerts.readings import AccountWatch, read_watched
from options_helper.analysis.alerts.records import Outcome
from options_helper.analysis.alerts.rules import AlertRule
from options_helper.analysis.tables.view import compute_view
from options_helper.market import (
    BrokerPosition,
    LiveSnapshot,
    PreviousClose,
    Quote,
    StreamHealth,
    StreamState,
)
from options_helper.models import Portfolio

NOON = dt.datetime(2026, 11, 20, 17, 0, tzinfo=dt.UTC)
OPTION = {"expiry": "2026-12-18", "contracts": 1}
PORTFOLIO = Portfolio.model_validate(
    {
        "positions": [
            {"id": "call", "symbol": "AAPL", "option_type": "call", "strike": 250, "cost_basis": 1, **OPTION},
            {"id": "shares", "symbol": "AAPL", "shares": 10, "cost_basis": 1},
            {
                "id": "condor",
                "symbol": "AAPL",
                "net_debit": -100,
                "legs": [
                    {"side": side, "option_type": kind, "strike": strike, **OPTION}
                    for side, kind, strike in (
                        ("long", "put", 190),
                        ("short", "put", 195),
                        ("short", "call", 210),
                        ("long", "call", 215),
                    )
                ],
            },
        ]
    }
)


def snapshot(**more: Any) -> LiveSnapshot:
    """An open market with AAPL at 200, which closed at 160."""
    quote = Quote("AAPL", 199.99, 200.01, 1, 1, timestamp=NOON, received_at=NOON)
    usual = {
        "as_of": NOON,
        "market_phase": "open",
        "running": True,
        "started_at": NOON - dt.timedelta(hours=1),
        "trading_date": NOON.date(),
        "previous_trading_date": dt.date(2026, 11, 19),
        "stock_quotes": {"AAPL": quote},
        "previous_closes": {"AAPL": PreviousClose(160.0, dt.date(2026, 11, 19))},
    }
    return LiveSnapshot(**{**usual, **more})


def read(live: LiveSnapshot, differing: dict[str, int] | None = None, **fields: Any) -> float | Outcome:
    """Return the reading of one rule."""
    rule = AlertRule.model_validate(fields)
    tables = compute_view(PORTFOLIO, live, stale_after_seconds=30.0)
    return read_watched([rule], tables, live, differing)[rule.subject, rule.metric]


def above(value: float = 1.0, **fields: Any) -> dict[str, Any]:
    """Return a rule's fields with a condition."""
    return {"comparison": "above", "threshold": value, **fields}


@pytest.mark.parametrize(
    ("fields", "value"),
    [
        ({"metric": "spot", "symbol": "aapl"}, 200.0),
        ({"metric": "spot_change_pct", "symbol": "AAPL"}, 0.25),
        ({"metric": "strike_distance_pct", "position": "call"}, 0.25),
        ({"metric": "strike_distance_pct", "position": "condor"}, 0.025),
        ({"metric": "strike_distance_pct", "position": "shares"}, Outcome.NO_DATA),
        ({"metric": "strike_distance_pct", "position": "gone"}, Outcome.NO_DATA),
        ({"metric": "spot", "symbol": "SPY"}, Outcome.NO_DATA),
    ],
)
def test_an_underlying_and_its_distance_to_the_strike(fields: dict[str, Any], value: object) -> None:
    """The distance is positive out of the money, uses the nearest short strike, and may be unknown."""
    assert read(snapshot(), **above(**fields)) == (
        pytest.approx(value) if isinstance(value, float) else value
    )


@pytest.mark.parametrize(
    ("more", "outcome"),
    [({"market_phase": "closed"}, Outcome.MARKET_CLOSED), ({"stock_quotes": {}}, Outcome.NO_DATA)],
)
def test_a_price_that_is_not_current_gives_no_reading(more: dict[str, Any], outcome: Outcome) -> None:
    """An old price gives no reading."""
    assert read(snapshot(**more), **above(metric="spot", symbol="AAPL")) == outcome


def test_a_lost_stream_counts_from_when_it_was_last_heard() -> None:
    """Attempts to reconnect do not restart the count; a stream that was never heard counts from Start."""
    fields = above(metric="stream_lost_seconds")
    heard = NOON - dt.timedelta(seconds=90)
    lost = StreamHealth("options", StreamState.CONNECTING, since=NOON, last_heard_at=heard)
    running = StreamHealth("stocks", StreamState.RUNNING, last_heard_at=heard - dt.timedelta(hours=1))
    assert read(snapshot(health={"options": lost, "stocks": running}), **fields) == 90.0
    assert read(snapshot(health={"stocks": running}), **fields) == 0.0
    never = StreamHealth("options", StreamState.ERROR, since=NOON)
    assert read(snapshot(health={"options": never}), **fields) == 3600.0
    assert read(snapshot(running=False), **fields) == Outcome.NO_DATA


def test_a_difference_from_the_account_is_counted_by_position() -> None:
    """The count is known per position and in total; an unknown account gives no data."""
    rule = AlertRule(metric="quantity_differs", position="shares")
    watch = AccountWatch()
    assert watch.differing(PORTFOLIO, snapshot(), [rule]) is None
    held = {"AAPL": BrokerPosition("AAPL", 5.0), "SPY": BrokerPosition("SPY", 1.0)}
    live = snapshot(broker_positions=held, broker_positions_at=NOON)
    differing = watch.differing(PORTFOLIO, live, [rule])
    assert differing is not None
    assert differing["shares"] == 1
    assert differing[""] == 1
    assert watch.differing(PORTFOLIO, live, [rule]) is differing
    assert watch.differing(PORTFOLIO, live, []) is None
    assert read(live, differing, metric="quantity_differs", position="shares") == 1.0
    assert read(live, differing, metric="quantity_differs") == float(sum(differing.values()))
    assert read(live, None, metric="quantity_differs") == Outcome.NO_DATA
