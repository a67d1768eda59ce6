"""The connected clients, and the one that holds the only place on each stream."""

from __future__ import annotations

import time
from collections import Counter

from options_helper.simulator.connection import Connection
from options_helper.simulator.faults import STREAMS


class Clients:
    """All connections; used only on the simulator's loop, except for the counts.

    Attributes:
        connected: The connections with a complete handshake.
        open: The number of open connections by stream, including unfinished handshakes.
        times: The time of each connection by stream, in seconds of `time.monotonic`.
    """

    def __init__(self) -> None:
        self.connected: list[Connection] = []
        self.open: Counter[str] = Counter(dict.fromkeys(STREAMS, 0))
        self.times: dict[str, list[float]] = {stream: [] for stream in STREAMS}
        self._holders: dict[str, Connection] = {}

    def enter(self, stream: str) -> None:
        """Count a connection, however far it gets."""
        self.open[stream] += 1
        self.times[stream].append(time.monotonic())

    def leave(self, stream: str, connection: Connection | None) -> None:
        """Remove a connection from the count."""
        self.open[stream] -= 1
        if connection is not None:
            if connection in self.connected:
                self.connected.remove(connection)
            if self._holders.get(stream) is connection:
                del self._holders[stream]

    def take(self, connection: Connection) -> None:
        """Give the only place on a stream to a connection."""
        self._holders[connection.stream] = connection

    def is_taken(self, stream: str, by_other_than: Connection | None = None) -> bool:
        """Return whether a connection, other than this one, holds the only place on a stream."""
        holder = self._holders.get(stream)
        return holder is not None and holder is not by_other_than and holder.is_open
