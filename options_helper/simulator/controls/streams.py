"""Controls of a running simulator's connections, usable from any thread."""

from __future__ import annotations

import json
from collections.abc import Sequence

from options_helper.simulator.controls.controls import Controls
from options_helper.simulator.streams.burst import BurstResult, send_burst
from options_helper.simulator.streams.data_stream import DataConnection
from options_helper.simulator.streams.malformed import malformed_payloads
from options_helper.simulator.wire import Message, error


class StreamControls(Controls):
    """Frames and disconnects that bypass the market."""

    def send_raw(self, stream: str, payload: bytes | str) -> None:
        """Send one frame unchanged: as text for a string, else as binary."""

        def send() -> None:
            data = payload.encode() if isinstance(payload, str) else payload
            for connection in self._on(stream):
                connection.send(data, text=isinstance(payload, str))

        self.call(send)

    def send_messages(self, stream: str, messages: list[Message]) -> None:
        """Send messages in one frame, in the connection's codec, subscribed or not."""

        def send() -> None:
            for connection in self._on(stream):
                if isinstance(connection, DataConnection):
                    connection.send_messages(messages)

        self.call(send)

    def send_malformed(self, stream: str, kind: str, symbol: str = "") -> None:
        """Send a malformed frame, of a kind named in `malformed_payloads`."""
        self.send_raw(stream, malformed_payloads(stream, symbol)[kind])

    def send_error(self, stream: str, code: int, *, drop: str | None = None) -> None:
        """Send an error such as 407 or 500 on a data stream, then drop the connection if `drop` says how."""
        self.send_messages(stream, error(code))
        if drop is not None:
            self.drop(stream, drop)

    def send_last_words(self, message: str, *, code: int = 1011) -> None:
        """Send the trading stream's error frame, then close the connection, as Alpaca does."""
        payload = {"action": "error", "data": {"error_message": message}}
        self.send_raw("fills", json.dumps(payload).encode())
        self.drop("fills", "close", code=code)

    def ping(self) -> None:
        """Ping every client, as the server does every 20 seconds."""
        self.call(self._world.ping)

    def drop(self, stream: str, how: str = "reset", *, code: int = 1001) -> int:
        """Drop a stream's connections by "reset", "fin" or "close" with a code, and return their number."""

        def end() -> int:
            connections = self._on(stream)
            for connection in connections:
                connection.drop(how, code=code)
            return len(connections)

        return self.call(end)

    def burst(
        self,
        stream: str,
        count: int,
        *,
        per_frame: int = 10,
        symbols: Sequence[str] = (),
        rate: float | None = None,
    ) -> BurstResult:
        """Send quotes to a data stream as fast as its socket accepts them, or at a rate per second.

        The last quote of each symbol is unique, so that a test can check that a client shows it. Without
        `symbols`, the subscribed symbols are quoted.
        """
        return self._run(
            send_burst(self._world, stream, count, per_frame=per_frame, symbols=symbols, rate=rate), None
        )
