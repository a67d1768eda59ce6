"""The full holidays of the New York Stock Exchange by its rule 7.2, without unscheduled closures."""

from __future__ import annotations

import datetime as dt
from functools import cache

_MONDAY, _THURSDAY, _FRIDAY, _SATURDAY, _SUNDAY = 0, 3, 4, 5, 6


def is_trading_day(day: dt.date) -> bool:
    """Return whether the exchange has a session on a date."""
    return day.weekday() < _SATURDAY and day not in holidays(day.year)


@cache
def holidays(year: int) -> frozenset[dt.date]:
    """Return the weekdays of a year on which the exchange stays closed."""
    fixed = [_observed(dt.date(year, month, day)) for month, day in ((6, 19), (7, 4), (12, 25))]
    new_year = dt.date(year, 1, 1)
    if new_year.weekday() == _SUNDAY:  # one on a Saturday is not observed on the Friday before
        new_year = dt.date(year, 1, 2)
    return frozenset(
        {
            *fixed,
            new_year,
            _nth(year, 1, _MONDAY, 3),  # Martin Luther King, Jr. Day
            _nth(year, 2, _MONDAY, 3),  # Washington's Birthday
            _easter(year) - dt.timedelta(days=2),  # Good Friday
            _nth(year, 6, _MONDAY, 1) - dt.timedelta(days=7),  # Memorial Day, the last Monday of May
            _nth(year, 9, _MONDAY, 1),  # Labor Day
            _nth(year, 11, _THURSDAY, 4),  # Thanksgiving Day
        }
    )


def _observed(day: dt.date) -> dt.date:
    """Return the day on which a holiday is observed: Friday for a Saturday, Monday for a Sunday."""
    return day + dt.timedelta(days={_SATURDAY: -1, _SUNDAY: 1}.get(day.weekday(), 0))


def _nth(year: int, month: int, weekday: int, number: int) -> dt.date:
    """Return the date of the first, second, … occurrence of a weekday in a month."""
    first = dt.date(year, month, 1)
    return first + dt.timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def _easter(year: int) -> dt.date:
    """Return Easter Sunday, by Gauss's rule for the years 1900 to 2099."""
    moon = (19 * (year % 19) + 24) % 30
    days = moon + (2 * (year % 4) + 4 * (year % 7) + 6 * moon + 5) % 7
    if (days == 35) or (days == 34 and moon == 28 and year % 19 > 10):  # noqa: PLR2004 - its two exceptions
        days -= 7
    return dt.date(year, 3, 22) + dt.timedelta(days=days)
