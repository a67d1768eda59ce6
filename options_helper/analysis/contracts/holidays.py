"""The full-day holidays of the New York Stock Exchange under its Rule 7.2; no contract expires on them.

They are used to check dates in the user's file; sessions come from `data.calendar`.
"""

from __future__ import annotations

import datetime as dt
from functools import cache

from pandas.tseries.holiday import (
    AbstractHolidayCalendar,
    GoodFriday,
    Holiday,
    USLaborDay,
    USMartinLutherKingJr,
    USMemorialDay,
    USPresidentsDay,
    USThanksgivingDay,
    nearest_workday,
    sunday_to_monday,
)

_SATURDAY = 5


_RULES = (
    # A New Year's Day on a Saturday is not observed on the Friday before, which is in the old year.
    Holiday("New Year's Day", month=1, day=1, observance=sunday_to_monday),
    USMartinLutherKingJr,
    USPresidentsDay,
    GoodFriday,
    USMemorialDay,
    Holiday("Juneteenth", month=6, day=19, start_date="2022-06-19", observance=nearest_workday),
    Holiday("Independence Day", month=7, day=4, observance=nearest_workday),
    USLaborDay,
    USThanksgivingDay,
    Holiday("Christmas", month=12, day=25, observance=nearest_workday),
)


def is_trading_day(day: dt.date) -> bool:
    """Return whether the exchange has a session on a date; unscheduled closures are not considered."""
    return day.weekday() < _SATURDAY and day not in _holidays(day.year)


@cache
def _holidays(year: int) -> frozenset[dt.date]:
    first, last = (dt.datetime(year, *day) for day in ((1, 1), (12, 31)))  # noqa: DTZ001 - dates
    days = AbstractHolidayCalendar(rules=[*_RULES]).holidays(first, last)
    return frozenset(day.date() for day in days)
