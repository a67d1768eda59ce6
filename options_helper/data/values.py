"""Single values as vendors write them: numbers, times, words and identifiers.

Alpaca writes market data as numbers and order data as text. Times are msgpack timestamps, text with up to
nine decimals of a second, or the SDK's datetimes. An unreadable value is None, never an exception, because
one bad field must not cost the rest of a frame.
"""

from __future__ import annotations

import datetime as dt
import re
import sys
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import SupportsFloat

from options_helper.times import EARLIEST, LATEST, from_microseconds, plausible, to_microseconds

_NANOSECONDS = 1000
_MAX_MICROSECONDS = to_microseconds(LATEST)
LONGEST_TEXT = 200  # an id has 36 characters, a reason for a rejection fewer than this
LARGEST_AMOUNT = 1e12  # beyond any price or size; sums of larger values would overflow
_ENUM_PREFIX = re.compile(r"[a-z]+\.(?=[a-z_]+$)")  # "orderside.buy", as str() writes an SDK enum
_DATE_ONLY = re.compile(r"\d{4}-?\d\d-?\d\d")


def to_amount(value: object) -> float | None:
    """Return a price or size of market data from 0 to `LARGEST_AMOUNT`, else None; text is rejected."""
    number = None if isinstance(value, str) else to_number(value)
    return number if number is not None and 0 <= number <= LARGEST_AMOUNT else None


def to_number(value: object) -> float | None:
    """Return a number from order data, which Alpaca writes as text; its size is at most `LARGEST_AMOUNT`."""
    if isinstance(value, bool) or not isinstance(value, (str, float, int, SupportsFloat)):
        return None
    if isinstance(value, str) and "_" in value:  # Python would read 1_0 as ten
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if abs(number) <= LARGEST_AMOUNT else None


def to_decimal(value: object) -> Decimal | None:
    """Return the exact value of a number from order data; its size is at most `LARGEST_AMOUNT`."""
    if isinstance(value, bool) or not isinstance(value, str | int | float) or "_" in str(value):
        return None  # Python would read 1_0 as ten
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) <= LARGEST_AMOUNT else None


def to_date(value: object) -> dt.date | None:
    """Return the ISO date at the start of the text; None without one, or if it is not from 2000 to 2199."""
    try:
        date = dt.date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None
    return date if date is not None and EARLIEST.date() <= date < LATEST.date() else None


def to_utc(value: object) -> dt.datetime | None:
    """Return an aware UTC datetime, truncated to microseconds; None if it is not from 2000 to 2199.

    Args:
        value: A datetime (naive ones are UTC), an object with `seconds` and `nanoseconds` (a msgpack
            timestamp), an int of nanoseconds since 1970, or ISO text with any number of decimals.
    """
    if value.__class__ is dt.datetime:
        return _in_utc(value)
    if isinstance(value, str):
        return _from_text(value)
    if value.__class__ is int:
        return _from_count(value // _NANOSECONDS)
    if isinstance(value, dt.datetime):  # a subclass, such as pandas' Timestamp
        return _in_utc(dt.datetime.combine(value.date(), value.timetz()))
    return _from_parts(getattr(value, "seconds", None), getattr(value, "nanoseconds", None))


def _in_utc(at: dt.datetime) -> dt.datetime | None:
    return plausible(at.replace(tzinfo=dt.UTC) if at.tzinfo is None else at)


def _from_text(text: str) -> dt.datetime | None:
    if _DATE_ONLY.fullmatch(text):  # a date has no time
        return None
    try:
        return _in_utc(dt.datetime.fromisoformat(text))
    except ValueError:
        return None


def _from_parts(seconds: object, nanoseconds: object) -> dt.datetime | None:
    if seconds.__class__ is not int or nanoseconds.__class__ is not int:
        return None
    return _from_count(seconds * 1_000_000 + nanoseconds // _NANOSECONDS)


def _from_count(microseconds: int) -> dt.datetime | None:
    at = from_microseconds(microseconds) if 0 < microseconds < _MAX_MICROSECONDS else None
    return None if at is None else plausible(at)


def to_word(value: object) -> str | None:
    """Return a short text or an enum's value in lower case ("buy", never "orderside.buy"); None for ""."""
    text = value.value if isinstance(value, Enum) else value
    if not isinstance(text, str) or len(text) > LONGEST_TEXT:
        return None
    word = _ENUM_PREFIX.sub("", text.strip().lower())
    return sys.intern(word) or None  # a day's rows repeat the same few words


def to_identifier(value: object) -> str | None:
    """Return an id or symbol as text; None for "" and for anything longer than `LONGEST_TEXT`."""
    text = "" if value is None or isinstance(value, bool | float | dict | list) else str(value).strip()
    return text if 0 < len(text) <= LONGEST_TEXT else None


def to_sentence(value: object) -> str | None:
    """Return the first `LONGEST_TEXT` characters of the text; None for ""."""
    return value.strip()[:LONGEST_TEXT] or None if isinstance(value, str) else None


def read(source: object, name: str) -> object:
    """Return a field of a raw mapping or of an SDK object; None if it is missing."""
    if isinstance(source, dict):
        return source.get(name)
    return getattr(source, name, None)


def carries(source: object, name: str) -> bool:
    """Return whether a raw mapping or SDK object has a field, even a null one."""
    return name in source if isinstance(source, dict) else hasattr(source, name)
