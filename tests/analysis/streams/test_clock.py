"""A snapshot in Alpaca's time, whatever this computer's clock says."""

from __future__ import annotations

import datetime as dt

import pytest

from options_helper.analysis.live_portfolio_metrics import compute_live_position_rows
from options_helper.analysis.streams.clock import accept_offset, clock_error, correct_clock
from options_helper.data.calendar.alpaca_clock import AlpacaCalendar
from options_helper.data.calendar.market_clock import market_state
from options_helper.market import (
    BrokerAccount,
    FillGap,
    LiveSnapshot,
    MarketPhase,
    Quote,
    StreamFailure,
    StreamHealth,
    StreamName,
    StreamState,
)
from options_helper.models import Portfolio, Position
from options_helper.quote_tables import QuoteTable
from options_helper.times import NEW_YORK, start_of_day

DAY = dt.date(2026, 11, 24)
CALL = "XYZ261124C00050000"
SECOND = dt.timedelta(seconds=1)


def new_york(hour: int, minute: int, second: int = 0) -> dt.datetime:
    """Return a time of the day."""
    return dt.datetime.combine(DAY, dt.time(hour, minute, second), NEW_YORK).astimezone(dt.UTC)


def state_of_0dte(true_now: dt.datetime, offset: float, quoted: dt.datetime) -> tuple[str, str]:
    """Return phase and state of a contract that expires today, by a clock that is `offset` seconds ahead."""
    is_open = new_york(9, 30) <= true_now < new_york(16, 0)
    tomorrow = dt.timedelta(days=1)
    following = new_york(16, 0) + (tomorrow if true_now >= new_york(16, 0) else dt.timedelta())
    clock = {
        "timestamp": true_now.isoformat(),
        "is_open": is_open,
        "next_open": (
            new_york(9, 30) + (tomorrow if true_now >= new_york(9, 30) else dt.timedelta())
        ).isoformat(),
        "next_close": following.isoformat(),
    }
    days = [{"date": f"2026-11-{day}", "open": "09:30", "close": "16:00"} for day in (20, 23, 24, 25)]
    local = true_now + dt.timedelta(seconds=offset)
    market = market_state(AlpacaCalendar.from_alpaca(clock, days), local - clock_error(offset))
    received = quoted + dt.timedelta(seconds=offset)
    live = correct_clock(
        LiveSnapshot(
            as_of=local,
            market_phase=market.phase,
            session_close=market.session_close,
            clock_offset_seconds=offset,
            option_quotes={CALL: Quote(CALL, 3.9, 4.1, 1, 1, quoted, received)},
        )
    )
    position = Position(
        id="0dte", symbol="XYZ", option_type="call", expiry=DAY, strike=50, contracts=-4, cost_basis=1.0
    )
    rows = compute_live_position_rows(Portfolio(positions=[position]), live, stale_after_seconds=30)
    return str(market.phase), str(rows.iloc[0]["state"])


def test_a_clock_that_is_ahead_expires_nothing_early() -> None:
    """At 14:30, a clock that shows 16:10 does not expire a contract of today."""
    now = new_york(14, 30)
    assert state_of_0dte(now, 6_000.0, now - SECOND) == ("open", "live")


def test_a_clock_that_is_behind_keeps_nothing_alive() -> None:
    """At 16:20, a clock that shows 15:40 does not keep a contract of today alive."""
    assert state_of_0dte(new_york(16, 20), -2_400.0, new_york(15, 59, 59)) == ("after", "expired")


@pytest.mark.slow
@pytest.mark.parametrize(
    "offset",
    [
        0.0,
        2.0,
        -2.0,
        3.0,
        -3.0,
        90.0,
        -90.0,
        3_600.0,
        -3_600.0,
        6_000.0,
        -2_400.0,
        50_000.0,
        86_400.0,
        -86_400.0,
    ],
)
@pytest.mark.parametrize(
    ("clock", "phase", "state"),
    [
        ((9, 29, 50), "pre", "closed"),
        ((9, 30, 5), "open", "live"),
        ((12, 0, 0), "open", "live"),
        ((15, 59, 50), "open", "live"),
        ((16, 0, 10), "after", "expired"),
        ((19, 59, 50), "after", "expired"),
    ],
)
def test_phase_and_state_are_those_of_the_true_time(
    clock: tuple[int, int, int], phase: str, state: str, offset: float
) -> None:
    """Phase and state are right however far off this computer's clock is, and however often it is set."""
    now = new_york(*clock)
    assert state_of_0dte(now, offset, now - SECOND) == (phase, state)


@pytest.mark.parametrize("offset", [3_600.0, -90.0])
def test_every_time_of_a_snapshot_is_corrected_by_the_same_difference(offset: float) -> None:
    """Times of the snapshot, run, streams and gaps are shifted; Alpaca's own times are not."""
    true = new_york(11, 0)
    local = true + dt.timedelta(seconds=offset)
    record = StreamHealth(
        StreamName.OPTIONS,
        StreamState.RUNNING,
        since=local,
        connected_at=local,
        complete_at=local,
        lost_at=local,
        last_event_at=local,
        last_heard_at=local,
        last_failure=StreamFailure("reset", local),
        lag_seconds=offset + 0.5,
    )
    live = correct_clock(
        LiveSnapshot(
            as_of=local,
            started_at=local,
            market_phase=MarketPhase.OPEN,
            clock_offset_seconds=offset,
            health={StreamName.OPTIONS: record},
            last_event_ts_by_stream={"options": local, "fills": None},
            option_quotes=QuoteTable.of([Quote(CALL, 1.0, 1.1, 1, 1, true - SECOND, local)]),
            fill_gaps=(FillGap(start_of_day(DAY), local), FillGap(local)),
            broker_positions_at=local,
            broker=BrokerAccount(as_of=local),
        )
    )
    quote, seen = live.option_quotes[CALL], live.health[StreamName.OPTIONS]
    assert {live.as_of, live.started_at, quote.received_at, seen.since, seen.connected_at} == {true}
    assert {seen.complete_at, seen.lost_at, seen.last_event_at, seen.last_heard_at, seen.next_attempt_at} == {
        true,
        None,
    }
    assert live.broker_positions_at == true
    assert live.broker is not None
    assert live.broker.as_of == true
    assert seen.last_failure is not None
    assert seen.last_failure.at == true
    assert seen.lag_seconds == pytest.approx(0.5)
    assert quote.timestamp == true - SECOND
    assert live.fill_gaps == (FillGap(start_of_day(DAY), true), FillGap(true))
    assert live.last_event_ts_by_stream["options"] == true
    assert live.clock_offset_seconds == offset, "by how much is still said"


def test_a_difference_within_the_tolerance_or_refuted_changes_no_time() -> None:
    """A difference of 2 s may be network delay; a quote that arrived at once refutes a difference of 1 h."""
    at = new_york(11, 0)
    assert correct_clock(LiveSnapshot(as_of=at, clock_offset_seconds=2.0)).as_of == at
    quotes = QuoteTable.of([Quote(CALL, 1.0, 1.1, 1, 1, at, at + SECOND)])
    refuted = correct_clock(LiveSnapshot(as_of=at, clock_offset_seconds=3_600.0, option_quotes=quotes))
    assert (refuted.as_of, refuted.clock_offset_seconds) == (at, None)
    assert accept_offset(-3_600.0, quotes) == -3_600.0, "a clock that is behind is not refuted by lags"
