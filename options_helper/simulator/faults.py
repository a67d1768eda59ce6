"""The faults that the simulator produces on command; any thread may change them at any time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, fields, replace

STREAMS = ("stocks", "options", "fills")


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFaults:
    """The faults of one stream; by default there are none.

    Attributes:
        refuse_key: Authentication fails: 402 on the data streams, "unauthorized" on fills.
        auth_error: Any other error code in answer to the authentication (406, 409, …); data streams only.
        subscribe_error: An error code in answer to every subscription (405, 410, …); data streams only.
        http_status: The upgrade is answered with this status instead (403, 429, 500, 503, …).
        hang_on_connect: TCP is accepted, but the upgrade is never answered.
        silent_on_connect: The upgrade is answered, then nothing follows (fills: no answer to authentication).
        silent_after_auth: Authentication is not answered.
        no_subscription_ack: Subscriptions (fills: listen) are neither acknowledged nor served.
        grant_only: The symbols that a subscription may contain; others are left out. None grants all;
            on fills, an empty set leaves the stream out of the acknowledgement.
        grant_at_most: A subscription gets at most this many symbols of each channel.
        mute: The connection answers pings, but no data is sent.
        vanished: Nothing is read or sent, not even pings, as if the cable were unplugged.
        held: Another program holds the only connection, so the answer is 406, or HTTP 429 on fills.
        drops: This many of the next connections are dropped right after `drop_at`.
        drop_at: "connect", "auth" or "subscribe".
        drop_how: "reset", "fin" or "close", as in `AlpacaSimulator.drop`.
        delay_seconds: Every answer and message is delayed by this much.
    """

    refuse_key: bool = False
    auth_error: int | None = None
    subscribe_error: int | None = None
    http_status: int | None = None
    hang_on_connect: bool = False
    silent_on_connect: bool = False
    silent_after_auth: bool = False
    no_subscription_ack: bool = False
    grant_only: frozenset[str] | None = None
    grant_at_most: int | None = None
    mute: bool = False
    vanished: bool = False
    held: bool = False
    drops: int = 0
    drop_at: str = "connect"
    drop_how: str = "reset"
    delay_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RestFault:
    """A fault for REST requests with a path that begins with `path`.

    Attributes:
        status: The status of the answer; 0 gives the ordinary answer, after `delay_seconds`.
        times: The number of requests that it affects, None for all.
        hang: True if requests are never answered.
        body: The text of the answer instead of an error message, arbitrary with status 200.
    """

    path: str = "/"
    status: int = 0
    times: int | None = None
    hang: bool = False
    delay_seconds: float = 0.0
    body: str | None = None


class Faults:
    """The current faults of all endpoints.

    Args:
        on_change: Called after each change, in the thread that made it.
    """

    def __init__(self, on_change: Callable[[], None] = lambda: None) -> None:
        self._lock = threading.Lock()
        self._streams = dict.fromkeys(STREAMS, StreamFaults())
        self._rest: list[RestFault] = []
        self._on_change = on_change

    def of(self, stream: str) -> StreamFaults:
        """Return the faults of "stocks", "options" or "fills"."""
        with self._lock:
            return self._streams[stream]

    def set(self, stream: str, **faults: object) -> None:
        """Change some faults of a stream, named as in `StreamFaults`; the others stay."""
        unknown = set(faults) - {one.name for one in fields(StreamFaults)}
        if unknown:
            raise ValueError(f"no such fault: {', '.join(sorted(unknown))}")
        with self._lock:
            self._streams[stream] = replace(self._streams[stream], **faults)  # type: ignore[arg-type]
        self._on_change()

    def rest(
        self,
        *,
        path: str = "/",
        status: int = 0,
        times: int | None = None,
        hang: bool = False,
        delay_seconds: float = 0.0,
        body: str | None = None,
    ) -> None:
        """Add a fault for REST requests; if several match a path, the oldest applies."""
        fault = RestFault(
            path=path, status=status, times=times, hang=hang, delay_seconds=delay_seconds, body=body
        )
        with self._lock:
            self._rest.append(fault)

    def clear(self, endpoint: str | None = None) -> None:
        """Remove the faults of one stream or of "rest", or all faults."""
        with self._lock:
            if endpoint in {None, "rest"}:
                self._rest.clear()
            for stream in STREAMS if endpoint is None else {endpoint} & set(STREAMS):
                self._streams[stream] = StreamFaults()
        self._on_change()

    def take_drop(self, stream: str, stage: str) -> str | None:
        """Return how to drop a connection that has reached this stage, or None to keep it."""
        with self._lock:
            faults = self._streams[stream]
            if not faults.drops or faults.drop_at != stage:
                return None
            self._streams[stream] = replace(faults, drops=faults.drops - 1)
            return faults.drop_how

    def take_rest(self, path: str) -> RestFault | None:
        """Return the fault that applies to a request of this path, and count its use."""
        with self._lock:
            for index, fault in enumerate(self._rest):
                if not path.startswith(fault.path):
                    continue
                if fault.times is not None:
                    self._rest[index] = replace(fault, times=fault.times - 1)
                    if fault.times <= 1:
                        del self._rest[index]
                return fault
        return None
