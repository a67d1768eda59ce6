"""Sentences about a wrong clock and late streams."""

from __future__ import annotations

import datetime as dt

import pytest

from options_helper.analysis.status.clock import describe_clock, format_lag, late_streams
from options_helper.analysis.streams.clock import correct_clock
from options_helper.analysis.text.figures import MINUS
from options_helper.market import LiveSnapshot, StreamHealth, StreamName

AT = dt.datetime(2026, 11, 23, 15, 0, tzinfo=dt.UTC)
OPTIONS, STOCKS = StreamName.OPTIONS, StreamName.STOCKS
CORRECTED = "All times shown are corrected for the difference."


def live(lag: float | None = None, offset: float | None = None) -> LiveSnapshot:
    """A snapshot with the lag of its option stream and the clock's difference."""
    health = {name: StreamHealth(name, lag_seconds=lag if name is OPTIONS else 0.02) for name in StreamName}
    return correct_clock(LiveSnapshot(as_of=AT, health=health, clock_offset_seconds=offset))


@pytest.mark.parametrize(
    ("offset", "words"),
    [
        (75.4, f"This computer's clock is 1 m 15 s ahead of Alpaca's. {CORRECTED}"),
        (-3.0, f"This computer's clock is 3 s behind Alpaca's. {CORRECTED}"),
        (2.0, ""),
        (0.0, ""),
    ],
)
def test_a_known_difference_is_stated_with_its_direction(offset: float, words: str) -> None:
    """A difference above two seconds is reported, with the correction of the ages."""
    assert describe_clock(live(0.02, offset)) == words


def test_quotes_from_the_future_reveal_a_slow_clock_that_was_never_compared() -> None:
    """Without a second clock, the streams' own times show that this one is behind."""
    assert describe_clock(live(-6.2)) == (
        "Quotes are dated 6 s in the future: this computer's clock is behind. Their ages count from receipt."
    )
    assert describe_clock(live(-6.2, 0.5)) == "", "compared and found right: those stamps are the vendor's"
    assert describe_clock(live(-1.9)) == ""
    assert describe_clock(live(None)) == ""
    assert describe_clock(LiveSnapshot(as_of=AT)) == ""


def test_a_stream_is_late_by_alpacas_clock() -> None:
    """Five seconds count as late, but not if this computer's clock causes them."""
    assert late_streams(live(5.0)) == {OPTIONS: 5.0}
    assert late_streams(live(4.9)) == {}
    assert late_streams(live(61.0, 60.0)) == {}


@pytest.mark.parametrize(
    ("lag", "words"),
    [(None, "—"), (0.018, "18 ms"), (-0.4, f"{MINUS}400 ms"), (-0.0001, "0 ms"), (125.0, "2 m 5 s")],
)
def test_a_lag_is_written_in_its_unit(lag: float | None, words: str) -> None:
    """Short lags are written in milliseconds, long ones as spans."""
    assert format_lag(live(lag), OPTIONS) == words
    assert format_lag(live(lag), STOCKS) == "20 ms"
