"""Times and counts in the words of the page; figures and spans are in `figures`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from options_helper.analysis.text.figures import format_span

_MINUTE = 60
_DAYS_A_WEEKDAY_IS_CLEAR = 6
# Written out, for strftime speaks the machine's language.
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def format_minutes(seconds: float) -> str:
    """A span in whole minutes and larger, rounded up, so that a countdown ends at 1 m: `2 h 14 m`, `9 m`."""
    minutes = max(1, -(-int(seconds) // _MINUTE))
    return f"{minutes} m" if minutes < _MINUTE else format_span(minutes * _MINUTE)


def format_time(at: dt.datetime, zone: dt.tzinfo, now: dt.datetime | None = None) -> str:
    """The time of day to the second: `13:45:10`; where `now` is of another day, `Mon 13:45:10`."""
    return f"{_other_day(at, now or at, zone)}{at.astimezone(zone):%H:%M:%S}"


def format_minute(at: dt.datetime, zone: dt.tzinfo) -> str:
    """The time of day to the minute: `13:45`."""
    return at.astimezone(zone).strftime("%H:%M")


def format_moment(at: dt.datetime, now: dt.datetime, zone: dt.tzinfo) -> str:
    """A time near `now`, with its day where that is not today's: `16:00`, `Mon 09:30`, `24 Dec 09:30`."""
    return f"{_other_day(at, now, zone)}{at.astimezone(zone):%H:%M}"


def _other_day(at: dt.datetime, now: dt.datetime, zone: dt.tzinfo) -> str:
    """The day of a time with a space behind it, "" where it is that of `now`."""
    day, today = at.astimezone(zone).date(), now.astimezone(zone).date()
    if day == today:
        return ""
    if abs((day - today).days) <= _DAYS_A_WEEKDAY_IS_CLEAR:
        return f"{_WEEKDAYS[day.weekday()]} "
    return f"{format_day(day, with_year=False)} "


def format_day(day: dt.date, *, with_year: bool = True) -> str:
    """`18 Dec 2026`, or `18 Dec`, whatever the machine's language."""
    text = f"{day.day} {_MONTHS[day.month - 1]}"
    return f"{text} {day.year}" if with_year else text


def join_words(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(words) <= 1:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def capital(text: str) -> str:
    """The text with a capital first letter, the rest as it is."""
    return text[:1].upper() + text[1:]


def count(number: int, noun: str) -> str:
    """`1 contract`, `12 contracts`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
