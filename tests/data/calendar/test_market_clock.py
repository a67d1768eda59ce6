"""The market's phases and dates, by a calendar library and by Alpaca's clock."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from options_helper.data.calendar.alpaca_clock import AlpacaCalendar, clock_offset_seconds
from options_helper.data.calendar.market_clock import (
    ExchangeCalendar,
    MarketCalendar,
    Session,
    market_state,
    phase_at,
    with_overnight,
)
from options_helper.errors import AlpacaRestError
from options_helper.market import MarketPhase
from options_helper.times import NEW_YORK

EXCHANGE = ExchangeCalendar()
TUESDAY = dt.date(2026, 11, 24)
THANKSGIVING = dt.date(2026, 11, 26)
HALF_DAY = dt.date(2026, 11, 27)
FRIDAY, SUNDAY, MONDAY = dt.date(2026, 11, 20), dt.date(2026, 11, 22), dt.date(2026, 11, 23)


def ny(day: dt.date, hour: int, minute: int = 0) -> dt.datetime:
    """A New York time."""
    return dt.datetime.combine(day, dt.time(hour, minute), NEW_YORK)


def clock(
    at: dt.datetime, is_open: object, next_open: dt.datetime, next_close: dt.datetime
) -> dict[str, Any]:
    """An answer from `/v2/clock`, with the nanoseconds that the real one has."""
    return {
        "timestamp": at.isoformat(),
        "is_open": is_open,
        "next_open": next_open.strftime("%Y-%m-%dT%H:%M:%S.000000001") + next_open.strftime("%z")[:3] + ":00",
        "next_close": next_close.isoformat(),
    }


def calendar(*days: dt.date, close: str = "16:00") -> list[dict[str, Any]]:
    """An answer from `/v2/calendar`."""
    return [
        {
            "date": day.isoformat(),
            "open": "09:30",
            "close": "13:00" if day == HALF_DAY else close,
            "session_open": "0400",
            "session_close": "2000",
        }
        for day in days
    ]


@pytest.mark.parametrize(
    ("at", "phase", "until"),
    [
        (ny(TUESDAY, 3, 59), "closed", ny(TUESDAY, 4)),
        (ny(TUESDAY, 4), "pre", ny(TUESDAY, 9, 30)),
        (ny(TUESDAY, 9, 29), "pre", ny(TUESDAY, 9, 30)),
        (ny(TUESDAY, 9, 30), "open", ny(TUESDAY, 16)),
        (ny(TUESDAY, 15, 59), "open", ny(TUESDAY, 16)),
        (ny(TUESDAY, 16), "after", ny(TUESDAY, 20)),
        (ny(TUESDAY, 19, 59), "after", ny(TUESDAY, 20)),
        (ny(TUESDAY, 20), "closed", ny(dt.date(2026, 11, 25), 4)),
        (ny(THANKSGIVING, 12), "closed", ny(HALF_DAY, 4)),
        (ny(HALF_DAY, 12, 59), "open", ny(HALF_DAY, 13)),
        (ny(HALF_DAY, 13), "after", ny(HALF_DAY, 17)),
        (ny(HALF_DAY, 17), "closed", ny(dt.date(2026, 11, 30), 4)),
        (ny(SUNDAY, 12), "closed", ny(MONDAY, 4)),
        (
            dt.datetime(2026, 7, 14, 13, 30, tzinfo=dt.UTC),
            "open",
            dt.datetime(2026, 7, 14, 20, tzinfo=dt.UTC),
        ),
    ],
)
def test_the_exchange_has_its_phases(at: dt.datetime, phase: str, until: dt.datetime) -> None:
    """Each phase begins at its exact minute, with holidays, half days and daylight saving."""
    assert EXCHANGE.phase_and_end(at) == (phase, until)
    assert EXCHANGE.phase(at) == phase


def test_without_sessions_the_phase_is_unknown() -> None:
    """Without a known session, and after the last known day, the phase is unknown."""
    only = [Session(ny(TUESDAY, 9, 30), ny(TUESDAY, 16))]
    assert phase_at(ny(TUESDAY, 12), []) == (MarketPhase.UNKNOWN, None)
    assert phase_at(ny(TUESDAY, 20), only) == (MarketPhase.UNKNOWN, None)
    assert phase_at(ny(TUESDAY, 12), only) == (MarketPhase.OPEN, ny(TUESDAY, 16))
    assert phase_at(ny(MONDAY, 12), only) == (MarketPhase.CLOSED, ny(TUESDAY, 4))


@settings(deadline=None)  # a year's first example builds its calendar
@given(st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2027, 6, 30), timezones=st.just(NEW_YORK)))  # noqa: DTZ001
def test_a_phase_lasts_until_its_end(at: dt.datetime) -> None:
    """Just before its end, a phase is still the same; at its end, the next one begins."""
    phase, end = EXCHANGE.phase_and_end(at)
    assert end is not None
    assert end > at
    assert EXCHANGE.phase(end - dt.timedelta(microseconds=1)) == phase
    assert EXCHANGE.phase(end) != phase


@pytest.mark.parametrize(
    ("at", "date", "previous"),
    [
        (ny(TUESDAY, 0, 1), TUESDAY, MONDAY),
        (ny(TUESDAY, 23, 59), TUESDAY, MONDAY),
        (ny(MONDAY, 8), MONDAY, FRIDAY),
        (ny(SUNDAY, 12), FRIDAY, dt.date(2026, 11, 19)),
        (ny(THANKSGIVING, 12), dt.date(2026, 11, 25), TUESDAY),
        (ny(HALF_DAY, 18), HALF_DAY, dt.date(2026, 11, 25)),
        (dt.datetime(2026, 11, 25, 1, 30, tzinfo=dt.UTC), TUESDAY, MONDAY),
        (ny(dt.date(2027, 1, 1), 12), dt.date(2026, 12, 31), dt.date(2026, 12, 30)),
        (ny(dt.date(2027, 1, 4), 12), dt.date(2027, 1, 4), dt.date(2026, 12, 31)),
    ],
)
def test_the_trading_date_is_todays_or_the_last(at: dt.datetime, date: dt.date, previous: dt.date) -> None:
    """On a weekend or holiday, the date is the last session's; the previous date is a session earlier."""
    assert EXCHANGE.trading_date(at) == date
    assert EXCHANGE.previous_trading_date(at) == previous


def test_a_session_is_found_by_its_date() -> None:
    """A half day closes at 13:00; a holiday and a Sunday have no session."""
    half = EXCHANGE.session(HALF_DAY)
    assert half == Session(ny(HALF_DAY, 9, 30), ny(HALF_DAY, 13))
    assert half.date == HALF_DAY
    assert EXCHANGE.session(THANKSGIVING) is None
    assert EXCHANGE.session(SUNDAY) is None


def test_the_next_opening_and_close_come_after_now() -> None:
    """During a session, the next close is today's, and the next opening is another day's."""
    assert EXCHANGE.next_open(ny(TUESDAY, 12)) == ny(dt.date(2026, 11, 25), 9, 30)
    assert EXCHANGE.next_close(ny(TUESDAY, 12)) == ny(TUESDAY, 16)
    assert EXCHANGE.next_open(ny(SUNDAY, 12)) == ny(MONDAY, 9, 30)
    assert EXCHANGE.next_close(ny(TUESDAY, 16)) == ny(dt.date(2026, 11, 25), 16)


def test_the_clock_makes_a_sunday_a_trading_day() -> None:
    """If the clock reports open on a Sunday, that is the trading date, and Friday is the previous one."""
    at = ny(SUNDAY, 12)
    demo = AlpacaCalendar.from_alpaca(
        clock(at, True, ny(MONDAY, 9, 30), ny(SUNDAY, 14)), calendar(FRIDAY, SUNDAY, MONDAY, TUESDAY)
    )
    assert demo.phase_and_end(at) == (MarketPhase.OPEN, ny(SUNDAY, 14))
    assert (demo.trading_date(at), demo.previous_trading_date(at)) == (SUNDAY, FRIDAY)
    assert demo.next_close(at) == ny(SUNDAY, 14)
    assert demo.session(SUNDAY) == Session(ny(SUNDAY, 9, 30), ny(SUNDAY, 16))


def test_only_the_clock_knows_of_an_unplanned_closure() -> None:
    """If the clock reports closed until tomorrow, today has no session, whatever the calendar lists."""
    closed = clock(ny(TUESDAY, 8), False, ny(dt.date(2026, 11, 25), 9, 30), ny(dt.date(2026, 11, 25), 16))
    alpaca = AlpacaCalendar.from_alpaca(closed, calendar(FRIDAY, MONDAY, TUESDAY, dt.date(2026, 11, 25)))
    for hour in (8, 12, 17):
        phase, until = alpaca.phase_and_end(ny(TUESDAY, hour))
        assert (phase, until) == (MarketPhase.CLOSED, ny(dt.date(2026, 11, 25), 4))
    assert alpaca.phase(ny(dt.date(2026, 11, 25), 5)) == MarketPhase.PRE


@pytest.mark.parametrize(
    ("at", "phase", "until"),
    [
        (ny(FRIDAY, 17), "after", ny(FRIDAY, 20)),
        (ny(FRIDAY, 21), "closed", ny(MONDAY, 4)),
        (ny(MONDAY, 3, 59), "closed", ny(MONDAY, 4)),
        (ny(MONDAY, 4), "pre", ny(MONDAY, 9, 30)),
    ],
)
@pytest.mark.parametrize("days", [(), (FRIDAY, MONDAY)], ids=["clock alone", "with calendar"])
def test_a_closed_clock_distinguishes_before_from_after(
    at: dt.datetime, phase: str, until: dt.datetime, days: tuple[dt.date, ...]
) -> None:
    """After the close, at night and before the opening differ, with and without a calendar."""
    closed = clock(ny(FRIDAY, 17), False, ny(MONDAY, 9, 30), ny(MONDAY, 16))
    earlier = (dt.date(2026, 11, 18), dt.date(2026, 11, 19)) if days else ()
    alpaca = AlpacaCalendar.from_alpaca(closed, calendar(*earlier, *days, *((TUESDAY,) if days else ())))
    found, end = alpaca.phase_and_end(at)
    assert found == phase
    assert end is not None
    assert abs(end - until) < dt.timedelta(milliseconds=1)
    assert alpaca.next_open(at) == EXCHANGE.next_open(at)


def test_an_old_clock_gives_way_to_the_calendar() -> None:
    """After the announced change, the calendars decide, so no phase lasts forever."""
    opened = clock(ny(TUESDAY, 12), True, ny(dt.date(2026, 11, 25), 9, 30), ny(TUESDAY, 16))
    alpaca = AlpacaCalendar.from_alpaca(opened, [])
    assert alpaca.phase_and_end(ny(TUESDAY, 15)) == (MarketPhase.OPEN, ny(TUESDAY, 16))
    assert alpaca.phase_and_end(ny(TUESDAY, 16)) == (MarketPhase.AFTER, ny(TUESDAY, 20))
    assert alpaca.phase(ny(THANKSGIVING, 12)) == MarketPhase.CLOSED
    assert alpaca.trading_date(ny(THANKSGIVING, 12)) == dt.date(2026, 11, 25)
    assert alpaca.next_open(ny(THANKSGIVING, 12)) == ny(HALF_DAY, 9, 30)
    assert alpaca.next_close(ny(THANKSGIVING, 12)) == ny(HALF_DAY, 13)


def test_alpacas_calendar_wins_over_the_library() -> None:
    """Alpaca's calendar decides a day's early close, and its rows may come in any order."""
    rows = calendar(dt.date(2026, 11, 25), TUESDAY, MONDAY, FRIDAY, close="15:00")
    alpaca = AlpacaCalendar.from_alpaca(clock(ny(MONDAY, 8), False, ny(MONDAY, 9, 30), ny(MONDAY, 15)), rows)
    assert alpaca.session(TUESDAY) == Session(ny(TUESDAY, 9, 30), ny(TUESDAY, 15))
    assert alpaca.phase_and_end(ny(TUESDAY, 14)) == (MarketPhase.OPEN, ny(TUESDAY, 15))
    assert alpaca.previous_trading_date(ny(TUESDAY, 14)) == MONDAY


def test_outside_alpacas_calendar_the_library_answers() -> None:
    """A date before Alpaca's rows has the library's session and previous date."""
    alpaca = AlpacaCalendar.from_alpaca(
        clock(ny(MONDAY, 8), False, ny(MONDAY, 9, 30), ny(MONDAY, 16)), calendar(MONDAY, TUESDAY)
    )
    assert alpaca.previous_trading_date(ny(MONDAY, 8)) == FRIDAY
    assert alpaca.session(HALF_DAY) == EXCHANGE.session(HALF_DAY)


GOOD = clock(ny(MONDAY, 8), False, ny(MONDAY, 9, 30), ny(MONDAY, 16))


@pytest.mark.parametrize(
    ("answer", "rows", "path"),
    [
        ({}, [], "/v2/clock"),
        ([], [], "/v2/clock"),
        (GOOD | {"is_open": "true"}, [], "/v2/clock"),
        (GOOD | {"next_open": None}, [], "/v2/clock"),
        (GOOD | {"next_close": "soon"}, [], "/v2/clock"),
        (GOOD | {"next_close": "2026-11-23T16:00:00"}, [], "/v2/clock"),
        (GOOD, [{"date": "2026-11-23"}], "/v2/calendar"),
        (GOOD, ["2026-11-23"], "/v2/calendar"),
        (GOOD, [{"date": "2026-11-23", "open": 930, "close": "16:00"}], "/v2/calendar"),
    ],
)
def test_a_malformed_answer_is_refused(answer: Any, rows: Any, path: str) -> None:
    """A clock or calendar without its fields is an error that names the route."""
    with pytest.raises(AlpacaRestError) as caught:
        AlpacaCalendar.from_alpaca(answer, rows)
    assert caught.value.path == path


def test_both_calendars_answer_the_same_questions() -> None:
    """Both calendars have the same interface."""
    calendars: list[MarketCalendar] = [EXCHANGE, AlpacaCalendar.from_alpaca(GOOD, [])]
    assert {each.phase(ny(MONDAY, 8)) for each in calendars} == {MarketPhase.PRE}


@pytest.mark.parametrize(
    ("reported", "offset"),
    [(-60.0, 60.0), (61.0, -60.0), (0.0, 0.0), (0.4, 0.0), (1.0, 0.0), (1.5, -0.5), (-0.5, 0.5)],
)
def test_a_slow_answer_is_not_mistaken_for_a_wrong_clock(reported: float, offset: float) -> None:
    """A response that took from second 0 to second 1 does not prove that the clock is wrong."""
    asked = dt.datetime(2026, 11, 23, 15, 0, tzinfo=dt.UTC)
    answered, at = asked + dt.timedelta(seconds=1), asked + dt.timedelta(seconds=reported)
    assert clock_offset_seconds(at, asked, answered) == offset


@pytest.mark.parametrize(
    ("day", "hour", "close", "previous"),
    [
        (HALF_DAY, 8, ny(HALF_DAY, 13), dt.date(2026, 11, 25)),
        (HALF_DAY, 12, ny(HALF_DAY, 13), dt.date(2026, 11, 25)),
        (HALF_DAY, 14, ny(HALF_DAY, 13), dt.date(2026, 11, 25)),
        (THANKSGIVING, 12, ny(dt.date(2026, 11, 25), 16), TUESDAY),
        (SUNDAY, 20, ny(FRIDAY, 16), dt.date(2026, 11, 19)),
    ],
)
def test_a_time_has_the_close_of_its_trading_dates_session(
    day: dt.date, hour: int, close: dt.datetime, previous: dt.date
) -> None:
    """At any time of a half day, the close is at 13:00; a day without a session has the last session's."""
    moment = market_state(EXCHANGE, ny(day, hour))
    assert (moment.session_close, moment.previous_trading_date) == (close, previous)


def test_alpacas_clock_closes_a_session_earlier_than_any_calendar() -> None:
    """If the clock reports the next close as 14:00, that is the session's close."""
    at = ny(MONDAY, 11)
    reported = clock(at, True, ny(TUESDAY, 9, 30), ny(MONDAY, 14))
    rows = [
        {"date": day.isoformat(), "open": "09:30", "close": "16:00"}
        for day in (dt.date(2026, 11, 19), FRIDAY, MONDAY, TUESDAY, dt.date(2026, 11, 25))
    ]
    moment = market_state(AlpacaCalendar.from_alpaca(reported, rows), at)
    assert (moment.phase, moment.session_close) == (MarketPhase.OPEN, ny(MONDAY, 14))
    assert moment.trading_date == MONDAY


def test_without_a_calendar_nothing_is_known() -> None:
    """Without a calendar, the phase, the close and the date are unknown."""
    moment = market_state(None, ny(MONDAY, 11))
    assert (moment.phase, moment.session_close, moment.trading_date) == (MarketPhase.UNKNOWN, None, None)


@pytest.mark.parametrize(
    ("at", "phase", "until"),
    [
        ("2026-11-22T19:59", "closed", "2026-11-22T20:00"),  # a Sunday
        ("2026-11-22T20:00", "overnight", "2026-11-23T04:00"),
        ("2026-11-23T03:59", "overnight", "2026-11-23T04:00"),
        ("2026-11-23T04:00", "pre", "2026-11-23T09:30"),
        ("2026-11-25T21:00", "closed", "2026-11-26T20:00"),  # no session on Thanksgiving
        ("2026-11-27T21:00", "closed", "2026-11-29T20:00"),  # a Friday
    ],
)
def test_overnight_trading_has_a_phase_of_its_own(at: str, phase: str, until: str) -> None:
    """The phase lasts from 20:00 to 04:00 in New York before each session, and occurs on no other night."""
    moment = dt.datetime.fromisoformat(at).replace(tzinfo=NEW_YORK)
    seen = with_overnight(market_state(ExchangeCalendar(), moment), moment)
    assert (str(seen.phase), seen.until) == (phase, dt.datetime.fromisoformat(until).replace(tzinfo=NEW_YORK))
