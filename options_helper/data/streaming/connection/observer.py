"""The observer and the timings of a connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from options_helper.errors import StreamError


class ConnectionObserver(Protocol):
    """An observer of a connection; called in the connection's thread."""

    def step(self, words: str) -> None:
        """Handle a new step of the handshake, given in words."""

    def subscribed(self, granted: frozenset[str] | None) -> None:
        """Handle the acknowledged subscription; `granted` is None if the server does not list symbols."""

    def limited(self, channels: int) -> None:
        """Handle a limit: Alpaca granted only this many of the requested channels."""

    def invalid(self, symbols: frozenset[str]) -> None:
        """Handle symbols that Alpaca rejected and that were left out."""

    def heard(self) -> None:
        """Handle any sign of life, such as a pong."""

    def counted(self, *, messages: int, conflated: int, malformed: int, waited: float = 0.0) -> None:
        """Count the messages since the last call; the oldest waited `waited` seconds."""

    def relayed(self, seconds: float) -> None:
        """Handle the seconds that a batch took from a relay to this process."""

    def complaint(self) -> StreamError | None:
        """Return the reason to end a connection that is up but mute, else None."""


class SilentObserver:
    """An observer that ignores every event."""

    def step(self, words: str) -> None:
        """Ignore the step."""

    def subscribed(self, granted: frozenset[str] | None) -> None:
        """Ignore the acknowledgement."""

    def limited(self, channels: int) -> None:
        """Ignore the limit."""

    def invalid(self, symbols: frozenset[str]) -> None:
        """Ignore the symbols."""

    def heard(self) -> None:
        """Ignore the sign of life."""

    def counted(self, *, messages: int, conflated: int, malformed: int, waited: float = 0.0) -> None:
        """Ignore the count."""

    def relayed(self, seconds: float) -> None:
        """Ignore the seconds."""

    def complaint(self) -> StreamError | None:
        """Return None."""
        return None


@dataclass(frozen=True, slots=True)
class ConnectionTimes:
    """The timings of one connection, all in seconds.

    A peer that vanishes without a close frame is noticed after at most ping_interval + ping_timeout. A data
    stream delivers a batch per `flush`, or per `busy_flush` above 10,000 messages a second.
    """

    handshake: float = 10.0
    ping_interval: float = 4.0
    ping_timeout: float = 10.0
    flush: float = 0.02
    busy_flush: float = 0.1
    close: float = 0.3
