"""Betas from daily closes: the plain regression on the days that stock and fund share."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from options_helper.data.streaming.backfill.betas import LEAST_RETURNS, compute_betas

FIRST = dt.date(2025, 12, 1)


def bars(returns: np.ndarray, *, skip: int = 0) -> list[dict[str, Any]]:
    """Return daily bars with these returns; `skip` leaves out the first ones."""
    closes = 100 * np.exp(np.cumsum(np.concatenate([[0.0], returns])))
    days = [FIRST + dt.timedelta(days=number) for number in range(len(closes))]
    rows = [{"t": f"{day}T05:00:00Z", "c": close} for day, close in zip(days, closes.tolist(), strict=True)]
    return rows[skip:]


def test_a_beta_is_the_slope_of_the_daily_returns() -> None:
    """A stock that moves 1.7 times as far, plus noise, has the slope of least squares."""
    rng = np.random.default_rng(5)
    market = rng.normal(0, 0.01, 250)
    stock = 1.7 * market + rng.normal(0, 0.005, 250)
    found = compute_betas({"SPY": bars(market), "XYZ": bars(stock)})
    assert found is not None
    slope = np.polyfit(market, stock, 1)[0]
    assert found.values == pytest.approx({"SPY": 1.0, "XYZ": slope})
    assert (found.returns, found.until) == (250, FIRST + dt.timedelta(days=250))
    assert found.price == pytest.approx(100 * np.exp(market.sum()))


def test_a_short_history_has_no_beta() -> None:
    """A new stock has no beta; without the fund, no stock has one."""
    market = np.random.default_rng(6).normal(0, 0.01, 250)
    found = compute_betas({"SPY": bars(market), "NEW": bars(market, skip=250 - LEAST_RETURNS + 1)})
    assert found is not None
    assert list(found.values) == ["SPY"]
    assert compute_betas({"XYZ": bars(market)}) is None
    assert compute_betas({"SPY": bars(market[:50]), "XYZ": bars(market)}) is None


def test_unreadable_days_are_left_out() -> None:
    """Rows without a time or a price above zero do not count."""
    market = np.random.default_rng(7).normal(0, 0.01, 250)
    rows = bars(market)
    broken = [*rows[:100], {"t": "?", "c": 1}, {"t": "2026-01-01T05:00:00Z", "c": 0}, None, *rows[100:]]
    found = compute_betas({"SPY": rows, "XYZ": broken, "BAD": "?"})
    assert found is not None
    assert found.values == pytest.approx({"SPY": 1.0, "XYZ": 1.0})
