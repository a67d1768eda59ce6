"""The silence of a stream, and the limit that it must not exceed. Pure."""

from __future__ import annotations

import datetime as dt

from options_helper.snapshot import StreamHealth

MUTE_AFTER_SECONDS = 45.0
NO_EVENT_AFTER_SECONDS = 10.0  # on a new connection
MUTE = "connected, but nothing came although the market is open"


def silence_seconds(
    record: StreamHealth, as_of: dt.datetime, session_open: dt.datetime | None = None
) -> tuple[bool, float]:
    """Return whether a data stream had an event on this connection, and the seconds since.

    Args:
        record: The stream.
        as_of: The time now.
        session_open: Silence before it does not count; an opening still to come changes nothing.
    """
    began, last = record.connected_at or record.since, record.last_event_at
    seen = last is not None and (record.connected_at is None or last >= record.connected_at)
    silent_since = last if seen else began
    if silent_since is not None and session_open is not None and session_open <= as_of:
        silent_since = max(silent_since, session_open)
    return seen, seconds_since(silent_since, as_of)


def is_silent(record: StreamHealth, as_of: dt.datetime, session_open: dt.datetime | None) -> bool:
    """Return whether a data stream has brought nothing for too long; arguments as in `silence_seconds`.

    A new connection has 10 s, but none if the last one ended because it was mute: it must prove itself first.
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
    """Return the seconds from a time to now, never below 0; 0 for no time."""
    return max(0.0, (now - at).total_seconds()) if at is not None else 0.0
