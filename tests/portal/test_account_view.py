"""The account as one refresh shows it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("streamlit", reason="the portal needs streamlit")

from apps.streamlit.components.account.account_view import build_account_view
from options_helper.analysis.tables.view import compute_view
from options_helper.market import BrokerAccount, BrokerPosition, LiveSnapshot, PreviousClose
from options_helper.models import Portfolio

NOW = dt.datetime(2026, 11, 20, 17, 0, tzinfo=dt.UTC)
CLOSES = {"SPY": PreviousClose(date=dt.date(2026, 11, 19), price=100.0)}
LIVE = LiveSnapshot(
    as_of=NOW,
    trading_date=dt.date(2026, 11, 20),
    previous_trading_date=dt.date(2026, 11, 19),
    previous_closes=CLOSES,
    broker=BrokerAccount(equity=1100.0, cash=0.0, as_of=NOW),
    broker_positions={"SPY": BrokerPosition("SPY", 10.0, price=110.0)},
    broker_positions_at=NOW,
    broker_history_since=dt.date(2026, 10, 20),
    broker_cash_since=dt.date(2026, 10, 20),
)
_NOTHING = Portfolio()
LATER = replace(LIVE, as_of=NOW + dt.timedelta(seconds=2), version=1)


def _day(live: LiveSnapshot) -> float | None:
    day = build_account_view(compute_view(_NOTHING, live, stale_after_seconds=30.0), None).day
    return None if day is None or day.known is None else float(day.known)


@pytest.mark.parametrize(
    ("change", "known"),
    [
        ({}, 100),
        ({"broker_positions": {"SPY": BrokerPosition("SPY", 10.0, price=111.0)}}, 110),
        ({"previous_closes": {"SPY": replace(CLOSES["SPY"], price=101.0)}}, 90),
        ({"backfill": {"history": "not read yet"}}, None),
        ({"as_of": NOW + dt.timedelta(days=1), "trading_date": None}, None),
    ],
    ids=["nothing", "a price", "a close", "no history", "a new day"],
)
def test_a_changed_account_has_a_new_result(change: dict[str, Any], known: float | None) -> None:
    """A refresh with an unchanged account and unchanged closes keeps the last result."""
    assert _day(LIVE) == 100
    assert _day(replace(LATER, **change)) == known
