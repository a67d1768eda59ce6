"""Logs a stream's changes: a new state, or a new cause of the same state."""

from __future__ import annotations

import logging

from options_helper.market import StreamHealth, StreamState

logger = logging.getLogger(__name__)


def log_change(before: StreamHealth, after: StreamHealth) -> None:
    """Log a new state, or a new cause of the same one; a repeated failure is logged once."""
    if after.state is before.state and _cause(after) == _cause(before):
        return
    level = logging.WARNING if _cause(after) or after.missing else logging.INFO
    logger.log(level, "%s", describe_change(after))


def describe_change(health: StreamHealth) -> str:
    """Return the sentence to log about a stream's new state."""
    words = f"The {health.stream} stream is "
    match health.state:
        case StreamState.RUNNING if health.asked:
            asked = len(health.asked)
            words += (
                f"running with {asked - len(health.missing)} of {asked} symbol{'' if asked == 1 else 's'}"
            )
            if health.missing:
                words += f"; not granted: {', '.join(sorted(health.missing))}"
        case StreamState.RECONNECTING:
            words += f"reconnecting: {_cause(health)}; attempt {health.tries or health.attempts}"
        case StreamState.ERROR:
            words += f"in error: {_cause(health)}; not retried"
        case _:
            words += health.state
    return f"{words}."


def _cause(health: StreamHealth) -> str:
    failure = health.last_failure
    lost = health.state in {StreamState.RECONNECTING, StreamState.ERROR}
    return failure.words if failure is not None and lost else ""
