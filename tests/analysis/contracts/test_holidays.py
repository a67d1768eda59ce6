"""The exchange's holidays, as it published them and as the simulator counts them."""

from __future__ import annotations

import datetime as dt

import pytest

from options_helper.analysis.contracts.holidays import is_trading_day
from options_helper.simulator.market import holidays as simulated

PUBLISHED = {
    2026: "01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25",
    2027: "01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24",
    2028: "01-17 02-21 04-14 05-29 06-19 07-04 09-04 11-23 12-25",
}


@pytest.mark.slow
def test_the_exchange_is_closed_only_on_its_holidays() -> None:
    """The holidays are those of the published lists, and equal the simulator's in all years."""
    days = [dt.date(2024, 1, 1) + dt.timedelta(days=number) for number in range(365 * 16)]
    closed = [day for day in days if day.weekday() < 5 and not is_trading_day(day)]
    for year, listed in PUBLISHED.items():
        assert [f"{day:%m-%d}" for day in closed if day.year == year] == listed.split()
    assert [day for day in days if is_trading_day(day) != simulated.is_trading_day(day)] == []
    assert not is_trading_day(dt.date(2026, 12, 19)), "a Saturday"
