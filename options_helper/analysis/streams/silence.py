"""The duration of a stream's silence, and the limit from which a stream counts as mute."""

from __future__ import annotations

import datetime as dt

from options_helper.snapshot import StreamHealth

MUTE_AFTER_SECONDS = 45.0
NO_EVENT_AFTER_SECONDS = 10.0  # on a new connection
MUTE = "connected, but nothing arrived although the market is open"


def silence_seconds(
    record: StreamHealth, as_of: dt.datetime, session_open: dt.datetime | None = None
) -> tuple[bool, float]:
    """Return whether a data stream had an event on this connection, and the seconds of silence since.

    Args:
        record: The stream's health.
        as_of: The current time.
        session_open: The session's opening; if it has passed, silence before it does not count.
    """
    began, last = record.connected_at or record.since, record.last_event_at
    seen = last is not None and (record.connected_at is None or last >= record.connected_at)
    silent_since = last if seen else began
    if silent_since is not None and session_open is not None and session_open <= as_of:
        silent_since = max(silent_since, session_open)
    return seen, seconds_since(silent_since, as_of)


def is_silent(record: StreamHealth, as_of: dt.datetime, session_open: dt.datetime | None) -> bool:
    """Return whether a data stream has been silent for too long; arguments as in `silence_seconds`.

    A new connection has 10 s to send an event. If the last one ended because it was mute, the new one counts
    as silent until its first event.
    """
    seen, silent = silence_seconds(record, as_of, session_open)
    if seen:
        return silent >= MUTE_AFTER_SECONDS
    failure = record.last_failure
    went_mute = (
        failure is not None and failure.text == MUTE and (not session_open or failure.at > session_open)
    )
    return went_mute or silent >= NO_EVENT_AFTER_SECONDS


def seconds_since(at: dt.datetime | None, now: dt.datetime) -> float:
    """Return the seconds from a time to now, at least 0; 0 if the time is None."""
    return max(0.0, (now - at).total_seconds()) if at is not None else 0.0
