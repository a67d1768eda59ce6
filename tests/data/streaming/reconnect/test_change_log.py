"""The log's line for each change in a stream."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import replace

import pytest

from options_helper.data.streaming.reconnect.change_log import log_change
from options_helper.market import StreamFailure, StreamHealth, StreamName, StreamState

NOON = dt.datetime(2026, 11, 20, 17, 0, tzinfo=dt.UTC)
ASKED = frozenset({"A", "B", "C"})
CONNECTING = StreamHealth(StreamName.OPTIONS, state=StreamState.CONNECTING, asked=ASKED)
RESET = StreamFailure("the connection was reset", NOON)
HELD = StreamFailure("another program holds this stream", NOON, code=406)
AWAY = StreamFailure("the server answered HTTP 503", NOON, code=503)
REFUSED = StreamFailure("Alpaca refused the key", NOON, code=402, final=True)


@pytest.mark.parametrize(
    ("after", "level", "line"),
    [
        (
            replace(CONNECTING, state=StreamState.RUNNING),
            "INFO",
            "The options stream is running with 3 of 3 symbols.",
        ),
        (
            replace(CONNECTING, state=StreamState.RUNNING, missing=frozenset({"C", "B"})),
            "WARNING",
            "The options stream is running with 1 of 3 symbols; not granted: B, C.",
        ),
        (
            replace(CONNECTING, state=StreamState.RUNNING, asked=frozenset({"A"})),
            "INFO",
            "The options stream is running with 1 of 1 symbol.",
        ),
        (
            StreamHealth(StreamName.FILLS, state=StreamState.RUNNING, last_failure=RESET),
            "INFO",
            "The fills stream is running.",
        ),
        (
            replace(CONNECTING, state=StreamState.RECONNECTING, last_failure=HELD, attempts=7, tries=2),
            "WARNING",
            "The options stream is reconnecting: another program holds this stream (406); attempt 2.",
        ),
        (
            replace(CONNECTING, state=StreamState.RECONNECTING, last_failure=AWAY, attempts=1),
            "WARNING",
            "The options stream is reconnecting: the server answered HTTP 503; attempt 1.",
        ),
        (
            replace(CONNECTING, state=StreamState.ERROR, last_failure=REFUSED),
            "WARNING",
            "The options stream is in error: Alpaca refused the key (402); not retried.",
        ),
        (
            replace(CONNECTING, state=StreamState.STOPPED, last_failure=RESET),
            "INFO",
            "The options stream is stopped.",
        ),
    ],
)
def test_a_change_is_logged_with_its_cause(caplog, after: StreamHealth, level: str, line: str) -> None:
    """Each new state is logged: what is granted, why the stream was lost, and whether it is retried."""
    caplog.set_level(logging.INFO)
    log_change(CONNECTING, after)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [(level, line)]


def test_a_repeated_failure_is_logged_once(caplog) -> None:
    """While a stream reconnects, a new cause is logged, but a repeated one is not."""
    caplog.set_level(logging.INFO)
    first = replace(CONNECTING, state=StreamState.RECONNECTING, last_failure=RESET, attempts=1)
    second = replace(first, attempts=2, last_failure=replace(RESET, at=NOON + dt.timedelta(seconds=1)))
    third = replace(second, attempts=3, last_failure=AWAY)
    for before, after in ((CONNECTING, first), (first, second), (second, third), (third, third)):
        log_change(before, after)
    assert [record.getMessage() for record in caplog.records] == [
        "The options stream is reconnecting: the connection was reset; attempt 1.",
        "The options stream is reconnecting: the server answered HTTP 503; attempt 3.",
    ]
