"""Times, dates and lists in words; `figures` writes figures and spans."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from options_helper.analysis.text.figures import format_span

_MINUTE = 60
_DAYS_A_WEEKDAY_IS_CLEAR = 6
# Written out because strftime uses the machine's language.
TODAY = "today"
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def format_minutes(seconds: float) -> str:
    """Return a span in whole minutes, such as `2 h 14 m`, rounded up so a countdown ends at `1 m`."""
    minutes = max(1, -(-int(seconds) // _MINUTE))
    return f"{minutes} m" if minutes < _MINUTE else format_span(minutes * _MINUTE)


def format_time(at: dt.datetime, zone: dt.tzinfo, now: dt.datetime | None = None) -> str:
    """Return a time to the second, such as `13:45:10`, or `Mon 13:45:10` if it is not on the day of `now`."""
    return f"{_other_day(at, now or at, zone)}{at.astimezone(zone):%H:%M:%S}"


def format_minute(at: dt.datetime, zone: dt.tzinfo) -> str:
    """Return a time of day to the minute, such as `13:45`."""
    return at.astimezone(zone).strftime("%H:%M")


def format_near_time(at: dt.datetime, now: dt.datetime, zone: dt.tzinfo) -> str:
    """Return a time to the minute, with its day unless it is today: `16:00`, `Mon 09:30`, `24 Dec 09:30`."""
    return f"{_other_day(at, now, zone)}{at.astimezone(zone):%H:%M}"


def format_day_and_time(at: dt.datetime, now: dt.datetime, zone: dt.tzinfo) -> str:
    """Return a time to the minute with its day, even if that is today: `Mon 09:30` or `24 Dec 09:30`."""
    return f"{_day(at, now, zone)} {at.astimezone(zone):%H:%M}"


def _other_day(at: dt.datetime, now: dt.datetime, zone: dt.tzinfo) -> str:
    """Return a time's day followed by a space, or "" on the day of `now`."""
    is_today = at.astimezone(zone).date() == now.astimezone(zone).date()
    return "" if is_today else f"{_day(at, now, zone)} "


def _day(at: dt.datetime, now: dt.datetime, zone: dt.tzinfo) -> str:
    day, today = at.astimezone(zone).date(), now.astimezone(zone).date()
    if abs((day - today).days) <= _DAYS_A_WEEKDAY_IS_CLEAR:
        return _WEEKDAYS[day.weekday()][:3]
    return format_day(day, with_year=False)


def format_day(day: dt.date, *, with_year: bool = True) -> str:
    """Return a date in English, such as `18 Dec 2026`, or `18 Dec` without the year."""
    text = f"{day.day} {_MONTHS[day.month - 1]}"
    return f"{text} {day.year}" if with_year else text


def name_day(day: dt.date, today: dt.date) -> str:
    """Return a day's name: `today`, a weekday for the last six days, or a date such as `18 Dec 2026`."""
    if day == today:
        return TODAY
    return _WEEKDAYS[day.weekday()] if 0 < (today - day).days <= _DAYS_A_WEEKDAY_IS_CLEAR else format_day(day)


def join_words(words: Sequence[str]) -> str:
    """Join words into a list such as `a, b and c`."""
    if len(words) <= 1:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def capital(text: str) -> str:
    """Return the text with a capital first letter, the rest unchanged."""
    return text[:1].upper() + text[1:]


def count(number: int, noun: str) -> str:
    """Return a number with its noun, such as `1 contract` or `12 contracts`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def coverage(covered: int, total: int, noun: str = "leg") -> str:
    """Return how much a sum covers, such as `11 of 12 legs`."""
    return f"{covered:,} of {count(total, noun)}"
