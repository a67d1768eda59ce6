"""Tests for what a replay plays at a time."""

from __future__ import annotations

import pytest

from options_helper.errors import OptionsHelperError
from options_helper.recording.records import (
    Acknowledged,
    Answer,
    Began,
    Connecting,
    Ended,
    Opened,
    PortfolioText,
    Received,
    Record,
    Started,
    Stopped,
)
from options_helper.replay.script import Script


def ended(elapsed: int, connection: int, outcome: str) -> Ended:
    """Return the end of a connection."""
    return Ended(0, elapsed, connection, outcome, "", "", None, 1006)


def answer(elapsed: int, body: bytes, **query: str) -> Answer:
    """Return an answer to one route."""
    return Answer(0, elapsed, elapsed, "trading", "/v2/orders", query, 200, body)


def test_a_stream_gets_the_connection_of_its_time() -> None:
    """It is the one that is open at a time, or else the next; one that was stopped lasts."""
    script = Script(
        [
            Began(0, 99, {}),
            Started(0, 10, {"stock_feed": "sip"}),
            PortfolioText(0, 10, b"{}"),
            Connecting(0, 11, 1, "fills"),
            Opened(0, 12, 1),
            Received(0, 13, 1, [b"{}"]),
            Acknowledged(0, 14, 1, None),
            ended(20, 1, "interrupted"),
            Connecting(0, 25, 2, "fills"),
            ended(40, 2, "stopped"),
            ended(40, 7, "interrupted"),
            Stopped(0, 41),
        ]
    )
    assert [script.connection("fills", at).connecting.connection for at in (0, 19, 20, 24, 99)] == [
        1,
        1,
        2,
        2,
        2,
    ]  # type: ignore[union-attr]
    assert script.connection("stocks", 0) is None
    first = script.connection("fills", 0)
    assert first is not None
    assert (first.opened, first.granted) == (Opened(0, 12, 1), Acknowledged(0, 14, 1, None))
    assert first.messages == [Received(0, 13, 1, [b"{}"])]
    assert (script.begins, script.last.elapsed) == (10, 41)
    assert (script.config, script.portfolios) == ({"stock_feed": "sip"}, [PortfolioText(0, 10, b"{}")])


def test_a_request_gets_the_newest_answer_by_its_time() -> None:
    """Times in the query do not distinguish requests, everything else does; too early, it is the first."""
    records: list[Record] = [
        answer(30, b"late", after="2026-11-20T10:00:00Z", status="all"),
        answer(10, b"early", after="2026-11-20T09:00:00Z", status="all"),
        answer(20, b"other", status="open"),
    ]
    script = Script(records)

    def body(at: int, **query: str) -> bytes | None:
        found = script.answer("/v2/orders", query, at)
        return found.body if found else None

    assert [body(at, after="now", status="all") for at in (5, 10, 29, 30, 99)] == [
        b"early",
        b"early",
        b"early",
        b"late",
        b"late",
    ]
    assert body(99, status="open") == b"other"
    assert body(99, status="closed") is None
    assert script.answer("/v2/positions", {}, 99) is None


def test_an_empty_recording_is_refused() -> None:
    """There is nothing to replay in it."""
    with pytest.raises(OptionsHelperError, match="nothing to replay"):
        Script([Began(0, 0, {})])


def test_a_recording_from_memory_begins_with_its_last_minutes() -> None:
    """Older records say how things stood; the clock does not run through the hours between."""
    script = Script([Began(900, 900, {}, since=500), Started(1000, 100, {}), Stopped(1500, 600)])
    assert (script.begins, script.begins_at) == (500, 1400)
