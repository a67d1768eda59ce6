"""The silence of a stream, and the limit that it must not exceed. Pure."""

from __future__ import annotations

import datetime as dt

from options_helper.snapshot import StreamHealth

MUTE_AFTER_SECONDS = 45.0


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


def seconds_since(at: dt.datetime | None, now: dt.datetime) -> float:
    """Return the seconds from a time to now, never below 0; 0 for no time."""
    return max(0.0, (now - at).total_seconds()) if at is not None else 0.0
