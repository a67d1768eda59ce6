"""The protocol of the fetch of prices, fills and reference data, as a run uses it."""

from __future__ import annotations

from typing import Protocol

from options_helper.market import StreamName


class BackgroundFetch(Protocol):
    """A fetch, in its own threads, of the data that the streams do not carry."""

    def start(self) -> None:
        """Start fetching."""

    def stop(self) -> None:
        """Ask the threads to end."""

    def join(self, timeout: float) -> None:
        """Wait up to `timeout` seconds for the threads to end."""

    def request_fills(self) -> None:
        """Schedule a fetch of the day's executions and orders; return immediately."""

    def request_quotes(self, stream: StreamName) -> None:
        """Schedule a fetch of a data stream's quotes, including polled ones; return immediately."""

    def request_lost(self, stream: StreamName) -> None:
        """Schedule a fetch of the quotes of a data stream that lost messages; return immediately."""
