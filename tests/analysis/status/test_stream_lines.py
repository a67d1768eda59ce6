"""The line of each stream, and the mix of streamed and polled symbols."""

from __future__ import annotations

from dataclasses import replace

import pytest

from options_helper.analysis.status.stream_diagnosis import (
    Level,
    QuoteCounts,
    diagnose,
)
from options_helper.analysis.status.stream_lines import describe_mix, describe_stream, stream_records
from options_helper.market import (
    LiveSnapshot,
    MarketPhase,
    StreamHealth,
    StreamState,
)
from options_helper.times import NEW_YORK
from tests.analysis.status.streams import (
    FILLS,
    NOW,
    OPTIONS,
    STOCKS,
    ago,
    failure,
    health,
    polled,
    rejected,
    snapshot,
)


def test_records_are_made_from_the_plain_fields() -> None:
    """A snapshot that has only the promised mappings is diagnosed too."""
    plain = LiveSnapshot(
        as_of=NOW,
        status=StreamState.ERROR,
        status_by_stream={"options": "error", "fills": "running"},
        errors_by_stream={"options": "Alpaca refused the key"},
        reconnect_attempts={"options": 2},
        last_event_ts_by_stream={"options": ago(3)},
        market_phase=MarketPhase.OPEN,
    )
    first, second = stream_records(plain)
    assert (first.stream, first.attempts, first.last_event_at) == (OPTIONS, 2, ago(3))
    assert first.last_failure is not None
    assert first.last_failure.final
    assert second.last_failure is None
    assert diagnose(plain).detail.startswith("Alpaca refused the key. Not retried; press Start")


@pytest.mark.parametrize(
    ("record", "sign", "word", "text"),
    [
        (health(OPTIONS), "●", "running", "8 of 8 · just now"),
        (health(OPTIONS, last_event_at=ago(48)), "◐", "running", "8 of 8 · last 13:45:14"),
        (health(OPTIONS, last_event_at=None), "◐", "running", "8 of 8 · no quote yet"),
        (health(OPTIONS, missing=frozenset({"AAPL261210C00250000"})), "◐", "running", "7 of 8 · just now"),
        (health(FILLS), "●", "running", "listening · last 13:46:01"),
        (health(FILLS, last_event_at=None), "●", "running", "listening · none yet"),
        (
            health(STOCKS, StreamState.CONNECTING, since=ago(1)),
            "◌",
            "connecting",
            "opening the connection (1 s)",
        ),
        (
            health(STOCKS, StreamState.RECONNECTING, attempts=3, next_attempt_at=ago(-4)),
            "↻",
            "reconnecting",
            "attempt 3, next try in 4 s",
        ),
        (rejected(FILLS, 402, "Alpaca refused the key"), "✕", "error", "Alpaca refused the key (402)"),
        (health(FILLS, StreamState.ERROR), "✕", "error", "ended"),
        (health(FILLS, StreamState.STOPPED), "■", "stopped", "last event 13:46:01"),
        (health(FILLS, StreamState.STOPPED, last_event_at=None), "■", "stopped", "—"),
        (StreamHealth(OPTIONS), "○", "off", "—"),
    ],
)
def test_each_stream_has_a_line(record: StreamHealth, sign: str, word: str, text: str) -> None:
    """Each stream's line shows its state as a sign and a word, never by colour alone."""
    line = describe_stream(record, NOW, zone=NEW_YORK)
    assert (line.sign, line.word, line.text) == (sign, word, text)


def test_a_line_keeps_the_last_failure() -> None:
    """After recovery, the last failure stays visible with its time."""
    record = replace(health(OPTIONS), last_failure=failure())
    assert describe_stream(record, NOW, zone=NEW_YORK).last_failure == "the connection was reset, 13:45:10"
    assert describe_stream(health(OPTIONS), NOW, zone=NEW_YORK).last_failure == ""


def test_the_mix_and_the_granted_limit_are_stated() -> None:
    """Streamed and polled symbols are counted by stream; a plan's limit is named, and nothing is amber."""
    records = polled(OPTIONS, 3), polled(STOCKS, 1)
    said = diagnose(snapshot(*records), quotes=QuoteCounts(total=8, oldest_seconds=2))
    assert (said.level, said.headline) == (Level.QUIET, "Live.")
    assert said.detail.startswith(
        "Options 5 stream, 3 polled every 15 s · stocks 1 stream, 1 polled every 15 s · fills listening."
    )
    assert (
        "Alpaca granted 5 channels: 5 contracts stream quotes; 3 are polled. "
        "Alpaca granted 1 channel: 1 underlying streams quotes; 1 is polled."
    ) in said.detail
    assert describe_mix(snapshot(*records)) == "6 stream, 4 polled every 15 s"
    assert describe_mix(snapshot()) == ""
    line = describe_stream(records[0], NOW, zone=NEW_YORK)
    assert line.text.startswith("5 stream, 3 polled every 15 s · ")
