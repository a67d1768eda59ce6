"""Quotes that are stale, late or polled, even if the streams are running."""

from __future__ import annotations

from dataclasses import replace

from options_helper.analysis.status.stream_diagnosis import (
    Diagnosis,
    Level,
    QuoteCounts,
    diagnose,
)
from options_helper.analysis.streams.clock import correct_clock
from options_helper.market import (
    MarketPhase,
    StreamState,
)
from tests.analysis.status.streams import FILLS, OPTIONS, STOCKS, ago, failure, health, polled, snapshot


def test_stale_quotes_are_counted() -> None:
    """The line shows the number of stale quotes, the oldest one, the threshold and the stream's state."""
    said = diagnose(
        snapshot(),
        quotes=QuoteCounts(total=12, stale=5, oldest_seconds=192, oldest_name="BRK.B 500 call"),
    )
    assert said == Diagnosis(
        Level.WARNING,
        "5 of 12 quotes are stale.",
        "Oldest 3 m 12 s (BRK.B 500 call), threshold 30 s; the stream is connected.",
    )


def test_stale_quotes_of_an_unheard_stream_say_so() -> None:
    """If the stream has not been heard from either, the sentence does not call it connected."""
    unheard = health(OPTIONS, last_event_at=ago(14), last_heard_at=ago(14))
    said = diagnose(snapshot(unheard), quotes=QuoteCounts(total=8, stale=8, oldest_seconds=44))
    assert said.detail == "Oldest 44 s, threshold 30 s; the option stream was last heard 14 s ago."


STALE = QuoteCounts(
    total=12, stale=8, stale_by_stream={OPTIONS: 8}, oldest_seconds=31, oldest_name="BRK.B 500 call"
)


def test_stale_quotes_name_their_stream() -> None:
    """If the count per stream is known, the sentence names the stream of the stale quotes."""
    assert diagnose(snapshot(), quotes=STALE).detail == (
        "Oldest 31 s (BRK.B 500 call), threshold 30 s; the option stream is connected."
    )
    both = replace(STALE, stale_by_stream={STOCKS: 1, OPTIONS: 7})
    assert diagnose(snapshot(), quotes=both).detail.endswith("the option and stock streams are connected.")


def test_a_dead_stream_is_red() -> None:
    """A stream with stale quotes that did not even answer a ping is red, although its socket is open."""
    dead = health(OPTIONS, last_heard_at=ago(31), last_event_at=ago(31))
    assert diagnose(snapshot(dead), quotes=STALE) == Diagnosis(
        Level.ERROR,
        "No response from the option stream.",
        "Nothing has arrived for 31 s, not even a pong. "
        "8 of 12 quotes are stale, oldest 31 s (BRK.B 500 call).",
    )
    young = health(OPTIONS, last_heard_at=ago(12), last_event_at=ago(12))
    assert diagnose(snapshot(young), quotes=QuoteCounts(total=12)).level is Level.SUCCESS
    closed = diagnose(snapshot(dead, market_phase=MarketPhase.CLOSED), quotes=STALE)
    assert closed.level is Level.INFO, "no red off hours"


def test_a_lost_stream_turns_red_with_its_quotes() -> None:
    """While the stream reconnects, the line is amber; once its quotes are stale, it is red."""
    away = health(OPTIONS, StreamState.RECONNECTING, attempts=3, last_failure=failure())
    assert diagnose(snapshot(away), quotes=QuoteCounts(total=12)).level is Level.WARNING
    said = diagnose(snapshot(away), quotes=STALE)
    assert (said.level, said.headline) == (Level.ERROR, "Reconnecting the option stream.")
    assert said.detail.endswith("8 of 12 quotes are stale, oldest 31 s (BRK.B 500 call).")
    fills = health(FILLS, StreamState.RECONNECTING, last_failure=failure())
    assert diagnose(snapshot(fills), quotes=STALE).level is Level.WARNING


def test_a_stream_that_is_behind_is_reported() -> None:
    """Quotes that are old on arrival do not make a live market, however many arrive."""
    late = health(OPTIONS, lag_seconds=95.0)
    assert diagnose(snapshot(late), quotes=QuoteCounts(total=8)) == Diagnosis(
        Level.WARNING,
        "Option quotes arrive 1 m 35 s late.",
        "Their ages include this delay.",
    )
    assert diagnose(snapshot(late), quotes=STALE).detail.endswith("oldest 31 s (BRK.B 500 call).")
    ahead = correct_clock(snapshot(late, clock_offset_seconds=94.0))
    assert diagnose(ahead, quotes=QuoteCounts(total=8)).headline == "Live.", "a wrong clock is not a lag"


def test_one_stale_quote_is_singular() -> None:
    """One quote is not written in the plural, and an unknown age is left out."""
    said = diagnose(snapshot(), quotes=QuoteCounts(total=1, stale=1))
    assert (said.headline, said.detail) == (
        "1 of 1 quote is stale.",
        "Threshold 30 s; the stream is connected.",
    )


def test_an_overdue_poll_is_a_problem() -> None:
    """If REST does not answer, the line shows since when, and why."""
    late = polled(OPTIONS, 3, polled_at=ago(75))
    words = {
        "polled options": "GET /v1beta1/options/snapshots: the server failed (503). Trying again in 4 s."
    }
    said = diagnose(snapshot(late, backfill=words))
    assert said == Diagnosis(
        Level.WARNING,
        "3 option quotes are not up to date.",
        "They are not streamed; REST last returned all of them 1 m 15 s ago. "
        "GET /v1beta1/options/snapshots: the server failed (503). Trying again in 4 s.",
    )
