"""The records of a recording.

Every record begins with two times in microseconds: `at`, the wall clock since 1970, and `elapsed`, a
monotonic clock. Fields are only ever added at the end, with a default, so older recordings stay readable.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

NO_ANSWER = 0  # the status of a request without a response


class _Record(msgspec.Struct, array_like=True, gc=False):
    at: int
    elapsed: int


class Began(_Record, tag="began"):
    """A file begins; a file saved from memory repeats its context with the original times.

    Attributes:
        versions: The versions of this product, Python and the libraries.
        since: The `elapsed` from which nothing is missing; 0 for the beginning.
    """

    versions: dict[str, str]
    since: int = 0


class Started(_Record, tag="started"):
    """The streams start.

    Attributes:
        config: The settings of the run, without keys.
        clock: The run's own clock at `elapsed`, in microseconds since 1970; 0 in older recordings.
    """

    config: dict[str, object]
    clock: int = 0


class Stopped(_Record, tag="stopped"):
    """The streams were stopped."""


class PortfolioText(_Record, tag="portfolio"):
    """The portfolio file has changed, or the run began with it.

    Attributes:
        saved_at: When the file was saved, as `at`; 0 if there is no file.
    """

    text: bytes
    saved_at: int = 0


class Connecting(_Record, tag="connecting"):
    """A stream begins to connect.

    Attributes:
        connection: The connection's number, counted from 1 in each process.
        stream: "stocks", "options" or "fills".
    """

    connection: int
    stream: str


class Opened(_Record, tag="opened"):
    """Alpaca accepted the keys; messages are recorded from here on."""

    connection: int


class Sent(_Record, tag="sent"):
    """A message to Alpaca, such as a subscription."""

    connection: int
    message: bytes
    is_text: bool = False


class Received(_Record, tag="received"):
    """Messages from Alpaca, each the payload of one websocket frame."""

    connection: int
    messages: list[bytes]
    is_text: bool = False


class Acknowledged(_Record, tag="acknowledged"):
    """Alpaca acknowledged the subscription.

    Attributes:
        granted: The granted symbols, None if the stream lists none.
    """

    connection: int
    granted: list[str] | None


class Ended(_Record, tag="ended"):
    """A connection ended.

    Attributes:
        outcome: "stopped", "rejected" (final) or "interrupted" (tried again).
        step: The step of the handshake in words; its last step if the handshake was complete.
        words: The reason.
        code: Alpaca's error code or an HTTP status.
        close_code: The websocket's close code, 1006 if there was no close frame.
    """

    connection: int
    outcome: str
    step: str
    words: str
    code: int | None
    close_code: int | None


class Answer(_Record, tag="answer"):
    """A REST request and its response.

    Attributes:
        began: The time at which the request was sent, like `elapsed`.
        host: "trading" or "data".
        status: The HTTP status, or `NO_ANSWER`.
        body: The decoded body; for a refusal, only its message and code.
        retry_after: The seconds after which the server allows another request.
        words: Why there was no response.
    """

    began: int
    host: str
    path: str
    query: dict[str, str]
    status: int
    body: bytes
    retry_after: float | None = None
    words: str = ""


class Handed(_Record, tag="handed"):
    """The messages received so far on a connection were handed on; on the fills stream, only the next one."""

    connection: int


class Observed(_Record, tag="observed"):
    """The state of a stream changed, or something arrived on it.

    Attributes:
        stream: "stocks", "options" or "fills".
        change: "connecting", "subscribed", "limited", "invalid", "heard", "failed" or "trying".
        facts: The particulars of the change.
    """

    stream: str
    change: str
    facts: dict[str, object]


class Fetching(_Record, tag="fetching"):
    """The background fetch of a host began one of its parts."""

    host: str
    part: str


class Watching(_Record, tag="watching"):
    """The inputs of the next looks other than the run.

    Attributes:
        portfolio: The portfolio, as JSON.
        alerts: The rules and the state of the alerts before the next look, as JSON.
    """

    portfolio: bytes
    stale_after_seconds: float
    alerts: bytes


class Looked(_Record, tag="looked"):
    """A look at everything, between two events; all earlier ones have taken effect, and no later one has."""


class Digest(_Record, tag="digest"):
    """The result of the last look.

    Attributes:
        parts: A short digest of each part, by the part's name.
    """

    parts: dict[str, str]


class LeftOut(_Record, tag="left out"):
    """Records are missing here, so the recording is not complete.

    Attributes:
        reason: "the computer was too slow" or "it contained a key".
    """

    records: int
    reason: str


class Closed(_Record, tag="closed"):
    """The file's last record; a file without it was cut short, for example by a crash."""

    words: str


Record: TypeAlias = (
    Began
    | Started
    | Stopped
    | PortfolioText
    | Connecting
    | Opened
    | Sent
    | Received
    | Acknowledged
    | Ended
    | Answer
    | Handed
    | Observed
    | Fetching
    | Watching
    | Looked
    | Digest
    | LeftOut
    | Closed
)
