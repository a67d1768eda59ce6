"""What a connection is given beside its stream: somebody who watches it, and its clockwork."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from options_helper.errors import StreamError


class ConnectionObserver(Protocol):
    """Whoever wants to know how a connection fares; called in the connection's thread."""

    def step(self, words: str) -> None:
        """The handshake waits for this now."""

    def subscribed(self, granted: frozenset[str] | None) -> None:
        """The server acknowledged the subscription; the symbols it granted, None where it names none."""

    def heard(self) -> None:
        """Something came, be it a pong."""

    def counted(self, *, messages: int, conflated: int, malformed: int, waited: float = 0.0) -> None:
        """What came since the last call; the oldest of it waited so many seconds."""

    def complaint(self) -> StreamError | None:
        """A reason to end this connection though it is up (it is mute), else None."""


class SilentObserver:
    """An observer that takes no notice."""

    def step(self, words: str) -> None:
        """Ignore."""

    def subscribed(self, granted: frozenset[str] | None) -> None:
        """Ignore."""

    def heard(self) -> None:
        """Ignore."""

    def counted(self, *, messages: int, conflated: int, malformed: int, waited: float = 0.0) -> None:
        """Ignore."""

    def complaint(self) -> StreamError | None:
        """Never any."""
        return None


@dataclass(frozen=True, slots=True)
class ConnectionTimes:
    """The clockwork of one connection, all in seconds.

    A peer that vanished without a word is noticed after at most ping_interval + ping_timeout.
    """

    handshake: float = 10.0
    ping_interval: float = 4.0
    ping_timeout: float = 10.0
    flush: float = 0.02
    close: float = 0.3
