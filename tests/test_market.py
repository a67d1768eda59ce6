"""The market's records: the life of a stream and the defaults of a snapshot."""

from __future__ import annotations

import datetime as dt

import pytest

from options_helper.market import LiveSnapshot, StreamHealth, StreamName, StreamState

NOON = dt.datetime(2026, 11, 20, 17, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("state", "alive"),
    [
        (StreamState.NOT_STARTED, False),
        (StreamState.CONNECTING, True),
        (StreamState.RUNNING, True),
        (StreamState.RECONNECTING, True),
        (StreamState.ERROR, False),
        (StreamState.STOPPED, False),
    ],
)
def test_a_stream_is_alive_while_it_connects_and_runs(state: StreamState, alive: bool) -> None:
    """A stream is alive if it is connected, connecting or reconnecting."""
    assert StreamHealth(StreamName.OPTIONS, state=state).alive is alive


def test_an_empty_snapshot_says_not_started() -> None:
    """Every field has a default, and together they state nothing."""
    snapshot = LiveSnapshot()
    assert (snapshot.running, snapshot.status, snapshot.market_phase) == (False, "not_started", "unknown")
    assert snapshot.as_of.tzinfo is dt.UTC
    assert not snapshot.option_quotes
    assert not snapshot.fills
    assert snapshot.subscribed is None
    assert LiveSnapshot(as_of=NOON) == LiveSnapshot(as_of=NOON)
