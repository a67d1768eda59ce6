"""A connection's observer and timings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from options_helper.errors import StreamError


class ConnectionObserver(Protocol):
    """Observes a connection; called in the connection's thread."""

    def step(self, words: str) -> None:
        """The handshake waits for this now."""

    def subscribed(self, granted: frozenset[str] | None) -> None:
        """Handle the acknowledged subscription and its granted symbols, None if the server names none."""

    def limited(self, channels: int) -> None:
        """Alpaca granted only this many channels of those asked for."""

    def invalid(self, symbols: frozenset[str]) -> None:
        """Note symbols that Alpaca does not accept and that were left out."""

    def heard(self) -> None:
        """Handle any sign of life, such as a pong."""

    def counted(self, *, messages: int, conflated: int, malformed: int, waited: float = 0.0) -> None:
        """Count what has arrived since the last call; the oldest of it waited this many seconds."""

    def complaint(self) -> StreamError | None:
        """Return a reason to end this connection although it is up (it is mute), else None."""


class SilentObserver:
    """An observer that takes no notice."""

    def step(self, words: str) -> None:
        """Ignore."""

    def subscribed(self, granted: frozenset[str] | None) -> None:
        """Ignore."""

    def limited(self, channels: int) -> None:
        """Ignore."""

    def invalid(self, symbols: frozenset[str]) -> None:
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
