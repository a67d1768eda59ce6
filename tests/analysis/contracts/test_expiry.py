"""When each product last trades and when it expires, on days with the regular close."""

from __future__ import annotations

import datetime as dt

import pytest

from options_helper.analysis.contracts.expiry import expiry_time, last_trading_time
from options_helper.analysis.contracts.products import (
    INDEX_ROOTS,
    LATE_FUND_ROOTS,
    is_adjusted,
    is_index,
    is_monthly_expiry,
)
from options_helper.times import NEW_YORK

FRIDAY = dt.date(2026, 12, 18)


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
    """Options on stocks end at 16:00, on some funds at 16:15, and on indexes at the close or at the open."""
    assert expiry_time(root, FRIDAY) == expires
    assert last_trading_time(root, FRIDAY) == last


def test_without_a_calendar_the_session_before_monday_is_fridays() -> None:
    """Without a calendar, the previous weekday is the previous session."""
    assert last_trading_time("SPX", dt.date(2026, 12, 21)) == ny(FRIDAY, 16, 15)


def test_expiry_follows_daylight_saving() -> None:
    """16:00 in New York is a different hour in UTC in summer than in winter."""
    assert expiry_time("AAPL", dt.date(2026, 7, 17)) == dt.datetime(2026, 7, 17, 20, tzinfo=dt.UTC)
    assert expiry_time("AAPL", FRIDAY) == dt.datetime(2026, 12, 18, 21, tzinfo=dt.UTC)


def test_products_do_not_contradict_each_other() -> None:
    """No root is both an index and a fund, and no index is a stock."""
    assert not INDEX_ROOTS & LATE_FUND_ROOTS
    assert is_index("SPX")
    assert not is_index("SPY")


@pytest.mark.parametrize(
    ("root", "adjusted"), [("CSGP1", True), ("CSGP", False), ("2AAPL", False), ("", False)]
)
def test_an_adjusted_contract_is_known_by_the_last_character_of_its_root(root: str, adjusted: bool) -> None:
    """An adjusted root ends with a digit; a flexible option's root begins with one."""
    assert is_adjusted(root) is adjusted


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
    """The Thursday before also counts, because the Friday may be a holiday."""
    assert is_monthly_expiry(day) is monthly
