"""Times and counts in the words of the page."""

from __future__ import annotations

import datetime as dt

import pytest

from options_helper.analysis.text.wording import (
    count,
    format_minute,
    format_minutes,
    format_near_time,
    format_time,
    join_words,
)

NOON = dt.datetime(2026, 11, 20, 12, 0, 5, tzinfo=dt.UTC)
BERLIN = dt.timezone(dt.timedelta(hours=1))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "1 m"),
        (1, "1 m"),
        (60, "1 m"),
        (61, "2 m"),
        (8040, "2 h 14 m"),
        (7200, "2 h"),
        (90_000, "1 d 1 h"),
    ],
)
def test_a_countdown_ends_at_one_minute(seconds: float, words: str) -> None:
    """Countdowns round up to whole minutes, so the last one shown is one minute."""
    assert format_minutes(seconds) == words


def test_times_are_in_the_requested_zone() -> None:
    """The same time is written differently in another zone."""
    assert format_time(NOON, BERLIN) == "13:00:05"
    assert format_minute(NOON, dt.UTC) == "12:00"


@pytest.mark.parametrize(
    ("days", "words"), [(0, "12:00"), (3, "Mon 12:00"), (-1, "Thu 12:00"), (34, "24 Dec 12:00")]
)
def test_a_time_has_its_day_unless_it_is_today(days: int, words: str) -> None:
    """A time today has no day, one within a week has its weekday, and any other has its date."""
    assert format_near_time(NOON + dt.timedelta(days=days), NOON, dt.UTC) == words


@pytest.mark.parametrize(
    ("words", "joined"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_words_are_joined_as_people_join_them(words: list[str], joined: str) -> None:
    """Words are joined by commas, with "and" before the last."""
    assert join_words(words) == joined


def test_one_of_a_kind_is_not_plural() -> None:
    """One is singular, and numbers above a thousand have separators."""
    assert (count(1, "contract"), count(0, "contract"), count(1200, "contract")) == (
        "1 contract",
        "0 contracts",
        "1,200 contracts",
    )


@pytest.mark.parametrize(
    ("days", "words"), [(0, "12:00:05"), (-1, "Thu 12:00:05"), (-2, "Wed 12:00:05"), (-30, "21 Oct 12:00:05")]
)
def test_a_time_on_another_day_shows_its_day(days: int, words: str) -> None:
    """A run of several days never shows yesterday's time as one of today."""
    assert format_time(NOON + dt.timedelta(days=days), dt.UTC, NOON) == words
