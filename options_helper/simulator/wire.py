"""Frames as Alpaca sends them: market data messages, control messages, and their encodings.

Field names: Alpaca's "Real-time Stock Data" and "Real-time Option Data" pages, and alpaca-py's models.
"""

from __future__ import annotations

import datetime as dt
import re
import struct
import time
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

JsonObject = dict[str, Any]
Message = JsonObject

_TEXT, _BINARY = 0x81, 0x82
PING = b"\x89\x00"
_ONE_BYTE, _TWO_BYTES = 125, 65_535
_TIMESTAMP_EXTENSION = -1
_BILLION = 1_000_000_000
_NEW_YORK = ZoneInfo("America/New_York")

# "WebSocket stream" page of Alpaca's market data documentation.
ERROR_TEXTS = {
    400: "invalid syntax",
    401: "not authenticated",
    402: "auth failed",
    403: "already authenticated",
    404: "auth timeout",
    405: "symbol limit exceeded",
    406: "connection limit exceeded",
    407: "slow client",
    409: "insufficient subscription",
    410: "invalid subscribe action for this feed",
    412: "option messages are only available in MsgPack format",
    413: "star symbol is not allowed for option quotes",
    500: "internal error",
}


class Nanoseconds(int):
    """A time in nanoseconds since 1970 UTC, which each encoding writes differently."""

    __slots__ = ()

    @classmethod
    def now(cls) -> Nanoseconds:
        """Return the current real time, because clients count ages by the real clock."""
        return cls(time.time_ns())

    @classmethod
    def of(cls, at: dt.datetime) -> Nanoseconds:
        """Return the time of an aware datetime."""
        return cls(int(at.timestamp()) * _BILLION + at.microsecond * 1000)

    @classmethod
    def parse(cls, text: str) -> Nanoseconds:
        """Return the time given by an RFC 3339 text or a date, in UTC unless the text has a zone.

        Raises:
            ValueError: The text is neither.
        """
        fraction = re.search(r"\.(\d{1,9})", text)
        at = dt.datetime.fromisoformat(text if fraction is None else text.replace(fraction[0], ""))
        whole = cls.of(at if at.tzinfo else at.replace(tzinfo=dt.UTC))
        return whole if fraction is None else cls(whole + int(fraction[1].ljust(9, "0")))

    def to_new_york(self) -> dt.datetime:
        """Return the New York time, to the second."""
        return dt.datetime.fromtimestamp(self // _BILLION, _NEW_YORK)

    def to_text(self) -> str:
        """Return the time in RFC 3339 format, in UTC with nanoseconds."""
        seconds, rest = divmod(self, _BILLION)
        return f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def _to_extension(value: Nanoseconds) -> msgspec.msgpack.Ext:
    seconds, rest = divmod(value, _BILLION)
    return msgspec.msgpack.Ext(_TIMESTAMP_EXTENSION, struct.pack("!Q", rest << 34 | seconds))


def _with_times(messages: list[Message], convert: Callable[[Nanoseconds], object]) -> list[Message]:
    return [
        {key: convert(value) if isinstance(value, Nanoseconds) else value for key, value in message.items()}
        for message in messages
    ]


_msgpack_encoder = msgspec.msgpack.Encoder()
_json_encoder = msgspec.json.Encoder()


def to_msgpack(messages: list[Message]) -> bytes:
    """Return messages as msgpack, with times as its timestamp extension in nanoseconds."""
    return _msgpack_encoder.encode(_with_times(messages, _to_extension))


def to_json(messages: list[Message]) -> bytes:
    """Return messages as JSON, with times as text."""
    return _json_encoder.encode(_with_times(messages, Nanoseconds.to_text))


def frame(payload: bytes, *, text: bool = False) -> bytes:
    """Return a payload as a complete unmasked websocket frame (RFC 6455, section 5.2)."""
    kind = _TEXT if text else _BINARY
    size = len(payload)
    if size <= _ONE_BYTE:
        return bytes((kind, size)) + payload
    if size <= _TWO_BYTES:
        return struct.pack("!BBH", kind, 126, size) + payload
    return struct.pack("!BBQ", kind, 127, size) + payload


def success(text: str) -> list[Message]:
    """Return an array with a single success message."""
    return [{"T": "success", "msg": text}]


def error(code: int) -> list[Message]:
    """Return an array with a single error message."""
    return [{"T": "error", "code": code, "msg": ERROR_TEXTS.get(code, "error")}]
