"""Alerts on Greeks and exposures."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from options_helper.analysis.alerts.exposure_readings import read_exposures
from options_helper.analysis.alerts.records import Outcome
from options_helper.analysis.alerts.rules import AlertRule
from options_helper.analysis.tables.view import compute_view
from options_helper.market import LiveSnapshot, PreviousClose, Quote
from options_helper.models import Portfolio
from options_helper.session.risk.shared_risk import RiskRequest
from options_helper.session.views import SharedViews

NOON = dt.datetime(2026, 11, 20, 17, 0, tzinfo=dt.UTC)
OPTION = {"option_type": "call", "expiry": "2026-12-18", "strike": 200, "contracts": 1, "cost_basis": 1}
PORTFOLIO = Portfolio.model_validate(
    {
        "positions": [
            {"id": "long", "symbol": "AAPL", "shares": 30, "cost_basis": 1, "tag": ["core"]},
            {"id": "short", "symbol": "AAPL", "shares": -10, "cost_basis": 1},
            {"id": "core", "symbol": "MSFT", "shares": 5, "cost_basis": 1, "tag": ["core"]},
            {"id": "unquoted", "symbol": "SPY", **OPTION},
        ]
    }
)


def read(phase: str = "open", **fields: Any) -> float | Outcome:
    """Return the reading of one rule while AAPL is at 200 and MSFT at 400."""
    quotes = {
        symbol: Quote(symbol, price - 0.01, price + 0.01, 1, 1, timestamp=NOON, received_at=NOON)
        for symbol, price in (("AAPL", 200.0), ("MSFT", 400.0))
    }
    live = LiveSnapshot(
        as_of=NOON,
        market_phase=phase,
        running=True,
        stock_quotes=quotes,
        previous_closes={symbol: PreviousClose(1.0, dt.date(2026, 11, 19)) for symbol in quotes},
        trading_date=NOON.date(),
        session_open=NOON - dt.timedelta(hours=2),
    )
    views = SharedViews()
    rule = AlertRule.model_validate({"comparison": "above", "threshold": 1.0, **fields})
    tables = compute_view(PORTFOLIO, live, stale_after_seconds=30.0)
    readings = read_exposures([rule], tables, lambda: views.risk.exact(RiskRequest(PORTFOLIO, 30.0), live))
    return readings[rule.subject, rule.metric]


@pytest.mark.parametrize(
    ("fields", "value"),
    [
        ({"position": "long"}, 30.0),
        ({"position": "core"}, 5.0),
        ({"tag": "core"}, 35.0),
        ({"symbol": "AAPL"}, 20.0),
        ({"symbol": "AAPL", "metric": "dollar_delta"}, 4000.0),
        ({"position": "unquoted"}, Outcome.NO_DATA),
        ({"tag": "unknown"}, Outcome.NO_DATA),
        ({}, Outcome.NO_DATA),
    ],
)
def test_an_exposure_is_known_whole_or_not_at_all(fields: dict[str, Any], value: float | Outcome) -> None:
    """A position and a tag with the same name are distinct, and a sum that lacks a leg raises nothing."""
    assert read(**{"metric": "delta", **fields}) == (
        value if isinstance(value, Outcome) else pytest.approx(value)
    )


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"metric": "delta", "position": "long", "tag": "core"}, "only one of"),
        ({"metric": "mark", "tag": "core"}, "takes no tag"),
    ],
)
def test_an_exposure_alert_watches_one_thing(fields: dict[str, Any], problem: str) -> None:
    """A rule names a position, an underlying or a tag, and a tag only for an exposure."""
    with pytest.raises(ValueError, match=problem):
        AlertRule.model_validate({"comparison": "above", "threshold": 1.0, **fields})
