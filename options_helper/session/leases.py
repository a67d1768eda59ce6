"""The leases of the browser sessions that watch the streams; a lease expires unless it is renewed."""

from __future__ import annotations

import threading
from collections.abc import Callable


class SessionLeases:
    """The leases of a process's browser sessions; thread-safe, and its lock is never held for long.

    Args:
        grace_seconds: How long a lease lasts after its session's connection is lost.
        is_active: Returns whether a session's browser is connected now; called only by `drop_expired`.
        monotonic: Returns monotonic seconds.
    """

    def __init__(
        self, grace_seconds: float, is_active: Callable[[str], bool], monotonic: Callable[[], float]
    ) -> None:
        if grace_seconds < 0:
            raise ValueError(f"grace_seconds must not be negative, got {grace_seconds}")
        self.grace_seconds = grace_seconds
        self._is_active = is_active
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._gone_since: dict[str, float | None] = {}

    @property
    def sessions(self) -> frozenset[str]:
        """The sessions that hold a lease."""
        with self._lock:
            return frozenset(self._gone_since)

    def is_connected(self, session_id: str) -> bool:
        """Return whether a session holds a lease and is not known to be disconnected."""
        with self._lock:
            return self._gone_since.get(session_id, 0.0) is None

    def attach(self, session_id: str) -> None:
        """Take or renew a session's lease."""
        with self._lock:
            self._gone_since[session_id] = None

    def detach(self, session_id: str) -> None:
        """Record that a session disconnected; safe on an event loop, because it only stores a time."""
        with self._lock:
            if self._gone_since.get(session_id, 0.0) is None:
                self._gone_since[session_id] = self._monotonic()

    def drop_expired(self) -> None:
        """Drop the leases of sessions lost for the grace period, and renew those of connected sessions."""
        for session_id in self.sessions:
            self._examine(session_id, active=self._is_active(session_id))

    def _examine(self, session_id: str, *, active: bool) -> None:
        now = self._monotonic()
        with self._lock:
            if session_id not in self._gone_since:
                return
            since = self._gone_since[session_id]
            if active:
                self._gone_since[session_id] = None
            elif since is None:
                self._gone_since[session_id] = now
            elif now - since >= self.grace_seconds:
                del self._gone_since[session_id]
