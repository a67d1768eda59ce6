"""The last hours of a contract: when it trades for the last time, and when it expires."""

from __future__ import annotations

import datetime as dt

import pytest

from options_helper.analysis.expiry import dte, expiry_moment, hours_left, is_expired, last_trading_moment
from options_helper.analysis.products import INDEX_ROOTS, LATE_FUND_ROOTS, is_index, is_monthly_expiry
from options_helper.market_time import NEW_YORK

FRIDAY = dt.date(2026, 12, 18)
HALF_DAY = dt.date(2026, 11, 27)


def ny(day: dt.date, hour: int, minute: int = 0) -> dt.datetime:
    """A New York time."""
    return dt.datetime.combine(day, dt.time(hour, minute), NEW_YORK)


@pytest.mark.parametrize(
    ("root", "expires", "last"),
    [
        ("AAPL", ny(FRIDAY, 16), ny(FRIDAY, 16)),
        ("BRK.B", ny(FRIDAY, 16), ny(FRIDAY, 16)),
        ("SPY", ny(FRIDAY, 16, 15), ny(FRIDAY, 16, 15)),
        ("qqq", ny(FRIDAY, 16, 15), ny(FRIDAY, 16, 15)),
        ("SPXW", ny(FRIDAY, 16), ny(FRIDAY, 16)),
        ("XSP", ny(FRIDAY, 16), ny(FRIDAY, 16)),
        ("SPX", ny(FRIDAY, 9, 30), ny(FRIDAY - dt.timedelta(days=1), 16, 15)),
        ("NDX", ny(FRIDAY, 9, 30), ny(FRIDAY - dt.timedelta(days=1), 16, 15)),
        ("VIX", ny(FRIDAY, 9, 30), ny(FRIDAY - dt.timedelta(days=1), 16, 15)),
    ],
)
def test_each_product_ends_in_its_own_way(root: str, expires: dt.datetime, last: dt.datetime) -> None:
    """Stocks end at 16:00, some funds at 16:15, indexes at the close or at the open."""
    assert expiry_moment(root, FRIDAY) == expires
    assert last_trading_moment(root, FRIDAY) == last


def test_a_half_day_ends_early() -> None:
    """With the calendar's close, a contract ends on a half day at 13:00, a late fund at 13:15."""
    close = ny(HALF_DAY, 13)
    assert expiry_moment("AAPL", HALF_DAY, close) == close
    assert expiry_moment("SPY", HALF_DAY, close) == ny(HALF_DAY, 13, 15)
    assert last_trading_moment("SPXW", HALF_DAY, close) == close


def test_the_last_session_of_an_open_settled_index_may_be_a_half_day() -> None:
    """The close of the session before is the calendar's where it is given."""
    eve = ny(dt.date(2026, 12, 24), 13)
    assert last_trading_moment("SPX", dt.date(2026, 12, 28), None, eve) == ny(eve.date(), 13, 15)


def test_without_a_calendar_the_session_before_monday_is_friday_s() -> None:
    """The weekday before stands in for the session before."""
    assert last_trading_moment("SPX", dt.date(2026, 12, 21)) == ny(FRIDAY, 16, 15)


def test_expiry_follows_daylight_saving() -> None:
    """16:00 in New York is another hour of UTC in summer and in winter."""
    assert expiry_moment("AAPL", dt.date(2026, 7, 17)) == dt.datetime(2026, 7, 17, 20, tzinfo=dt.UTC)
    assert expiry_moment("AAPL", FRIDAY) == dt.datetime(2026, 12, 18, 21, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("at", "days"),
    [
        (ny(FRIDAY, 9, 30), 0),
        (ny(FRIDAY, 23, 59), 0),
        (ny(dt.date(2026, 12, 17), 20, 30), 1),
        (dt.datetime(2026, 12, 18, 1, 30, tzinfo=dt.UTC), 1),
        (dt.datetime(2026, 12, 19, 5, 1, tzinfo=dt.UTC), -1),
    ],
)
def test_days_are_counted_between_new_york_dates(at: dt.datetime, days: int) -> None:
    """At 20:30 in New York the evening before, UTC is a day ahead and one day is still left."""
    assert dte(FRIDAY, at) == days


@pytest.mark.parametrize(
    ("at", "hours"),
    [
        (ny(FRIDAY, 9, 30), 6.5),
        (ny(FRIDAY, 15, 45), 0.25),
        (ny(FRIDAY, 17), 0.0),
        (ny(FRIDAY - dt.timedelta(days=1), 20, 30), None),
        (ny(FRIDAY + dt.timedelta(days=1), 1), None),
    ],
)
def test_hours_count_on_the_last_day_only(at: dt.datetime, hours: float | None) -> None:
    """On the last trading day the hours to the last trade are known, never below zero."""
    assert hours_left(last_trading_moment("AAPL", FRIDAY), at) == hours


def test_the_hours_of_an_open_settled_index_count_on_the_day_before() -> None:
    """On Thursday an SPX monthly has its last hours, though a day is left to its date."""
    thursday = ny(FRIDAY - dt.timedelta(days=1), 15, 15)
    assert hours_left(last_trading_moment("SPX", FRIDAY), thursday) == 1.0
    assert dte(FRIDAY, thursday) == 1


@pytest.mark.parametrize(("root", "expired"), [("AAPL", True), ("SPXW", True), ("SPY", False), ("SPX", True)])
def test_at_the_close_of_the_last_day_most_are_expired(root: str, expired: bool) -> None:
    """At 16:00 a stock's option has expired, a late fund's has not."""
    assert is_expired(root, FRIDAY, ny(FRIDAY, 16)) is expired
    assert not is_expired(root, FRIDAY, ny(FRIDAY, 9, 29))


def test_products_do_not_contradict_each_other() -> None:
    """No root is an index and a fund; an index is told from a stock."""
    assert not INDEX_ROOTS & LATE_FUND_ROOTS
    assert is_index("SPX")
    assert not is_index("SPY")


@pytest.mark.parametrize(
    ("day", "monthly"),
    [
        (dt.date(2026, 12, 18), True),
        (dt.date(2026, 5, 15), True),
        (dt.date(2026, 8, 21), True),
        (dt.date(2026, 12, 17), True),
        (dt.date(2026, 12, 16), False),
        (dt.date(2026, 12, 11), False),
        (dt.date(2026, 12, 25), False),
        (dt.date(2026, 12, 31), False),
    ],
)
def test_a_monthly_expires_on_the_third_friday(day: dt.date, monthly: bool) -> None:
    """The Thursday before counts too, for the Friday may be a holiday."""
    assert is_monthly_expiry(day) is monthly
