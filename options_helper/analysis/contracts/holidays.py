"""Days without expiries: the full holidays of the New York Stock Exchange, by its rule 7.2.

They serve to question a date in the user's file; sessions come from `data.calendar`.
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
    # On a Saturday it is not made up for: the year before has ended.
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
    """Return whether the exchange has a session on a date, unscheduled closures aside."""
    return day.weekday() < _SATURDAY and day not in _holidays(day.year)


@cache
def _holidays(year: int) -> frozenset[dt.date]:
    first, last = (dt.datetime(year, *day) for day in ((1, 1), (12, 31)))  # noqa: DTZ001 - dates
    days = AbstractHolidayCalendar(rules=[*_RULES]).holidays(first, last)
    return frozenset(day.date() for day in days)
