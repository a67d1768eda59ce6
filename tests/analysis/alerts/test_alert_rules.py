"""Valid and invalid alert rules, the names of positions, and notices."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from pydantic import ValidationError

from options_helper.analysis.alerts.records import AlertEvent, AlertPhase
from options_helper.analysis.alerts.rules import AlertRule
from options_helper.analysis.alerts.words import notice_of, position_names
from options_helper.models import Portfolio

NOW = dt.datetime(2026, 11, 20, 17, 0, tzinfo=dt.UTC)
ABOVE = {"comparison": "above", "threshold": 1}


@pytest.mark.parametrize(
    ("fields", "condition"),
    [
        ({"metric": "spot", "symbol": "AAPL", **ABOVE}, "Price of the underlying above $1.00"),
        ({"metric": "spot_change_pct", "symbol": "AAPL", **ABOVE}, "Change in the underlying above +100.0%"),
        ({"metric": "day_pnl", **ABOVE}, "P/L Day above +$1"),
        ({"metric": "strike_distance_pct", "position": "a", **ABOVE}, "Distance to the strike above +100.0%"),
        ({"metric": "stream_lost_seconds", **ABOVE}, "Stream lost above 1 s"),
        (
            {"metric": "quantity_differs", "pending_seconds": 60},
            "Quantity differs from the broker for 1 m",
        ),
        ({"metric": "order_rejected"}, "Order rejected"),
        ({"metric": "assignment", "position": "a"}, "Assignment or exercise"),
    ],
)
def test_a_rule_describes_its_condition(fields: dict[str, Any], condition: str) -> None:
    """The condition is written with its unit, side and duration."""
    assert AlertRule.model_validate(fields).condition == condition


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"metric": "spot", **ABOVE}, "an alert on spot needs a symbol"),
        ({"metric": "mark", "symbol": "AAPL", "position": "a", **ABOVE}, "an alert on mark takes no symbol"),
        ({"metric": "strike_distance_pct", **ABOVE}, "an alert on strike_distance_pct needs a position"),
        ({"metric": "stream_lost_seconds", "position": "a", **ABOVE}, "takes no position"),
        ({"metric": "spot", "symbol": "AAPL", "position": "a", **ABOVE}, "takes no position"),
        ({"metric": "quantity_differs", **ABOVE}, "takes no comparison or threshold"),
        ({"metric": "order_rejected", "pending_seconds": 1}, "or pending_seconds"),
        ({"metric": "day_pnl"}, "needs a comparison"),
        (
            {"metric": "spot_change_pct", "symbol": "A", "comparison": "above", "threshold": 50},
            "is a fraction",
        ),
        (
            {"metric": "stream_lost_seconds", "comparison": "above", "threshold": -999_999},
            "stream_lost_seconds is never below 0, so the alert would always be raised",
        ),
        ({"metric": "quote_age_seconds", "comparison": "below", "threshold": 0}, "would never be raised"),
        ({"metric": "dte", "comparison": "below", "threshold": -1}, "dte is never below 0"),
        ({"metric": "spread_pct", "position": "a", "comparison": "below", "threshold": 0}, "never"),
        ({"metric": "spot", "symbol": "A", "comparison": "above", "threshold": -1}, "always"),
        (
            {"metric": "spot_change_pct", "symbol": "A", "comparison": "above", "threshold": -1.5},
            "is never below -1",
        ),
    ],
)
def test_a_rule_that_cannot_work_is_refused(fields: dict[str, Any], reason: str) -> None:
    """The error names what the rule lacks or must not have."""
    with pytest.raises(ValidationError, match=reason):
        AlertRule.model_validate(fields)


@pytest.mark.parametrize(
    ("metric", "subject", "comparison", "threshold"),
    [
        ("stream_lost_seconds", {}, "above", 0),
        ("dte", {}, "below", 0.5),
        ("dte", {"position": "a"}, "above", 0),
        ("spot", {"symbol": "A"}, "above", 0),
        ("spot_change_pct", {"symbol": "A"}, "below", -0.99),
        ("spread_pct", {"position": "a"}, "above", 19),
        ("strike_distance_pct", {"position": "a"}, "below", -0.05),
        ("pnl_pct", {"position": "a"}, "below", -5),
        ("mark", {"position": "a"}, "below", -2.5),
        ("pnl_abs", {}, "below", -1e9),
        ("delta", {"tag": "wheel"}, "below", -500),
    ],
)
def test_any_threshold_that_a_figure_can_reach_is_accepted(
    metric: str, subject: dict[str, str], comparison: str, threshold: float
) -> None:
    """Thresholds may be negative, as a credit's mark and the distance to a strike in the money are."""
    fields = {"metric": metric, **subject, "comparison": comparison, "threshold": threshold}
    assert AlertRule.model_validate(fields).threshold == threshold


def test_positions_are_named_as_in_the_table() -> None:
    """The file's own name is preferred, and an ambiguous name is followed by the id."""
    call = {
        "symbol": "AAPL",
        "option_type": "call",
        "expiry": "2026-12-18",
        "strike": 250,
        "contracts": 1,
        "cost_basis": 1,
    }
    legs = [
        {"side": side, "option_type": "put", "expiry": "2026-12-18", "strike": strike, "contracts": 1}
        for side, strike in (("short", 500), ("long", 490))
    ]
    positions = [
        {"id": "a", **call},
        {"id": "b", **call},
        {"id": "c", **call, "name": "Earnings bet"},
        {"id": "d", "symbol": "SPY", "legs": legs, "net_debit": -100},
        {"id": "e", "symbol": "SPY", "shares": 1, "cost_basis": 1},
    ]
    assert position_names(Portfolio.model_validate({"positions": positions})) == {
        "a": "AAPL 250 call 18 Dec (a)",
        "b": "AAPL 250 call 18 Dec (b)",
        "c": "Earnings bet",
        "d": "SPY Credit put vertical",
        "e": "SPY shares",
    }


def _event(number: int, **fields: Any) -> AlertEvent:
    rule = AlertRule.model_validate({"position": "a", "metric": "mark", "id": str(number), **ABOVE, **fields})
    return AlertEvent(number, NOW, rule, AlertPhase.RAISED, 812.5)


def test_a_notice_has_figures_only_on_request() -> None:
    """By default, a notice shows neither the threshold nor the value, and it summarizes many alerts."""
    names = {"a": "SPY iron condor"}
    assert notice_of([_event(1)], names, figures=True) == "SPY iron condor · Mark above $1.00 · $812.50"
    assert notice_of([_event(1)], names, figures=False) == "SPY iron condor: Mark above its threshold"
    lines = notice_of([_event(number) for number in range(8)], names, figures=False).splitlines()
    assert (len(lines), lines[-1]) == (6, "and 3 more alerts")
    fill = AlertRule(metric="fill")
    event = AlertEvent(1, NOW, fill, AlertPhase.RAISED, 1.0, "sell AAPL 5 @ 1.60")
    assert notice_of([event], names, figures=False) == "Whole portfolio: Fill"
