"""The silence that ends a connection."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from options_helper.data.streaming.reconnect.policy import MuteEvidence, is_mute
from options_helper.market import MarketPhase, StreamHealth, StreamName, StreamState

NOW = dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC)
SILENT = StreamHealth(
    StreamName.OPTIONS, state=StreamState.RUNNING, last_event_at=NOW - dt.timedelta(seconds=46)
)
TICKING = MuteEvidence(MarketPhase.OPEN, ticking=5)


def test_a_portfolio_that_ticked_and_fell_silent_is_mute() -> None:
    """A stream is mute if five contracts ticked before 46 seconds of silence in an open market."""
    assert is_mute(SILENT, TICKING, now=NOW)


@pytest.mark.parametrize(
    "phase", [MarketPhase.PRE, MarketPhase.AFTER, MarketPhase.CLOSED, MarketPhase.UNKNOWN]
)
def test_a_market_that_is_not_open_is_naturally_silent(phase: MarketPhase) -> None:
    """Silence counts only in an open market."""
    assert not is_mute(SILENT, replace(TICKING, phase=phase), now=NOW)


def test_the_fill_stream_is_naturally_silent() -> None:
    """A stream without an order update is not mute, however many contracts tick."""
    assert not is_mute(replace(SILENT, stream=StreamName.FILLS), TICKING, now=NOW)


def test_a_small_portfolio_is_naturally_silent() -> None:
    """Four ticking contracts are too few to distinguish silence from failure."""
    assert not is_mute(SILENT, replace(TICKING, ticking=4), now=NOW)


@pytest.mark.parametrize("state", [state for state in StreamState if state is not StreamState.RUNNING])
def test_only_a_running_stream_can_be_mute(state: StreamState) -> None:
    """A stream that is connecting or has ended is not mute."""
    assert not is_mute(replace(SILENT, state=state), TICKING, now=NOW)


def test_a_short_silence_is_left_alone() -> None:
    """A silence of up to 45 seconds is accepted, and a longer one counts as mute."""
    since = NOW - dt.timedelta(seconds=45)
    assert is_mute(replace(SILENT, last_event_at=since), TICKING, now=NOW)
    assert not is_mute(replace(SILENT, last_event_at=since + dt.timedelta(milliseconds=1)), TICKING, now=NOW)


@pytest.mark.parametrize("seconds", [5, 45])
def test_a_closed_market_does_not_count_as_silence(seconds: int) -> None:
    """A stream that ticked until yesterday's close is mute 45 s after the opening."""
    overnight = replace(SILENT, last_event_at=NOW - dt.timedelta(hours=17, minutes=30))
    opened = replace(TICKING, session_open=NOW - dt.timedelta(seconds=seconds))
    assert is_mute(overnight, opened, now=NOW) is (seconds == 45)


@pytest.mark.parametrize("seconds", [4, 45])
def test_an_outage_does_not_count_as_silence(seconds: int) -> None:
    """After an outage of a minute, the new connection has 45 seconds before it counts as mute."""
    back = replace(
        SILENT,
        last_event_at=NOW - dt.timedelta(seconds=60 + seconds),
        connected_at=NOW - dt.timedelta(seconds=seconds),
    )
    assert is_mute(back, TICKING, now=NOW) is (seconds == 45)


@pytest.mark.parametrize("hours", [-2, 2])
def test_an_opening_long_ago_or_still_to_come_changes_nothing(hours: int) -> None:
    """During the session, silence counts from the last event."""
    opened = replace(TICKING, session_open=NOW + dt.timedelta(hours=hours))
    assert is_mute(SILENT, opened, now=NOW)


def test_a_stream_without_any_event_is_left_alone() -> None:
    """A stream that never ticked cannot have fallen silent."""
    assert not is_mute(replace(SILENT, last_event_at=None), TICKING, now=NOW)


def test_a_second_reconnect_waits_ten_minutes() -> None:
    """Silence ends a connection at most once in ten minutes."""
    recent = replace(TICKING, last_reconnect_at=NOW - dt.timedelta(minutes=9, seconds=59))
    assert not is_mute(SILENT, recent, now=NOW)
    assert is_mute(SILENT, replace(recent, last_reconnect_at=NOW - dt.timedelta(minutes=10)), now=NOW)
